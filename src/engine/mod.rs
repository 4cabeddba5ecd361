//! The only place that wires modules to threads.

mod command;
mod status;

pub use command::{Command, Event};
pub use status::{ControlStatus, EncoderStatus, FrameCounts, ShareState, Status, Transport, ViewerStatus};
