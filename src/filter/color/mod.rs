//! Colour filters: a pixel depends on that pixel alone, so neighbours in the chain can run as one pass.

mod brightness_contrast;
mod gamma;
mod grayscale;
mod hue;
mod invert;
mod point;
mod saturation;
mod threshold;
mod vector;

pub use brightness_contrast::BrightnessContrast;
pub use gamma::Gamma;
pub use grayscale::{GrayMethod, Grayscale};
pub use hue::Hue;
pub use invert::Invert;
pub use point::PointKernel;
pub use saturation::Saturation;
pub use threshold::Threshold;
pub(crate) use vector::{channels, packed};
