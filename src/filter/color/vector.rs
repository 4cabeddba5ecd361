//! The inner loops of colour filters, compiled for several instruction sets; the best that the processor has is chosen at
//! run time. They are plain arithmetic on arrays of sixteen pixels, which the compiler turns into vector instructions;
//! nothing is contracted, so that every machine gives the same picture.

use multiversion::multiversion;

use crate::filter::level::{WHOLE, clamped, level};
use crate::frame::BYTES_PER_PIXEL;

/// Pixels that are worked on together: a line of the cache.
const LANES: usize = 16;

/// `scale * level + offset`, rounded and clamped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Line {
    scale: f32,
    offset: f32,
}

impl Line {
    /// The line through what a formula on 0 to 1 gives at its ends.
    pub(super) fn through(formula: &dyn Fn(f32) -> f32) -> Self {
        let start = formula(0.0);
        Self { scale: formula(1.0) - start, offset: start * 255.0 }
    }

    /// First `self`, then `next`.
    pub(super) fn then(self, next: Self) -> Self {
        Self { scale: self.scale * next.scale, offset: self.offset * next.scale + next.offset }
    }

    /// Three of them as a matrix.
    pub(super) fn rows(lines: &[Self; 3]) -> Rows {
        std::array::from_fn(|to| {
            let mut row = [0.0; 4];
            (row[to], row[3]) = (lines[to].scale, lines[to].offset);
            row
        })
    }

    /// Whether it gives exactly this table.
    pub(super) fn gives(self, levels: &[u8; 256]) -> bool {
        levels.iter().enumerate().all(|(from, wanted)| level(self.scale * from as f32 + self.offset) == *wanted)
    }
}

/// Rounds to the nearest whole number from 0 to 255, in the lowest byte of what is left of the bits. What is not a number
/// becomes 0.
#[inline(always)]
fn to_bits(value: f32) -> u32 {
    (clamped(value) + WHOLE).to_bits() & 0xff
}

/// The same as a number.
#[inline(always)]
fn rounded(value: f32) -> f32 {
    (clamped(value) + WHOLE) - WHOLE
}

/// Red, green and blue in levels.
#[inline(always)]
pub(crate) fn channels(pixel: [u8; BYTES_PER_PIXEL]) -> [f32; 3] {
    let packed = u32::from_le_bytes(pixel);
    // Signed, because that conversion is one instruction.
    let (r, g, b) = (packed & 0xff, packed >> 8 & 0xff, packed >> 16 & 0xff);
    [r as i32 as f32, g as i32 as f32, b as i32 as f32]
}

/// Rounds and clamps red, green and blue; alpha is that of `before`.
#[inline(always)]
pub(crate) fn packed(channels: [f32; 3], before: [u8; BYTES_PER_PIXEL]) -> [u8; BYTES_PER_PIXEL] {
    let (r, g, b) = (to_bits(channels[0]), to_bits(channels[1]), to_bits(channels[2]));
    (r | g << 8 | b << 16 | u32::from_le_bytes(before) & 0xff00_0000).to_le_bytes()
}

/// A line a channel; alpha stays.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
pub(super) fn map_lines(lines: &[Line; 3], pixels: &mut [u8]) {
    const WIDTH: usize = LANES * BYTES_PER_PIXEL;
    let line = |at: usize| lines.get(at % BYTES_PER_PIXEL).map_or((1.0, 0.0), |line| (line.scale, line.offset));
    let (scales, offsets): ([f32; WIDTH], [f32; WIDTH]) =
        (std::array::from_fn(|at| line(at).0), std::array::from_fn(|at| line(at).1));
    let (whole, rest) = pixels.as_chunks_mut::<WIDTH>();
    for levels in whole {
        for at in 0..WIDTH {
            levels[at] = to_bits(f32::from(levels[at]) * scales[at] + offsets[at]) as u8;
        }
    }
    for (at, level) in rest.iter_mut().enumerate() {
        *level = to_bits(f32::from(*level) * scales[at] + offsets[at]) as u8;
    }
}

/// Red, green and blue from red, green, blue and 1, in levels.
pub(super) type Rows = [[f32; 4]; 3];

/// One matrix after another, rounded and clamped after each.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
pub(super) fn map_matrices(matrices: &[Rows], pixels: &mut [[u8; BYTES_PER_PIXEL]]) {
    let (whole, rest) = pixels.as_chunks_mut::<LANES>();
    for pixels in whole {
        multiply(matrices, pixels);
    }
    if !rest.is_empty() {
        let mut padded = [[0; BYTES_PER_PIXEL]; LANES];
        padded[..rest.len()].copy_from_slice(rest);
        multiply(matrices, &mut padded);
        rest.copy_from_slice(&padded[..rest.len()]);
    }
}

#[inline(always)]
fn multiply(matrices: &[Rows], pixels: &mut [[u8; BYTES_PER_PIXEL]; LANES]) {
    // A row of one channel each, so that a matrix is nine multiplications of whole vectors. Written out, because what
    // takes a closure is not always compiled for the same instructions.
    let (mut r, mut g, mut b) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
    for lane in 0..LANES {
        [r[lane], g[lane], b[lane]] = channels(pixels[lane]);
    }
    for [to_r, to_g, to_b] in matrices {
        for lane in 0..LANES {
            let (x, y, z) = (r[lane], g[lane], b[lane]);
            r[lane] = rounded(to_r[0] * x + to_r[1] * y + (to_r[2] * z + to_r[3]));
            g[lane] = rounded(to_g[0] * x + to_g[1] * y + (to_g[2] * z + to_g[3]));
            b[lane] = rounded(to_b[0] * x + to_b[1] * y + (to_b[2] * z + to_b[3]));
        }
    }
    for lane in 0..LANES {
        pixels[lane] = packed([r[lane], g[lane], b[lane]], pixels[lane]);
    }
}

/// Any function from red, green and blue to the same, in levels.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
pub(super) fn map_pixels<F: Fn([f32; 3]) -> [f32; 3]>(function: &F, pixels: &mut [[u8; BYTES_PER_PIXEL]]) {
    let (whole, rest) = pixels.as_chunks_mut::<LANES>();
    for pixels in whole {
        for pixel in pixels {
            *pixel = packed(function(channels(*pixel)), *pixel);
        }
    }
    for pixel in rest {
        *pixel = packed(function(channels(*pixel)), *pixel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_clamps_and_takes_nan_for_black() {
        for (value, level) in [(-1.0, 0), (0.49, 0), (0.51, 1), (254.6, 255), (1e30, 255), (f32::NAN, 0)] {
            assert_eq!(to_bits(value), level, "{value}");
        }
    }

    #[test]
    fn a_row_of_any_length_is_worked_on_to_its_end() {
        let negative = Line { scale: -1.0, offset: 255.0 };
        for length in [0, 1, 15, 16, 17, 33] {
            let mut pixels = vec![[1, 2, 3, 4]; length];
            map_lines(&[negative; 3], pixels.as_flattened_mut());
            assert!(pixels.iter().all(|pixel| *pixel == [254, 253, 252, 4]), "{length}");
            map_matrices(&[[[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [1.0, 0.0, 0.0, 0.6]]], &mut pixels);
            assert!(pixels.iter().all(|pixel| *pixel == [253, 252, 255, 4]), "{length}");
            map_pixels(&|[r, g, b]| [b, g, r + 2.0], &mut pixels);
            assert!(pixels.iter().all(|pixel| *pixel == [255, 252, 255, 4]), "{length}");
        }
    }
}
