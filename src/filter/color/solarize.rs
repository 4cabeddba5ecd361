//! Solarise: the bright parts become their negative.

use super::PointKernel;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::Size;

params! {
    /// Turns everything above a level into its negative, like a photograph that saw light too early.
    pub struct Solarize("solarize", "Solarise", Point) {
        /// Where the negative begins, in each channel.
        level: f32 = 0.5 in 0.0..=1.0 step 0.01, "Level";
    }
}

impl Prepare for Solarize {
    fn prepare(&self, _: Size) -> Result<Kernel, PrepareError> {
        if self.level == 1.0 {
            return Ok(Kernel::Identity);
        }
        Ok(Kernel::Point(PointKernel::table(|v| if v > self.level { 1.0 - v } else { v })))
    }
}
