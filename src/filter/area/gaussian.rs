//! Gaussian blur, the engine behind several filters: two one-dimensional passes in fixed point, and for wide blurs on a
//! smaller copy of the picture, so that the work does not grow with the width.

use crate::filter::bands::{for_each_band, for_each_band_with, mirrored, pad_row};
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

/// Values worked on together; they stay in registers over all taps.
const CHUNK: usize = 32;
/// Horizontal weights sum to this: with 8-bit levels the sum just fits 16 bits.
const ACROSS_ONE: f64 = 256.0;
/// Vertical weights sum to this. Only the upper half of each 32-bit product is kept, which is one instruction for eight
/// values where the whole product takes five.
const DOWN_ONE: f64 = 65_535.0;
/// Fraction bits of what comes out of each pass.
const FRACTION_BITS: u32 = 8;
/// The blur that is left to do on a smaller copy, in its pixels. Less would let the blocks of the copy show.
const LEAST_SIGMA_OF_COPY: f32 = 3.0;

/// Two passes at full size.
pub(crate) struct Gaussian {
    size: Size,
    across: Vec<u16>,
    down: Vec<u16>,
    /// Rows after the first pass, 8.8 fixed point, each rounded up to whole chunks.
    rows: Vec<u16>,
    padded: Vec<u8>,
}

impl Gaussian {
    /// The weights reach as far as OpenCV's do for 8-bit pictures.
    pub(crate) fn new(size: Size, sigma: f32) -> Self {
        let (across, down) = (weights(sigma, ACROSS_ONE), weights(sigma, DOWN_ONE));
        Self { size, across, down, rows: Vec::new(), padded: Vec::new() }
    }

    /// Hands each row of the input, its blurred values (see [`blurred_level`]) and its row of the output to `finish`.
    pub(crate) fn run<T: Send>(
        &mut self,
        input: &[u8],
        output: &mut [T],
        finish: impl Fn(&[u8], &[u16], &mut [T]) + Sync,
    ) {
        let stride = self.size.width as usize * BYTES_PER_PIXEL;
        let height = self.size.height as usize;
        let wide = stride.next_multiple_of(CHUNK);
        let radius = self.across.len() / 2;
        self.rows.resize(wide * height, 0);
        let (across, down) = (&self.across, &self.down);
        let padded_length = wide + 2 * radius * BYTES_PER_PIXEL;
        for_each_band_with(&mut self.rows, wide, (&mut self.padded, padded_length), |first, band, padded| {
            for (index, row) in band.chunks_exact_mut(wide).enumerate() {
                pad_row(&input[(first + index) * stride..][..stride], radius, padded);
                sum_across(padded, across, row);
            }
        });
        let rows = &self.rows;
        for_each_band(output, stride, |first, band| {
            for (index, out) in band.chunks_exact_mut(stride).enumerate() {
                let y = first + index;
                let source = &input[y * stride..][..stride];
                for start in (0..stride).step_by(CHUNK) {
                    let end = (start + CHUNK).min(stride);
                    let sums =
                        sum_down(rows, wide, start, down, |tap| mirrored((y + tap) as isize - radius as isize, height));
                    finish(&source[start..end], &sums[..end - start], &mut out[start..end]);
                }
            }
        });
    }
}

fn sum_across(padded: &[u8], weights: &[u16], row: &mut [u16]) {
    let (chunks, _) = row.as_chunks_mut::<CHUNK>();
    for (index, chunk) in chunks.iter_mut().enumerate() {
        let mut sums = [0_u16; CHUNK];
        for (tap, weight) in weights.iter().enumerate() {
            let values = &padded[index * CHUNK + tap * BYTES_PER_PIXEL..][..CHUNK];
            for (sum, value) in sums.iter_mut().zip(values) {
                // The weights sum to 256, so this can't pass 65280.
                *sum = sum.wrapping_add(weight.wrapping_mul(u16::from(*value)));
            }
        }
        *chunk = sums;
    }
}

fn sum_down(
    rows: &[u16],
    wide: usize,
    start: usize,
    weights: &[u16],
    row_of_tap: impl Fn(usize) -> usize,
) -> [u16; CHUNK] {
    // Each product loses half of its last place on average; what all of them lose is added first.
    let mut sums = [weights.len() as u16 / 2; CHUNK];
    for (tap, weight) in weights.iter().enumerate() {
        let values = &rows[row_of_tap(tap) * wide + start..][..CHUNK];
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum = sum.wrapping_add(((u32::from(*weight) * u32::from(*value)) >> 16) as u16);
        }
    }
    sums
}

