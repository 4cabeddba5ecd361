//! Filters on neighbourhoods. Beyond the picture's edge it is mirrored, the edge itself not doubled, unless a filter says
//! otherwise.

mod box_blur;
mod canny;
mod cartoon;
mod edges;
mod gaussian;
mod gaussian_blur;
mod pixelate;
mod plane;
mod pyramid;
mod sharpen;
mod smooth;

pub use box_blur::BoxBlur;
pub use cartoon::Cartoon;
pub use edges::Edges;
pub(crate) use gaussian::Blur;
pub use gaussian_blur::GaussianBlur;
pub use pixelate::Pixelate;
pub(crate) use pixelate::{Means, pixelate};
pub use sharpen::Sharpen;
