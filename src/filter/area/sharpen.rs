//! Sharpen by an unsharp mask.

use super::gaussian::{Gaussian, blurred_value};
use crate::filter::declare::params;
use crate::filter::kernel::{AreaKernel, Kernel, Prepare, PrepareError};
use crate::geometry::Size;

params! {
    /// Makes edges clearer by adding what a blur would take away.
    pub struct Sharpen("sharpen", "Sharpen", Area) {
        /// How much clearer.
        amount: f32 = 0.0 in 0.0..=3.0 step 0.01, "Amount";
        /// Size of the details that get clearer.
        radius: f32 = 1.0 in 0.3..=8.0 step 0.1, "Radius", Pixels;
    }
}

impl Prepare for Sharpen {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        if self.amount == 0.0 {
            return Ok(Kernel::Identity);
        }
        Ok(Kernel::Area(Box::new(Unsharp { blur: Gaussian::new(input, self.radius), amount: self.amount })))
    }
}

struct Unsharp {
    blur: Gaussian,
    amount: f32,
}

impl AreaKernel for Unsharp {
    fn run(&mut self, input: &[u8], output: &mut [u8]) {
        let amount = self.amount;
        self.blur.run(input, output, |source, sums, out| {
            for ((out, value), sum) in out.iter_mut().zip(source).zip(sums) {
                let value = f32::from(*value);
                *out = (value + (value - blurred_value(*sum)) * amount + 0.5).clamp(0.0, 255.0) as i32 as u8;
            }
        });
    }
}
