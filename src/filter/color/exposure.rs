//! Exposure: more or less light, as a camera would have had it.

use super::PointKernel;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::Size;

params! {
    /// Makes everything as much brighter or darker as a longer or shorter exposure would have.
    pub struct Exposure("exposure", "Exposure", Point) {
        /// Doublings of the light; negative halves it.
        stops: f32 = 0.0 in -4.0..=4.0 step 0.05, "Exposure", Stops;
    }
}

impl Prepare for Exposure {
    fn prepare(&self, _: Size) -> Result<Kernel, PrepareError> {
        if *self == Self::default() {
            return Ok(Kernel::Identity);
        }
        let gain = self.stops.exp2();
        Ok(Kernel::Point(PointKernel::table(|v| encoded(linear(v) * gain))))
    }
}

/// Light from an encoded value, both 0 to 1 (IEC 61966-2-1).
pub(super) fn linear(v: f32) -> f32 {
    if v <= 0.040_45 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
}

/// The encoded value of light; the inverse of [`linear`].
pub(super) fn encoded(light: f32) -> f32 {
    if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 }
}
