//! Brightness as a picture of its own, for filters that look for edges.

use crate::filter::bands::for_each_band;
use crate::filter::simd::vectorised;
use crate::frame::BYTES_PER_PIXEL;

/// BT.601 luma of RGBA pixels, with the weights and the rounding of OpenCV's `cvtColor`.
pub(super) fn gray_plane(input: &[u8], width: usize, gray: &mut Vec<u8>) {
    let (pixels, _) = input.as_chunks::<BYTES_PER_PIXEL>();
    gray.resize(pixels.len(), 0);
    for_each_band(gray, width, |first, band| luma(&pixels[first * width..][..band.len()], band));
}

vectorised! {
    fn luma(pixels: &[[u8; BYTES_PER_PIXEL]], gray: &mut [u8]) {
        for (gray, pixel) in gray.iter_mut().zip(pixels) {
            let pixel = u32::from_le_bytes(*pixel);
            let sum = 9_798 * (pixel & 255) + 19_235 * (pixel >> 8 & 255) + 3_735 * (pixel >> 16 & 255);
            *gray = ((sum + (1 << 14)) >> 15) as u8;
        }
    }
}

/// Position `at` moved by `by`, but not beyond the ends of a line of `length`.
pub(super) fn held(at: usize, by: isize, length: usize) -> usize {
    at.saturating_add_signed(by).min(length - 1)
}
