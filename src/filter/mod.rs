//! Filters: one declaration each, from which sliders, files, the command line and the documentation follow.

mod chain;
pub mod color;
mod declare;
pub mod geometric;
mod registry;
mod spec;
mod value;

pub use chain::{CHAIN_VERSION, Chain, ChainError, ChainItem, Entry, MOST_FILTERS};
pub use registry::{Filter, all, create, find};
pub use spec::{Class, FilterSpec, ParamKind, ParamSpec, Params, Unit};
pub use value::{Choice, Color, ParamError, ParamType, ParamValue};
