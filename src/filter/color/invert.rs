//! Invert: the negative.

use super::PointKernel;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::Size;

params! {
    /// Turns the picture into its negative.
    pub struct Invert("invert", "Invert", Point) {
        /// How far towards the negative; at a half everything is grey.
        amount: f32 = 1.0 in 0.0..=1.0 step 0.01, "Amount";
    }
}

impl Prepare for Invert {
    fn prepare(&self, _: Size) -> Result<Kernel, PrepareError> {
        if self.amount == 0.0 {
            return Ok(Kernel::Identity);
        }
        Ok(Kernel::Point(PointKernel::table(|v| v + (1.0 - v - v) * self.amount)))
    }
}
