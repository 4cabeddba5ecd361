//! Gradient: one colour that turns into another over the picture.

use super::placed::{PlaceFunction, heading, placed, towards};
use crate::filter::Color;
use crate::filter::declare::{choices, params};
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::Size;

choices! {
    /// What a colour does to the picture below it.
    pub enum Blend {
        Normal = "normal", "Normal";
        Multiply = "multiply", "Multiply";
        Screen = "screen", "Screen";
        Overlay = "overlay", "Overlay";
        SoftLight = "soft_light", "Soft light";
        Add = "add", "Add";
        Difference = "difference", "Difference";
    }
}

params! {
    /// Lays a gradient from one colour to another over the picture. It begins in one corner, or along one side, and ends
    /// in the opposite one.
    pub struct Gradient("gradient", "Gradient", Place) {
        /// The colour that it begins with; a translucent one shows more of the picture.
        start: Color = BLACK, "From";
        /// The colour that it ends with; a translucent one shows more of the picture.
        end: Color = WHITE, "To";
        /// Where it runs, clockwise from rightwards.
        angle: f32 = 90.0 in -180.0..=180.0 step 1.0, "Angle", Degrees;
        /// What it does to the picture.
        blend: Blend = Normal, "Blend";
        /// How much of it is seen.
        amount: f32 = 0.0 in 0.0..=1.0 step 0.01, "Amount";
    }
}

impl Prepare for Gradient {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        if self.amount == 0.0 || (self.start.a, self.end.a) == (0, 0) {
            return Ok(Kernel::Identity);
        }
        // On 0 to 1: what is below, what is above. Each is a type of its own, so that each is compiled into its own loop.
        Ok(match self.blend {
            Blend::Normal => self.with(input, |_, above| above),
            Blend::Multiply => self.with(input, |below, above| below * above),
            Blend::Screen => self.with(input, screen),
            Blend::Overlay => self.with(input, |below, above| {
                let (dark, light) = (2.0 * below * above, screen(2.0 * below - 1.0, above));
                if below < 0.5 { dark } else { light }
            }),
            // The formula that has no corner.
            Blend::SoftLight => self.with(input, |below, above| below * (below + 2.0 * above * (1.0 - below))),
            Blend::Add => self.with(input, |below, above| below + above),
            Blend::Difference => self.with(input, |below, above| (below - above).abs()),
        })
    }
}

#[inline(always)]
fn screen(below: f32, above: f32) -> f32 {
    below + above - below * above
}

impl Gradient {
    fn with(&self, size: Size, blend: impl Fn(f32, f32) -> f32 + Send + Sync + 'static) -> Kernel {
        let (cosine, sine) = heading(self.angle);
        let (width, height) = (size.width as f32, size.height as f32);
        let length = width * cosine.abs() + height * sine.abs();
        let run = (cosine / length, sine / length);
        let start = self.start.to_rgba().map(|level| f32::from(level) / 255.0);
        let end = self.end.to_rgba().map(|level| f32::from(level) / 255.0);
        placed(
            size,
            Ramp {
                run,
                offset: 0.5 - width / 2.0 * run.0 - height / 2.0 * run.1,
                start,
                change: std::array::from_fn(|at| end[at] - start[at]),
                amount: self.amount,
                blend,
            },
        )
    }
}

struct Ramp<B> {
    /// How far the gradient gets with a pixel across and down, 1 being its end.
    run: (f32, f32),
    offset: f32,
    start: [f32; 4],
    change: [f32; 4],
    amount: f32,
    blend: B,
}

impl<B: Fn(f32, f32) -> f32 + Send + Sync + 'static> PlaceFunction for Ramp<B> {
    #[inline(always)]
    fn apply(&self, (x, y): (f32, f32), levels: [f32; 3]) -> [f32; 3] {
        let at = x * self.run.0 + y * self.run.1 + self.offset;
        let color = |channel: usize| self.start[channel] + self.change[channel] * at;
        let blended = std::array::from_fn(|channel| {
            let level = (self.blend)(levels[channel] * (1.0 / 255.0), color(channel)) * 255.0;
            let level = if level > 0.0 { level } else { 0.0 };
            if level < 255.0 { level } else { 255.0 }
        });
        towards(levels, blended, self.amount * color(3))
    }
}
