//! Luma key: takes out what is darker or brighter than a range.

use super::keying::{Backdrop, Key, Keying, Ramp};
use crate::filter::color::LUMA_709;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::Size;

params! {
    /// Makes what is darker or brighter than a range transparent. JPEG and video know no transparency: viewers see black
    /// there.
    pub struct LumaKey("luma_key", "Luma key", Key) {
        /// What is darker goes.
        minimum: f32 = 0.0 in 0.0..=1.0 step 0.005, "Darkest";
        /// How softly the range begins above the darkest.
        minimum_smoothness: f32 = 0.0 in 0.0..=1.0 step 0.005, "Softness of the darkest";
        /// What is brighter goes.
        maximum: f32 = 1.0 in 0.0..=1.0 step 0.005, "Brightest";
        /// How softly the range ends below the brightest.
        maximum_smoothness: f32 = 0.0 in 0.0..=1.0 step 0.005, "Softness of the brightest";
    }
}

/// A level at the very edge of the range belongs to it, also after rounding.
const EDGE: f32 = 1e-5;

impl Prepare for LumaKey {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        let (low, low_over) = (self.minimum - EDGE, self.minimum_smoothness);
        let (high, high_over) = (self.maximum + EDGE, self.maximum_smoothness);
        if (self.minimum, low_over, self.maximum, high_over) == (0.0, 0.0, 1.0, 0.0) {
            return Ok(Kernel::Identity);
        }
        let key = Range { above: Ramp::new(low, low_over), below: Ramp::new(-high, high_over) };
        Ok(Keying::kernel(input, Backdrop::Transparent, key))
    }
}

/// The range that stays: where it begins, and where it ends on the way down.
struct Range {
    above: Ramp,
    below: Ramp,
}

impl Key for Range {
    #[inline(always)]
    fn apply(&self, color: [f32; 3]) -> ([f32; 3], f32) {
        let luma = LUMA_709[0] * color[0] + LUMA_709[1] * color[1] + LUMA_709[2] * color[2];
        (color, smooth(self.above.at(luma)) * smooth(self.below.at(-luma)))
    }
}

/// Begins and ends level.
#[inline(always)]
fn smooth(way: f32) -> f32 {
    way * way * (3.0 - 2.0 * way)
}
