//! Moves pixels where the mappings are more than affine: where each pixel comes from is worked out once, when a mapping
//! changes, and looked up for every frame.

use multiversion::multiversion;

use super::resample::{Move, resample};
use crate::filter::bands::{for_each_band, for_each_band_of_two, swap_in_place};
use crate::filter::simd::{WEIGHT_BITS, sample_at};
use crate::frame::{BYTES_PER_PIXEL, PixelFormat};

/// Resamples through a run of moves, and keeps what it worked out about them.
#[derive(Default)]
pub(crate) struct Resampler {
    moves: Vec<Move>,
    /// For each pixel of the output the upper left one of the four pixels of the input that it is mixed from.
    corners: Vec<u32>,
    /// For each pixel of the output how much of the right and of the lower pixels is in it; see [`Blend`].
    blends: Vec<u32>,
}

/// Two weights of 0 to 256 in nine bits each; above them 0, or 1 and the number of the move beside whose input the pixel
/// comes from.
type Blend = u32;

const DOWN_SHIFT: u32 = WEIGHT_BITS;
const BESIDE_SHIFT: u32 = 2 * WEIGHT_BITS;
const WEIGHT: u32 = (1 << WEIGHT_BITS) - 1;

/// Pixels that are worked on together.
const BLOCK: usize = 16;
/// Positions that are worked out together.
const LINE: usize = 64;
/// Pixels that are looked up together before they are finished, so that they are still in the nearest cache.
const STRETCH: usize = 1024;

impl Resampler {
    /// Moves `input` through `moves`, in the order of the chain, in a single resampling, into RGBA: as [`resample`] does,
    /// which does it where all of them are affine.
    pub(crate) fn run(&mut self, input: &[u8], format: PixelFormat, moves: &[Move], output: &mut [u8]) {
        let (Some((first, _)), Some((last, _))) = (moves.first(), moves.last()) else { return };
        if moves.iter().all(|(mapping, _)| mapping.input_from_output.affine().is_some()) {
            *self = Self::default();
            return resample(input, format, moves, output);
        }
        if self.moves != moves {
            self.work_out(moves);
        }
        let width = last.output.width as usize;
        let fills: Vec<u32> = moves.iter().map(|(_, fill)| u32::from_le_bytes(*fill)).collect();
        let (pixels, _) = input.as_chunks::<BYTES_PER_PIXEL>();
        // A picture that is one pixel wide or high has no neighbour on that side.
        let right = usize::from(first.input.width > 1);
        let below = if first.input.height > 1 { first.input.width as usize } else { 0 };
        let source = Neighbours { pixels, right, below };
        let (corners, blends) = (&self.corners, &self.blends);
        for_each_band(output, width * BYTES_PER_PIXEL, |first_row, band| {
            let (band, _) = band.as_chunks_mut::<BYTES_PER_PIXEL>();
            let from = first_row * width..first_row * width + band.len();
            let positions = (&corners[from.clone()], &blends[from]);
            let done = source.sample(positions, format, &fills, band);
            let (positions, band) = ((&positions.0[done..], &positions.1[done..]), &mut band[done..]);
            match format {
                PixelFormat::Rgba => look_up::<false>(source, positions, &fills, band),
                PixelFormat::Bgrx => look_up::<true>(source, positions, &fills, band),
            }
        });
    }

    /// Takes over what an older one worked out, or at least its memory.
    pub(crate) fn go_on_from(&mut self, older: Self) {
        *self = older;
    }

    fn work_out(&mut self, moves: &[Move]) {
        let (Some((first, _)), Some((last, _))) = (moves.first(), moves.last()) else { return };
        self.moves.clear();
        self.moves.extend_from_slice(moves);
        self.corners.resize(last.output.pixels(), 0);
        self.blends.resize(last.output.pixels(), 0);
        let width = last.output.width as usize;
        for_each_band_of_two((&mut self.corners, width), (&mut self.blends, width), |first_row, corners, blends| {
            let rows = corners.chunks_exact_mut(width).zip(blends.chunks_exact_mut(width));
            for (index, (corners, blends)) in rows.enumerate() {
                let y = (first_row + index) as f64 + 0.5;
                let lines = corners.chunks_mut(LINE).zip(blends.chunks_mut(LINE));
                for (line, (corners, blends)) in lines.enumerate() {
                    let start = (line * LINE) as f64 + 0.5;
                    let mut xs: [f64; LINE] = std::array::from_fn(|at| start + at as f64);
                    let mut ys = [y; LINE];
                    let mut beside = [0_u32; LINE];
                    for (number, (mapping, _)) in moves.iter().enumerate().rev() {
                        mapping.input_from_output.apply_to(&mut xs, &mut ys);
                        let size = (f64::from(mapping.input.width), f64::from(mapping.input.height));
                        note_beside(number as u32 + 1, size, (&xs, &ys), &mut beside);
                    }
                    let size = (first.input.width, first.input.height);
                    to_table(size, (&xs, &ys, &beside), corners, blends);
                }
            }
        });
    }
}

