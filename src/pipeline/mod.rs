//! From a captured picture to the processed frame: the chain, its geometry, and who gets the result.

mod plan;

mod stage;

pub use stage::Stage;

pub use crate::filter::LiveText;
