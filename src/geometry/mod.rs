//! Sizes, points that know their space, and the mappings between them: the one truth for pixels and for clicks.

mod affine;
mod chain;
mod history;
mod map;
mod point;
mod projective;
mod turn;
mod warp;

pub use affine::Affine;
pub use chain::{Geometry, Mapping};
pub use history::GeometryHistory;
pub use map::Map;
pub use point::{Desktop, Output, Point, Rect, Size, Source, Space};
pub use projective::Projective;
pub use warp::{Kaleidoscope, Lens, Swirl, Wave};
