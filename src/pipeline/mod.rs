//! From a captured picture to the processed frame: the chain, its geometry, and who gets the result.

mod plan;
mod sink;
mod stage;

pub use sink::FrameSink;
pub use stage::Stage;

pub use crate::filter::LiveText;
