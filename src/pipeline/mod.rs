//! From a captured picture to the processed frame: the chain, its geometry, and who gets the result.

mod plan;
mod report;
mod stage;

pub use report::{PassKind, PassReport};
pub use stage::Stage;

pub use crate::filter::LiveText;
