//! Median: takes away specks and keeps edges.

use super::ranks::Ranks;
use crate::filter::declare::params;
use crate::filter::kernel::{AreaKernel, Kernel, Prepare, PrepareError};
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

params! {
    /// Takes away specks and thin lines: each channel becomes the median of the square around it.
    pub struct Median("median", "Median", Area) {
        /// From the middle of the square to its side.
        radius: i32 = 0 in 0..=4 step 1, "Radius", Pixels;
    }
}

impl Prepare for Median {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        if self.radius == 0 {
            return Ok(Kernel::Identity);
        }
        let ranks = Ranks::new(self.radius.unsigned_abs() as usize);
        Ok(Kernel::Area(Box::new(Middle { stride: input.width as usize * BYTES_PER_PIXEL, ranks })))
    }
}

struct Middle {
    stride: usize,
    ranks: Ranks,
}

impl AreaKernel for Middle {
    fn run(&mut self, input: &[u8], output: &mut [u8]) {
        self.ranks.run(input, (self.stride, BYTES_PER_PIXEL), output);
    }
}
