//! Lift, gamma and gain: the colours of the shadows, the middle tones and the lights.

use super::PointKernel;
use crate::filter::Color;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::Size;

params! {
    /// Colours the shadows, the middle tones and the lights apart, as colourists do (ASC CDL: gain, then lift, then gamma).
    pub struct ColorBalance("color_balance", "Lift, gamma, gain", Point) {
        /// Colour of the shadows; middle grey changes nothing.
        lift: Color = GRAY, "Shadows";
        /// Brightness of the shadows.
        lift_master: f32 = 0.0 in -0.5..=0.5 step 0.005, "Lift";
        /// Colour of the middle tones; middle grey changes nothing.
        gamma: Color = GRAY, "Middle tones";
        /// Brightness of the middle tones.
        gamma_master: f32 = 1.0 in 0.2..=5.0 step 0.01 log, "Gamma";
        /// Colour of the lights; middle grey changes nothing.
        gain: Color = GRAY, "Lights";
        /// Brightness of the lights.
        gain_master: f32 = 1.0 in 0.0..=4.0 step 0.01, "Gain";
    }
}

impl Prepare for ColorBalance {
    fn prepare(&self, _: Size) -> Result<Kernel, PrepareError> {
        if *self == Self::default() {
            return Ok(Kernel::Identity);
        }
        // From -1 for nothing of a channel over 0 for middle grey to about 1 for all of it.
        let towards = |color: Color, channel: usize| (f32::from(color.to_rgba()[channel]) - 128.0) / 128.0;
        let curve = |channel: usize| {
            let slope = self.gain_master * (1.0 + towards(self.gain, channel));
            let offset = self.lift_master + 0.5 * towards(self.lift, channel);
            let power = 1.0 / (self.gamma_master * towards(self.gamma, channel).exp2());
            move |v: f32| (v * slope + offset).clamp(0.0, 1.0).powf(power)
        };
        Ok(Kernel::Point(PointKernel::tables([&curve(0), &curve(1), &curve(2)])))
    }
}
