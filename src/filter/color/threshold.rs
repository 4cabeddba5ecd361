//! Threshold: black and white and nothing between.

use super::PointKernel;
use super::point::{PixelFunction, luma_level};
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

params! {
    /// Makes everything brighter than a level white and the rest black.
    pub struct Threshold("threshold", "Threshold", Point) {
        /// The brightness (BT.709 luma) above which a pixel becomes white.
        level: f32 = 0.5 in 0.0..=1.0 step 0.01, "Level";
        /// Swaps black and white.
        invert: bool = false, "Invert";
    }
}

impl Prepare for Threshold {
    fn prepare(&self, _: Size) -> Result<Kernel, PrepareError> {
        let [above, below] = if self.invert { [0, 255] } else { [255, 0] };
        Ok(Kernel::Point(PointKernel::Function(Box::new(Step { level: (self.level * 255.0) as u8, above, below }))))
    }
}

struct Step {
    level: u8,
    above: u8,
    below: u8,
}

impl PixelFunction for Step {
    fn apply(&self, pixels: &mut [[u8; BYTES_PER_PIXEL]]) {
        for pixel in pixels {
            let value = if luma_level(*pixel) > self.level { self.above } else { self.below };
            *pixel = [value, value, value, pixel[3]];
        }
    }
}
