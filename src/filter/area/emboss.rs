//! Emboss: the picture as a relief that light falls on.

use super::convolution::Convolution;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::Size;

params! {
    /// Makes the picture look like a relief: what faces the light gets brighter, what faces away darker.
    pub struct Emboss("emboss", "Emboss", Area) {
        /// Where the light comes from: 0 is the right, 90 above.
        angle: f32 = 135.0 in 0.0..=360.0 step 1.0, "Light from", Degrees;
        /// How deep the relief is.
        amount: f32 = 0.0 in 0.0..=4.0 step 0.01, "Amount";
    }
}

impl Prepare for Emboss {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        // The picture itself and how it changes away from the light: differences over three columns and three rows.
        let (sin, cos) = self.angle.to_radians().sin_cos();
        let weight = |at: usize| {
            let (x, y) = ((at % 3) as f32 - 1.0, (at / 3) as f32 - 1.0);
            let itself = if at == 4 { 1.0 } else { 0.0 };
            itself + self.amount * (sin * y - cos * x)
        };
        Ok(Convolution::kernel(input, &std::array::from_fn::<_, 9, _>(weight), 0.0))
    }
}
