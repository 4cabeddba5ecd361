//! Colour matrices in fixed point: sixteen bits a channel, so that a vector holds twice as many pixels as in floats.
//!
//! A level is worked on as `level << 7`. The upper half of a product of sixteen bits by sixteen is one instruction
//! everywhere; three of them and the offset leave the sum with some bits of a fraction, which are rounded away. The
//! result is the exact one rounded, or beside it where the exact one is within a fifth of a level of the middle of two.
//! The arithmetic is that of whole numbers, so every machine gives the same picture.

use multiversion::multiversion;

use crate::frame::BYTES_PER_PIXEL;

/// Pixels of a vector.
const LANES: usize = 32;
/// Vectors that are worked on in turns: each step waits for the one before, so one alone would leave the processor idle.
const TURNS: usize = 2;
const BLOCK: usize = LANES * TURNS;
/// A level stands this many bits to the left.
const LEVEL_BITS: u32 = 7;
/// With fewer bits of a fraction the errors would add up to more than a fifth of a level.
const LEAST_FRACTION: u32 = 3;
/// The bits of a level in its place.
const LEVEL_MASK: i16 = 0x7f80;

type Lanes = [i16; LANES];

/// Red, green and blue from red, green, blue and 1, in levels.
pub(super) type Rows = [[f32; 4]; 3];

/// Three rows of weights and offsets; each is there for every lane, because a whole vector is read as fast as one number,
/// where it does not lie across two lines of the cache.
#[derive(Clone)]
#[repr(align(64))]
pub(super) struct Matrix {
    weights: [[Lanes; 3]; 3],
    offsets: [Lanes; 3],
    /// The least and the greatest sum, with its offset, of each channel.
    least: [Lanes; 3],
    greatest: [Lanes; 3],
    /// All bits of a level where a channel is inverted in the end.
    inverted: [Lanes; 3],
    /// Bits of the sum behind the point.
    fraction: u32,
    /// Each channel comes from itself alone.
    is_diagonal: bool,
    /// A greatest sum is less than what saturates.
    is_capped: bool,
}

/// A line as steep as the identity: a level is inverted or not, moved by whole levels, and clamped.
#[derive(Clone, Copy)]
struct Shift {
    inverts: bool,
    by: i32,
}

impl Shift {
    /// `None` where the levels are no such line.
    fn of(levels: &[u8; 256]) -> Option<Self> {
        [false, true].into_iter().find_map(|inverts| {
            let place = |level: usize| if inverts { 255 - level } else { level };
            // One end is clamped, or none: the other one tells.
            let by = i32::from(levels[place(0)]) - (255 - i32::from(levels[place(255)]));
            let is_line = (0..256).all(|level| i32::from(levels[place(level)]) == (level as i32 + by).clamp(0, 255));
            is_line.then_some(Self { inverts, by })
        })
    }
}

impl Matrix {
    /// `None` when the numbers are too large for sixteen bits, or none at all.
    pub(super) fn new(rows: &Rows) -> Option<Self> {
        let fits = |fraction: u32| {
            let one = (1_u32 << fraction) as f32;
            rows.iter().all(|[r, g, b, offset]| {
                let largest = ((r.abs() + g.abs() + b.abs()) * 255.0 + offset.abs() + 1.0) * one;
                largest < 32_767.0
                    && *offset < 255.5
                    && [r, g, b].iter().all(|weight| weight.abs() * one * 512.0 < 32_767.0)
            })
        };
        let fraction = (LEAST_FRACTION..=LEVEL_BITS).rev().find(|fraction| fits(*fraction))?;
        let one = (1_u32 << fraction) as f32;
        // The product with a level in its place loses its lower sixteen bits.
        let weight = |weight: f32| (weight * one * (1_u32 << (16 - LEVEL_BITS)) as f32).round() as i16;
        let splat = |number: i16| [number; LANES];
        let weights = rows.map(|[r, g, b, _]| [r, g, b].map(weight));
        // Half a level, so that cutting the fraction off rounds; and half a bit for each product that was cut.
        let offset = |row: usize| {
            let products = weights[row].iter().filter(|weight| **weight != 0).count();
            (rows[row][3] * one + one / 2.0 + products as f32 / 2.0 - 0.5).round() as i16 + lift(fraction)
        };
        let alone = |row: usize| (0..3).all(|column| column == row || weights[row][column] == 0);
        Some(Self {
            weights: weights.map(|row| row.map(splat)),
            offsets: std::array::from_fn(|row| splat(offset(row))),
            least: [splat(lift(fraction)); 3],
            greatest: [splat(i16::MAX); 3],
            inverted: [splat(0); 3],
            fraction,
            is_diagonal: (0..3).all(alone),
            is_capped: false,
        })
    }

