//! Saturation, and vibrance for the colours that lack it.

use super::PointKernel;
use super::point::LUMA_709;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::Size;

params! {
    /// Makes colours stronger or paler and keeps their brightness.
    pub struct Saturation("saturation", "Saturation", Point) {
        /// Strength of every colour, as a factor; 0 leaves greys.
        saturation: f32 = 1.0 in 0.0..=4.0 step 0.01, "Saturation";
        /// The same, but the paler a colour is the more it changes.
        vibrance: f32 = 0.0 in -1.0..=1.0 step 0.01, "Vibrance";
    }
}

impl Prepare for Saturation {
    fn prepare(&self, _: Size) -> Result<Kernel, PrepareError> {
        if *self == Self::default() {
            return Ok(Kernel::Identity);
        }
        Ok(Kernel::Point(if self.vibrance == 0.0 {
            PointKernel::matrix_towards([LUMA_709; 3], 1.0 - self.saturation)
        } else {
            let (saturation, vibrance) = (self.saturation, self.vibrance);
            PointKernel::function(move |[r, g, b]| {
                let spread = (r.max(g).max(b) - r.min(g).min(b)) / 255.0;
                let factor = saturation * (1.0 + vibrance * (1.0 - spread));
                let luma = LUMA_709[0] * r + LUMA_709[1] * g + LUMA_709[2] * b;
                [r, g, b].map(|value| luma + (value - luma) * factor)
            })
        }))
    }
}
