//! Filters: one declaration each, from which sliders, files, the command line and the documentation follow.

pub mod area;
pub(crate) mod bands;
mod chain;
pub mod color;
mod declare;
pub mod geometric;
pub(crate) mod kernel;
pub mod overlay;
pub mod place;
mod registry;
pub(crate) mod simd;
mod spec;
mod value;

pub use chain::{CHAIN_VERSION, Chain, ChainError, ChainItem, Entry, MOST_FILTERS};
pub use kernel::{LiveText, PrepareError};
pub use registry::{Filter, all, create, find};
pub use spec::{Class, FilterSpec, ParamKind, ParamSpec, Params, Unit};
pub use value::{Choice, Color, ParamError, ParamType, ParamValue};