/// A blurred value as a level, rounded.
pub(crate) fn blurred_level(sum: u16) -> u8 {
    ((u32::from(sum) + (1 << (FRACTION_BITS - 1))) >> FRACTION_BITS) as u8
}

/// A blurred value in levels.
pub(crate) fn blurred_value(sum: u16) -> f32 {
    f32::from(sum) / (1_u32 << FRACTION_BITS) as f32
}

/// Whole-numbered weights of a Gaussian that sum to `one` exactly; each one's rounding is carried to the next.
fn weights(sigma: f32, one: f64) -> Vec<u16> {
    let radius = ((6.0 * f64::from(sigma) + 1.0).round() as usize | 1) / 2;
    let exact = |distance: usize| (-0.5 * (distance as f64 / f64::from(sigma)).powi(2)).exp();
    let total: f64 = exact(0) + 2.0 * (1..=radius).map(exact).sum::<f64>();
    let mut weights = vec![0_u16; 2 * radius + 1];
    let mut carried = 0.0;
    let mut left = one as u16;
    for distance in (1..=radius).rev() {
        let wanted = exact(distance) / total * one + carried;
        let weight = wanted.round() as u16;
        carried = wanted - f64::from(weight);
        weights[radius - distance] = weight;
        weights[radius + distance] = weight;
        left -= 2 * weight;
    }
    weights[radius] = left;
    weights
}

/// A Gaussian blur of any width of an RGBA picture.
pub(crate) enum Blur {
    Full(Gaussian),
    Copy(Box<CopyBlur>),
}

impl Blur {
    /// `sigma` is the standard deviation in pixels, above 0.
    pub(crate) fn new(size: Size, sigma: f32) -> Self {
        let factor = (sigma / LEAST_SIGMA_OF_COPY) as u32;
        if factor < 2 {
            return Self::Full(Gaussian::new(size, sigma));
        }
        Self::Copy(Box::new(CopyBlur::new(size, sigma, factor)))
    }

    pub(crate) fn run(&mut self, input: &[u8], output: &mut [u8]) {
        match self {
            Self::Full(gaussian) => gaussian.run(input, output, |_, sums, out| {
                for (out, sum) in out.iter_mut().zip(sums) {
                    *out = blurred_level(*sum);
                }
            }),
            Self::Copy(copy) => copy.run(input, output),
        }
    }
}

/// Averages blocks, blurs the smaller copy, and enlarges it linearly.
pub(crate) struct CopyBlur {
    size: Size,
    factor: usize,
    gaussian: Gaussian,
    copy: Vec<u8>,
    /// The blurred copy in 8.8 fixed point: steps of whole levels would show after enlarging.
    blurred: Vec<u16>,
    columns: Vec<Between>,
    row: Vec<u16>,
}

/// A position between two values of the copy: the first one, and the weight of the next in 256ths.
#[derive(Clone, Copy)]
struct Between {
    first: usize,
    next: usize,
    weight: u32,
}

impl CopyBlur {
    fn new(size: Size, sigma: f32, factor: u32) -> Self {
        let copy = Size::new(size.width.div_ceil(factor), size.height.div_ceil(factor));
        // Averaging blocks of n is a blur of variance (n^2 - 1) / 12, enlarging linearly one of twice that.
        let already = (factor * factor - 1) as f32 / 4.0;
        let sigma = (sigma * sigma - already).sqrt() / factor as f32;
        let columns = (0..size.width).map(|x| Between::new(x, factor, copy.width)).collect();
        Self {
            size,
            factor: factor as usize,
            gaussian: Gaussian::new(copy, sigma),
            copy: vec![0; copy.pixels() * BYTES_PER_PIXEL],
            blurred: vec![0; copy.pixels() * BYTES_PER_PIXEL],
            columns,
            row: Vec::new(),
        }
    }

