//! Greyscale by one of the usual weightings.

use super::PointKernel;
use super::point::{LUMA_601, LUMA_709};
use crate::filter::declare::{choices, params};
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
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
                let amount = self.amount;
                return Ok(Kernel::Point(PointKernel::function(move |[r, g, b]| {
                    // The middle between the strongest and the weakest channel, as in HSL.
                    let gray = (r.max(g).max(b) + r.min(g).min(b)) / 2.0;
                    [r, g, b].map(|value| value + (gray - value) * amount)
                })));
            }
        };
        Ok(Kernel::Point(PointKernel::matrix_towards([weights; 3], self.amount)))
    }
}
