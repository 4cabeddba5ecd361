//! A small square of weights over the neighbourhood of each pixel, the engine behind several filters.

use multiversion::multiversion;

use crate::filter::bands::{for_each_band, for_each_tall_band_with, mirrored};
use crate::filter::kernel::{AreaKernel, Kernel};
use crate::filter::level::{level, value};
use crate::filter::simd::{GROUP, PairTap, Scale, interleave, sum_pairs};
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

/// Weights, not turned around: the upper left weight is for the upper left neighbour. In floats, for what does not fit
/// [`WholeNumbers`].
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
        if let Some((taps, scale)) = whole_numbers(weights, side, bias) {
            return Kernel::Area(Box::new(WholeNumbers { size, side, taps, scale, scratch: Vec::new() }));
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

/// Levels that a sum may be off where its weights are whole numbers.
const MOST_OFF: f64 = 0.4;
/// Bits of a weight's fraction at most.
const MOST_BITS: u32 = 20;

/// The weights in fractions of as many bits as fit, where that is near enough, and what scales their sum back.
fn whole_numbers(weights: &[f32], side: usize, bias: f32) -> Option<(Vec<PairTap>, Scale)> {
    let scaled = |weight: f32, bits: u32| f64::from(weight) * f64::from(1_u32 << bits);
    let fits = |bits: &u32| {
        let sum: f64 = weights.iter().map(|weight| scaled(*weight, *bits).abs() + 1.0).sum();
        let largest = weights.iter().fold(0.0_f64, |largest, weight| largest.max(scaled(*weight, *bits).abs()));
        // Half of what 32 bits hold, which leaves room for the rounding.
        largest.round() <= f64::from(i16::MAX) && (sum + scaled(bias, *bits).abs() / 255.0) * 255.0 < f64::from(1 << 30)
    };
    let bits = (0..=MOST_BITS).rev().find(fits)?;
    let off = |weight: &f32| (scaled(*weight, bits) - scaled(*weight, bits).round()).abs();
    if weights.iter().map(off).sum::<f64>() * 255.0 > MOST_OFF * f64::from(1_u32 << bits) {
        return None;
    }
    let weight = |row: usize, column: usize| match weights.get(row * side + column) {
        Some(weight) if row < side => scaled(*weight, bits).round() as i16,
        _ => 0,
    };
    let places = (0..side.div_ceil(2)).flat_map(|row| (0..side).map(move |column| (row, column)));
    let taps = places.map(|(row, column)| {
        let weights = [weight(2 * row, column), weight(2 * row + 1, column)];
        PairTap { row, offset: column * BYTES_PER_PIXEL, weights }
    });
    let half = if bits > 0 { 1 << (bits - 1) } else { 0 };
    let scale = Scale { bias: scaled(bias, bits).round() as i32 + half, shift: bits };
    Some((taps.filter(|tap| tap.weights != [0, 0]).collect(), scale))
}

/// The same in whole numbers, two rows at once.
struct WholeNumbers {
    size: Size,
    side: usize,
    taps: Vec<PairTap>,
    scale: Scale,
    /// Rows beside those below them, mirrored beyond their ends: the pair from row `y` on is at `y` modulo the side.
    scratch: Vec<u32>,
}

impl AreaKernel for WholeNumbers {
    fn run(&mut self, input: &[u8], output: &mut [u8]) {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let stride = width * BYTES_PER_PIXEL;
        let (side, reach) = (self.side, self.side / 2);
        let padded = stride.next_multiple_of(GROUP) + 2 * reach * BYTES_PER_PIXEL;
        let (taps, scale) = (&self.taps, self.scale);
        let line = |y: isize| &input[mirrored(y, height) * stride..][..stride];
        let scratch = (&mut self.scratch, side * padded);
        for_each_tall_band_with(output, (stride, side), scratch, |first, band, pairs| {
            // Counted from the row of the square's upper edge at the first row of the picture.
            let pair = |number: usize, pairs: &mut [u32]| {
                let upper = number as isize - reach as isize;
                interleave_mirrored(
                    [line(upper), line(upper + 1)],
                    reach,
                    &mut pairs[number % side * padded..][..padded],
                );
            };
            for number in first..first + side - 1 {
                pair(number, pairs);
            }
            for (index, out) in band.chunks_exact_mut(stride).enumerate() {
                let y = first + index;
                pair(y + side - 1, pairs);
                let mut rows: [&[u32]; MOST_SIDE.div_ceil(2)] = [&[]; MOST_SIDE.div_ceil(2)];
                for (at, row) in rows.iter_mut().enumerate().take(side.div_ceil(2)) {
                    *row = &pairs[(y + 2 * at) % side * padded..][..padded];
                }
                sum_pairs(&rows, taps, scale, (line(y as isize), out));
            }
        });
    }
}

/// Two rows beside each other, with `reach` mirrored pixels at both ends.
fn interleave_mirrored(lines: [&[u8]; 2], reach: usize, pairs: &mut [u32]) {
    let [upper, lower] = lines;
    let (inner, width) = (reach * BYTES_PER_PIXEL, upper.len() / BYTES_PER_PIXEL);
    interleave(upper, lower, &mut pairs[inner..inner + upper.len()]);
    let (pairs, _) = pairs.as_chunks_mut::<BYTES_PER_PIXEL>();
    for x in (0..reach).chain(reach + width..2 * reach + width) {
        pairs[x] = pairs[reach + mirrored(x as isize - reach as isize, width)];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_within_a_level_of_floats() {
        let size = Size::new(37, 11);
        let input: Vec<u8> = (0..size.pixels() * BYTES_PER_PIXEL).map(|at| (at * at * 31 % 257) as u8).collect();
        let seeds = [1.0_f32, 0.3, 2.5, -1.7, 6.0];
        for (count, side) in [(9_usize, 3_usize), (25, 5)] {
            for seed in seeds {
                let weight = |at: usize| ((at * 7 + 3) as f32 * seed).sin() * seed;
                let weights: Vec<f32> = (0..count).map(weight).collect();
                let (taps, scale) = whole_numbers(&weights, side, 40.0).expect("they are small");
                let mut whole = WholeNumbers { size, side, taps, scale, scratch: Vec::new() };
                let taps = weights.iter().enumerate();
                let taps =
                    taps.map(|(at, weight)| Tap { row: at / side, column: at % side, weight: *weight }).collect();
                let mut floats = Convolution { size, side, taps, bias: 40.0 };
                let (mut one, mut other) = (vec![0; input.len()], vec![0; input.len()]);
                whole.run(&input, &mut one);
                floats.run(&input, &mut other);
                assert!(one.iter().zip(&other).all(|(one, other)| one.abs_diff(*other) <= 1), "{side} {seed}");
            }
        }
    }

    #[test]
    fn what_whole_numbers_cannot_hold_stays_in_floats() {
        assert!(whole_numbers(&[100_000.0; 9], 3, 0.0).is_none(), "too large");
        assert!(whole_numbers(&[9_000.3; 25], 5, 0.0).is_none(), "too coarse");
        assert!(whole_numbers(&[9_000.0; 9], 3, 0.0).is_some(), "whole as they are");
    }
}
