//! A picture from a file on top: a logo, a frame.

use super::placing::{Place, blend, corner, visible};
use crate::filter::declare::params;
use crate::filter::kernel::{DrawKernel, Kernel, Prepare, PrepareError, Scene};
use crate::filter::level::level;
use crate::filter::picture::{self, Fit};
use crate::filter::{Color, FilePath, Files};
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

params! {
    /// Puts a picture from a file on top, for example a logo.
    pub struct Image("image", "Image", Overlay) {
        /// The picture; its transparent parts stay so.
        path: FilePath = "png jpg jpeg webp gif bmp", "File";
        /// Corner, side or middle of the picture; Free takes the position below.
        place: Place = BottomRight, "Place";
        /// Middle of a free image, from left to right.
        x: f32 = 0.5 in 0.0..=1.0 step 0.001, "Across", Fraction;
        /// Middle of a free image, from top to bottom.
        y: f32 = 0.5 in 0.0..=1.0 step 0.001, "Down", Fraction;
        /// Its height, as a fraction of the picture's height; it gets no wider than the picture.
        size: f32 = 0.2 in 0.01..=1.0 step 0.005, "Size", Fraction;
        /// How opaque it is.
        opacity: f32 = 1.0 in 0.0..=1.0 step 0.01, "Opacity", Fraction;
    }
}

/// How far it is from the edge in its place, as a fraction of the picture's height.
const MARGIN: f64 = 0.02;

impl Prepare for Image {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        self.prepare_with(input, &Files::none())
    }

    fn prepare_with(&self, input: Size, files: &Files) -> Result<Kernel, PrepareError> {
        if self.path.0.trim().is_empty() || self.opacity == 0.0 {
            return Ok(Kernel::Identity);
        }
        let picture = files.parsed(&self.path.0, picture::read)?;
        let size = shown_size(picture.size, self.size, input);
        let pixels = picture.scaled(size, Fit::Stretch);
        // A picture of the full size has no room for a margin.
        let margin = if self.size < 1.0 { (MARGIN * f64::from(input.height)).round() as i64 } else { 0 };
        let sides = [size.width as usize, size.height as usize];
        let corner = corner((self.place, [self.x, self.y]), margin, sides, input);
        Ok(Kernel::Draw(Box::new(Sticker { input, size, pixels, corner, opacity: level(self.opacity * 255.0) })))
    }
}

/// The size of something of the shape of `thing` that is `height` of the picture high and not wider than the picture.
pub(super) fn shown_size(thing: Size, height: f32, picture: Size) -> Size {
    let scale = (f64::from(height) * f64::from(picture.height) / f64::from(thing.height))
        .min(f64::from(picture.width) / f64::from(thing.width));
    let side = |length: u32| ((f64::from(length) * scale).round() as u32).max(1);
    Size::new(side(thing.width), side(thing.height))
}

struct Sticker {
    input: Size,
    size: Size,
    pixels: Vec<u8>,
    corner: (i64, i64),
    opacity: u8,
}

impl DrawKernel for Sticker {
    fn draw(&mut self, pixels: &mut [u8], _: &Scene<'_>) {
        let (left, top) = self.corner;
        let (own, width) = (self.size.width as usize, self.input.width as usize);
        let (pixels, _) = pixels.as_chunks_mut::<BYTES_PER_PIXEL>();
        let (drawn, _) = self.pixels.as_chunks::<BYTES_PER_PIXEL>();
        let columns = visible(left, own, self.input.width);
        for row in visible(top, self.size.height as usize, self.input.height) {
            let first = ((top + row as i64) * width as i64 + left + columns.start as i64) as usize;
            let line = &drawn[row * own..][columns.clone()];
            for (pixel, [r, g, b, a]) in pixels[first..].iter_mut().zip(line) {
                blend(pixel, Color { r: *r, g: *g, b: *b, a: *a }, self.opacity);
            }
        }
    }
}
