//! The command line: what can be asked, and how it is answered.

mod args;
mod filter_arg;
mod list;

pub use args::{Cli, Command, ServeArgs, Watch};
pub use filter_arg::{FilterArgError, parse_filter};
pub use list::print_list;
