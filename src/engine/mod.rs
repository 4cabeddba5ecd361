//! The only place that wires modules to threads.

mod command;
mod handle;
mod status;

pub use command::{Command, Event};
pub use handle::{Handle, Waker};
pub use status::{
    CaptureState, ControlStatus, EncoderStatus, FrameCounts, ShareState, Status, Transport, ViewerStatus,
};
