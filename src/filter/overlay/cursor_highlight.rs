//! A ring around the pointer and a wave from each click, so that an audience can follow.

use std::time::Duration;

use super::placing::{blend, visible};
use crate::filter::Color;
use crate::filter::declare::params;
use crate::filter::kernel::{DrawKernel, Kernel, Prepare, PrepareError, Scene};
use crate::frame::BYTES_PER_PIXEL;
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

/// A ring with something of its colour inside.
struct Ring {
    middle: (f64, f64),
    /// To the middle of the line.
    radius: f64,
    line: f64,
    inside: f64,
    opacity: f64,
}

impl DrawKernel for Rings {
    fn draw(&mut self, pixels: &mut [u8], scene: &Scene<'_>) {
        let radius = f64::from(self.chosen.size) / 2.0;
        let line = (radius / 7.0).max(1.5);
        if let Some(middle) = scene.live.pointer.and_then(|pointer| scene.place_of(pointer)) {
            let ring = Ring { middle, radius: radius - line / 2.0, line, inside: INSIDE, opacity: 1.0 };
            self.stroke(pixels, &ring);
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
            self.stroke(pixels, &Ring { middle, radius, line: line * (1.5 - way), inside: 0.0, opacity: 1.0 - way });
        }
    }

    fn goes_on(&self) -> bool {
        self.goes_on
    }
}

impl Rings {
    fn stroke(&self, pixels: &mut [u8], ring: &Ring) {
        let (x, y) = ring.middle;
        let reach = (ring.radius + ring.line).ceil() + 1.0;
        // Far outside there is nothing to draw, and numbers stay small.
        let near = |at: f64, room: u32| at > -reach && at < f64::from(room) + reach;
        if !near(x, self.size.width) || !near(y, self.size.height) {
            return;
        }
        let (left, top, side) = ((x - reach).floor() as i64, (y - reach).floor() as i64, 2 * reach as usize + 2);
        let (pixels, _) = pixels.as_chunks_mut::<BYTES_PER_PIXEL>();
        let columns = visible(left, side, self.size.width);
        for row in visible(top, side, self.size.height) {
            let y_here = (top + row as i64) as f64 + 0.5 - y;
            for column in columns.clone() {
                let x_here = (left + column as i64) as f64 + 0.5 - x;
                let distance = (x_here * x_here + y_here * y_here).sqrt();
                // A pixel at the edge is covered as far as the edge goes into it.
                let on_line = (ring.line / 2.0 + 0.5 - (distance - ring.radius).abs()).clamp(0.0, 1.0);
                let within = (ring.radius + 0.5 - distance).clamp(0.0, 1.0) * ring.inside;
                let coverage = (on_line.max(within) * ring.opacity * 255.0).round() as u8;
                let at = (top + row as i64) as usize * self.size.width as usize + (left + column as i64) as usize;
                blend(&mut pixels[at], self.chosen.color, coverage);
            }
        }
    }
}
