//! From a captured picture to the processed frame: the chain, its geometry, and who gets the result.

mod sink;

pub use sink::FrameSink;
