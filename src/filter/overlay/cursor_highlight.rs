//! A ring around the pointer and a wave from each click, so that an audience can follow.

use std::time::Duration;

use super::ring::Ring;
use crate::filter::Color;
use crate::filter::declare::params;
use crate::filter::kernel::{DrawKernel, Kernel, Prepare, PrepareError, Scene};
use crate::geometry::Size;

params! {
    /// Draws a ring around the pointer and a wave from each click.
    pub struct CursorHighlight("cursor_highlight", "Cursor highlight", Overlay) {
        /// Colour of the ring.
        color: Color = AMBER, "Colour";
        /// Width of the ring.
        size: i32 = 56 in 8..=256 step 1, "Size", Pixels;
        /// A wave from each click.
        ripple: bool = true, "Show clicks";
    }
}

/// How much of the colour is inside of the ring.
const INSIDE: f64 = 0.22;
/// How long a wave lasts, and how many times wider than the ring it gets.
const WAVE: Duration = Duration::from_millis(500);
const WAVE_WIDENS: f64 = 2.0;

impl Prepare for CursorHighlight {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        Ok(Kernel::Draw(Box::new(Rings { size: input, chosen: self.clone(), goes_on: false })))
    }
}

struct Rings {
    size: Size,
    chosen: CursorHighlight,
    /// A wave is on its way.
    goes_on: bool,
}

impl DrawKernel for Rings {
    fn draw(&mut self, pixels: &mut [u8], scene: &Scene<'_>) {
        let radius = f64::from(self.chosen.size) / 2.0;
        let line = (radius / 7.0).max(1.5);
        if let Some(middle) = scene.live.pointer.and_then(|pointer| scene.place_of(pointer)) {
            let ring = Ring { middle, radius: radius - line / 2.0, line, inside: INSIDE, opacity: 1.0 };
            ring.draw(pixels, self.size, self.chosen.color);
        }
        self.goes_on = false;
        if !self.chosen.ripple {
            return;
        }
        for click in &scene.live.clicks {
            let age = scene.moment.now.saturating_duration_since(click.when);
            let Some(middle) = scene.place_of(click.at).filter(|_| age < WAVE) else { continue };
            self.goes_on = true;
            let way = age.as_secs_f64() / WAVE.as_secs_f64();
            let radius = radius * (1.0 + (WAVE_WIDENS - 1.0) * (1.0 - (1.0 - way) * (1.0 - way)));
            let wave = Ring { middle, radius, line: line * (1.5 - way), inside: 0.0, opacity: 1.0 - way };
            wave.draw(pixels, self.size, self.chosen.color);
        }
    }

    fn goes_on(&self) -> bool {
        self.goes_on
    }
}
