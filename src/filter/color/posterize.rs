//! Posterise: a few tones only.

use super::PointKernel;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::Size;

params! {
    /// Leaves only a few tones of each channel, like a printed poster.
    pub struct Posterize("posterize", "Posterise", Point) {
        /// Tones of each channel.
        levels: i32 = 4 in 2..=32 step 1, "Tones";
    }
}

impl Prepare for Posterize {
    fn prepare(&self, _: Size) -> Result<Kernel, PrepareError> {
        let tones = self.levels as f32;
        Ok(Kernel::Point(PointKernel::table(|v| {
            // Every tone takes as many of the 256 levels, and the first and the last are black and white.
            let tone = ((v * 255.0).round() * tones / 256.0).floor();
            // A little more, so that what lies between two levels becomes the upper one.
            tone / (tones - 1.0) + 1e-6
        })))
    }
}
