//! Resampling where columns stay columns and rows stay rows: zooms, scales and their mirror images. Where a pixel comes
//! from is worked out once for a column and once for a row, and a row of the input that serves several rows of the output
//! is mixed across only once.

use super::resample::Picture;
use crate::filter::simd::{POSITION_BITS, Pairs, Walk, blend, halve, mix_pairs};
use crate::frame::BYTES_PER_PIXEL;

/// What is the same for every row of the output.
pub(super) struct Straight<'a> {
    picture: Picture<'a>,
    pairs: Pairs,
    /// How many columns are sampled.
    count: usize,
    /// The first column of the input if each pixel is the mean of two neighbours, and the next one of the next two.
    halved_from: Option<usize>,
}

/// Rows of the input that are mixed across already.
#[derive(Clone, Default)]
pub(super) struct Mixed {
    rows: [Vec<u8>; 2],
    /// Which rows these are.
    numbers: [Option<usize>; 2],
}

impl<'a> Straight<'a> {
    /// Samples the columns of `walk`, whose step down is 0; `step_down` is that from row to row. `None` for a picture without
    /// two columns to mix, and where so much is left out that pixels are better read one by one.
    pub(super) fn new(picture: Picture<'a>, walk: Walk, step_down: f64, count: usize) -> Option<Self> {
        let width = picture.size.width as usize;
        let is_sparse = walk.step[0].unsigned_abs() > 2 << POSITION_BITS && step_down.abs() > 1.0;
        if width < 2 || count == 0 || is_sparse {
            return None;
        }
        let last = width - 1;
        let tap = |index: usize| {
            let [x, _] = walk.at(index);
            let (left, weight) = (x >> POSITION_BITS, weight(x));
            // Beyond the outermost middles the outermost pixel counts on.
            if left < 0 {
                (0, 0)
            } else if left as usize >= last {
                (last - 1, 256)
            } else {
                (left as usize, weight)
            }
        };
        let (first, _) = tap(0);
        let is_halved = (0..count).all(|index| tap(index) == (first + 2 * index, 128));
        let pairs = Pairs::new(width, (0..count).map(tap));
        Some(Self { picture, pairs, count, halved_from: is_halved.then_some(first) })
    }

    /// Samples a row of the output at `down` of the input's height, in fractions as a [`Walk`]'s positions.
    pub(super) fn sample_row(&self, down: i64, mixed: &mut Mixed, out: &mut [u8]) {
        let last = i64::from(self.picture.size.height) - 1;
        let top = down >> POSITION_BITS;
        let (upper, lower) = (top.clamp(0, last) as usize, (top + 1).clamp(0, last) as usize);
        let weight = if upper == lower { 0 } else { weight(down) };
        if weight == 128
            && let Some(from) = self.halved_from
        {
            let columns = from * BYTES_PER_PIXEL..(from + 2 * self.count) * BYTES_PER_PIXEL;
            let [upper, lower] = [upper, lower].map(|row| &self.picture.row(row)[columns.clone()]);
            halve(upper.as_chunks().0, lower.as_chunks().0, out.as_chunks_mut().0);
            return;
        }
        let bytes = 0..self.count * BYTES_PER_PIXEL;
        if weight == 0 {
            let slot = self.mix(upper, mixed, upper);
            out.copy_from_slice(&mixed.rows[slot][bytes]);
        } else {
            let upper_slot = self.mix(upper, mixed, lower);
            let lower_slot = self.mix(lower, mixed, upper);
            let [upper, lower] = [upper_slot, lower_slot].map(|slot| &mixed.rows[slot][bytes.clone()]);
            blend(upper, lower, weight, out);
        }
    }

    /// Where row `number` is, mixed across; it does not take the place of row `other`.
    fn mix(&self, number: usize, mixed: &mut Mixed, other: usize) -> usize {
        if let Some(slot) = mixed.numbers.iter().position(|known| *known == Some(number)) {
            return slot;
        }
        let slot = usize::from(mixed.numbers[0] == Some(other));
        let row = &mut mixed.rows[slot];
        row.resize(self.pairs.padded() * BYTES_PER_PIXEL, 0);
        mix_pairs(self.picture.row(number).as_chunks().0, &self.pairs, row.as_chunks_mut().0);
        mixed.numbers[slot] = Some(number);
        slot
    }
}

/// 256ths of the right or lower one of two pixels.
fn weight(position: i64) -> u16 {
    (position >> (POSITION_BITS - 8)) as u16 & 0xff
}
