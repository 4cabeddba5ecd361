//! Threshold: black and white and nothing between.

use super::PointKernel;
use super::point::{LUMA_709, PixelFunction};
use super::vector::channels;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::filter::simd::vectorised;
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
        let [above, below] = if self.invert { [0, WHITE] } else { [WHITE, 0] };
        // A brightness rounds to a level above this one from here on.
        let least = (self.level * 255.0).floor() + 0.5;
        Ok(Kernel::Point(PointKernel::pixels(Split { least, above, below })))
    }
}

/// Without alpha, as little-endian RGBA.
const WHITE: u32 = 0x00ff_ffff;

/// The luma in levels that divides the picture, and what either side becomes.
struct Split {
    least: f32,
    above: u32,
    below: u32,
}

impl PixelFunction for Split {
    fn apply(&self, pixels: &mut [[u8; BYTES_PER_PIXEL]]) {
        split(pixels, self.least, self.above, self.below);
    }
}

vectorised! {
    fn split(pixels: &mut [[u8; BYTES_PER_PIXEL]], least: f32, above: u32, below: u32) {
        let [red, green, blue] = LUMA_709;
        for pixel in pixels {
            let [r, g, b] = channels(*pixel);
            let luma = red * r + green * g + blue * b;
            let color = if luma >= least { above } else { below };
            *pixel = (color | u32::from_le_bytes(*pixel) & !WHITE).to_le_bytes();
        }
    }
}
