//! Gaussian blur, the engine behind several filters: two one-dimensional passes in fixed point, and for wide blurs on a
//! smaller copy of the picture, so that the work does not grow with the width.

use crate::filter::bands::{for_each_band_with, for_each_tall_band_with, mirrored, pad_part};
use crate::filter::simd::{Along, CHUNK, ONE, SUM_BITS, TAPS, sum_along, vectorised, weighted_rows};
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

/// Columns of values worked on from top to bottom, so that the rows which a pixel looks at stay in the nearest cache.
const STRIP: usize = 16 * CHUNK;
/// More taps than the widest blur at full size has: [`Sharpen`](super::Sharpen) with a radius of 8.
const MOST_TAPS: usize = 64;
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
    strips: Vec<Strip>,
}

/// What a band needs while it works on a strip.
#[derive(Default, Clone)]
struct Strip {
    /// The last rows after the first pass, 8.8 fixed point; row `y` is at `y` modulo the number of taps.
    rows: Vec<u16>,
    padded: Vec<u8>,
    sums: Vec<u16>,
}

impl Gaussian {
    /// The weights reach as far as OpenCV's do for 8-bit pictures. `sigma` is at most 10.
    pub(crate) fn new(size: Size, sigma: f32) -> Self {
        let (across, down) = (weights(sigma, ACROSS_ONE), weights(sigma, DOWN_ONE));
        Self { size, across, down, strips: Vec::new() }
    }

    /// Hands parts of rows of the input, their blurred values (see [`blurred_levels`]) and the same parts of the output to
    /// `finish`.
    pub(crate) fn run<T: Send>(
        &mut self,
        input: &[u8],
        output: &mut [T],
        finish: impl Fn(&[u8], &[u16], &mut [T]) + Sync,
    ) {
        let stride = self.size.width as usize * BYTES_PER_PIXEL;
        let height = self.size.height as usize;
        let (across, down) = (&self.across, &self.down);
        let taps = across.len();
        let radius = taps / 2;
        for_each_tall_band_with(output, (stride, 2 * radius), (&mut self.strips, 1), |first, band, strips| {
            let Strip { rows, padded, sums } = &mut strips[0];
            rows.resize(taps * STRIP, 0);
            padded.resize(STRIP + 2 * radius * BYTES_PER_PIXEL, 0);
            sums.resize(STRIP, 0);
            let count = band.len() / stride;
            for start in (0..stride).step_by(STRIP) {
                let length = STRIP.min(stride - start);
                let wide = length.next_multiple_of(CHUNK);
                let first_pixel = (start / BYTES_PER_PIXEL) as isize - radius as isize;
                let mut next = first.saturating_sub(radius);
                for (index, out) in band.chunks_exact_mut(stride).enumerate().take(count) {
                    let y = first + index;
                    while next <= (y + radius).min(height - 1) {
                        let row = &input[next * stride..][..stride];
                        let length = wide + 2 * radius * BYTES_PER_PIXEL;
                        let from = usize::try_from(first_pixel).map(|first| first * BYTES_PER_PIXEL);
                        let part = match from {
                            Ok(from) if from + length <= stride => &row[from..from + length],
                            _ => {
                                pad_part(row, first_pixel, &mut padded[..length]);
                                &padded[..length]
                            }
                        };
                        sum_across(part, across, &mut rows[next % taps * STRIP..][..wide]);
                        next += 1;
                    }
                    let mut lines = [0; MOST_TAPS];
                    for (tap, line) in lines[..taps].iter_mut().enumerate() {
                        *line = mirrored((y + tap) as isize - radius as isize, height) % taps * STRIP;
                    }
                    // Each product loses half of its last place on average; what all of them lose is added.
                    weighted_rows(rows, (&lines[..taps], down), &mut sums[..wide]);
                    let part = start..start + length;
                    finish(&input[y * stride..][part.clone()], &sums[..length], &mut out[part]);
                }
            }
        });
    }
}

