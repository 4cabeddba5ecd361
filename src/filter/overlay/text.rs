//! Text on the picture, with the time and other live values in it.

use super::writing::{Coverage, Pen};
use crate::filter::Color;
use crate::filter::declare::{choices, params};
use crate::filter::kernel::{DrawKernel, Kernel, LiveText, Prepare, PrepareError};
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

choices! {
    /// Where a text stands.
    pub enum TextPlace {
        TopLeft = "top_left", "Top left";
        Top = "top", "Top";
        TopRight = "top_right", "Top right";
        Left = "left", "Left";
        Center = "center", "Middle";
        Right = "right", "Right";
        BottomLeft = "bottom_left", "Bottom left";
        Bottom = "bottom", "Bottom";
        BottomRight = "bottom_right", "Bottom right";
        Free = "free", "Free";
    }
}

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
        place: TextPlace = TopLeft, "Place";
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
        let (x, y) = match self.chosen.place {
            TextPlace::TopLeft => (0.0, 0.0),
            TextPlace::Top => (0.5, 0.0),
            TextPlace::TopRight => (1.0, 0.0),
            TextPlace::Left => (0.0, 0.5),
            TextPlace::Center => (0.5, 0.5),
            TextPlace::Right => (1.0, 0.5),
            TextPlace::BottomLeft => (0.0, 1.0),
            TextPlace::Bottom => (0.5, 1.0),
            TextPlace::BottomRight => (1.0, 1.0),
            TextPlace::Free => {
                let middle = |at: f32, picture: u32, text: usize| {
                    (f64::from(at) * f64::from(picture) - text as f64 / 2.0).round() as i64
                };
                let across = middle(self.chosen.x, self.size.width, self.coverage.width);
                return (across, middle(self.chosen.y, self.size.height, self.coverage.height));
            }
        };
        // A third of a letter's height away from the edge.
        let margin = (self.chosen.size * self.size.height as f32 / 3.0).round() as i64;
        let side = |at: f64, picture: u32, text: usize| {
            let room = i64::from(picture) - text as i64 - 2 * margin;
            margin + (at * room as f64).round() as i64
        };
        let across = side(x, self.size.width, self.coverage.width);
        (across, side(y, self.size.height, self.coverage.height))
    }
}

impl DrawKernel for Label {
    fn draw(&mut self, pixels: &mut [u8], live: &LiveText) {
        fill_in(&self.chosen.text, live, &mut self.next);
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

/// Draws `color` over a pixel with straight alpha.
fn blend(pixel: &mut [u8; BYTES_PER_PIXEL], color: Color, coverage: u8) {
    let over = u32::from(coverage) * u32::from(color.a);
    if over == 0 {
        return;
    }
    let under = (255 * 255 - over) * u32::from(pixel[3]) / 255;
    let total = over + under;
    for (value, drawn) in pixel.iter_mut().zip([color.r, color.g, color.b]) {
        *value = ((u32::from(drawn) * over + u32::from(*value) * under + total / 2) / total) as u8;
    }
    pixel[3] = ((total + 127) / 255) as u8;
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

    #[test]
    fn an_opaque_colour_replaces_and_no_coverage_leaves() {
        let mut pixel = [10, 20, 30, 40];
        blend(&mut pixel, Color::rgb(1, 2, 3), 0);
        assert_eq!(pixel, [10, 20, 30, 40]);
        blend(&mut pixel, Color::rgb(1, 2, 3), 255);
        assert_eq!(pixel, [1, 2, 3, 255]);
    }
}
