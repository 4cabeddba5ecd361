//! Text on the picture, with the time and other live values in it.

use super::placing::{Place, blend, corner};
use super::writing::{Coverage, Pen};
use crate::filter::Color;
use crate::filter::declare::params;
use crate::filter::kernel::{DrawKernel, Kernel, LiveText, Prepare, PrepareError, Scene};
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

params! {
    /// Writes a text on the picture. `{clock}`, `{date}`, `{fps}` and `{viewers}` stand for what they name.
    pub struct Text("text", "Text", Overlay) {
        /// What is written; several lines are possible.
        text: String = "", "Text";
        /// Height of the letters, as a fraction of the picture's height.
        size: f32 = 0.05 in 0.01..=0.5 step 0.005, "Size", Fraction;
        /// Colour of the letters.
        color: Color = WHITE, "Colour";
        /// Width of the line around the letters; 0 for none.
        outline: i32 = 2 in 0..=16 step 1, "Outline", Pixels;
        /// Colour of the line around the letters.
        outline_color: Color = BLACK, "Outline colour";
        /// Corner, side or middle of the picture; Free takes the position below.
        place: Place = TopLeft, "Place";
        /// Middle of a free text, from left to right.
        x: f32 = 0.5 in 0.0..=1.0 step 0.001, "Across", Fraction;
        /// Middle of a free text, from top to bottom.
        y: f32 = 0.5 in 0.0..=1.0 step 0.001, "Down", Fraction;
    }
}

impl Prepare for Text {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        if self.text.trim().is_empty() {
            return Ok(Kernel::Identity);
        }
        let pen = Pen::new(self.size * input.height as f32, self.outline.unsigned_abs() as usize)?;
        let (written, coverage) = (String::new(), Coverage::default());
        let mut label = Label { size: input, chosen: self.clone(), pen, next: String::new(), written, coverage };
        label.write();
        Ok(Kernel::Draw(Box::new(label)))
    }
}

struct Label {
    size: Size,
    chosen: Text,
    pen: Pen,
    /// The text with its live values, as it should be and as it was drawn last.
    next: String,
    written: String,
    coverage: Coverage,
}

impl Label {
    fn write(&mut self) {
        if self.next != self.written {
            self.written.clone_from(&self.next);
            self.coverage = self.pen.write(&self.written, self.size);
        }
    }

    /// The upper left corner of the text, which may lie outside of the picture.
    fn corner(&self) -> (i64, i64) {
        // A third of a letter's height away from the edge.
        let margin = (self.chosen.size * self.size.height as f32 / 3.0).round() as i64;
        let Text { place, x, y, .. } = self.chosen;
        corner((place, [x, y]), margin, [self.coverage.width, self.coverage.height], self.size)
    }
}

impl DrawKernel for Label {
    fn draw(&mut self, pixels: &mut [u8], scene: &Scene<'_>) {
        fill_in(&self.chosen.text, scene.live, &mut self.next);
        self.write();
        let (left, top) = self.corner();
        let (pixels, _) = pixels.as_chunks_mut::<BYTES_PER_PIXEL>();
        let (width, height) = (i64::from(self.size.width), i64::from(self.size.height));
        let columns = (-left).clamp(0, self.coverage.width as i64)..(width - left).clamp(0, self.coverage.width as i64);
        for row in (-top).clamp(0, self.coverage.height as i64)..(height - top).clamp(0, self.coverage.height as i64) {
            for column in columns.clone() {
                let (outline, fill) = self.coverage.at(column as usize, row as usize);
                let pixel = &mut pixels[((top + row) * width + left + column) as usize];
                blend(pixel, self.chosen.outline_color, outline);
                blend(pixel, self.chosen.color, fill);
            }
        }
    }
}

/// Puts the live values in; does not allocate once `filled` is large enough.
fn fill_in(text: &str, live: &LiveText, filled: &mut String) {
    use std::fmt::Write as _;
    filled.clear();
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        filled.push_str(&rest[..start]);
        rest = &rest[start..];
        let Some(end) = rest.find('}') else { break };
        // Writing into a string can't fail.
        let _ = match &rest[..=end] {
            "{clock}" => filled.write_str(&live.clock),
            "{date}" => filled.write_str(&live.date),
            "{fps}" => write!(filled, "{:.0}", live.fps),
            "{viewers}" => write!(filled, "{}", live.viewers),
            _ => {
                filled.push('{');
                rest = &rest[1..];
                continue;
            }
        };
        rest = &rest[end + 1..];
    }
    filled.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_values_are_filled_in_and_other_braces_stay() {
        let live = LiveText {
            fps: 29.97,
            viewers: 3,
            clock: "12:34:56".into(),
            date: "2026-03-01".into(),
            ..LiveText::default()
        };
        let mut filled = String::new();
        fill_in("{date} {clock} {fps} fps, {viewers} {{who}} {fps", &live, &mut filled);
        assert_eq!(filled, "2026-03-01 12:34:56 30 fps, 3 {{who}} {fps");
    }
}
