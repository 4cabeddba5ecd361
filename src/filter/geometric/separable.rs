//! Scales with weights a column and weights a row: by area, or by a function of the distance.
//!
//! The sums between the two steps keep a fraction and are not clamped, because next to a hard edge those of the sharp
//! kernels pass black and white: a scaler that keeps 8 bits there is up to 27 levels away from OpenCV's result.

use multiversion::multiversion;

use crate::filter::bands::{for_each_band, for_each_band_with};
use crate::filter::kernel::AreaKernel;
use crate::filter::simd::{Along, ONE, SUMS, TAPS, quarter, sum_along, sum_rows};
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

/// A scaler for one pair of sizes.
pub(super) struct Separable {
    input: Size,
    output: Size,
    way: Way,
}

/// How the weights are worked with.
enum Way {
    /// Every pixel the mean of two by two.
    Quarter,
    /// In whole numbers, which are exact enough for a few weights; and a row of sums for each band.
    Few { across: Along, down: Whole, sums: Vec<i16> },
    /// In floats.
    Many { across: Axis, down: Axis, sums: Vec<f32> },
}

/// More weights than this for a pixel are not worked with in whole numbers.
const FEW: usize = 16;

/// An [`Axis`] in whole numbers: as many weights for each pixel, in 14 bits, those beyond its own being 0.
struct Whole {
    firsts: Vec<u32>,
    weights: Vec<i16>,
    taps: usize,
}

impl Whole {
    /// `None` where a pixel has too many weights.
    fn new(axis: &Axis) -> Option<Self> {
        let count = axis.starts.len() - 1;
        let most = (0..count).map(|at| axis.of(at).1.len()).max().unwrap_or(0);
        if most > FEW {
            return None;
        }
        let taps = most.next_multiple_of(TAPS);
        let (mut firsts, mut weights) = (Vec::with_capacity(count), vec![0; count * taps]);
        for (at, weights) in weights.chunks_exact_mut(taps).enumerate() {
            let (first, exact) = axis.of(at);
            firsts.push(first as u32);
            // What is rounded off one goes to the next, so that together they make 1.
            let (mut sum, mut given) = (0.0_f64, 0);
            for (weight, exact) in weights.iter_mut().zip(exact) {
                sum += f64::from(*exact) * f64::from(ONE);
                let next = sum.round() as i32;
                *weight = (next - given) as i16;
                given = next;
            }
        }
        Some(Self { firsts, weights, taps })
    }

    fn of(&self, at: usize) -> (usize, &[i16]) {
        (self.firsts[at] as usize, &self.weights[at * self.taps..][..self.taps])
    }
}

/// For each pixel of one side of the output which pixels of the input it is made of, and their weights.
struct Axis {
    /// The first pixel of the input and the first weight; one more entry ends the last.
    starts: Vec<(usize, usize)>,
    weights: Vec<f32>,
}

impl Axis {
    /// Every pixel of the input by how much of it is covered.
    fn covering(from: u32, to: u32) -> Self {
        let ratio = f64::from(from) / f64::from(to);
        Self::new(from, to, |at| {
            let (start, end) = (f64::from(at) * ratio, (f64::from(at + 1) * ratio).min(f64::from(from)));
            let first = (start.floor() as u32).min(from - 1);
            let last = ((end - 1e-9).ceil() as u32).clamp(first + 1, from);
            let covered = |pixel: u32| end.min(f64::from(pixel + 1)) - start.max(f64::from(pixel));
            (first, (first..last).map(|pixel| covered(pixel).max(0.0)).collect())
        })
    }

    /// The pixels nearest to a position, `reach` to either side, by a function of their distance. Beyond its ends the line
    /// goes on with its last pixel.
    fn interpolating(from: u32, to: u32, kernel: fn(f64) -> f64, reach: u32) -> Self {
        let ratio = f64::from(from) / f64::from(to);
        let (reach, last) = (i64::from(reach), i64::from(from) - 1);
        Self::new(from, to, |at| {
            let middle = (f64::from(at) + 0.5) * ratio - 0.5;
            let start = middle.floor() as i64 - reach + 1;
            let (first, end) = (start.clamp(0, last), (start + 2 * reach - 1).clamp(0, last));
            let mut weights = vec![0.0; (end - first + 1) as usize];
            for pixel in start..start + 2 * reach {
                weights[(pixel.clamp(0, last) - first) as usize] += kernel(middle - pixel as f64);
            }
            (first as u32, weights)
        })
    }

    /// `taps` gives the first pixel and the weights for a pixel of the output; they are made to sum to 1.
    fn new(from: u32, to: u32, taps: impl Fn(u32) -> (u32, Vec<f64>)) -> Self {
        let (mut starts, mut weights) = (Vec::new(), Vec::new());
        for at in 0..to {
            let (first, taps) = taps(at);
            starts.push((first as usize, weights.len()));
            let sum: f64 = taps.iter().sum();
            weights.extend(taps.iter().map(|tap| (tap / sum) as f32));
        }
        starts.push((from as usize, weights.len()));
        Self { starts, weights }
    }

