//! Brightness and contrast around middle grey.

use super::PointKernel;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::Size;

params! {
    /// Makes the picture brighter or darker and its tones further apart or closer together.
    pub struct BrightnessContrast("brightness_contrast", "Brightness and contrast", Point) {
        /// Added to every channel.
        brightness: f32 = 0.0 in -1.0..=1.0 step 0.01, "Brightness";
        /// Distance of every tone from middle grey, as a factor.
        contrast: f32 = 1.0 in 0.0..=4.0 step 0.01, "Contrast";
    }
}

impl Prepare for BrightnessContrast {
    fn prepare(&self, _: Size) -> Result<Kernel, PrepareError> {
        if *self == Self::default() {
            return Ok(Kernel::Identity);
        }
        Ok(Kernel::Point(PointKernel::table(|v| (v - 0.5) * self.contrast + 0.5 + self.brightness)))
    }
}
