//! Saturation, and vibrance for the colours that lack it.

use super::PointKernel;
use super::point::{LUMA_709, PixelFunction, to_level};
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::frame::BYTES_PER_PIXEL;
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
            PointKernel::Function(Box::new(Vibrance { saturation: self.saturation, vibrance: self.vibrance }))
        }))
    }
}

struct Vibrance {
    saturation: f32,
    vibrance: f32,
}

impl PixelFunction for Vibrance {
    fn apply(&self, pixels: &mut [[u8; BYTES_PER_PIXEL]]) {
        for pixel in pixels {
            let [r, g, b, a] = *pixel;
            let spread = f32::from(r.max(g).max(b) - r.min(g).min(b)) / 255.0;
            let factor = self.saturation * (1.0 + self.vibrance * (1.0 - spread));
            let [r, g, b] = [f32::from(r), f32::from(g), f32::from(b)];
            let luma = LUMA_709[0] * r + LUMA_709[1] * g + LUMA_709[2] * b;
            let away = |value: f32| to_level(luma + (value - luma) * factor);
            *pixel = [away(r), away(g), away(b), a];
        }
    }
}
