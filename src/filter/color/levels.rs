//! Levels: where black, white and the middle lie.

use super::PointKernel;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::Size;

params! {
    /// Moves black, white and the middle tones, before and after.
    pub struct Levels("levels", "Levels", Point) {
        /// What becomes black.
        in_black: f32 = 0.0 in 0.0..=1.0 step 0.005, "Black", Fraction;
        /// What becomes white.
        in_white: f32 = 1.0 in 0.0..=1.0 step 0.005, "White", Fraction;
        /// Above 1 the middle tones get brighter, below 1 darker.
        gamma: f32 = 1.0 in 0.1..=5.0 step 0.01 log, "Middle";
        /// How bright black is shown.
        out_black: f32 = 0.0 in 0.0..=1.0 step 0.005, "Shown black", Fraction;
        /// How bright white is shown.
        out_white: f32 = 1.0 in 0.0..=1.0 step 0.005, "Shown white", Fraction;
    }
}

impl Prepare for Levels {
    fn prepare(&self, _: Size) -> Result<Kernel, PrepareError> {
        if *self == Self::default() {
            return Ok(Kernel::Identity);
        }
        Ok(Kernel::Point(PointKernel::table(|v| {
            let range = self.in_white - self.in_black;
            // Without a range between them everything at least as bright as black is white.
            let inner = if range > 0.0 { (v - self.in_black) / range } else { f32::from(v >= self.in_black) };
            self.out_black + inner.clamp(0.0, 1.0).powf(1.0 / self.gamma) * (self.out_white - self.out_black)
        })))
    }
}
