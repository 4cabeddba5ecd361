//! Half and double size as OpenCV's `pyrDown` and `pyrUp` do it: the weights 1 4 6 4 1, rounded once.

use crate::filter::bands::{for_each_band_with, mirrored};
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

/// Pixels that count at either side.
const REACH: usize = 2;

/// The size of the next smaller picture.
pub(super) fn half(size: Size) -> Size {
    Size::new(size.width.div_ceil(2), size.height.div_ceil(2))
}

/// Makes the picture half as large.
pub(super) fn shrink(input: &[u8], size: Size, (output, row): (&mut [u8], &mut Vec<u16>)) {
    let (width, height) = (size.width as usize, size.height as usize);
    let stride = width * BYTES_PER_PIXEL;
    let out_width = half(size).width as usize;
    // A row with the two pixels beside each of its ends.
    let padded = stride + 2 * REACH * BYTES_PER_PIXEL;
    for_each_band_with(output, out_width * BYTES_PER_PIXEL, (row, padded), |first, band, row| {
        let (row, _) = row.as_chunks_mut::<BYTES_PER_PIXEL>();
        for (index, out) in band.chunks_exact_mut(out_width * BYTES_PER_PIXEL).enumerate() {
            let middle = 2 * (first + index) as isize;
            let line = |by: isize| &input[mirrored(middle + by, height) * stride..][..stride];
            let lines = [line(-2), line(-1), line(0), line(1), line(2)];
            let values = row[REACH..].as_flattened_mut();
            for (at, value) in values.iter_mut().take(stride).enumerate() {
                let [a, b, c, d, e] = lines.map(|line| u16::from(line[at]));
                *value = a + e + 4 * (b + d) + 6 * c;
            }
            for distance in 1..=REACH {
                row[REACH - distance] = row[REACH + mirrored(-(distance as isize), width)];
                let after = width - 1 + distance;
                row[REACH + after] = row[REACH + mirrored(after as isize, width)];
            }
            let (out, _) = out.as_chunks_mut::<BYTES_PER_PIXEL>();
            for (pixel, columns) in out.iter_mut().zip(row.windows(2 * REACH + 1).step_by(2)) {
                *pixel = std::array::from_fn(|at| {
                    let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(|column: usize| columns[column][at]);
                    // 16 x 16 x 255 fits 16 bits, with the half that rounds.
                    ((a + e + 4 * (b + d) + 6 * c + 128) >> 8) as u8
                });
            }
        }
    });
}

/// Makes a picture of `size` from one of half the size.
pub(super) fn grow(input: &[u8], size: Size, (output, row): (&mut [u8], &mut Vec<u16>)) {
    let small = half(size);
    let (small_width, small_height) = (small.width as usize, small.height as usize);
    let small_stride = small_width * BYTES_PER_PIXEL;
    let stride = size.width as usize * BYTES_PER_PIXEL;
    // Beyond the lower and right edge OpenCV repeats the last pixel, beyond the others it mirrors.
    let beside = |at: usize, by: isize, length: usize| match (at, by) {
        (0, -1) => 1.min(length - 1),
        _ => at.saturating_add_signed(by).min(length - 1),
    };
    for_each_band_with(output, stride, (row, small_stride), |first, band, row| {
        for (index, out) in band.chunks_exact_mut(stride).enumerate() {
            let y = first + index;
            let line = |by: isize| &input[beside(y / 2, by, small_height) * small_stride..][..small_stride];
            let (above, here, below) = (line(-1), line(0), line(1));
            for (at, value) in row.iter_mut().enumerate() {
                let [a, b, c] = [above[at], here[at], below[at]].map(u16::from);
                *value = if y % 2 == 0 { a + 6 * b + c } else { 4 * (b + c) };
            }
            let (row, _) = row.as_chunks::<BYTES_PER_PIXEL>();
            let (out, _) = out.as_chunks_mut::<BYTES_PER_PIXEL>();
            for (x, pixel) in out.iter_mut().enumerate() {
                let from = |by: isize| &row[beside(x / 2, by, small_width)];
                let (left, here, right) = (from(-1), from(0), from(1));
                *pixel = std::array::from_fn(|at| {
                    let (a, b, c) = (left[at], here[at], right[at]);
                    let sum = if x % 2 == 0 { a + 6 * b + c } else { 4 * (b + c) };
                    ((sum + 32) >> 6) as u8
                });
            }
        }
    });
}
