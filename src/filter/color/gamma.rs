//! Gamma: bends the tones and leaves black and white where they are.

use super::PointKernel;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::Size;

params! {
    /// Makes the middle tones brighter or darker; black stays black and white stays white.
    pub struct Gamma("gamma", "Gamma", Point) {
        /// Above 1 the middle tones get brighter, below 1 darker.
        gamma: f32 = 1.0 in 0.1..=5.0 step 0.01 log, "Gamma";
    }
}

impl Prepare for Gamma {
    fn prepare(&self, _: Size) -> Result<Kernel, PrepareError> {
        if *self == Self::default() {
            return Ok(Kernel::Identity);
        }
        Ok(Kernel::Point(PointKernel::table(|v| v.powf(1.0 / self.gamma))))
    }
}
