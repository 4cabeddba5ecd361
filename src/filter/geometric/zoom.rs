//! Zoom and pan: a part of the picture fills all of it.

use super::motion::Motion;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::{Affine, Mapping, Size};

params! {
    /// Enlarges a part of the picture; the part never leaves the picture.
    pub struct Zoom("zoom", "Zoom and pan", Geometric) {
        /// How much larger things get.
        factor: f32 = 1.0 in 1.0..=10.0 step 0.01 log, "Zoom";
        /// Middle of the part that is shown, from left to right.
        x: f32 = 0.5 in 0.0..=1.0 step 0.001, "Across", Fraction;
        /// Middle of the part that is shown, from top to bottom.
        y: f32 = 0.5 in 0.0..=1.0 step 0.001, "Down", Fraction;
    }
}

impl Prepare for Zoom {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        let scale = 1.0 / f64::from(self.factor);
        let first = |middle: f32, length: u32| {
            let (length, shown) = (f64::from(length), f64::from(length) * scale);
            (f64::from(middle) * length - shown / 2.0).clamp(0.0, length - shown)
        };
        let back = Affine::translation(first(self.x, input.width), first(self.y, input.height));
        let input_from_output = Affine::scaling(scale, scale).then(back);
        Ok(Motion::within(Mapping { input, output: input, input_from_output }))
    }
}
