//! Swirl: the picture as if it ran down a drain.

use super::motion::Motion;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::{self, Map, Mapping, Size};

params! {
    /// Twists the picture around its middle: all of `angle` there, and with the square of the distance to the end of its
    /// reach less.
    pub struct Swirl("swirl", "Swirl", Geometric) {
        /// How far the middle turns, anticlockwise.
        angle: f32 = 0.0 in -1080.0..=1080.0 step 1.0, "Twist", Degrees;
        /// How far from the middle it reaches, as a fraction of half the diagonal.
        amount: f32 = 0.8 in 0.05..=1.0 step 0.01, "Reach", Fraction;
    }
}

impl Prepare for Swirl {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        if self.angle == 0.0 {
            return Ok(Kernel::Identity);
        }
        let map = geometry::Swirl::new(input, f64::from(self.angle) / 360.0, f64::from(self.amount));
        Ok(Motion::within(Mapping { input, output: input, input_from_output: Map::Swirl(map) }))
    }
}
