//! Gaussian blur.

use super::gaussian::Blur;
use crate::filter::declare::params;
use crate::filter::kernel::{AreaKernel, Kernel, Prepare, PrepareError};
use crate::geometry::Size;

params! {
    /// Softens the picture evenly, like a lens out of focus.
    pub struct GaussianBlur("gaussian_blur", "Gaussian blur", Area) {
        /// Standard deviation of the bell curve that each pixel is spread over.
        sigma: f32 = 0.0 in 0.0..=32.0 step 0.1, "Strength", Pixels;
    }
}

/// A blur narrower than this moves no level by one.
const LEAST_SIGMA: f32 = 0.05;

impl Prepare for GaussianBlur {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        if self.sigma < LEAST_SIGMA {
            return Ok(Kernel::Identity);
        }
        Ok(Kernel::Area(Box::new(Blur::new(input, self.sigma))))
    }
}

impl AreaKernel for Blur {
    fn run(&mut self, input: &[u8], output: &mut [u8]) {
        Blur::run(self, input, output);
    }
}
