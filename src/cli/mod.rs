//! The command line: what can be asked, and how it is answered.

mod args;
mod explain;
mod filter_arg;
mod list;
mod token;

pub use args::{ChainArgs, Cli, Command, ExplainArgs, ServeArgs, TokenAction, Watch};
pub use explain::explain;
pub use filter_arg::{FilterArgError, parse_filter};
pub use list::print_list;
pub use token::{print_log, token};
