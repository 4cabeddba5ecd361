//! Greyscale by one of the usual weightings.

use super::PointKernel;
use super::point::{LUMA_601, LUMA_709, PixelFunction, to_level};
use crate::filter::declare::{choices, params};
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

choices! {
    /// How the three channels become one.
    pub enum GrayMethod {
        Luma709 = "luma709", "Luma (BT.709)";
        Luma601 = "luma601", "Luma (BT.601)";
        Average = "average", "Average";
        Lightness = "lightness", "Lightness";
    }
}

params! {
    /// Takes the colour out of the picture.
    pub struct Grayscale("grayscale", "Greyscale", Point) {
        /// How the three channels are weighted.
        method: GrayMethod = Luma709, "Method";
        /// How much of the colour goes.
        amount: f32 = 1.0 in 0.0..=1.0 step 0.01, "Amount";
    }
}

impl Prepare for Grayscale {
    fn prepare(&self, _: Size) -> Result<Kernel, PrepareError> {
        if self.amount == 0.0 {
            return Ok(Kernel::Identity);
        }
        let weights = match self.method {
            GrayMethod::Luma709 => LUMA_709,
            GrayMethod::Luma601 => LUMA_601,
            GrayMethod::Average => [1.0 / 3.0; 3],
            GrayMethod::Lightness => {
                return Ok(Kernel::Point(PointKernel::Function(Box::new(Lightness { amount: self.amount }))));
            }
        };
        Ok(Kernel::Point(PointKernel::matrix_towards([weights; 3], self.amount)))
    }
}

/// The middle between the strongest and the weakest channel, as in HSL.
struct Lightness {
    amount: f32,
}

impl PixelFunction for Lightness {
    fn apply(&self, pixels: &mut [[u8; BYTES_PER_PIXEL]]) {
        for pixel in pixels {
            let [r, g, b, a] = *pixel;
            let gray = (f32::from(r.max(g).max(b)) + f32::from(r.min(g).min(b))) / 2.0;
            let towards = |value: u8| to_level(f32::from(value) + (gray - f32::from(value)) * self.amount);
            *pixel = [towards(r), towards(g), towards(b), a];
        }
    }
}
