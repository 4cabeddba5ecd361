//! Everything that a filter of somebody else's needs: `use lenscast::filter::prelude::*;`. `examples/custom_filter.rs`
//! is one whole filter; `docs/extending.md` says more.

pub use super::color::PointKernel;
pub use super::geometric::Motion;
pub use super::kernel::{
    AreaKernel, DrawKernel, Kernel, LiveText, Moment, Prepare, PrepareError, Scene, Shown, TimeKernel,
};
pub use super::{Choice, Class, Color, Curve, CustomFilter, FilePath, Files, FilterSpec, Params, Unit, register};
pub use crate::geometry::Size;
pub use crate::{choices, params};
