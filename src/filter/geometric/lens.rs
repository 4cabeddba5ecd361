//! Lens correction: takes the bend out of a wide-angle camera's picture.

use super::motion::Motion;
use crate::filter::Color;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::{Lens, Map, Mapping, Size};

params! {
    /// Straightens lines that a lens has bent, or bends them. What is at a distance r from the middle, in halves of the
    /// diagonal, comes from r (1 + k1 r² + k2 r⁴).
    pub struct LensCorrection("lens", "Lens correction", Geometric) {
        /// Below 0 pushes the corners out of the picture, above 0 pulls them in.
        k1: f32 = 0.0 in -1.0..=1.0 step 0.01, "Bend";
        /// The same, mostly for the corners.
        k2: f32 = 0.0 in -1.0..=1.0 step 0.01, "Bend of the corners";
        /// What is shown beside the bent picture.
        fill: Color = BLACK, "Fill";
    }
}

impl Prepare for LensCorrection {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        if self.k1 == 0.0 && self.k2 == 0.0 {
            return Ok(Kernel::Identity);
        }
        let input_from_output = Map::Lens(Lens::new(input, f64::from(self.k1), f64::from(self.k2)));
        Ok(Motion::filled(Mapping { input, output: input, input_from_output }, self.fill.to_rgba()))
    }
}