    /// Does what `next` would do as well, if that needs no product: an inversion, or brightness without contrast. The
    /// picture is the same as with both, to the bit.
    /// `false`, and nothing has changed, where it is more than that.
    pub(super) fn absorb(&mut self, next: &Self) -> bool {
        if !next.is_diagonal {
            return false;
        }
        let mut both = self.clone();
        for (channel, levels) in next.levels().iter().enumerate() {
            if Shift::of(levels).and_then(|shift| both.shift(channel, shift)).is_none() {
                return false;
            }
        }
        both.is_capped = both.greatest.iter().any(|greatest| greatest[0] < i16::MAX);
        *self = both;
        true
    }

    /// `None` where the offset would be too large.
    fn shift(&mut self, channel: usize, Shift { inverts, by }: Shift) -> Option<()> {
        if inverts {
            self.inverted[channel] = self.inverted[channel].map(|bits| bits ^ LEVEL_MASK);
        }
        // What is done to an inverted level is done to the level the other way round.
        let by = if self.inverted[channel][0] == 0 { by } else { -by };
        let (lift, fraction) = (i32::from(lift(self.fraction)), self.fraction);
        let moved = |sum: i16| ((i32::from(sum) - lift >> fraction) + by).clamp(0, 255);
        let (least, greatest) = (moved(self.least[channel][0]), moved(self.greatest[channel][0]));
        let number = |number: i32| i16::try_from(number).ok().map(|number| [number; LANES]);
        self.offsets[channel] = number(i32::from(self.offsets[channel][0]) + (by << fraction))?;
        self.least[channel] = number(lift + (least << fraction))?;
        self.greatest[channel] = number(lift + (greatest + 1 << fraction) - 1)?;
        Some(())
    }

    /// What a diagonal matrix makes of each level.
    pub(super) fn levels(&self) -> [[u8; 256]; 3] {
        let mut pixels: [[u8; BYTES_PER_PIXEL]; 256] = std::array::from_fn(|level| [level as u8; BYTES_PER_PIXEL]);
        apply(std::slice::from_ref(self), &mut pixels);
        std::array::from_fn(|channel| pixels.map(|pixel| pixel[channel]))
    }
}

/// The upper half of the product.
#[inline(always)]
fn times(level: i16, weight: i16) -> i16 {
    ((i32::from(level) * i32::from(weight)) >> 16) as i16
}

/// Adds the offset, clamps and cuts the fraction off. The offset has lifted the sum so that what is above 255 saturates,
/// which leaves the sign bit to be cut off as well.
#[inline(always)]
fn settled<const CAPPED: bool>(sum: i16, matrix: &Matrix, channel: usize, lane: usize) -> i16 {
    let sum = sum.saturating_add(matrix.offsets[channel][lane]).max(matrix.least[channel][lane]);
    let sum = if CAPPED { sum.min(matrix.greatest[channel][lane]) } else { sum };
    (sum << (LEVEL_BITS - matrix.fraction) ^ matrix.inverted[channel][lane]) & LEVEL_MASK
}

/// From the largest sum that is still 255 to the largest number.
#[inline(always)]
const fn lift(fraction: u32) -> i16 {
    (0x8000 - (256 << fraction)) as i16
}

/// One matrix after another, rounded and clamped after each, while the pixels are in registers; alpha stays.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
pub(super) fn apply(matrices: &[Matrix], pixels: &mut [[u8; BYTES_PER_PIXEL]]) {
    let (whole, rest) = pixels.as_chunks_mut::<BLOCK>();
    for pixels in whole {
        multiply(matrices, pixels);
    }
    if !rest.is_empty() {
        let mut padded = [[0; BYTES_PER_PIXEL]; BLOCK];
        padded[..rest.len()].copy_from_slice(rest);
        multiply(matrices, &mut padded);
        rest.copy_from_slice(&padded[..rest.len()]);
    }
}

