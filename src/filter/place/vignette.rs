//! Vignette: the picture gets darker, or another colour, towards its corners.

use super::placed::{PlaceFunction, placed, smooth, towards};
use crate::filter::Color;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::Size;

params! {
    /// Fades the picture towards its corners into a colour. At a distance r, which is 0 in the middle and 1 in the corners,
    /// the part of the colour is `amount` times t² (3 - 2t) with t = (r - size) / softness from 0 to 1.
    pub struct Vignette("vignette", "Vignette", Place) {
        /// How much of the colour there is where there is most of it.
        amount: f32 = 0.5 in 0.0..=1.0 step 0.01, "Amount";
        /// The distance from the middle at which it begins.
        size: f32 = 0.5 in 0.0..=1.0 step 0.01, "Size";
        /// The distance that it takes to get to its full amount.
        softness: f32 = 0.5 in 0.0..=1.0 step 0.01, "Softness";
        /// What it fades to; a translucent colour fades less.
        color: Color = BLACK, "Colour";
    }
}

/// Instead of none at all: a step a pixel wide in the largest picture.
const LEAST_SOFTNESS: f32 = 1e-4;

impl Prepare for Vignette {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        let amount = self.amount * f32::from(self.color.a) / 255.0;
        if amount == 0.0 {
            return Ok(Kernel::Identity);
        }
        let middle = (input.width as f32 / 2.0, input.height as f32 / 2.0);
        // Both sides of the square of 1, 1 are half of the distance to the corner, squared.
        let scale = |half: f32| std::f32::consts::FRAC_1_SQRT_2 / half;
        Ok(placed(
            input,
            Fade {
                middle,
                scale: (scale(middle.0), scale(middle.1)),
                size: self.size,
                hardness: 1.0 / self.softness.max(LEAST_SOFTNESS),
                amount,
                color: [self.color.r, self.color.g, self.color.b].map(f32::from),
            },
        ))
    }
}

struct Fade {
    middle: (f32, f32),
    scale: (f32, f32),
    size: f32,
    hardness: f32,
    amount: f32,
    color: [f32; 3],
}

impl PlaceFunction for Fade {
    #[inline(always)]
    fn apply(&self, (x, y): (f32, f32), levels: [f32; 3]) -> [f32; 3] {
        let (across, down) = ((x - self.middle.0) * self.scale.0, (y - self.middle.1) * self.scale.1);
        let part = ((across * across + down * down).sqrt() - self.size) * self.hardness;
        let part = if part > 0.0 { part } else { 0.0 };
        let part = if part < 1.0 { part } else { 1.0 };
        towards(levels, self.color, smooth(part) * self.amount)
    }
}
