//! Filters on neighbourhoods. Beyond the picture's edge it is mirrored, the edge itself not doubled, unless a filter says
//! otherwise.

mod adaptive_threshold;
mod bilateral;
mod box_blur;
mod canny;
mod cartoon;
mod convolution;
mod convolve;
mod edges;
mod emboss;
mod gaussian;
mod gaussian_blur;
mod glow;
mod local_mean;
mod median;
mod morphology;
mod oil;
mod pixelate;
mod plane;
mod pyramid;
mod ranks;
mod sharpen;
mod sketch;
mod smooth;
mod sobel;

pub use adaptive_threshold::AdaptiveThreshold;
pub use bilateral::Bilateral;
pub use box_blur::BoxBlur;
pub use cartoon::Cartoon;
pub use convolve::Convolve;
pub use edges::Edges;
pub use emboss::Emboss;
pub(crate) use gaussian::Blur;
pub use gaussian_blur::GaussianBlur;
pub use glow::Glow;
pub use median::Median;
pub use morphology::{Morphology, MorphologyOperation};
pub use oil::Oil;
pub use pixelate::Pixelate;
pub(crate) use pixelate::{Means, pixelate};
pub use sharpen::Sharpen;
pub use sketch::Sketch;
pub use sobel::Sobel;
