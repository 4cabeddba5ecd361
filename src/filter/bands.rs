//! Runs work over bands of rows on every core. A band's result never depends on where the bands begin, so one thread and
//! many give the same picture.

use rayon::prelude::*;

use super::simd::vectorised;
use crate::frame::{BYTES_PER_PIXEL, PixelFormat};

/// Smaller bands cost more in hand-over than they win.
const LEAST_ROWS: usize = 16;
/// Bands a thread, so that a core that another program holds up does not hold up the frame.
const BANDS_A_THREAD: usize = 4;
/// Rows of a band for each row that is worked on twice.
const OWN_ROWS: usize = 4;

/// Rows of a band whose work begins or ends with `beside` rows that its neighbours work on as well.
fn rows_per_band(height: usize, beside: usize) -> usize {
    let threads = rayon::current_num_threads();
    if threads == 1 {
        return height;
    }
    height.div_ceil(threads * BANDS_A_THREAD).max(LEAST_ROWS).max(OWN_ROWS * beside)
}

/// Calls `work` with the first row's number and the rows of each band. `row` is a row's length in elements of `output`.
pub(crate) fn for_each_band<T: Send>(output: &mut [T], row: usize, work: impl Fn(usize, &mut [T]) + Sync) {
    for_each_band_with::<T, ()>(output, row, (&mut Vec::new(), 0), |first, band, _| work(first, band));
}

/// The same, with `scratch.1` elements of scratch of its own for each band, kept in `scratch.0`.
pub(crate) fn for_each_band_with<T: Send, S: Send + Clone + Default>(
    output: &mut [T],
    row: usize,
    scratch: (&mut Vec<S>, usize),
    work: impl Fn(usize, &mut [T], &mut [S]) + Sync,
) {
    for_each_tall_band_with(output, (row, 0), scratch, work);
}

/// The same for work that has to look at some rows again for each band: `beside` of them, all in all.
pub(crate) fn for_each_tall_band_with<T: Send, S: Send + Clone + Default>(
    output: &mut [T],
    (row, beside): (usize, usize),
    scratch: (&mut Vec<S>, usize),
    work: impl Fn(usize, &mut [T], &mut [S]) + Sync,
) {
    let height = output.len() / row;
    let rows = rows_per_band(height, beside);
    let (scratch, each) = scratch;
    scratch.resize(height.div_ceil(rows) * each, S::default());
    if height <= rows {
        work(0, output, scratch);
    } else if each == 0 {
        let bands = output.par_chunks_mut(rows * row).enumerate();
        bands.for_each(|(band, output)| work(band * rows, output, &mut []));
    } else {
        let bands = output.par_chunks_mut(rows * row).zip(scratch.par_chunks_mut(each)).enumerate();
        bands.for_each(|(band, (output, scratch))| work(band * rows, output, scratch));
    }
}

/// Two outputs of the same height side by side, each with its own row length.
pub(crate) fn for_each_band_of_two<A: Send, B: Send>(
    (first, first_row): (&mut [A], usize),
    (second, second_row): (&mut [B], usize),
    work: impl Fn(usize, &mut [A], &mut [B]) + Sync,
) {
    let height = first.len() / first_row;
    let rows = rows_per_band(height, 0);
    if height <= rows {
        work(0, first, second);
        return;
    }
    let bands = first.par_chunks_mut(rows * first_row).zip(second.par_chunks_mut(rows * second_row)).enumerate();
    bands.for_each(|(band, (first, second))| work(band * rows, first, second));
}

/// Copies pixels of `format` as RGBA.
pub(crate) fn copy_as_rgba(input: &[u8], format: PixelFormat, output: &mut [u8]) {
    match format {
        PixelFormat::Rgba => output.copy_from_slice(input),
        PixelFormat::Bgrx => copy_swapped(input.as_chunks().0, output.as_chunks_mut().0),
    }
}

/// BGRX becomes opaque RGBA.
pub(crate) fn swap_in_place(pixels: &mut [u8]) {
    swap(pixels.as_chunks_mut().0);
}

/// Arithmetic on the whole pixel: of that the compiler makes one shuffle for many pixels.
#[inline(always)]
fn swapped(pixel: [u8; BYTES_PER_PIXEL]) -> [u8; BYTES_PER_PIXEL] {
    let pixel = u32::from_le_bytes(pixel);
    (pixel & 0xff00 | pixel >> 16 & 0xff | (pixel & 0xff) << 16 | 0xff00_0000).to_le_bytes()
}

vectorised! {
    fn copy_swapped(input: &[[u8; BYTES_PER_PIXEL]], output: &mut [[u8; BYTES_PER_PIXEL]]) {
        assert!(input.len() == output.len(), "a copy is as long as what it is of");
        for (pixel, from) in output.iter_mut().zip(input) {
            *pixel = swapped(*from);
        }
    }

    fn swap(pixels: &mut [[u8; BYTES_PER_PIXEL]]) {
        for pixel in pixels {
            *pixel = swapped(*pixel);
        }
    }
}

/// The pixel of a line of `length` that stands in for position `at` beyond its ends: mirrored, the end itself not doubled
/// (OpenCV's `BORDER_REFLECT_101`).
pub(crate) fn mirrored(at: isize, length: usize) -> usize {
    if length == 1 {
        return 0;
    }
    let period = 2 * (length - 1);
    let at = at.rem_euclid(period as isize) as usize;
    at.min(period - at)
}

/// Fills `padded` with pixels of a row from number `first` on, which may lie outside of the row, where it is mirrored.
pub(crate) fn pad_part(row: &[u8], first: isize, padded: &mut [u8]) {
    let (pixels, _) = row.as_chunks::<BYTES_PER_PIXEL>();
    let (padded, _) = padded.as_chunks_mut::<BYTES_PER_PIXEL>();
    let before = (first.min(0).unsigned_abs()).min(padded.len());
    let start = first.max(0) as usize;
    let inside = pixels.len().saturating_sub(start).min(padded.len() - before);
    padded[before..before + inside].copy_from_slice(&pixels[start..start + inside]);
    for at in (0..before).chain(before + inside..padded.len()) {
        padded[at] = pixels[mirrored(first + at as isize, pixels.len())];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blue_and_red_change_places_and_nothing_shines_through() {
        for length in [1, 15, 16, 67] {
            let bgrx: Vec<u8> = (0..length * 4).map(|at| (at * 41 % 253) as u8).collect();
            let wanted: Vec<u8> =
                bgrx.as_chunks().0.iter().flat_map(|[b, g, r, _]: &[u8; 4]| [*r, *g, *b, 255]).collect();
            let mut copied = vec![0; bgrx.len()];
            copy_as_rgba(&bgrx, PixelFormat::Bgrx, &mut copied);
            assert_eq!(copied, wanted);
            copied.copy_from_slice(&bgrx);
            swap_in_place(&mut copied);
            assert_eq!(copied, wanted);
        }
    }

    #[test]
    fn beyond_the_ends_the_line_is_mirrored() {
        let line: Vec<_> = (-4..8).map(|at| mirrored(at, 3)).collect();
        assert_eq!(line, [0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1]);
        assert_eq!((mirrored(-9, 1), mirrored(9, 1)), (0, 0));
    }
}
