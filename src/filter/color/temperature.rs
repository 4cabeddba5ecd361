//! White balance along the colours of glowing bodies.

use super::PointKernel;
use super::exposure::{encoded, linear};
use super::point::LUMA_709;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::Size;

params! {
    /// Makes the light warmer or cooler and keeps its brightness.
    pub struct Temperature("temperature", "White balance", Point) {
        /// The colour that white is shown in, as the temperature of a glowing body: low is warm, high is cool.
        kelvin: f32 = 6500.0 in 1000.0..=40000.0 step 10.0 log, "Temperature", Kelvin;
        /// Towards magenta, or, below 0, towards green.
        tint: f32 = 0.0 in -1.0..=1.0 step 0.01, "Tint";
    }
}

/// Where a picture is as it is: the white of sRGB is near it.
const NEUTRAL: f64 = 6500.0;

impl Prepare for Temperature {
    fn prepare(&self, _: Size) -> Result<Kernel, PrepareError> {
        if *self == Self::default() {
            return Ok(Kernel::Identity);
        }
        let [red, green, blue] = self.gains();
        let gain = |gain: f32| move |v: f32| encoded(linear(v) * gain);
        Ok(Kernel::Point(PointKernel::tables([&gain(red), &gain(green), &gain(blue)])))
    }
}

impl Temperature {
    /// Of light in red, green and blue; grey keeps its luma.
    fn gains(&self) -> [f32; 3] {
        let (wanted, neutral) = (glow(f64::from(self.kelvin)), glow(NEUTRAL));
        let mut gains: [f64; 3] = std::array::from_fn(|channel| wanted[channel] / neutral[channel]);
        gains[1] *= f64::from(-self.tint).exp2();
        let luma: f64 = gains.iter().zip(LUMA_709).map(|(gain, weight)| gain * f64::from(weight)).sum();
        gains.map(|gain| (gain / luma) as f32)
    }
}

/// Light of a glowing body in linear sRGB, whatever its brightness. The locus is Krystek's approximation (*An algorithm to
/// calculate correlated colour temperature*, 1985) in CIE 1960.
fn glow(kelvin: f64) -> [f64; 3] {
    let t = kelvin;
    let u = (0.860_117_757 + 1.541_182_54e-4 * t + 1.286_412_12e-7 * t * t)
        / (1.0 + 8.424_202_35e-4 * t + 7.081_451_63e-7 * t * t);
    let v = (0.317_398_726 + 4.228_062_45e-5 * t + 4.204_816_91e-8 * t * t)
        / (1.0 - 2.897_418_16e-5 * t + 1.614_560_53e-7 * t * t);
    let sum = 2.0 * u - 8.0 * v + 4.0;
    let (x, y) = (3.0 * u / sum, 2.0 * v / sum);
    let (x, z) = (x / y, (1.0 - x - y) / y);
    let rows = [
        [3.240_625_5, -1.537_208, -0.498_628_6],
        [-0.968_930_7, 1.875_756_1, 0.041_517_5],
        [0.055_710_1, -0.204_021_1, 1.056_995_9],
    ];
    // The reddest glow lies outside of what a screen can show.
    rows.map(|[a, b, c]: [f64; 3]| (a * x + b + c * z).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn low_is_warm_high_is_cool_and_grey_keeps_its_luma() {
        for (kelvin, warm) in [(1000.0, true), (3200.0, true), (9000.0, false), (40_000.0, false)] {
            let [red, green, blue] = Temperature { kelvin, tint: 0.0 }.gains();
            assert_eq!(red > blue, warm, "{kelvin}");
            let luma = LUMA_709[0] * red + LUMA_709[1] * green + LUMA_709[2] * blue;
            assert!((luma - 1.0).abs() < 1e-5);
        }
        let [_, green, _] = Temperature { kelvin: 6500.0, tint: 1.0 }.gains();
        assert!(green < 1.0, "magenta is less green");
    }
}
