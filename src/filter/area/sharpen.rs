//! Sharpen by an unsharp mask.

use super::gaussian::Gaussian;
use crate::filter::declare::params;
use crate::filter::kernel::{AreaKernel, Kernel, Prepare, PrepareError};
use crate::filter::simd::vectorised;
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
        let factor = (self.amount * f32::from(ONE)).round() as i16;
        self.blur.run(input, output, |source, sums, out| sharpen(source, sums, factor, out));
    }
}

/// A factor of 1; with 4 fraction bits in what is added to a level, the largest factor still fits 16 bits.
const ONE: i16 = 1 << 13;

vectorised! {
    fn sharpen(source: &[u8], sums: &[u16], factor: i16, out: &mut [u8]) {
        for ((out, value), sum) in out.iter_mut().zip(source).zip(sums) {
            let value = i16::from(*value);
            let detail = (value << 7) - (*sum >> 1) as i16;
            let added = ((i32::from(detail) * i32::from(factor)) >> 16) as i16;
            *out = ((added + (value << 4) + 8) >> 4).clamp(0, 255) as u8;
        }
    }
}