    fn run(&mut self, input: &[u8], output: &mut [u8]) {
        let stride = self.size.width as usize * BYTES_PER_PIXEL;
        let copy_stride = self.gaussian.size.width as usize * BYTES_PER_PIXEL;
        average_blocks(input, stride, self.factor, (&mut self.copy, copy_stride));
        self.gaussian.run(&self.copy, &mut self.blurred, |_, sums, out| out.copy_from_slice(sums));
        let (blurred, columns) = (&self.blurred, &self.columns);
        let (factor, copy_height) = (self.factor as u32, self.gaussian.size.height);
        for_each_band_with(output, stride, (&mut self.row, copy_stride), |first, band, row| {
            for (index, out) in band.chunks_exact_mut(stride).enumerate() {
                let between = Between::new((first + index) as u32, factor, copy_height);
                let upper = &blurred[between.first * copy_stride..][..copy_stride];
                let lower = &blurred[between.next * copy_stride..][..copy_stride];
                for ((value, upper), lower) in row.iter_mut().zip(upper).zip(lower) {
                    *value = between.mix(*upper, *lower) as u16;
                }
                let (row, _) = row.as_chunks::<BYTES_PER_PIXEL>();
                let (out, _) = out.as_chunks_mut::<BYTES_PER_PIXEL>();
                for (pixel, between) in out.iter_mut().zip(columns) {
                    let (left, right) = (row[between.first], row[between.next]);
                    *pixel = std::array::from_fn(|at| ((between.mix(left[at], right[at]) + 128) >> 8).min(255) as u8);
                }
            }
        });
    }
}

impl Between {
    fn new(at: u32, factor: u32, length: u32) -> Self {
        // The middle of block n is at n * factor + factor / 2; twice that keeps the halves whole.
        let twice = (2 * at + 1).saturating_sub(factor);
        let first = (twice / (2 * factor)).min(length - 1);
        let weight = (twice % (2 * factor)) * 256 / (2 * factor);
        Self { first: first as usize, next: (first + 1).min(length - 1) as usize, weight }
    }

    fn mix(self, first: u16, next: u16) -> u32 {
        (u32::from(first) * (256 - self.weight) + u32::from(next) * self.weight) >> 8
    }
}

/// The mean of each block of `factor` x `factor` pixels, rounded; blocks at the right and lower edge may be smaller.
pub(crate) fn average_blocks(input: &[u8], stride: usize, factor: usize, (output, row): (&mut [u8], usize)) {
    let height = input.len() / stride;
    for_each_band(output, row, |first, band| {
        for (index, out) in band.chunks_exact_mut(row).enumerate() {
            let top = (first + index) * factor;
            let lines = (top..(top + factor).min(height)).map(|y| &input[y * stride..][..stride]);
            let (out, _) = out.as_chunks_mut::<BYTES_PER_PIXEL>();
            for (block, pixel) in out.iter_mut().enumerate() {
                let start = block * factor * BYTES_PER_PIXEL;
                let end = (start + factor * BYTES_PER_PIXEL).min(stride);
                let (mut sums, mut count) = ([0_u32; BYTES_PER_PIXEL], 0);
                for line in lines.clone() {
                    let (pixels, _) = line[start..end].as_chunks::<BYTES_PER_PIXEL>();
                    count += pixels.len() as u32;
                    for pixel in pixels {
                        for (sum, value) in sums.iter_mut().zip(pixel) {
                            *sum += u32::from(*value);
                        }
                    }
                }
                *pixel = sums.map(|sum| ((sum + count / 2) / count.max(1)) as u8);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_one_and_none_is_above_the_middle() {
        for sigma in [0.1, 0.3, 1.0, 2.7, 8.0] {
            for one in [ACROSS_ONE, DOWN_ONE] {
                let weights = weights(sigma, one);
                let sum: u32 = weights.iter().map(|weight| u32::from(*weight)).sum();
                assert_eq!(f64::from(sum), one, "sigma {sigma}");
                // The middle takes what rounding left over, which may be one less than it should be.
                let middle = weights[weights.len() / 2].saturating_add(1);
                assert!(weights.iter().all(|weight| *weight <= middle), "sigma {sigma}");
            }
        }
    }
    #[test]
    fn flat_pictures_stay_as_they_are() {
        let size = Size::new(9, 7);
        for sigma in [0.1, 1.0, 5.9, 8.0, 32.0] {
            for level in 0..=255_u8 {
                let input = vec![level; size.pixels() * BYTES_PER_PIXEL];
                let mut output = vec![0; input.len()];
                Blur::new(size, sigma).run(&input, &mut output);
                assert_eq!(output, input, "sigma {sigma}");
            }
        }
    }
}