/// The same from one row into another of the same length.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
pub(super) fn apply_from(matrices: &[Matrix], from: &[[u8; BYTES_PER_PIXEL]], to: &mut [[u8; BYTES_PER_PIXEL]]) {
    let (whole, rest) = from.as_chunks::<BLOCK>();
    let (whole_to, rest_to) = to.as_chunks_mut::<BLOCK>();
    for (from, to) in whole.iter().zip(whole_to) {
        let mut pixels = *from;
        multiply(matrices, &mut pixels);
        *to = pixels;
    }
    if !rest.is_empty() {
        let mut padded = [[0; BYTES_PER_PIXEL]; BLOCK];
        padded[..rest.len()].copy_from_slice(rest);
        multiply(matrices, &mut padded);
        rest_to.copy_from_slice(&padded[..rest.len()]);
    }
}

#[inline(always)]
fn multiply(matrices: &[Matrix], pixels: &mut [[u8; BYTES_PER_PIXEL]; BLOCK]) {
    // Written out, because what takes a closure is not always compiled for the same instructions.
    let (mut r, mut g, mut b) = ([[0_i16; LANES]; TURNS], [[0_i16; LANES]; TURNS], [[0_i16; LANES]; TURNS]);
    for turn in 0..TURNS {
        for lane in 0..LANES {
            let packed = u32::from_le_bytes(pixels[turn * LANES + lane]);
            r[turn][lane] = (packed << 7) as i16 & LEVEL_MASK;
            g[turn][lane] = (packed >> 1) as i16 & LEVEL_MASK;
            b[turn][lane] = (packed >> 9) as i16 & LEVEL_MASK;
        }
    }
    for matrix in matrices {
        for turn in 0..TURNS {
            let levels = (&mut r[turn], &mut g[turn], &mut b[turn]);
            match (matrix.is_diagonal, matrix.is_capped) {
                (false, false) => mix::<false>(matrix, levels),
                (false, true) => mix::<true>(matrix, levels),
                (true, false) => scale::<false>(matrix, levels),
                (true, true) => scale::<true>(matrix, levels),
            }
        }
    }
    for turn in 0..TURNS {
        for lane in 0..LANES {
            let pixel = &mut pixels[turn * LANES + lane];
            let alpha = u32::from_le_bytes(*pixel) & 0xff00_0000;
            let (r, g, b) =
                (u32::from(r[turn][lane] as u16), u32::from(g[turn][lane] as u16), u32::from(b[turn][lane] as u16));
            *pixel = (r >> 7 | g << 1 | b << 9 | alpha).to_le_bytes();
        }
    }
}

#[inline(always)]
fn scale<const CAPPED: bool>(matrix: &Matrix, (r, g, b): (&mut Lanes, &mut Lanes, &mut Lanes)) {
    let [to_r, to_g, to_b] = &matrix.weights;
    for lane in 0..LANES {
        r[lane] = settled::<CAPPED>(times(r[lane], to_r[0][lane]), matrix, 0, lane);
        g[lane] = settled::<CAPPED>(times(g[lane], to_g[1][lane]), matrix, 1, lane);
        b[lane] = settled::<CAPPED>(times(b[lane], to_b[2][lane]), matrix, 2, lane);
    }
}

#[inline(always)]
fn mix<const CAPPED: bool>(matrix: &Matrix, (r, g, b): (&mut Lanes, &mut Lanes, &mut Lanes)) {
    let [to_r, to_g, to_b] = &matrix.weights;
    for lane in 0..LANES {
        let (x, y, z) = (r[lane], g[lane], b[lane]);
        r[lane] = settled::<CAPPED>(row(x, y, z, to_r, lane), matrix, 0, lane);
        g[lane] = settled::<CAPPED>(row(x, y, z, to_g, lane), matrix, 1, lane);
        b[lane] = settled::<CAPPED>(row(x, y, z, to_b, lane), matrix, 2, lane);
    }
}

#[inline(always)]
fn row(x: i16, y: i16, z: i16, weights: &[Lanes; 3], lane: usize) -> i16 {
    let sum = times(x, weights[0][lane]).wrapping_add(times(y, weights[1][lane]));
    sum.wrapping_add(times(z, weights[2][lane]))
}

