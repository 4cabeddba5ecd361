//! Colour key: takes out one colour and what is near it in red, green and blue.

use super::keying::{Backdrop, Key, Keying, Ramp};
use crate::filter::Color;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::Size;

params! {
    /// Makes one colour transparent, for example the even background of a drawing. JPEG and video know no transparency:
    /// viewers see black there.
    pub struct ColorKey("color_key", "Colour key", Key) {
        /// The colour that goes.
        color: Color = GREEN, "Colour";
        /// How far from that colour a pixel may be and still go.
        similarity: f32 = 0.08 in 0.0..=1.0 step 0.005, "Similarity";
        /// How softly the rest begins.
        smoothness: f32 = 0.05 in 0.0..=1.0 step 0.005, "Smoothness";
    }
}

impl Prepare for ColorKey {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        let Color { r, g, b, .. } = self.color;
        let key = Near {
            color: [r, g, b].map(|channel| f32::from(channel) / 255.0),
            stays: Ramp::new(self.similarity, self.smoothness),
        };
        Ok(Keying::kernel(input, Backdrop::Transparent, key))
    }
}

/// What is near a colour goes.
struct Near {
    color: [f32; 3],
    /// By the distance.
    stays: Ramp,
}

impl Key for Near {
    #[inline(always)]
    fn apply(&self, color: [f32; 3]) -> ([f32; 3], f32) {
        let apart = [color[0] - self.color[0], color[1] - self.color[1], color[2] - self.color[2]];
        let distance = (apart[0] * apart[0] + apart[1] * apart[1] + apart[2] * apart[2]).sqrt();
        (color, self.stays.at(distance))
    }
}
