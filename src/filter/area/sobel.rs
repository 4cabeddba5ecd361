//! Edges by Sobel's operator: how steeply each channel changes.

use crate::filter::bands::{for_each_band_with, mirrored};
use crate::filter::declare::params;
use crate::filter::kernel::{AreaKernel, Kernel, Prepare, PrepareError};
use crate::filter::level::level;
use crate::filter::simd::vectorised;
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

params! {
    /// Shows how steeply the colours change: edges shine on black.
    pub struct Sobel("sobel", "Edges (Sobel)", Area) {
        /// Brightness of the edges; at 1 a straight edge from black to white is white.
        amount: f32 = 1.0 in 0.0..=4.0 step 0.01, "Amount";
    }
}

/// Values worked on together.
const CHUNK: usize = 64;
/// What Sobel's weights sum to on either side.
const WEIGHTS: f32 = 4.0;

impl Prepare for Sobel {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        Ok(Kernel::Area(Box::new(Slopes { size: input, scale: self.amount / WEIGHTS, scratch: Vec::new() })))
    }
}

struct Slopes {
    size: Size,
    scale: f32,
    scratch: Vec<i16>,
}

impl AreaKernel for Slopes {
    fn run(&mut self, input: &[u8], output: &mut [u8]) {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let (stride, scale) = (width * BYTES_PER_PIXEL, self.scale);
        // A mirrored pixel at both ends.
        let padded = stride.next_multiple_of(CHUNK) + 2 * BYTES_PER_PIXEL;
        for_each_band_with(output, stride, (&mut self.scratch, 2 * padded), |first, band, scratch| {
            let (sums, steps) = scratch.split_at_mut(padded);
            for (index, out) in band.chunks_exact_mut(stride).enumerate() {
                let line = |y: usize| &input[mirrored(y as isize - 1, height) * stride..][..stride];
                let y = first + index;
                let (above, here, below) = (line(y), line(y + 1), line(y + 2));
                let inner = BYTES_PER_PIXEL..BYTES_PER_PIXEL + stride;
                columns(above, here, below, &mut sums[inner.clone()], &mut steps[inner]);
                for row in [&mut *sums, &mut *steps] {
                    let (row, _) = row.as_chunks_mut::<BYTES_PER_PIXEL>();
                    row[0] = row[1 + mirrored(-1, width)];
                    row[1 + width] = row[1 + mirrored(width as isize, width)];
                }
                let whole = stride / CHUNK * CHUNK;
                slopes(sums, steps, scale, &here[..whole], &mut out[..whole]);
                if whole < stride {
                    let (mut last_here, mut last) = ([0; CHUNK], [0; CHUNK]);
                    last_here[..stride - whole].copy_from_slice(&here[whole..]);
                    slopes(&sums[whole..], &steps[whole..], scale, &last_here, &mut last);
                    out[whole..].copy_from_slice(&last[..stride - whole]);
                }
            }
        });
    }
}

vectorised! {
    /// The weighted sums of the columns of three rows, and how they go down.
    fn columns(above: &[u8], here: &[u8], below: &[u8], sums: &mut [i16], steps: &mut [i16]) {
        for ((((sum, step), above), here), below) in sums.iter_mut().zip(steps).zip(above).zip(here).zip(below) {
            let (above, below) = (i16::from(*above), i16::from(*below));
            *sum = above + 2 * i16::from(*here) + below;
            *step = below - above;
        }
    }

    /// The lengths of the gradients, with the alpha of `here`, in whole chunks.
    fn slopes(sums: &[i16], steps: &[i16], scale: f32, here: &[u8], out: &mut [u8]) {
        let (chunks, _) = out.as_chunks_mut::<CHUNK>();
        let (heres, _) = here.as_chunks::<CHUNK>();
        for (index, (out, here)) in chunks.iter_mut().zip(heres).enumerate() {
            let sums = &sums[index * CHUNK..][..CHUNK + 2 * BYTES_PER_PIXEL];
            let steps = &steps[index * CHUNK..][..CHUNK + 2 * BYTES_PER_PIXEL];
            let mut levels = [0_u8; CHUNK];
            for at in 0..CHUNK {
                let (middle, end) = (at + BYTES_PER_PIXEL, at + 2 * BYTES_PER_PIXEL);
                let across = i32::from(sums[end] - sums[at]);
                let down = i32::from(steps[at] + 2 * steps[middle] + steps[end]);
                levels[at] = level(((across * across + down * down) as f32).sqrt() * scale);
            }
            let (levels, _) = levels.as_chunks::<BYTES_PER_PIXEL>();
            let (here, _) = here.as_chunks::<BYTES_PER_PIXEL>();
            let (out, _) = out.as_chunks_mut::<BYTES_PER_PIXEL>();
            for ((out, levels), here) in out.iter_mut().zip(levels).zip(here) {
                let (color, alpha) = (u32::from_le_bytes(*levels), u32::from_le_bytes(*here));
                *out = (color & 0x00ff_ffff | alpha & 0xff00_0000).to_le_bytes();
            }
        }
    }
}
