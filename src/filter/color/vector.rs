//! The inner loops of colour filters, compiled for several instruction sets; the best that the processor has is chosen at
//! run time. They are plain arithmetic on arrays of sixteen pixels, which the compiler turns into vector instructions;
//! nothing is contracted, so that every machine gives the same picture.

use multiversion::multiversion;

use crate::filter::level::{WHOLE, clamped};
use crate::frame::BYTES_PER_PIXEL;

/// Pixels that are worked on together: a line of the cache.
const LANES: usize = 16;

/// Rounds to the nearest whole number from 0 to 255, in the lowest byte of what is left of the bits. What is not a number
/// becomes 0.
#[inline(always)]
fn to_bits(value: f32) -> u32 {
    (clamped(value) + WHOLE).to_bits() & 0xff
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
        for length in [0, 1, 15, 16, 17, 33] {
            let mut pixels = vec![[1, 2, 3, 4]; length];
            map_pixels(&|[r, g, b]| [b, g, r + 2.0], &mut pixels);
            assert!(pixels.iter().all(|pixel| *pixel == [3, 2, 3, 4]), "{length}");
        }
    }
}
