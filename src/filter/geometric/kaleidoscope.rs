//! Kaleidoscope: a wedge of the picture, mirrored all around.

use super::motion::Motion;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::{self, Map, Mapping, Size};

params! {
    /// Mirrors a wedge of the picture around its middle. A pointer acts on what the wedge shows.
    pub struct Kaleidoscope("kaleidoscope", "Kaleidoscope", Geometric) {
        /// How many mirrors stand in the middle; each makes two wedges, and 0 leaves the picture as it is.
        amount: i32 = 0 in 0..=12 step 1, "Mirrors";
        /// Where the wedge that is shown begins, clockwise from the right.
        angle: f32 = 0.0 in -180.0..=180.0 step 1.0, "Angle", Degrees;
    }
}

impl Prepare for Kaleidoscope {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        if self.amount <= 0 {
            return Ok(Kernel::Identity);
        }
        let map = geometry::Kaleidoscope::new(input, self.amount.unsigned_abs(), f64::from(self.angle) / 360.0);
        Ok(Motion::within(Mapping { input, output: input, input_from_output: Map::Kaleidoscope(map) }))
    }
}
