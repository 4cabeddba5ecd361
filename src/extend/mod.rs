//! Filters whose work is done elsewhere, and never waited for long: programs of other people, found, started, and fed
//! with frames; and ONNX models, on a thread of their own.
//!
//! What goes over their pipes is in `docs/extending.md`. A program runs with the user's rights, so only the user installs
//! one: by its path on the command line, or by putting it into the folder of filters. A chain, a preset or a viewer can
//! name a filter, never a program.

mod aside;
mod backoff;
mod declaration;
mod fault;
mod installed;
mod kernel;
mod link;
mod message;
#[cfg(feature = "model")]
pub mod model;
mod process;
mod program;
mod service;

pub use declaration::{Declaration, DeclarationError};
pub use fault::Fault;
pub use installed::{ProgramError, Programs};
pub use message::{Header, HeaderError, PROTOCOL_VERSION};
pub use program::{Limits, Program, ProgramFilter};

use crate::filter::RegisterError;

/// Adds what is not a program but works aside as well: the filter `model`, where it is built in.
///
/// # Errors
/// When another filter has its id.
pub fn register_built_in() -> Result<(), RegisterError> {
    #[cfg(feature = "model")]
    crate::filter::register(&model::Model::SPEC, || Box::new(model::Model::default()))?;
    Ok(())
}
