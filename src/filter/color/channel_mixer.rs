//! Channel mixer: every channel from all three.

use super::PointKernel;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::Size;

params! {
    /// Makes each channel of all three and adds an offset.
    pub struct ChannelMixer("channel_mixer", "Channel mixer", Point) {
        /// How much of red goes into red.
        red_red: f32 = 1.0 in -2.0..=2.0 step 0.01, "Red from red";
        /// How much of green goes into red.
        red_green: f32 = 0.0 in -2.0..=2.0 step 0.01, "Red from green";
        /// How much of blue goes into red.
        red_blue: f32 = 0.0 in -2.0..=2.0 step 0.01, "Red from blue";
        /// Added to red.
        red_offset: f32 = 0.0 in -1.0..=1.0 step 0.01, "Red offset";
        /// How much of red goes into green.
        green_red: f32 = 0.0 in -2.0..=2.0 step 0.01, "Green from red";
        /// How much of green goes into green.
        green_green: f32 = 1.0 in -2.0..=2.0 step 0.01, "Green from green";
        /// How much of blue goes into green.
        green_blue: f32 = 0.0 in -2.0..=2.0 step 0.01, "Green from blue";
        /// Added to green.
        green_offset: f32 = 0.0 in -1.0..=1.0 step 0.01, "Green offset";
        /// How much of red goes into blue.
        blue_red: f32 = 0.0 in -2.0..=2.0 step 0.01, "Blue from red";
        /// How much of green goes into blue.
        blue_green: f32 = 0.0 in -2.0..=2.0 step 0.01, "Blue from green";
        /// How much of blue goes into blue.
        blue_blue: f32 = 1.0 in -2.0..=2.0 step 0.01, "Blue from blue";
        /// Added to blue.
        blue_offset: f32 = 0.0 in -1.0..=1.0 step 0.01, "Blue offset";
    }
}

impl Prepare for ChannelMixer {
    fn prepare(&self, _: Size) -> Result<Kernel, PrepareError> {
        if *self == Self::default() {
            return Ok(Kernel::Identity);
        }
        Ok(Kernel::Point(PointKernel::matrix([
            [self.red_red, self.red_green, self.red_blue, self.red_offset],
            [self.green_red, self.green_green, self.green_blue, self.green_offset],
            [self.blue_red, self.blue_green, self.blue_blue, self.blue_offset],
        ])))
    }
}
