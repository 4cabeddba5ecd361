//! Rings and discs with smooth edges.

use super::placing::{blend, visible};
use crate::filter::Color;
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

/// A ring with something of its colour inside.
pub(super) struct Ring {
    pub middle: (f64, f64),
    /// To the middle of the line.
    pub radius: f64,
    pub line: f64,
    /// How much of the colour is inside of the line, 0 to 1.
    pub inside: f64,
    pub opacity: f64,
}

impl Ring {
    /// Draws it on an RGBA picture; what lies outside is cut off.
    pub(super) fn draw(&self, pixels: &mut [u8], size: Size, color: Color) {
        let (x, y) = self.middle;
        let reach = (self.radius + self.line).ceil() + 1.0;
        // Far outside there is nothing to draw, and numbers stay small.
        let near = |at: f64, room: u32| at > -reach && at < f64::from(room) + reach;
        if !near(x, size.width) || !near(y, size.height) {
            return;
        }
        let (left, top, side) = ((x - reach).floor() as i64, (y - reach).floor() as i64, 2 * reach as usize + 2);
        let (pixels, _) = pixels.as_chunks_mut::<BYTES_PER_PIXEL>();
        let columns = visible(left, side, size.width);
        for row in visible(top, side, size.height) {
            let y_here = (top + row as i64) as f64 + 0.5 - y;
            for column in columns.clone() {
                let x_here = (left + column as i64) as f64 + 0.5 - x;
                let distance = (x_here * x_here + y_here * y_here).sqrt();
                // A pixel at the edge is covered as far as the edge goes into it.
                let on_line = (self.line / 2.0 + 0.5 - (distance - self.radius).abs()).clamp(0.0, 1.0);
                let within = (self.radius + 0.5 - distance).clamp(0.0, 1.0) * self.inside;
                let coverage = (on_line.max(within) * self.opacity * 255.0).round() as u8;
                let at = (top + row as i64) as usize * size.width as usize + (left + column as i64) as usize;
                blend(&mut pixels[at], color, coverage);
            }
        }
    }
}
