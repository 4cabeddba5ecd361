//! Colour filters: a pixel depends on that pixel alone, so neighbours in the chain can run as one pass.

mod brightness_contrast;
mod grayscale;

pub use brightness_contrast::BrightnessContrast;
pub use grayscale::{GrayMethod, Grayscale};