/// Notes `number` where a position is not within a picture of `size` and nothing is noted yet.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
fn note_beside(number: u32, size: (f64, f64), (xs, ys): (&[f64; LINE], &[f64; LINE]), beside: &mut [u32; LINE]) {
    for at in 0..LINE {
        let (x, y) = (xs[at], ys[at]);
        let inside = (x >= 0.0) & (y >= 0.0) & (x < size.0) & (y < size.1);
        let noted = if inside { 0 } else { number };
        beside[at] = if beside[at] == 0 { noted } else { beside[at] };
    }
}

/// Positions as corners and weights, rounded to a 256th of a pixel. A pixel's value belongs to its middle; beyond the
/// outermost middles the outermost pixel counts on.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
fn to_table(
    (width, height): (u32, u32),
    (xs, ys, beside): (&[f64; LINE], &[f64; LINE], &[u32; LINE]),
    corners: &mut [u32],
    blends: &mut [u32],
) {
    let (most_x, most_y) = (f64::from(width - 1), f64::from(height - 1));
    // The last corner that still has a neighbour.
    let (last_x, last_y) = (width.saturating_sub(2) as i32, height.saturating_sub(2) as i32);
    let fixed = |position: f64, most: f64| {
        let position = position - 0.5;
        // Written so that NaN becomes 0.
        let position = if position > 0.0 { position } else { 0.0 };
        let position = if position < most { position } else { most };
        (position * 256.0 + 0.5) as i32
    };
    for (at, (corner, blend)) in corners.iter_mut().zip(blends).enumerate() {
        let (x, y) = (fixed(xs[at], most_x), fixed(ys[at], most_y));
        let (left, top) = ((x >> 8).min(last_x), (y >> 8).min(last_y));
        let (across, down) = ((x - (left << 8)) as u32, (y - (top << 8)) as u32);
        let packed: Blend = across | down << DOWN_SHIFT | beside[at] << BESIDE_SHIFT;
        (*corner, *blend) = if beside[at] == 0 { (top as u32 * width + left as u32, packed) } else { (0, packed) };
    }
}

/// The picture that is read, and how far the pixels to the right and below are from a pixel.
#[derive(Clone, Copy)]
struct Neighbours<'a> {
    pixels: &'a [[u8; BYTES_PER_PIXEL]],
    right: usize,
    below: usize,
}

impl Neighbours<'_> {
    /// Does what [`look_up`] does for the first pixels of `output` with vector instructions made for it, where the processor
    /// has them; gives how many it did.
    fn sample(
        self,
        (corners, blends): (&[u32], &[u32]),
        format: PixelFormat,
        fills: &[u32],
        output: &mut [[u8; BYTES_PER_PIXEL]],
    ) -> usize {
        if self.right == 0 || self.below == 0 {
            return 0;
        }
        let mut done = 0;
        let stretches = corners.chunks(STRETCH).zip(blends.chunks(STRETCH)).zip(output.chunks_mut(STRETCH));
        for ((corners, blends), output) in stretches {
            let count = sample_at((self.pixels, self.below), corners, blends, output);
            let (output, blends) = (&mut output[..count], &blends[..count]);
            if format == PixelFormat::Bgrx {
                swap_in_place(output.as_flattened_mut());
            }
            fill(blends, fills, output);
            done += count;
            if count < corners.len() {
                break;
            }
        }
        done
    }

    #[inline(always)]
    fn around(&self, corner: u32) -> [u32; 4] {
        let upper = &self.pixels[corner as usize..];
        let lower = &upper[self.below..];
        [upper[0], upper[self.right], lower[0], lower[self.right]].map(u32::from_le_bytes)
    }
}

/// Gives the pixels that come from beside the input of a move that one's colour.
fn fill(blends: &[u32], fills: &[u32], output: &mut [[u8; BYTES_PER_PIXEL]]) {
    for (output, blends) in output.chunks_mut(BLOCK).zip(blends.chunks(BLOCK)) {
        if blends.iter().fold(0, |all, blend| all | blend) >> BESIDE_SHIFT != 0 {
            for (pixel, blend) in output.iter_mut().zip(blends) {
                if let Some(number) = (blend >> BESIDE_SHIFT).checked_sub(1) {
                    *pixel = fills[number as usize].to_le_bytes();
                }
            }
        }
    }
}

