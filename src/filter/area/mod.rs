//! Filters on neighbourhoods. Beyond the picture's edge it is mirrored, the edge itself not doubled, unless a filter says
//! otherwise.

mod bilateral;
mod box_blur;
mod canny;
mod cartoon;
mod edges;
mod gaussian;
mod gaussian_blur;
mod local_mean;
mod median;
mod pixelate;
mod plane;
mod pyramid;
mod ranks;
mod sharpen;
mod smooth;

pub use bilateral::Bilateral;
pub use box_blur::BoxBlur;
pub use cartoon::Cartoon;
pub use edges::Edges;
pub(crate) use gaussian::Blur;
pub use gaussian_blur::GaussianBlur;
pub use median::Median;
pub use pixelate::Pixelate;
pub(crate) use pixelate::{Means, pixelate};
pub use sharpen::Sharpen;
