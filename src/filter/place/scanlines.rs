//! Scan lines: dark lines as on an old screen.

use super::placed::{PlaceFunction, heading, placed, ripple};
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::Size;

params! {
    /// Darkens the picture in even lines: each level is multiplied by 1 - `amount` · t² (3 - 2t), where t goes from 0 to 1
    /// and back once a line.
    pub struct Scanlines("scanlines", "Scan lines", Place) {
        /// From one line to the next.
        size: f32 = 4.0 in 2.0..=64.0 step 0.5, "Size", Pixels;
        /// How the lines lie, clockwise from level.
        angle: f32 = 0.0 in -90.0..=90.0 step 1.0, "Angle", Degrees;
        /// How dark they are.
        amount: f32 = 0.0 in 0.0..=1.0 step 0.01, "Amount";
    }
}

impl Prepare for Scanlines {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        if self.amount == 0.0 {
            return Ok(Kernel::Identity);
        }
        let (cosine, sine) = heading(self.angle);
        Ok(placed(input, Lines { run: (-sine / self.size, cosine / self.size), amount: self.amount }))
    }
}

struct Lines {
    /// Lines a pixel, across and down.
    run: (f32, f32),
    amount: f32,
}

impl PlaceFunction for Lines {
    #[inline(always)]
    fn apply(&self, (x, y): (f32, f32), levels: [f32; 3]) -> [f32; 3] {
        let light = 1.0 - self.amount * ripple(x * self.run.0 + y * self.run.1);
        levels.map(|level| level * light)
    }
}
