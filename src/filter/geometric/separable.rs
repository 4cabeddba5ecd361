//! Scales with weights a column and weights a row: by area, or by a function of the distance.
//!
//! The sums between the two steps are neither rounded nor clamped, because next to a hard edge those of the sharp kernels
//! pass black and white: a scaler that keeps 8 bits there is up to 27 levels away from OpenCV's result.

use multiversion::multiversion;

use crate::filter::bands::for_each_band_with;
use crate::filter::kernel::AreaKernel;
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

/// A scaler for one pair of sizes.
pub(super) struct Separable {
    input: Size,
    output: Size,
    across: Axis,
    down: Axis,
    /// A row of sums for each band.
    sums: Vec<f32>,
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
        Self { input, output, across, down, sums: Vec::new() }
    }
}

impl AreaKernel for Separable {
    fn run(&mut self, input: &[u8], output: &mut [u8]) {
        let stride = self.input.width as usize * BYTES_PER_PIXEL;
        let out_stride = self.output.width as usize * BYTES_PER_PIXEL;
        let (across, down) = (&self.across, &self.down);
        for_each_band_with(output, out_stride, (&mut self.sums, stride), |first, band, sums| {
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
