//! Bilinear samples along a line, several at once.

use crate::frame::BYTES_PER_PIXEL;

/// Fractions of a pixel in a [`Walk`]'s positions.
pub(crate) const POSITION_BITS: u32 = 32;

/// Positions along a straight line, in 32.32 fixed point: of the upper left one of the four pixels around each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Walk {
    pub start: [i64; 2],
    pub step: [i64; 2],
}

impl Walk {
    pub(crate) fn at(&self, index: usize) -> [i64; 2] {
        [0, 1].map(|axis| self.start[axis] + index as i64 * self.step[axis])
    }

    /// The positions among the first `count` whose four pixels all lie within a picture of `width` x `height` pixels.
    pub(crate) fn inside(&self, count: usize, [width, height]: [usize; 2]) -> std::ops::Range<usize> {
        let (mut start, mut end) = (0, count as i64);
        for (axis, length) in [width, height].into_iter().enumerate() {
            let (from, step) = (self.start[axis], self.step[axis]);
            // What lies at 0 or beyond, and before this.
            let limit = (length as i64 - 1) << POSITION_BITS;
            let (first, after) = match step {
                0 if (0..limit).contains(&from) => (0, end),
                0 => (0, 0),
                1.. => (ceiling(-from, step), ceiling(limit - from, step)),
                _ => (ceiling(limit - 1 - from, step), ceiling(-1 - from, step)),
            };
            (start, end) = (start.max(first), end.min(after));
        }
        let start = start.min(count as i64);
        start as usize..end.max(start) as usize
    }
}

/// The least whole number that is not below the quotient, if the divisor is positive; else the one of both signs turned.
fn ceiling(dividend: i64, divisor: i64) -> i64 {
    let (dividend, divisor) = if divisor < 0 { (-dividend, -divisor) } else { (dividend, divisor) };
    dividend.div_euclid(divisor) + i64::from(dividend.rem_euclid(divisor) != 0)
}

/// Samples `out.len()` pixels of a picture of `width` pixels a row, all of them inside of it (see [`Walk::inside`]), with
/// 8 bits of position, rounded across and then down. Gives how many of them it did: the others are left to the caller,
/// who has a way that works everywhere.
pub(crate) fn sample(pixels: &[u8], width: usize, walk: Walk, out: &mut [[u8; BYTES_PER_PIXEL]]) -> usize {
    #[cfg(target_arch = "x86_64")]
    if super::level() >= super::Level::Avx2 && !out.is_empty() {
        let height = pixels.len() / BYTES_PER_PIXEL / width;
        assert!(walk.inside(out.len(), [width, height]) == (0..out.len()), "every sample lies inside");
        #[expect(unsafe_code, reason = "the processor was asked and the places were checked")]
        // SAFETY: `level` has found these instructions; the four pixels of each position lie within the picture.
        return unsafe { x86::sample(pixels, width, walk, out) };
    }
    let _ = (pixels, width, walk, out);
    0
}

/// Where samples of a table are from: two weights of 0 to 256 in nine bits each, the lower bits across.
pub(crate) const WEIGHT_BITS: u32 = 9;

/// Mixes pixels of `out` each from four: the one that `corners` names, its right neighbour and the two `below` them, by the
/// weights of `blends`, whose higher bits do not count, rounded across and then down. Gives how many of them it did.
///
/// # Panics
/// When a pixel is named that is not there.
pub(crate) fn sample_at(
    (pixels, below): (&[[u8; BYTES_PER_PIXEL]], usize),
    corners: &[u32],
    blends: &[u32],
    out: &mut [[u8; BYTES_PER_PIXEL]],
) -> usize {
    #[cfg(target_arch = "x86_64")]
    if super::level() >= super::Level::Avx2 {
        let mut farthest = 0;
        greatest(corners, &mut farthest);
        assert!(corners.len() == out.len() && blends.len() == out.len(), "each pixel has its place");
        assert!(farthest as usize + below + 1 < pixels.len(), "each pixel that is named is there");
        #[expect(unsafe_code, reason = "the processor was asked and the places were checked")]
        // SAFETY: `level` has found these instructions; the four pixels of each place lie within the picture.
        return unsafe { x86::sample_at((pixels, below), corners, blends, out) };
    }
    let _ = (pixels, below, corners, blends, out);
    0
}

