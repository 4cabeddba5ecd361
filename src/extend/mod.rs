//! Filters of other people that are programs of their own: found, started, fed with frames, and never waited for long.
//!
//! What goes over their pipes is in `docs/extending.md`. A program runs with the user's rights, so only the user installs
//! one: by its path on the command line, or by putting it into the folder of filters. A chain, a preset or a viewer can
//! name a filter, never a program.

mod backoff;
mod declaration;
mod fault;
mod installed;
mod kernel;
mod link;
mod message;
mod process;
mod program;

pub use declaration::{Declaration, DeclarationError};
pub use fault::Fault;
pub use installed::{ProgramError, Programs};
pub use message::{Header, HeaderError, PROTOCOL_VERSION};
pub use program::{Limits, Program, ProgramFilter};
