//! A threshold that follows the local mean, for outlines.

use crate::filter::bands::for_each_band_with;
use crate::geometry::Size;

/// 255 where a pixel is brighter than the rounded mean of the square of `side` around it less `offset`, else 0.
pub(super) fn above_local_mean(
    gray: &[u8],
    size: Size,
    (side, offset): (usize, i32),
    (output, sums): (&mut [u8], &mut Vec<u32>),
) {
    let (width, height) = (size.width as usize, size.height as usize);
    let reach = (side / 2) as isize;
    let area = (side * side) as u32;
    for_each_band_with(output, width, (sums, width), |first, band, columns| {
        let line = |y: isize| &gray[y.clamp(0, height as isize - 1) as usize * width..][..width];
        let top = first as isize - reach;
        columns.fill(0);
        for y in top..top + side as isize {
            for (sum, value) in columns.iter_mut().zip(line(y)) {
                *sum += u32::from(*value);
            }
        }
        for (index, row) in band.chunks_exact_mut(width).enumerate() {
            let here = line((first + index) as isize);
            let at = |x: isize| columns[x.clamp(0, width as isize - 1) as usize];
            let mut sum: u32 = (-reach..reach).map(at).sum();
            for (x, out) in row.iter_mut().enumerate() {
                sum += at(x as isize + reach);
                let mean = (sum + area / 2) / area;
                *out = if i32::from(here[x]) > mean as i32 - offset { 255 } else { 0 };
                sum -= at(x as isize - reach);
            }
            let (leaving, entering) = (line(top + index as isize), line(top + (index + side) as isize));
            for ((sum, leaving), entering) in columns.iter_mut().zip(leaving).zip(entering) {
                *sum = *sum + u32::from(*entering) - u32::from(*leaving);
            }
        }
    });
}
