//! A threshold that follows the brightness around each pixel.

use multiversion::multiversion;

use super::plane::gray_plane;
use crate::filter::bands::for_each_band_with;
use crate::filter::declare::params;
use crate::filter::kernel::{AreaKernel, Kernel, Prepare, PrepareError};
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

params! {
    /// Makes white what is brighter than its surroundings and black what is darker: writing in uneven light.
    pub struct AdaptiveThreshold("adaptive_threshold", "Adaptive threshold", Area) {
        /// Side of the square that a pixel is compared with; odd.
        block: i32 = 11 in 3..=51 step 2, "Block", Pixels;
        /// How much darker than the square's mean a pixel may be and still become white, in levels of 255.
        offset: i32 = 5 in -50..=50 step 1, "Offset";
    }
}

impl Prepare for AdaptiveThreshold {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        // A remote slider knows no steps: an even side counts as the next odd one.
        let side = (self.block | 1).unsigned_abs() as usize;
        Ok(Kernel::Area(Box::new(Means { size: input, side, offset: self.offset, gray: Vec::new(), sums: Vec::new() })))
    }
}

struct Means {
    size: Size,
    side: usize,
    offset: i32,
    gray: Vec<u8>,
    sums: Vec<u32>,
}

impl AreaKernel for Means {
    /// Beyond the edge the last pixel counts on. Alpha stays.
    fn run(&mut self, input: &[u8], output: &mut [u8]) {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let (side, reach) = (self.side, self.side / 2);
        gray_plane(input, width, &mut self.gray);
        let gray = &self.gray;
        let (source, _) = input.as_chunks::<BYTES_PER_PIXEL>();
        // Sums of columns with the reach beside them, then sums of squares.
        let wide = width + 2 * reach;
        let weights = (self.side * self.side) as i32;
        let scratch = (&mut self.sums, wide + width);
        for_each_band_with(output, width * BYTES_PER_PIXEL, scratch, |first, band, sums| {
            let (columns, squares) = sums.split_at_mut(wide);
            let line = |y: usize| &gray[y.saturating_sub(reach).min(height - 1) * width..][..width];
            columns.fill(0);
            for y in first..first + side {
                exchange(&mut columns[reach..reach + width], line(y), None);
            }
            let (pixels, _) = band.as_chunks_mut::<BYTES_PER_PIXEL>();
            for (index, row) in pixels.chunks_exact_mut(width).enumerate() {
                let y = first + index;
                let (left, right) = (columns[reach], columns[reach + width - 1]);
                columns[..reach].fill(left);
                columns[reach + width..].fill(right);
                let mut sum: u32 = columns[..side - 1].iter().sum();
                for ((square, entering), leaving) in squares.iter_mut().zip(&columns[side - 1..]).zip(&*columns) {
                    sum += entering;
                    *square = sum;
                    sum -= leaving;
                }
                let beside = (&gray[y * width..][..width], &source[y * width..][..width]);
                compare(squares, beside, (weights, self.offset), row);
                exchange(&mut columns[reach..reach + width], line(y + side), Some(line(y)));
            }
        });
    }
}

/// Adds a row to the sums of the columns and takes another one away.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
fn exchange(columns: &mut [u32], entering: &[u8], leaving: Option<&[u8]>) {
    if let Some(leaving) = leaving {
        for ((sum, entering), leaving) in columns.iter_mut().zip(entering).zip(leaving) {
            *sum = (*sum + u32::from(*entering)).wrapping_sub(u32::from(*leaving));
        }
    } else {
        for (sum, entering) in columns.iter_mut().zip(entering) {
            *sum += u32::from(*entering);
        }
    }
}

/// White where a level is above the rounded mean of its square less the offset; without a division.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
fn compare(
    squares: &[u32],
    (gray, source): (&[u8], &[[u8; BYTES_PER_PIXEL]]),
    (weights, offset): (i32, i32),
    row: &mut [[u8; BYTES_PER_PIXEL]],
) {
    for (((pixel, sum), level), source) in row.iter_mut().zip(squares).zip(gray).zip(source) {
        let above = *sum as i32 + weights / 2 < (i32::from(*level) + offset) * weights;
        let value = if above { 255 } else { 0 };
        *pixel = [value, value, value, source[3]];
    }
}