#[cfg(target_arch = "x86_64")]
super::vectorised! {
    fn greatest(values: &[u32], found: &mut u32) {
        let mut most = 0;
        for value in values {
            most = if *value > most { *value } else { most };
        }
        *found = most;
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{POSITION_BITS, WEIGHT_BITS, Walk};
    use crate::frame::BYTES_PER_PIXEL;

    /// Samples worked on together.
    const TOGETHER: usize = 4;

    /// # Safety
    /// The four pixels of each position lie within `pixels`.
    #[expect(unsafe_code, reason = "checking each pixel would take longer than reading it")]
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn sample(pixels: &[u8], width: usize, walk: Walk, out: &mut [[u8; BYTES_PER_PIXEL]]) -> usize {
        let stride = width * BYTES_PER_PIXEL;
        let positions = |axis: usize| {
            let [a, b, c, d] = [0, 1, 2, 3].map(|index| walk.at(index)[axis]);
            _mm256_set_epi64x(d, c, b, a)
        };
        let (mut x, mut y) = (positions(0), positions(1));
        let [step_x, step_y] = walk.step.map(|step| _mm256_set1_epi64x(step * TOGETHER as i64));
        let bytes_per_row = _mm256_set1_epi64x(stride as i64);
        // The weight of a position for each of its four channels.
        let spread = _mm256_setr_epi8(
            3, -1, 3, -1, 3, -1, 3, -1, 11, -1, 11, -1, 11, -1, 11, -1, 3, -1, 3, -1, 3, -1, 3, -1, 11, -1, 11, -1, 11,
            -1, 11, -1,
        );
        let (groups, _) = out.as_chunks_mut::<TOGETHER>();
        let done = groups.len() * TOGETHER;
        for group in groups {
            let columns = _mm256_slli_epi64::<2>(_mm256_srli_epi64::<{ POSITION_BITS as i32 }>(x));
            let rows = _mm256_mul_epu32(_mm256_srli_epi64::<{ POSITION_BITS as i32 }>(y), bytes_per_row);
            let places = _mm256_add_epi64(columns, rows);
            let (low, high) = (_mm256_castsi256_si128(places), _mm256_extracti128_si256::<1>(places));
            let places = [
                _mm_cvtsi128_si64(low) as usize,
                _mm_extract_epi64::<1>(low) as usize,
                _mm_cvtsi128_si64(high) as usize,
                _mm_extract_epi64::<1>(high) as usize,
            ];
            // Two neighbouring pixels are eight bytes.
            let pair = |place: usize| {
                // SAFETY: the caller has checked the positions.
                unsafe { pixels.as_ptr().add(place).cast::<i64>().read_unaligned() }
            };
            let [a, b, c, d] = places.map(pair);
            let upper = _mm256_set_epi64x(d, c, b, a);
            let [a, b, c, d] = places.map(|place| pair(place + stride));
            let lower = _mm256_set_epi64x(d, c, b, a);

            let packed = mix(upper, lower, _mm256_shuffle_epi8(x, spread), _mm256_shuffle_epi8(y, spread));
            // SAFETY: a group is sixteen bytes.
            unsafe { _mm_storeu_si128(group.as_mut_ptr().cast(), packed) };
            x = _mm256_add_epi64(x, step_x);
            y = _mm256_add_epi64(y, step_y);
        }
        done
    }

    /// Four pixels from four pairs of neighbours in the upper row and as many in the lower one, by 256ths of the right and
    /// of the lower ones, four times each.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn mix(upper: __m256i, lower: __m256i, right: __m256i, below: __m256i) -> __m128i {
        let (zero, one, half) = (_mm256_setzero_si256(), _mm256_set1_epi16(256), _mm256_set1_epi16(128));
        let left = _mm256_sub_epi16(one, right);
        let weights = [_mm256_unpacklo_epi64(left, right), _mm256_unpackhi_epi64(left, right)];
        let mix_across = |pairs: __m256i| {
            let even = _mm256_mullo_epi16(_mm256_unpacklo_epi8(pairs, zero), weights[0]);
            let odd = _mm256_mullo_epi16(_mm256_unpackhi_epi8(pairs, zero), weights[1]);
            let sum = _mm256_add_epi16(_mm256_unpacklo_epi64(even, odd), _mm256_unpackhi_epi64(even, odd));
            _mm256_srli_epi16::<8>(_mm256_add_epi16(sum, half))
        };
        let above = _mm256_sub_epi16(one, below);
        let sum = _mm256_add_epi16(
            _mm256_mullo_epi16(mix_across(upper), above),
            _mm256_mullo_epi16(mix_across(lower), below),
        );
        let mixed = _mm256_srli_epi16::<8>(_mm256_add_epi16(sum, half));
        _mm_packus_epi16(_mm256_castsi256_si128(mixed), _mm256_extracti128_si256::<1>(mixed))
    }

    /// # Safety
    /// The four pixels of each corner lie within `pixels`; there are as many corners and blends as pixels of `out`.
    #[expect(unsafe_code, reason = "checking each pixel would take longer than reading it")]
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn sample_at(
        (pixels, below): (&[[u8; BYTES_PER_PIXEL]], usize),
        corners: &[u32],
        blends: &[u32],
        out: &mut [[u8; BYTES_PER_PIXEL]],
    ) -> usize {
        // The lower half of a 64-bit value for each of four channels.
        let spread = _mm256_setr_epi8(
            0, 1, 0, 1, 0, 1, 0, 1, 8, 9, 8, 9, 8, 9, 8, 9, 0, 1, 0, 1, 0, 1, 0, 1, 8, 9, 8, 9, 8, 9, 8, 9,
        );
        let weight = _mm256_set1_epi64x((1 << WEIGHT_BITS) - 1);
        let (groups, _) = out.as_chunks_mut::<TOGETHER>();
        let (places, _) = corners.as_chunks::<TOGETHER>();
        let (blends, _) = blends.as_chunks::<TOGETHER>();
        for ((group, places), blends) in groups.iter_mut().zip(places).zip(blends) {
            // Two neighbouring pixels are eight bytes.
            let pair = |place: usize| {
                // SAFETY: the caller has checked the places.
                unsafe { pixels.as_ptr().add(place).cast::<i64>().read_unaligned() }
            };
            let [a, b, c, d] = *places;
            let (a, b, c, d) = (a as usize, b as usize, c as usize, d as usize);
            let upper = _mm256_set_epi64x(pair(d), pair(c), pair(b), pair(a));
            let lower = _mm256_set_epi64x(pair(d + below), pair(c + below), pair(b + below), pair(a + below));
            // SAFETY: four blends are a vector.
            let blends = _mm256_cvtepu32_epi64(unsafe { _mm_loadu_si128(blends.as_ptr().cast()) });
            let right = _mm256_and_si256(blends, weight);
            let down = _mm256_and_si256(_mm256_srli_epi64::<{ WEIGHT_BITS as i32 }>(blends), weight);
            let packed = mix(upper, lower, _mm256_shuffle_epi8(right, spread), _mm256_shuffle_epi8(down, spread));
            // SAFETY: a group is sixteen bytes.
            unsafe { _mm_storeu_si128(group.as_mut_ptr().cast(), packed) };
        }
        groups.len() * TOGETHER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_knows_which_of_its_positions_lie_inside() {
        let one = 1_i64 << POSITION_BITS;
        let size = [7, 5];
        let steps = [0, 1, one / 3, one - 1, one, 2 * one, -1, -one / 3, -one, -2 * one];
        for (at, (step_x, step_y)) in steps.iter().flat_map(|x| steps.iter().map(move |y| (*x, *y))).enumerate() {
            for start in [-2 * one, -1, 0, 1, 3 * one, 6 * one - 1, 6 * one, 9 * one] {
                let walk = Walk { start: [start, start / 2 + at as i64], step: [step_x, step_y] };
                let inside = |index: &usize| {
                    walk.at(*index).iter().zip(size).all(|(at, length)| (0..(length - 1) * one).contains(at))
                };
                let wanted: Vec<usize> = (0..40).filter(inside).collect();
                let found = walk.inside(40, size.map(|length| length as usize));
                assert_eq!(found.clone().collect::<Vec<_>>(), wanted, "{walk:?} {found:?}");
            }
        }
    }
}
