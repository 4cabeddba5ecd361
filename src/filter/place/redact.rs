//! Hides a region. The chain runs it before everything else, on the captured picture, and shows nothing at all when it
//! can't.

use crate::filter::area::{Blur, Means, pixelate};
use crate::filter::declare::{choices, params};
use crate::filter::kernel::{DrawKernel, Kernel, Prepare, PrepareError, Scene};
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

choices! {
    /// What is shown instead of the region.
    pub enum RedactStyle {
        Solid = "solid", "Solid";
        Pixelate = "pixelate", "Pixelate";
        Blur = "blur", "Blur";
    }
}

params! {
    /// Hides a rectangle of the captured picture. It runs first whatever its place in the list; if it fails, or the source
    /// changes its size, nothing is shown until the region is checked.
    pub struct Redact("redact", "Hide a region", Place) {
        /// Left edge of the region, as a fraction of the captured width.
        left: f32 = 0.25 in 0.0..=1.0 step 0.001, "Left", Fraction;
        /// Upper edge of the region, as a fraction of the captured height.
        top: f32 = 0.25 in 0.0..=1.0 step 0.001, "Top", Fraction;
        /// Width of the region, as a fraction of the captured width.
        width: f32 = 0.5 in 0.001..=1.0 step 0.001, "Width", Fraction;
        /// Height of the region, as a fraction of the captured height.
        height: f32 = 0.5 in 0.001..=1.0 step 0.001, "Height", Fraction;
        /// What is shown instead. Only Solid is certain: large writing can be guessed through the others.
        style: RedactStyle = Solid, "Style";
        /// How little is left to recognise; Solid does not need it.
        strength: f32 = 0.5 in 0.0..=1.0 step 0.01, "Strength";
    }
}

/// Squares of the weakest pixelation, in pixels; the strongest has one for the whole region.
const LEAST_SQUARE: f32 = 8.0;
/// Widths of the weakest and the strongest blur, in pixels.
const BLUR: [f32; 2] = [6.0, 48.0];

impl Prepare for Redact {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        let (x, width) = covered(self.left, self.width, input.width);
        let (y, height) = covered(self.top, self.height, input.height);
        let size = Size::new(width, height);
        let cover = match self.style {
            RedactStyle::Solid => Cover::Solid,
            RedactStyle::Pixelate => {
                let longest = width.max(height) as f32;
                let side = LEAST_SQUARE + (longest - LEAST_SQUARE).max(0.0) * self.strength;
                Cover::Squares { side: side.round() as usize, means: Means::default() }
            }
            RedactStyle::Blur => Cover::Blur(Blur::new(size, BLUR[0] + (BLUR[1] - BLUR[0]) * self.strength)),
        };
        let bytes = |pixels: u32| pixels as usize * BYTES_PER_PIXEL;
        Ok(Kernel::Draw(Box::new(Region {
            size,
            stride: bytes(input.width),
            first: y as usize * bytes(input.width) + bytes(x),
            cover,
            before: Vec::new(),
            after: Vec::new(),
        })))
    }
}

/// The first pixel and the number of pixels of a side; a pixel that the region only touches is covered.
fn covered(first: f32, extent: f32, length: u32) -> (u32, u32) {
    let (first, extent) = (f64::from(first), f64::from(extent));
    let start = ((first * f64::from(length)).floor() as u32).min(length - 1);
    let end = (((first + extent) * f64::from(length)).ceil() as u32).clamp(start + 1, length);
    (start, end - start)
}

enum Cover {
    Solid,
    Squares { side: usize, means: Means },
    Blur(Blur),
}

struct Region {
    size: Size,
    /// Of the whole picture, in bytes.
    stride: usize,
    /// Where the region's first pixel is, in bytes.
    first: usize,
    cover: Cover,
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Region {
    fn rows<'a>(&self, pixels: &'a mut [u8]) -> impl Iterator<Item = &'a mut [u8]> + use<'a> {
        let length = self.size.width as usize * BYTES_PER_PIXEL;
        let rows = pixels[self.first..].chunks_mut(self.stride).take(self.size.height as usize);
        rows.map(move |row| &mut row[..length])
    }
}

impl DrawKernel for Region {
    fn draw(&mut self, pixels: &mut [u8], _: &Scene<'_>) {
        if matches!(self.cover, Cover::Solid) {
            for row in self.rows(pixels) {
                row.as_chunks_mut::<BYTES_PER_PIXEL>().0.fill([0, 0, 0, 255]);
            }
            return;
        }
        // Nothing of the region leaves it, and nothing from outside comes in.
        self.before.clear();
        for row in self.rows(pixels) {
            self.before.extend_from_slice(row);
        }
        self.after.resize(self.before.len(), 0);
        match &mut self.cover {
            Cover::Solid => {}
            Cover::Squares { side, means } => pixelate(self.size, *side, (&self.before, &mut self.after), means),
            Cover::Blur(blur) => blur.run(&self.before, &mut self.after),
        }
        let length = self.size.width as usize * BYTES_PER_PIXEL;
        for (row, hidden) in self.rows(pixels).zip(self.after.chunks_exact(length)) {
            row.copy_from_slice(hidden);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pixel_that_is_only_touched_is_covered() {
        assert_eq!(covered(0.25, 0.5, 10), (2, 6));
        assert_eq!(covered(1.0, 1.0, 10), (9, 1));
        assert_eq!(covered(0.0, 0.001, 1), (0, 1));
        assert_eq!(covered(0.999, 0.001, 3), (2, 1));
    }
}
