//! Scales by area: each pixel of the output is the mean of what it covers of the input, parts of pixels by their part.

use multiversion::multiversion;

use crate::filter::bands::for_each_band_with;
use crate::filter::kernel::AreaKernel;
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

/// A scaler for one pair of sizes.
pub(super) struct Coverage {
    input: Size,
    output: Size,
    across: Axis,
    down: Axis,
    /// A row of sums for each band.
    sums: Vec<f32>,
}

/// For each pixel of one side of the output which pixels of the input it covers, and how much of it each makes up.
struct Axis {
    /// The first pixel of the input and the first weight; one more entry ends the last.
    starts: Vec<(usize, usize)>,
    weights: Vec<f32>,
}

impl Axis {
    fn new(from: u32, to: u32) -> Self {
        let ratio = f64::from(from) / f64::from(to);
        let (mut starts, mut weights) = (Vec::new(), Vec::new());
        for at in 0..to {
            let (start, end) = (f64::from(at) * ratio, (f64::from(at + 1) * ratio).min(f64::from(from)));
            let first = (start.floor() as u32).min(from - 1);
            starts.push((first as usize, weights.len()));
            let mut pixel = first;
            while pixel == first || f64::from(pixel) < end - 1e-9 {
                let covered = end.min(f64::from(pixel + 1)) - start.max(f64::from(pixel));
                weights.push((covered / (end - start)).max(0.0) as f32);
                pixel += 1;
            }
        }
        starts.push((from as usize, weights.len()));
        Self { starts, weights }
    }

    /// The first pixel that is covered and the weights from there.
    fn of(&self, at: usize) -> (usize, &[f32]) {
        let (first, start) = self.starts[at];
        (first, &self.weights[start..self.starts[at + 1].1])
    }
}

impl Coverage {
    pub(super) fn new(input: Size, output: Size) -> Self {
        let (across, down) = (Axis::new(input.width, output.width), Axis::new(input.height, output.height));
        Self { input, output, across, down, sums: Vec::new() }
    }
}

impl AreaKernel for Coverage {
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
    fn parts_of_a_pixel_make_one() {
        for (from, to) in [(7, 3), (3, 7), (64, 1), (1, 64), (1919, 640), (5, 4)] {
            let axis = Axis::new(from, to);
            for at in 0..to as usize {
                let (first, weights) = axis.of(at);
                assert!(first + weights.len() <= from as usize, "{from} to {to} at {at}");
                assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{from} to {to} at {at}");
            }
        }
    }
}