    /// Whether each pixel is the mean of two, and all of a line of `length` are used.
    fn is_pairs(&self, length: u32) -> bool {
        let count = self.starts.len() - 1;
        2 * count == length as usize && (0..count).all(|at| self.of(at) == (2 * at, &[0.5, 0.5]))
    }

    /// The first pixel and the weights from there.
    fn of(&self, at: usize) -> (usize, &[f32]) {
        let (first, start) = self.starts[at];
        (first, &self.weights[start..self.starts[at + 1].1])
    }
}

impl Separable {
    /// Each pixel is the mean of what it covers of the input, parts of pixels by their part.
    pub(super) fn covering(input: Size, output: Size) -> Self {
        Self::new(input, output, Axis::covering)
    }

    /// Each pixel is made of the pixels up to `reach` away, by `kernel` of their distance.
    pub(super) fn interpolating(input: Size, output: Size, kernel: fn(f64) -> f64, reach: u32) -> Self {
        Self::new(input, output, |from, to| Axis::interpolating(from, to, kernel, reach))
    }

    fn new(input: Size, output: Size, axis: impl Fn(u32, u32) -> Axis) -> Self {
        let (across, down) = (axis(input.width, output.width), axis(input.height, output.height));
        let way = match (Whole::new(&across), Whole::new(&down)) {
            _ if across.is_pairs(input.width) && down.is_pairs(input.height) => Way::Quarter,
            (Some(across), Some(down)) => {
                let across = Along::new(across.firsts, across.weights, across.taps);
                Way::Few { across, down, sums: Vec::new() }
            }
            _ => Way::Many { across, down, sums: Vec::new() },
        };
        Self { input, output, way }
    }
}

impl AreaKernel for Separable {
    fn run(&mut self, input: &[u8], output: &mut [u8]) {
        let stride = self.input.width as usize * BYTES_PER_PIXEL;
        let out_stride = self.output.width as usize * BYTES_PER_PIXEL;
        match &mut self.way {
            Way::Quarter => for_each_band(output, out_stride, |first, band| {
                for (index, row) in band.chunks_exact_mut(out_stride).enumerate() {
                    let rows = &input[2 * (first + index) * stride..][..2 * stride];
                    let (upper, lower) = rows.split_at(stride);
                    quarter(upper.as_chunks().0, lower.as_chunks().0, row.as_chunks_mut().0);
                }
            }),
            Way::Few { across, down, sums } => {
                // The last pixel's unused weights read beyond the row.
                let length = (stride + FEW * BYTES_PER_PIXEL).next_multiple_of(SUMS);
                let height = self.input.height as usize;
                for_each_band_with(output, out_stride, (sums, length), |first, band, sums| {
                    for (index, row) in band.chunks_exact_mut(out_stride).enumerate() {
                        let (top, weights) = down.of(first + index);
                        let count = weights.len().min(height - top);
                        let mut lines: [&[u8]; FEW] = [&[]; FEW];
                        for (line, source) in
                            lines.iter_mut().zip(input[top * stride..].chunks_exact(stride)).take(count)
                        {
                            *line = source;
                        }
                        sum_rows(&lines[..count], &weights[..count], sums);
                        sum_along(sums.as_chunks().0, across, row.as_chunks_mut().0);
                    }
                });
            }
            Way::Many { across, down, sums } => {
                for_each_band_with(output, out_stride, (sums, stride), |first, band, sums| {
                    for (index, row) in band.chunks_exact_mut(out_stride).enumerate() {
                        let (top, weights) = down.of(first + index);
                        sums.fill(0.0);
                        for (source, weight) in input[top * stride..].chunks_exact(stride).zip(weights) {
                            add(source, *weight, sums);
                        }
                        reduce(sums.as_chunks().0, across, row.as_chunks_mut().0);
                    }
                });
            }
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
fn add(row: &[u8], weight: f32, sums: &mut [f32]) {
    for (sum, level) in sums.iter_mut().zip(row) {
        *sum += f32::from(*level) * weight;
    }
}

fn reduce(sums: &[[f32; BYTES_PER_PIXEL]], across: &Axis, row: &mut [[u8; BYTES_PER_PIXEL]]) {
    for (at, pixel) in row.iter_mut().enumerate() {
        let (left, weights) = across.of(at);
        let mut mean = [0.5_f32; BYTES_PER_PIXEL];
        for (levels, weight) in sums[left..].iter().zip(weights) {
            for (mean, level) in mean.iter_mut().zip(levels) {
                *mean += level * weight;
            }
        }
        *pixel = mean.map(|mean| mean as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_pixel_make_one() {
        let tent: fn(f64) -> f64 = |x| (1.0 - x.abs()).max(0.0);
        for (from, to) in [(7, 3), (3, 7), (64, 1), (1, 64), (1919, 640), (5, 4)] {
            for axis in [Axis::covering(from, to), Axis::interpolating(from, to, tent, 2)] {
                for at in 0..to as usize {
                    let (first, weights) = axis.of(at);
                    assert!(first + weights.len() <= from as usize, "{from} to {to} at {at}");
                    assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{from} to {to} at {at}");
                }
            }
        }
    }
}
