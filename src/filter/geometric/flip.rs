//! Mirror and flip.

use super::motion::Motion;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::{Affine, Mapping, Size};

params! {
    /// Mirrors the picture or turns it upside down.
    pub struct Flip("flip", "Mirror and flip", Geometric) {
        /// Swaps left and right.
        horizontal: bool = false, "Mirror";
        /// Swaps top and bottom.
        vertical: bool = false, "Upside down";
    }
}

impl Prepare for Flip {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        let side = |swap: bool, length: u32| if swap { (-1.0, f64::from(length)) } else { (1.0, 0.0) };
        let (a, c) = side(self.horizontal, input.width);
        let (e, f) = side(self.vertical, input.height);
        let input_from_output = Affine { a, b: 0.0, c, d: 0.0, e, f };
        Ok(Motion::within(Mapping { input, output: input, input_from_output: input_from_output.into() }))
    }
}
