//! Threshold: black and white and nothing between.

use super::PointKernel;
use super::point::LUMA_709;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
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
        let [above, below] = if self.invert { [0.0, 255.0] } else { [255.0, 0.0] };
        // A brightness rounds to a level above this one from here on.
        let least = (self.level * 255.0).floor() + 0.5;
        let [red, green, blue] = LUMA_709;
        Ok(Kernel::Point(PointKernel::function(move |[r, g, b]| {
            let luma = red * r + green * g + blue * b;
            [if luma >= least { above } else { below }; 3]
        })))
    }
}
