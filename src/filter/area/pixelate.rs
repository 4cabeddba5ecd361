//! Pixelate: large square pixels.

use super::gaussian::average_blocks;
use crate::filter::bands::for_each_band;
use crate::filter::declare::params;
use crate::filter::kernel::{AreaKernel, Kernel, Prepare, PrepareError};
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

params! {
    /// Makes the picture from large square pixels, each the mean of what it covers.
    pub struct Pixelate("pixelate", "Pixelate", Area) {
        /// Side of a square.
        size: i32 = 1 in 1..=128 step 1, "Size", Pixels;
    }
}

impl Prepare for Pixelate {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        if self.size == 1 {
            return Ok(Kernel::Identity);
        }
        Ok(Kernel::Area(Box::new(Blocks {
            size: input,
            side: self.size.unsigned_abs() as usize,
            means: Means::default(),
        })))
    }
}

struct Blocks {
    size: Size,
    side: usize,
    means: Means,
}

impl AreaKernel for Blocks {
    fn run(&mut self, input: &[u8], output: &mut [u8]) {
        pixelate(self.size, self.side, (input, output), &mut self.means);
    }
}

/// Scratch of [`pixelate`].
#[derive(Default)]
pub(crate) struct Means {
    means: Vec<u8>,
    sums: Vec<u32>,
}

/// Blocks of `side` pixels from the upper left corner on.
pub(crate) fn pixelate(size: Size, side: usize, (input, output): (&[u8], &mut [u8]), scratch: &mut Means) {
    let Means { means, sums } = scratch;
    let stride = size.width as usize * BYTES_PER_PIXEL;
    let (across, down) = ((size.width as usize).div_ceil(side), (size.height as usize).div_ceil(side));
    means.resize(across * down * BYTES_PER_PIXEL, 0);
    average_blocks(input, stride, side, (means, across * BYTES_PER_PIXEL, sums));
    let (means, _) = means.as_chunks::<BYTES_PER_PIXEL>();
    for_each_band(output, stride, |first, band| {
        let mut rest = band;
        let mut y = first;
        while !rest.is_empty() {
            let rows = (side - y % side).min(rest.len() / stride);
            let (rows_of_block, after) = rest.split_at_mut(rows * stride);
            let (row, copies) = rows_of_block.split_at_mut(stride);
            let (pixels, _) = row.as_chunks_mut::<BYTES_PER_PIXEL>();
            for (pixels, mean) in pixels.chunks_mut(side).zip(&means[y / side * across..]) {
                pixels.fill(*mean);
            }
            for copy in copies.chunks_exact_mut(stride) {
                copy.copy_from_slice(row);
            }
            (rest, y) = (after, y + rows);
        }
    });
}
