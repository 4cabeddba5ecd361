//! A blur that stops at edges.

use super::smooth::Smooth;
use crate::filter::declare::params;
use crate::filter::kernel::{AreaKernel, Kernel, Prepare, PrepareError};
use crate::geometry::Size;

params! {
    /// Smooths areas of similar colour and keeps the edges between them.
    pub struct Bilateral("bilateral", "Smooth, keep edges", Area) {
        /// Diameter of the disc around each pixel; odd.
        diameter: i32 = 5 in 3..=15 step 2, "Diameter", Pixels;
        /// How different a colour may be to be mixed in, in levels of 255; at 0 nothing is.
        sigma_color: f32 = 0.0 in 0.0..=150.0 step 1.0, "Colour range";
        /// How fast the weight falls with the distance.
        sigma_space: f32 = 3.0 in 0.5..=15.0 step 0.1, "Reach", Pixels;
    }
}

impl Prepare for Bilateral {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        // Colours this alike are the same.
        if self.sigma_color < 0.1 {
            return Ok(Kernel::Identity);
        }
        // A remote slider knows no steps: an even diameter counts as the next odd one.
        let diameter = (self.diameter | 1).unsigned_abs() as usize;
        Ok(Kernel::Area(Box::new(Smooth::new(input, diameter, [self.sigma_color, self.sigma_space]))))
    }
}

impl AreaKernel for Smooth {
    fn run(&mut self, input: &[u8], output: &mut [u8]) {
        Smooth::run(self, input, output);
    }
}
