//! Hue: turns every colour around the grey axis.

use super::PointKernel;
use super::point::LUMA_709;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::Size;

params! {
    /// Shifts every colour around the colour wheel and keeps its brightness.
    pub struct Hue("hue", "Hue", Point) {
        /// How far around the wheel; 120 makes red things green.
        degrees: f32 = 0.0 in -180.0..=180.0 step 1.0, "Shift", Degrees;
    }
}

impl Prepare for Hue {
    fn prepare(&self, _: Size) -> Result<Kernel, PrepareError> {
        if self.degrees == 0.0 {
            return Ok(Kernel::Identity);
        }
        Ok(Kernel::Point(PointKernel::matrix_towards(rotation(self.degrees), 1.0)))
    }
}

/// The matrix of `hue-rotate` in SVG and CSS, with the third row of the sine part solved so that BT.709 luma is kept
/// exactly instead of to three digits.
fn rotation(degrees: f32) -> [[f32; 3]; 3] {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let [lr, lg, lb] = LUMA_709;
    let green = [(lr * lr + lb * (1.0 - lr)) / lg, lr - lb, -(lr * (1.0 - lb) + lb * lb) / lg];
    let sine = [[-lr, -lg, 1.0 - lb], green, [lr - 1.0, lg, lb]];
    let mut matrix = [[0.0; 3]; 3];
    for (channel, row) in matrix.iter_mut().enumerate() {
        for (from, weight) in row.iter_mut().enumerate() {
            let identity = if channel == from { 1.0 } else { 0.0 };
            *weight = LUMA_709[from] + cos * (identity - LUMA_709[from]) + sin * sine[channel][from];
        }
    }
    matrix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn luma_is_kept_at_every_angle() {
        for degrees in -180..=180 {
            let matrix = rotation(degrees as f32);
            for from in 0..3 {
                let luma: f32 = (0..3).map(|channel| LUMA_709[channel] * matrix[channel][from]).sum();
                assert!((luma - LUMA_709[from]).abs() < 1e-5, "{degrees} degrees, channel {from}: {luma}");
            }
        }
    }
}