/// One diagonal matrix on its own: every level by itself, without taking the channels apart.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
pub(super) fn apply_diagonal(matrix: &Matrix, pixels: &mut [[u8; BYTES_PER_PIXEL]]) {
    const WIDTH: usize = LANES * BYTES_PER_PIXEL;
    // Alpha becomes black, and what it was is put in again.
    let shift = LEVEL_BITS - matrix.fraction;
    let (mut weights, mut offsets) = ([0_i16; WIDTH], [0_i16; WIDTH]);
    let (mut least, mut greatest) = ([lift(matrix.fraction); WIDTH], [lift(matrix.fraction); WIDTH]);
    let (mut inverted, mut keep) = ([0_i16; WIDTH], [0_u8; WIDTH]);
    for pixel in 0..LANES {
        for channel in 0..3 {
            let at = pixel * BYTES_PER_PIXEL + channel;
            weights[at] = matrix.weights[channel][channel][0];
            offsets[at] = matrix.offsets[channel][0];
            least[at] = matrix.least[channel][0];
            greatest[at] = matrix.greatest[channel][0];
            inverted[at] = matrix.inverted[channel][0];
        }
        keep[pixel * BYTES_PER_PIXEL + 3] = 0xff;
    }
    let (whole, rest) = pixels.as_flattened_mut().as_chunks_mut::<WIDTH>();
    for levels in whole {
        for at in 0..WIDTH {
            let sum = times(i16::from(levels[at]) << LEVEL_BITS, weights[at]).saturating_add(offsets[at]);
            let settled = (sum.max(least[at]).min(greatest[at]) << shift ^ inverted[at]) & LEVEL_MASK;
            levels[at] = (settled >> LEVEL_BITS) as u8 | levels[at] & keep[at];
        }
    }
    for (at, level) in rest.iter_mut().enumerate() {
        let sum = times(i16::from(*level) << LEVEL_BITS, weights[at]).saturating_add(offsets[at]);
        let settled = (sum.max(least[at]).min(greatest[at]) << shift ^ inverted[at]) & LEVEL_MASK;
        *level = (settled >> LEVEL_BITS) as u8 | *level & keep[at];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(rows: &Rows, pixel: [u8; 4]) -> [f64; 3] {
        let value = |row: &[f32; 4]| {
            let sum: f64 = (0..3).map(|at| f64::from(row[at]) * f64::from(pixel[at])).sum();
            (sum + f64::from(row[3])).clamp(0.0, 255.0)
        };
        [value(&rows[0]), value(&rows[1]), value(&rows[2])]
    }

    #[test]
    fn a_matrix_is_the_exact_one_rounded_or_almost() {
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as u32
        };
        for case in 0..300 {
            let reach = [0.3, 1.0, 2.0, 4.0][case % 4];
            let mut number = |by: f32| (next() as f32 / (1 << 24) as f32 * 2.0 - 1.0) * by;
            let rows: Rows =
                std::array::from_fn(|_| [number(reach), number(reach), number(reach), number(reach * 60.0)]);
            let matrix = Matrix::new(&rows).expect("such numbers fit");
            let before: Vec<[u8; 4]> = (0..77).map(|_| next().to_le_bytes()).collect();
            let mut after = before.clone();
            apply(&[matrix], &mut after);
            for (from, to) in before.iter().zip(&after) {
                assert_eq!(from[3], to[3], "alpha stays");
                for (exact, to) in exact(&rows, *from).iter().zip(to) {
                    assert!((exact - f64::from(*to)).abs() < 0.5 + 0.25, "{rows:?} {from:?}: {exact} {to}");
                }
            }
        }
    }

    #[test]
    fn gray_stays_gray_and_white_stays_white_where_the_rows_say_so() {
        for saturation in 0..=400 {
            let rest = 1.0 - saturation as f32 / 100.0;
            let luma = [0.2126 * rest, 0.7152 * rest, 0.0722 * rest];
            let rows: Rows = std::array::from_fn(|to| {
                let mut row = [luma[0], luma[1], luma[2], 0.0];
                row[to] += 1.0 - rest;
                row
            });
            let mut pixels: [[u8; 4]; 256] = std::array::from_fn(|level| [level as u8; 4]);
            apply(&[Matrix::new(&rows).expect("it fits")], &mut pixels);
            assert!(pixels.iter().enumerate().all(|(level, pixel)| *pixel == [level as u8; 4]), "{saturation} %");
        }
    }

    #[test]
    fn a_row_of_any_length_is_worked_on_to_its_end() {
        let negative = |to: usize| {
            let mut row = [0.0, 0.0, 0.0, 255.0];
            row[to] = -1.0;
            row
        };
        let negative = Matrix::new(&std::array::from_fn(negative)).expect("it fits");
        let turn = Matrix::new(&[[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [1.0, 0.0, 0.0, 0.6]]).expect("it fits");
        for length in [0, 1, 15, 31, 32, 33, 63, 64, 65, 140] {
            let mut pixels = vec![[1, 2, 3, 4]; length];
            apply_diagonal(&negative, &mut pixels);
            assert!(pixels.iter().all(|pixel| *pixel == [254, 253, 252, 4]), "{length}");
            let mut elsewhere = vec![[0; 4]; length];
            apply_from(&[negative.clone(), turn.clone()], &pixels, &mut elsewhere);
            apply(&[negative.clone(), turn.clone()], &mut pixels);
            assert!(pixels.iter().all(|pixel| *pixel == [2, 3, 2, 4]), "{length}");
            assert!(pixels == elsewhere, "{length}");
        }
    }

    #[test]
    fn alone_and_among_others_a_diagonal_matrix_gives_the_same() {
        for (scale, offset) in [(1.2, -25.5), (-1.0, 255.0), (0.37, 12.0), (3.9, -300.0), (1.0, 0.0)] {
            let row = |to: usize| {
                let mut row = [0.0, 0.0, 0.0, offset];
                row[to] = scale;
                row
            };
            let matrix = Matrix::new(&std::array::from_fn(row)).expect("it fits");
            let [levels, ..] = matrix.levels();
            let mut pixels: [[u8; 4]; 256] = std::array::from_fn(|level| [level as u8; 4]);
            apply_diagonal(&matrix, &mut pixels);
            assert!(
                pixels
                    .iter()
                    .zip(levels)
                    .enumerate()
                    .all(|(at, (pixel, level))| { *pixel == [level, level, level, at as u8] })
            );
        }
    }

    #[test]
    fn inversions_and_brightness_are_absorbed_and_the_picture_is_the_same() {
        let line = |scale: f32, offset: f32| {
            let row = |to: usize| {
                let mut row = [0.0, 0.0, 0.0, offset];
                row[to] = scale;
                row
            };
            Matrix::new(&std::array::from_fn(row)).expect("it fits")
        };
        let hue =
            Matrix::new(&[[1.3, -0.5, 0.2, 3.0], [0.1, 0.8, -0.4, -9.0], [-0.2, 2.4, 0.6, 20.0]]).expect("it fits");
        let strong =
            Matrix::new(&[[6.0, -3.0, 0.0, -80.0], [0.0, 5.0, 0.0, 0.0], [0.3, 0.3, 0.3, 0.0]]).expect("it fits");
        let mut state = 3_u32;
        let before: Vec<[u8; 4]> = (0..4000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state ^ state >> 15).to_le_bytes()
            })
            .collect();
        for first in [hue, strong, line(1.7, -40.0), line(-1.0, 200.0), line(1.0, 12.75)] {
            let lines = [(-1.0, 255.0), (1.0, 12.75), (1.0, -30.0), (-1.0, 200.0), (1.0, 60.0), (-1.0, 255.0)];
            let (mut one, mut all) = (first.clone(), vec![first]);
            for (scale, offset) in lines {
                assert!(one.absorb(&line(scale, offset)), "{scale} {offset}");
                all.push(line(scale, offset));
                let (mut absorbed, mut apart) = (before.clone(), before.clone());
                apply(std::slice::from_ref(&one), &mut absorbed);
                apply(&all, &mut apart);
                assert!(absorbed == apart, "up to {scale} {offset}");
                if one.is_diagonal {
                    let mut alone = before.clone();
                    apply_diagonal(&one, &mut alone);
                    assert!(alone == apart, "alone, up to {scale} {offset}");
                }
            }
            assert!(!one.absorb(&line(1.1, 0.0)), "a contrast needs a product");
        }
    }

    #[test]
    fn what_is_too_large_or_no_number_is_refused() {
        assert!(Matrix::new(&[[f32::NAN; 4]; 3]).is_none());
        assert!(Matrix::new(&[[40.0, 0.0, 0.0, 0.0]; 3]).is_none());
        assert!(Matrix::new(&[[0.0, 0.0, 0.0, 1e9]; 3]).is_none());
    }
}
