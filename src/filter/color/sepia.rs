//! Sepia: like an old photograph.

use super::PointKernel;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::Size;

params! {
    /// Makes the picture brown like an old photograph.
    pub struct Sepia("sepia", "Sepia", Point) {
        /// How much of it.
        amount: f32 = 1.0 in 0.0..=1.0 step 0.01, "Amount";
    }
}

/// The matrix that everybody uses; it goes back to Microsoft's samples for .NET.
const SEPIA: [[f32; 3]; 3] = [[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]];

impl Prepare for Sepia {
    fn prepare(&self, _: Size) -> Result<Kernel, PrepareError> {
        if self.amount == 0.0 {
            return Ok(Kernel::Identity);
        }
        Ok(Kernel::Point(PointKernel::matrix_towards(SEPIA, self.amount)))
    }
}
