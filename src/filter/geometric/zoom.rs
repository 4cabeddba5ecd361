//! Zoom and pan: a part of the picture fills all of it.

use super::motion::{Drive, Motion, part_around};
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::{Mapping, Size};

params! {
    /// Enlarges a part of the picture; the part never leaves the picture.
    pub struct Zoom("zoom", "Zoom and pan", Geometric) {
        /// How much larger things get.
        factor: f32 = 1.0 in 1.0..=10.0 step 0.01 log, "Zoom";
        /// Middle of the part that is shown, from left to right.
        x: f32 = 0.5 in 0.0..=1.0 step 0.001, "Across", Fraction;
        /// Middle of the part that is shown, from top to bottom.
        y: f32 = 0.5 in 0.0..=1.0 step 0.001, "Down", Fraction;
        /// Keeps the pointer in the middle instead, as far as the picture reaches.
        follow_pointer: bool = false, "Follow the pointer";
    }
}

impl Prepare for Zoom {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        let shown = 1.0 / f64::from(self.factor);
        let middle = (f64::from(self.x) * f64::from(input.width), f64::from(self.y) * f64::from(input.height));
        let input_from_output = part_around(middle, shown, input).into();
        let mapping = Mapping { input, output: input, input_from_output };
        let follows = self.follow_pointer && shown < 1.0;
        let drive = if follows { Drive::Follow { shown, middle } } else { Drive::Still };
        Ok(Motion { mapping, fill: [0, 0, 0, 255], drive }.into_kernel())
    }
}
