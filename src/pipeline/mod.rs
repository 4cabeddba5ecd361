//! From a captured picture to the processed frame: the chain, its geometry, and who gets the result.

mod flatten;
mod plan;
mod report;
mod stage;

pub use flatten::over_black;
pub use report::{PassKind, PassReport};
pub use stage::Stage;

pub use crate::filter::LiveText;
