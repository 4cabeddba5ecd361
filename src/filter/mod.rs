//! Filters: one declaration each, from which sliders, files, the command line and the documentation follow.

pub mod area;
pub(crate) mod bands;
mod chain;
pub mod color;
mod curve;
mod custom;
mod declare;
mod files;
pub mod geometric;
pub mod kernel;
pub mod key;
pub(crate) mod level;
pub mod overlay;
pub(crate) mod picture;
pub mod place;
pub mod prelude;
mod registry;
pub(crate) mod simd;
mod spec;
pub mod time;
mod value;

pub use chain::{CHAIN_VERSION, Chain, ChainError, ChainItem, Entry, MOST_FILTERS};
pub use custom::{Custom, CustomFilter};
pub use files::{Files, MOST_BYTES};
pub use kernel::{Click, LiveMark, LivePicture, LiveText, PrepareError};
pub use registry::{Filter, RegisterError, all, built_in, create, find, register};
pub use spec::{Class, FilterSpec, ParamKind, ParamSpec, Params, Unit};
pub use value::{Choice, Color, Curve, FilePath, ParamError, ParamType, ParamValue};
