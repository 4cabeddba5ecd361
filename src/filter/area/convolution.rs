//! A small square of weights over the neighbourhood of each pixel, the engine behind several filters.

use multiversion::multiversion;

use crate::filter::bands::{for_each_band, mirrored};
use crate::filter::kernel::{AreaKernel, Kernel};
use crate::filter::level::{level, value};
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

/// Values worked on together; they stay in registers over all taps.
const CHUNK: usize = 64;
/// Rows that count at most.
const MOST_SIDE: usize = 5;

/// One weight of the square.
#[derive(Clone, Copy)]
struct Tap {
    /// Row of the square, from the top.
    row: usize,
    /// Column of the square, from the left.
    column: usize,
    weight: f32,
}

/// Weights, not turned around: the upper left weight is for the upper left neighbour.
pub(super) struct Convolution {
    size: Size,
    side: usize,
    taps: Vec<Tap>,
    /// Added at the end, in levels.
    bias: f32,
}

impl Convolution {
    /// `weights` are a square of 3 or 5 a side, row by row. Alpha stays as it is.
    pub(super) fn kernel(size: Size, weights: &[f32], bias: f32) -> Kernel {
        let side = if weights.len() == 9 { 3 } else { MOST_SIDE };
        let middle = weights.len() / 2;
        let identity = |(at, weight): (usize, &f32)| *weight == if at == middle { 1.0 } else { 0.0 };
        if bias == 0.0 && weights.iter().enumerate().all(identity) {
            return Kernel::Identity;
        }
        let taps = weights.iter().enumerate().filter(|(_, weight)| **weight != 0.0);
        let taps = taps.map(|(at, weight)| Tap { row: at / side, column: at % side, weight: *weight }).collect();
        Kernel::Area(Box::new(Self { size, side, taps, bias }))
    }
}

impl AreaKernel for Convolution {
    fn run(&mut self, input: &[u8], output: &mut [u8]) {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let stride = width * BYTES_PER_PIXEL;
        let (side, reach) = (self.side, self.side / 2);
        for_each_band(output, stride, |first, band| {
            for (index, out) in band.chunks_exact_mut(stride).enumerate() {
                let y = first + index;
                let line = |row: usize| {
                    let y = mirrored((y + row.min(side - 1)) as isize - reach as isize, height);
                    &input[y * stride..][..stride]
                };
                let lines: [&[u8]; MOST_SIDE] = std::array::from_fn(line);
                let here = lines[reach];
                let inner = reach.min(width)..width.saturating_sub(reach).max(reach.min(width));
                let bytes = inner.start * BYTES_PER_PIXEL..inner.end * BYTES_PER_PIXEL;
                sum_row(&lines, &self.taps, self.bias, (&here[bytes.clone()], &mut out[bytes]));
                for x in (0..inner.start).chain(inner.end..width) {
                    for channel in 0..3 {
                        let mut sum = self.bias;
                        for tap in &self.taps {
                            let x = mirrored((x + tap.column) as isize - reach as isize, width);
                            sum += tap.weight * value(lines[tap.row][x * BYTES_PER_PIXEL + channel]);
                        }
                        out[x * BYTES_PER_PIXEL + channel] = level(sum);
                    }
                    out[x * BYTES_PER_PIXEL + 3] = here[x * BYTES_PER_PIXEL + 3];
                }
            }
        });
    }
}

/// The pixels of a row whose whole neighbourhood lies in the picture; the first one's begins where the lines do.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
fn sum_row(lines: &[&[u8]; MOST_SIDE], taps: &[Tap], bias: f32, (here, out): (&[u8], &mut [u8])) {
    let length = out.len();
    for start in (0..length).step_by(CHUNK) {
        // The last chunk begins earlier rather than being shorter, so that every loop has a fixed length.
        let start = if start + CHUNK <= length { start } else { length.saturating_sub(CHUNK) };
        let count = CHUNK.min(length);
        let mut sums = [bias; CHUNK];
        for tap in taps {
            let line = &lines[tap.row][start + tap.column * BYTES_PER_PIXEL..];
            if let Some(values) = line.first_chunk::<CHUNK>() {
                for (sum, level) in sums.iter_mut().zip(values) {
                    *sum += tap.weight * value(*level);
                }
            } else {
                for (sum, level) in sums[..count].iter_mut().zip(line) {
                    *sum += tap.weight * value(*level);
                }
            }
        }
        let (here, out) = (&here[start..start + count], &mut out[start..start + count]);
        for (at, ((out, here), sum)) in out.iter_mut().zip(here).zip(sums).enumerate() {
            *out = if at % BYTES_PER_PIXEL == 3 { *here } else { level(sum) };
        }
    }
}
