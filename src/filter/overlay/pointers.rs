//! The named pointers of viewers who may point, with a trail while they press and a wave where they begin to.

use std::sync::Arc;
use std::time::Duration;

use super::placing::{blend, visible};
use super::ring::Ring;
use super::writing::{Coverage, Pen};
use crate::filter::Color;
use crate::filter::declare::params;
use crate::filter::kernel::{DrawKernel, Kernel, LiveMark, Prepare, PrepareError, Scene};
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

params! {
    /// Draws the pointers of viewers who may point, each with a name and a colour of its own.
    pub struct Pointers("pointers", "Viewers' pointers", Overlay) {
        /// Width of a pointer.
        size: i32 = 22 in 6..=128 step 1, "Size", Pixels;
        /// The viewer's name beside the pointer.
        names: bool = true, "Show names";
    }
}

/// A laser's trail, and the wave of a press.
const TRAIL: Duration = Duration::from_millis(700);
const WAVE: Duration = Duration::from_millis(500);
const WAVE_WIDENS: f64 = 2.5;
/// Names are kept for as many viewers as there can be.
const MOST_NAMES: usize = 32;

impl Prepare for Pointers {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        let pen = Pen::new((self.size as f32 * 0.72).max(9.0), 1)?;
        let chosen = self.clone();
        Ok(Kernel::Draw(Box::new(Marks { size: input, chosen, pen, names: Vec::new(), goes_on: false })))
    }
}

struct Marks {
    size: Size,
    chosen: Pointers,
    pen: Pen,
    /// Drawn once.
    names: Vec<(Arc<str>, Coverage)>,
    /// A trail or a wave is on its way.
    goes_on: bool,
}

impl DrawKernel for Marks {
    fn draw(&mut self, pixels: &mut [u8], scene: &Scene<'_>) {
        self.goes_on = false;
        for mark in &scene.live.marks {
            self.draw_mark(pixels, scene, mark);
        }
    }

    fn goes_on(&self) -> bool {
        self.goes_on
    }
}

impl Marks {
    fn draw_mark(&mut self, pixels: &mut [u8], scene: &Scene<'_>, mark: &LiveMark) {
        let radius = f64::from(self.chosen.size) / 2.0;
        let now = scene.moment.now;
        for (at, when) in &mark.trail {
            let age = now.saturating_duration_since(*when);
            let Some(middle) = scene.place_of(*at).filter(|_| age < TRAIL) else { continue };
            self.goes_on = true;
            let fresh = 1.0 - age.as_secs_f64() / TRAIL.as_secs_f64();
            let dot = Ring { middle, radius: radius * 0.5 * fresh, line: 0.0, inside: 1.0, opacity: 0.75 * fresh };
            dot.draw(pixels, self.size, mark.color);
        }
        let Some(middle) = scene.place_of(mark.at) else { return };
        if let Some(age) = mark.pressed.map(|when| now.saturating_duration_since(when)).filter(|age| *age < WAVE) {
            self.goes_on = true;
            let way = age.as_secs_f64() / WAVE.as_secs_f64();
            let (radius, line) = (radius * (1.0 + (WAVE_WIDENS - 1.0) * way), radius / 3.0 * (1.5 - way));
            let wave = Ring { middle, radius, line, inside: 0.0, opacity: 1.0 - way };
            wave.draw(pixels, self.size, mark.color);
        }
        // A white rim keeps it apart from a ground of its own colour.
        let line = (radius / 4.0).max(1.5);
        let disc = Ring { middle, radius: radius - line, line: 0.0, inside: 1.0, opacity: 1.0 };
        disc.draw(pixels, self.size, mark.color);
        let rim = Ring { middle, radius: radius - line / 2.0, line, inside: 0.0, opacity: 1.0 };
        rim.draw(pixels, self.size, Color::WHITE);
        if self.chosen.names && !mark.name.is_empty() {
            self.write(pixels, mark, (middle.0 + radius + 3.0, middle.1));
        }
    }

    /// The name to the right of a pointer, on a plate of its colour.
    fn write(&mut self, pixels: &mut [u8], mark: &LiveMark, (left, middle): (f64, f64)) {
        let place = match self.names.iter().position(|(name, _)| *name == mark.name) {
            Some(place) => place,
            None => {
                if self.names.len() >= MOST_NAMES {
                    self.names.remove(0);
                }
                self.names.push((Arc::clone(&mark.name), self.pen.write(&mark.name, self.size)));
                self.names.len() - 1
            }
        };
        let name = &self.names[place].1;
        // Beyond this nothing of it is on the picture, and the numbers below stay small.
        let far = |at: f64, room: u32| !(at > -4096.0 && at < f64::from(room) + 4096.0);
        if far(left, self.size.width) || far(middle, self.size.height) {
            return;
        }
        let (left, top) = (left.round() as i64, (middle - name.height as f64 / 2.0).round() as i64);
        let (pixels, _) = pixels.as_chunks_mut::<BYTES_PER_PIXEL>();
        for row in visible(top, name.height, self.size.height) {
            for column in visible(left, name.width, self.size.width) {
                let at = (top + row as i64) as usize * self.size.width as usize + (left + column as i64) as usize;
                let (_, letter) = name.at(column, row);
                blend(&mut pixels[at], mark.color, 225);
                blend(&mut pixels[at], readable_on(mark.color), letter);
            }
        }
    }
}

/// Black or white, whichever stands out more; by the luma of BT.601.
fn readable_on(color: Color) -> Color {
    let luma = 299 * u32::from(color.r) + 587 * u32::from(color.g) + 114 * u32::from(color.b);
    if luma > 140_000 { Color::rgb(0, 0, 0) } else { Color::WHITE }
}