/// Mixes every pixel of `output` from its four, or gives it the colour of the move beside whose input it comes from.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
fn look_up<const IS_BGRX: bool>(
    source: Neighbours<'_>,
    (corners, blends): (&[u32], &[u32]),
    fills: &[u32],
    output: &mut [[u8; BYTES_PER_PIXEL]],
) {
    let blocks = corners.chunks(BLOCK).zip(blends.chunks(BLOCK)).zip(output.chunks_mut(BLOCK));
    for ((corners, blends), output) in blocks {
        let mut four = [[0_u32; BLOCK]; 4];
        let mut weights = [0_u32; BLOCK];
        weights[..blends.len()].copy_from_slice(blends);
        for (at, corner) in corners.iter().enumerate() {
            let pixels = source.around(*corner);
            for (lane, pixel) in four.iter_mut().zip(pixels) {
                lane[at] = pixel;
            }
        }
        let mut mixed = [0_u32; BLOCK];
        let mut beside = 0;
        for at in 0..BLOCK {
            let (across, down) = (weights[at] & WEIGHT, weights[at] >> DOWN_SHIFT & WEIGHT);
            let above = mix(four[0][at], four[1][at], across);
            let below = mix(four[2][at], four[3][at], across);
            let value = mix(above, below, down);
            let swapped = (value & 0xff) << 16 | value & 0xff00 | value >> 16 & 0xff | 0xff00_0000;
            mixed[at] = if IS_BGRX { swapped } else { value };
            beside |= weights[at] >> BESIDE_SHIFT;
        }
        if beside != 0 {
            for (value, weight) in mixed.iter_mut().zip(weights) {
                if let Some(number) = (weight >> BESIDE_SHIFT).checked_sub(1) {
                    *value = fills[number as usize];
                }
            }
        }
        for (pixel, value) in output.iter_mut().zip(mixed) {
            *pixel = value.to_le_bytes();
        }
    }
}

/// `weight` 256ths of `b` and the rest of `a`, rounded, in each of four bytes.
#[inline(always)]
fn mix(a: u32, b: u32, weight: u32) -> u32 {
    // Two bytes at a time in halves of 16 bits, whose sums fit; so one product serves both, whatever is borrowed between.
    let half = |a: u32, b: u32| {
        let (a, b) = (a & 0x00ff_00ff, b & 0x00ff_00ff);
        ((a << 8).wrapping_add(b.wrapping_sub(a).wrapping_mul(weight)).wrapping_add(0x0080_0080)) >> 8 & 0x00ff_00ff
    };
    half(a, b) | half(a >> 8, b >> 8) << 8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::{Affine, Lens, Map, Mapping, Projective, Size};

    #[test]
    fn bytes_mix_without_touching_each_other() {
        let (a, b) = ([0, 255, 10, 200], [255, 0, 20, 200]);
        for weight in 0..=256_u32 {
            let exact = std::array::from_fn(|at| {
                let (a, b) = (u32::from(a[at]), u32::from(b[at]));
                ((a * (256 - weight) + b * weight + 128) >> 8) as u8
            });
            assert_eq!(
                mix(u32::from_le_bytes(a), u32::from_le_bytes(b), weight).to_le_bytes(),
                exact,
                "weight {weight}"
            );
        }
    }

    #[test]
    fn the_table_gives_what_the_affine_path_gives() {
        for size in [Size::new(1, 1), Size::new(1, 9), Size::new(40, 1), Size::new(53, 31)] {
            let affine = Affine::translation(3.0, -2.0).then(Affine::rotation(17.0)).then(Affine::scaling(0.7, 1.2));
            let turn = Mapping { input: size, output: size, input_from_output: affine.into() };
            let lens = Map::Lens(Lens::new(size, 0.0, 0.0));
            let still = Mapping { input: size, output: size, input_from_output: lens };
            let input: Vec<u8> = (0..size.pixels() * 4).map(|at| (at * 37 % 251) as u8).collect();
            for format in [PixelFormat::Rgba, PixelFormat::Bgrx] {
                let (mut plain, mut looked_up) = (vec![0; input.len()], vec![0; input.len()]);
                let (one, other) = ((turn, [1, 2, 3, 4]), (still, [9, 9, 9, 9]));
                resample(&input, format, &[one], &mut plain);
                Resampler::default().run(&input, format, &[other, one], &mut looked_up);
                let farthest = plain.iter().zip(&looked_up).map(|(a, b)| a.abs_diff(*b)).max();
                assert!(farthest <= Some(2), "{size}: {farthest:?}");
            }
        }
    }

    #[test]
    fn a_changed_move_is_worked_out_anew() {
        let size = Size::new(20, 10);
        let square = |x: f64| {
            let corners = [(0.0, 0.0), (20.0 + x, 0.0), (20.0, 10.0), (0.0, 10.0)];
            let map = Projective::from_unit_square(corners).and_then(Projective::inverse).expect("it is convex");
            let map = map.then(Affine::scaling(20.0, 10.0).into());
            [(Mapping { input: size, output: size, input_from_output: map.into() }, [0, 0, 0, 255])]
        };
        let input: Vec<u8> = (0..size.pixels() * 4).map(|at| (at * 37 % 251) as u8).collect();
        let (mut kept, mut output) = (Resampler::default(), vec![0; input.len()]);
        for x in [-4.0, 3.0, 3.0, 0.0, -4.0] {
            let mut fresh = vec![0; input.len()];
            kept.run(&input, PixelFormat::Rgba, &square(x), &mut output);
            Resampler::default().run(&input, PixelFormat::Rgba, &square(x), &mut fresh);
            assert!(output == fresh, "{x}");
        }
    }
}
