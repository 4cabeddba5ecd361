//! Another source as a small picture on top, such as a camera over the screen.

use std::sync::Arc;

use fast_image_resize::Resizer;

use super::image::shown_size;
use super::placing::{Place, blend, corner, visible};
use crate::filter::Color;
use crate::filter::declare::params;
use crate::filter::kernel::{DrawKernel, Kernel, Prepare, PrepareError, Scene};
use crate::filter::picture::{Fit, scale};
use crate::frame::{BYTES_PER_PIXEL, Frame, PixelFormat};
use crate::geometry::Size;

params! {
    /// Shows another source as a small picture, for example the camera over the screen.
    pub struct PictureInPicture("picture_in_picture", "Picture in picture", Overlay) {
        /// The other source, as `lenscast list` names it.
        source: String = "", "Source";
        /// Corner, side or middle of the picture; Free takes the position below.
        place: Place = BottomRight, "Place";
        /// Middle of a free small picture, from left to right.
        x: f32 = 0.5 in 0.0..=1.0 step 0.001, "Across", Fraction;
        /// Middle of a free small picture, from top to bottom.
        y: f32 = 0.5 in 0.0..=1.0 step 0.001, "Down", Fraction;
        /// Its height, as a fraction of the picture's height; it gets no wider than the picture.
        size: f32 = 0.25 in 0.05..=1.0 step 0.005, "Size", Fraction;
        /// Width of the line around it; 0 for none.
        border: i32 = 3 in 0..=32 step 1, "Border", Pixels;
        /// Colour of the line around it.
        border_color: Color = WHITE, "Border colour";
        /// How round its corners are; at 1 a square picture is a circle.
        round: f32 = 0.15 in 0.0..=1.0 step 0.01, "Round corners", Fraction;
    }
}

/// How far it is from the edge in its place, as a fraction of the picture's height.
const MARGIN: f64 = 0.02;

impl Prepare for PictureInPicture {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        if self.source.trim().is_empty() {
            return Ok(Kernel::Identity);
        }
        let (resizer, chosen) = (Resizer::new(), self.clone());
        Ok(Kernel::Draw(Box::new(Inset {
            input,
            chosen,
            of: None,
            size: Size::new(0, 0),
            scaled: Vec::new(),
            resizer,
        })))
    }
}

struct Inset {
    input: Size,
    chosen: PictureInPicture,
    /// What `scaled` was made from.
    of: Option<Arc<Frame>>,
    size: Size,
    scaled: Vec<u8>,
    resizer: Resizer,
}

impl Inset {
    /// Scales the frame, unless it is the one of last time.
    fn take(&mut self, frame: &Arc<Frame>) {
        if self.of.as_ref().is_some_and(|of| Arc::ptr_eq(of, frame)) {
            return;
        }
        self.size = shown_size(frame.size, self.chosen.size, self.input);
        self.scaled.resize(self.size.pixels() * BYTES_PER_PIXEL, 0);
        let is_rgba = frame.format == PixelFormat::Rgba;
        let output = (&mut self.scaled[..], self.size);
        scale((&frame.pixels, frame.size), output, (Fit::Stretch, is_rgba), &mut self.resizer);
        if !is_rgba {
            crate::filter::bands::swap_in_place(&mut self.scaled);
        }
        self.of = Some(Arc::clone(frame));
    }
}

impl DrawKernel for Inset {
    /// Nothing, while the other source gives no pictures.
    fn draw(&mut self, pixels: &mut [u8], scene: &Scene<'_>) {
        let frame = scene.live.picture(self.chosen.source.trim());
        let Some(frame) = frame.filter(|frame| !frame.size.is_empty()) else {
            self.of = None;
            return;
        };
        self.take(frame);
        let border = self.chosen.border.unsigned_abs() as usize;
        let inner = [self.size.width as usize, self.size.height as usize];
        let outer = inner.map(|side| side + 2 * border);
        let margin = if self.chosen.size < 1.0 { (MARGIN * f64::from(self.input.height)).round() as i64 } else { 0 };
        let (left, top) = corner((self.chosen.place, [self.chosen.x, self.chosen.y]), margin, outer, self.input);
        let radius = inner[0].min(inner[1]) as f32 / 2.0 * self.chosen.round;
        let shape = Rounded::new(inner, radius);
        // The line is as wide around a round corner, and a sharp corner stays sharp.
        let around = Rounded::new(outer, if radius > 0.0 { radius + border as f32 } else { 0.0 });
        let (pixels, _) = pixels.as_chunks_mut::<BYTES_PER_PIXEL>();
        let (scaled, _) = self.scaled.as_chunks::<BYTES_PER_PIXEL>();
        let columns = visible(left, outer[0], self.input.width);
        for row in visible(top, outer[1], self.input.height) {
            let first = (top + row as i64) as usize * self.input.width as usize;
            for column in columns.clone() {
                let pixel = &mut pixels[first + (left + column as i64) as usize];
                if border > 0 {
                    let distance = around.distance(column as f32 + 0.5, row as f32 + 0.5);
                    blend(pixel, self.chosen.border_color, covered(distance));
                }
                let (x, y) = (column.wrapping_sub(border), row.wrapping_sub(border));
                if x < inner[0] && y < inner[1] {
                    let [r, g, b, a] = scaled[y * inner[0] + x];
                    let distance = shape.distance(x as f32 + 0.5, y as f32 + 0.5);
                    blend(pixel, Color { r, g, b, a }, covered(distance));
                }
            }
        }
    }
}

/// How much of a pixel is inside of an edge that is `distance` from its middle; below 0 is inside.
fn covered(distance: f32) -> u8 {
    ((0.5 - distance).clamp(0.0, 1.0) * 255.0).round() as u8
}

/// A rectangle from 0, 0 with round corners.
struct Rounded {
    half: [f32; 2],
    radius: f32,
}

impl Rounded {
    fn new(sides: [usize; 2], radius: f32) -> Self {
        Self { half: sides.map(|side| side as f32 / 2.0), radius }
    }

    /// From the edge, below 0 inside.
    fn distance(&self, x: f32, y: f32) -> f32 {
        let beyond = |at: f32, half: f32| (at - half).abs() - (half - self.radius);
        let (x, y) = (beyond(x, self.half[0]), beyond(y, self.half[1]));
        let corner = (x.max(0.0) * x.max(0.0) + y.max(0.0) * y.max(0.0)).sqrt();
        corner + x.max(y).min(0.0) - self.radius
    }
}
