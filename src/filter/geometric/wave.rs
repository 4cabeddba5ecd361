//! Wave: the picture as if under moving water, or in a bent mirror.

use super::motion::Motion;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::{self, Map, Mapping, Size};

params! {
    /// Bends the picture in waves: each position is pushed aside by `amount` times the sine of where it is on the wave.
    pub struct Wave("wave", "Wave", Geometric) {
        /// How far it is pushed at most, as a fraction of the shorter side.
        amount: f32 = 0.0 in 0.0..=0.25 step 0.001, "Amount", Fraction;
        /// How many waves there are along the shorter side.
        frequency: f32 = 4.0 in 0.1..=50.0 step 0.1 log, "Waves";
        /// Where the waves run, clockwise from downwards.
        angle: f32 = 0.0 in -180.0..=180.0 step 1.0, "Angle", Degrees;
    }
}

impl Prepare for Wave {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        if self.amount == 0.0 {
            return Ok(Kernel::Identity);
        }
        let (height, frequency) = (f64::from(self.amount), f64::from(self.frequency));
        let map = geometry::Wave::new(input, height, frequency, f64::from(self.angle) / 360.0);
        Ok(Motion::within(Mapping { input, output: input, input_from_output: Map::Wave(map) }))
    }
}
