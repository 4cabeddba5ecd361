//! Sizes, points that know their space, and the mappings between them: the one truth for pixels and for clicks.

mod affine;
mod chain;
mod history;
mod point;

pub use affine::Affine;
pub use chain::{Geometry, Mapping};
pub use history::GeometryHistory;
pub use point::{Desktop, Output, Point, Rect, Size, Source, Space};
