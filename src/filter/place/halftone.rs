//! Halftone: the picture as if printed in dots.

use super::placed::{PlaceFunction, heading, placed, ripple, towards};
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::Size;

params! {
    /// Shows each of red, green and blue by the size of dots, as a printer does. Where the screen of dots is s, from 0
    /// between them to 1 in their middles, a level v from 0 to 1 becomes (v - 1 + s) · 0.6 · size + 0.5.
    pub struct Halftone("halftone", "Halftone", Place) {
        /// From one dot to the next.
        size: f32 = 8.0 in 3.0..=64.0 step 0.5, "Size", Pixels;
        /// How the rows of dots lie, clockwise from level.
        angle: f32 = 45.0 in -90.0..=90.0 step 1.0, "Angle", Degrees;
        /// How much of the dots and how little of the picture is seen.
        amount: f32 = 0.0 in 0.0..=1.0 step 0.01, "Amount";
    }
}

impl Prepare for Halftone {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        if self.amount == 0.0 {
            return Ok(Kernel::Identity);
        }
        let (cosine, sine) = heading(self.angle);
        let run = (cosine / self.size, sine / self.size);
        Ok(placed(input, Dots { run, hardness: SHARPNESS * self.size, amount: self.amount }))
    }
}

/// Times the size it makes the edge of a dot about a pixel wide.
const SHARPNESS: f32 = 0.6;

struct Dots {
    /// Dots a pixel, along a row of them and across.
    run: (f32, f32),
    hardness: f32,
    amount: f32,
}

impl PlaceFunction for Dots {
    #[inline(always)]
    fn apply(&self, (x, y): (f32, f32), levels: [f32; 3]) -> [f32; 3] {
        let (along, across) = (x * self.run.0 + y * self.run.1, y * self.run.0 - x * self.run.1);
        let between = 0.5 * (ripple(along) + ripple(across));
        let dots = levels.map(|level| {
            let ink = (level - 255.0 * between) * self.hardness + 127.5;
            let ink = if ink > 0.0 { ink } else { 0.0 };
            if ink < 255.0 { ink } else { 255.0 }
        });
        towards(levels, dots, self.amount)
    }
}
