//! Pencil: the picture as a drawing on white paper.

use multiversion::multiversion;

use super::gaussian::Blur;
use crate::filter::bands::for_each_band;
use crate::filter::color::LUMA_709;
use crate::filter::declare::params;
use crate::filter::kernel::{AreaKernel, Kernel, Prepare, PrepareError};
use crate::filter::level::{channels, pixel};
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

params! {
    /// Draws the picture with a pencil on white paper.
    pub struct Sketch("sketch", "Pencil", Area) {
        /// How much of the picture becomes a drawing.
        strength: f32 = 1.0 in 0.0..=1.0 step 0.01, "Strength";
        /// How broad the strokes are.
        radius: f32 = 4.0 in 0.5..=32.0 step 0.5, "Radius", Pixels;
    }
}

/// The darkest that the neighbourhood counts as, in levels: noise in the dark should not become scribble.
const DARKEST: f32 = 24.0;

impl Prepare for Sketch {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        if self.strength == 0.0 {
            return Ok(Kernel::Identity);
        }
        let (blur, blurred) = (Blur::new(input, self.radius), vec![0; input.pixels() * BYTES_PER_PIXEL]);
        Ok(Kernel::Area(Box::new(Pencil { size: input, strength: self.strength, blur, blurred })))
    }
}

struct Pencil {
    size: Size,
    strength: f32,
    blur: Blur,
    blurred: Vec<u8>,
}

impl AreaKernel for Pencil {
    fn run(&mut self, input: &[u8], output: &mut [u8]) {
        let width = self.size.width as usize;
        self.blur.run(input, &mut self.blurred);
        let (source, _) = input.as_chunks::<BYTES_PER_PIXEL>();
        let (blurred, _) = self.blurred.as_chunks::<BYTES_PER_PIXEL>();
        for_each_band(output, width * BYTES_PER_PIXEL, |first, band| {
            let (pixels, _) = band.as_chunks_mut::<BYTES_PER_PIXEL>();
            draw(&source[first * width..], &blurred[first * width..], self.strength, pixels);
        });
    }
}

/// A stroke where a pixel is darker than what is around it.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
fn draw(
    source: &[[u8; BYTES_PER_PIXEL]],
    blurred: &[[u8; BYTES_PER_PIXEL]],
    strength: f32,
    pixels: &mut [[u8; BYTES_PER_PIXEL]],
) {
    for ((out, source), blurred) in pixels.iter_mut().zip(source).zip(blurred) {
        let before = channels(*source);
        let around = luma(channels(*blurred)) + DARKEST;
        let share = (luma(before) + DARKEST) / around;
        // Squared, because a pencil knows few half-tones; and a shade of what is dark as a whole.
        let paper = 215.0 + 40.0 * (around * (1.0 / 255.0));
        let drawn = share * share * paper;
        let drawn = if drawn < 255.0 { drawn } else { 255.0 };
        let [r, g, b] = before;
        let drawn = [r + (drawn - r) * strength, g + (drawn - g) * strength, b + (drawn - b) * strength];
        *out = pixel(drawn, *source);
    }
}

#[inline(always)]
fn luma([r, g, b]: [f32; 3]) -> f32 {
    LUMA_709[0] * r + LUMA_709[1] * g + LUMA_709[2] * b
}