vectorised! {
    /// The weights sum to 256, so that no sum of levels passes 65280.
    fn sum_across(padded: &[u8], weights: &[u16], row: &mut [u16]) {
        let (chunks, _) = row.as_chunks_mut::<CHUNK>();
        let radius = weights.len() / 2;
        for (index, chunk) in chunks.iter_mut().enumerate() {
            let padded = &padded[index * CHUNK..][..CHUNK + 2 * radius * BYTES_PER_PIXEL];
            let at = |tap: usize| &padded[tap * BYTES_PER_PIXEL..][..CHUNK];
            let mut sums = [0_u16; CHUNK];
            for (sum, value) in sums.iter_mut().zip(at(radius)) {
                *sum = weights[radius].wrapping_mul(u16::from(*value));
            }
            for (tap, weight) in weights[..radius].iter().enumerate() {
                for ((sum, one), other) in sums.iter_mut().zip(at(tap)).zip(at(2 * radius - tap)) {
                    *sum = sum.wrapping_add(weight.wrapping_mul(u16::from(*one) + u16::from(*other)));
                }
            }
            *chunk = sums;
        }
    }

    /// Blurred values as levels, rounded.
    fn blurred_levels(sums: &[u16], out: &mut [u8]) {
        for (out, sum) in out.iter_mut().zip(sums) {
            // No value passes 255 by a half.
            *out = (sum.wrapping_add(1 << (FRACTION_BITS - 1)) >> FRACTION_BITS) as u8;
        }
    }
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
            Self::Full(gaussian) => gaussian.run(input, output, |_, sums, out| blurred_levels(sums, out)),
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
    /// Which columns of the copy each column is between.
    columns: Along,
    row: Vec<i16>,
    sums: Vec<u32>,
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
        let between = (0..size.width).map(|x| Between::new(x, factor, copy.width));
        let weights = between.clone().flat_map(|between| between.weights());
        let columns = Along::new(between.map(|between| between.first as u32).collect(), weights.collect(), TAPS);
        Self {
            size,
            factor: factor as usize,
            gaussian: Gaussian::new(copy, sigma),
            copy: vec![0; copy.pixels() * BYTES_PER_PIXEL],
            blurred: vec![0; copy.pixels() * BYTES_PER_PIXEL],
            columns,
            row: Vec::new(),
            sums: Vec::new(),
        }
    }

    fn run(&mut self, input: &[u8], output: &mut [u8]) {
        let stride = self.size.width as usize * BYTES_PER_PIXEL;
        let copy_stride = self.gaussian.size.width as usize * BYTES_PER_PIXEL;
        average_blocks(input, stride, self.factor, (&mut self.copy, copy_stride, &mut self.sums));
        self.gaussian.run(&self.copy, &mut self.blurred, |_, sums, out| out.copy_from_slice(sums));
        let (blurred, columns) = (&self.blurred, &self.columns);
        let (factor, copy_height) = (self.factor as u32, self.gaussian.size.height);
        // Weights come in groups, of which the last may lead beyond the row, where they are nothing.
        let beyond = TAPS * BYTES_PER_PIXEL;
        for_each_band_with(output, stride, (&mut self.row, copy_stride + beyond), |first, band, row| {
            for (index, out) in band.chunks_exact_mut(stride).enumerate() {
                let between = Between::new((first + index) as u32, factor, copy_height);
                let upper = &blurred[between.first * copy_stride..][..copy_stride];
                let lower = &blurred[between.next * copy_stride..][..copy_stride];
                mix_rows(upper, lower, between.weight, row);
                sum_along(row.as_chunks().0, columns, out.as_chunks_mut().0);
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

    /// The weights of the first one and of those that follow it.
    fn weights(self) -> [i16; TAPS] {
        let next = if self.next == self.first { 0 } else { self.weight as i16 * (ONE / 256) as i16 };
        [ONE as i16 - next, next, 0, 0]
    }
}

/// The mean of each block of `factor` x `factor` pixels, rounded; blocks at the right and lower edge may be smaller.
/// `sums` is scratch.
pub(crate) fn average_blocks(
    input: &[u8],
    stride: usize,
    factor: usize,
    (output, row, sums): (&mut [u8], usize, &mut Vec<u32>),
) {
    let height = input.len() / stride;
    for_each_band_with(output, row, (sums, stride), |first, band, sums| {
        for (index, out) in band.chunks_exact_mut(row).enumerate() {
            let top = (first + index) * factor;
            let lines = &input[top * stride..(top + factor).min(height) * stride];
            sum_columns(lines, sums);
            average_columns(sums, factor, lines.len() / stride, out);
        }
    });
}

vectorised! {
    /// `weight` 256ths of `lower` and the rest of `upper`, in 8.8 fixed point, as sums for [`sum_along`].
    fn mix_rows(upper: &[u16], lower: &[u16], weight: u32, sums: &mut [i16]) {
        const SHIFT: u32 = 8 + FRACTION_BITS - SUM_BITS;
        for ((sum, upper), lower) in sums.iter_mut().zip(upper).zip(lower) {
            let mixed = u32::from(*upper) * (256 - weight) + u32::from(*lower) * weight;
            *sum = ((mixed + (1 << (SHIFT - 1))) >> SHIFT) as i16;
        }
    }

    /// Sums of the columns of rows that are each as long as `sums`.
    fn sum_columns(lines: &[u8], sums: &mut [u32]) {
        /// Rows whose sums fit 16 bits.
        const ROWS: usize = 256;
        let stride = sums.len();
        for (index, rows) in lines.chunks(ROWS * stride).enumerate() {
            for start in (0..stride).step_by(CHUNK) {
                let length = CHUNK.min(stride - start);
                let mut columns = [0_u16; CHUNK];
                for row in rows.chunks_exact(stride) {
                    match row.get(start..start + CHUNK) {
                        Some(values) => {
                            for (sum, value) in columns.iter_mut().zip(values) {
                                *sum += u16::from(*value);
                            }
                        }
                        None => {
                            for (sum, value) in columns.iter_mut().zip(&row[start..]) {
                                *sum += u16::from(*value);
                            }
                        }
                    }
                }
                for (sum, column) in sums[start..start + length].iter_mut().zip(columns) {
                    *sum = if index == 0 { 0 } else { *sum } + u32::from(column);
                }
            }
        }
    }

    /// Means of `factor` neighbouring columns of `rows` rows.
    fn average_columns(sums: &[u32], factor: usize, rows: usize, out: &mut [u8]) {
        let (columns, _) = sums.as_chunks::<BYTES_PER_PIXEL>();
        let (out, _) = out.as_chunks_mut::<BYTES_PER_PIXEL>();
        for (block, pixel) in columns.chunks(factor).zip(out) {
            let mut sums = [0_u32; BYTES_PER_PIXEL];
            for column in block {
                for (sum, value) in sums.iter_mut().zip(column) {
                    *sum += value;
                }
            }
            let count = (block.len() * rows) as u32;
            *pixel = sums.map(|sum| ((sum + count / 2) / count) as u8);
        }
    }
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
