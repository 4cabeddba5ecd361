//! Rows of which each pixel is mixed from two neighbours of another row, and mixtures of two rows.

use super::vectorised;
use crate::frame::BYTES_PER_PIXEL;

/// Pixels mixed together.
const TOGETHER: usize = 16;

/// For each pixel of a row which two neighbours of another row it is mixed from.
pub(crate) struct Pairs {
    /// The left one of the two, in order or in reverse order; padded to whole groups.
    lefts: Vec<u32>,
    /// How many 256ths of the right one, in both halves of the number, so that it serves two channels.
    weights: Vec<u32>,
    /// Length of the row that is read.
    width: usize,
    /// The most pixels from the first to the last left one of a group of [`TOGETHER`], and of half a group.
    spans: [usize; 2],
}

impl Pairs {
    /// `taps` gives the left pixel, which has a right neighbour, and the right one's weight of up to 256. The left ones are
    /// in order, or in reverse order; there is at least one.
    pub(crate) fn new(width: usize, taps: impl Iterator<Item = (usize, u16)>) -> Self {
        let (mut lefts, mut weights) = (Vec::new(), Vec::new());
        for (left, weight) in taps {
            // The vector instructions take the lesser number of a group's ends to be its least.
            lefts.push(left.min(width - 2) as u32);
            weights.push(u32::from(weight) * 0x1_0001);
        }
        let padded = lefts.len().next_multiple_of(TOGETHER);
        lefts.resize(padded, lefts.last().copied().unwrap_or(0));
        weights.resize(padded, 0);
        let span = |length: usize| {
            let groups = lefts.chunks_exact(length).map(|group| group[0].abs_diff(group[length - 1]) as usize + 1);
            groups.max().unwrap_or(0)
        };
        let spans = [TOGETHER, TOGETHER / 2].map(span);
        Self { lefts, weights, width, spans }
    }

    /// How many pixels are written: some more than asked for.
    pub(crate) fn padded(&self) -> usize {
        self.lefts.len()
    }
}

/// Mixes each pixel of `out`, of which there are [`Pairs::padded`], from two of `source`, rounded.
///
/// # Panics
/// When the rows do not have the lengths that `pairs` was made for.
pub(crate) fn mix_pairs(source: &[[u8; BYTES_PER_PIXEL]], pairs: &Pairs, out: &mut [[u8; BYTES_PER_PIXEL]]) {
    assert!(source.len() == pairs.width && out.len() == pairs.padded(), "the rows have their lengths");
    #[cfg(target_arch = "x86_64")]
    {
        use super::Level;
        let level = super::level();
        // Pixels that are read at once, with one more for the right neighbours.
        let fits = |index: usize, read: usize| pairs.spans[index] <= read && source.len() > read;
        #[expect(unsafe_code, reason = "the processor was asked and the lengths were checked")]
        // SAFETY: `level` has found these instructions; the rows have the lengths that the function reads and writes.
        unsafe {
            if level == Level::Avx512 && fits(0, TOGETHER) {
                return x86::near(source, pairs, out);
            }
            if level == Level::Avx512 && fits(0, 2 * TOGETHER) {
                return x86::far(source, pairs, out);
            }
            if level == Level::Avx2 && fits(1, TOGETHER / 2) {
                return x86::half(source, pairs, out);
            }
        }
    }
    mix_any(source, (&pairs.lefts, &pairs.weights), out);
}

vectorised! {
    fn mix_any(
        source: &[[u8; BYTES_PER_PIXEL]],
        taps: (&[u32], &[u32]),
        out: &mut [[u8; BYTES_PER_PIXEL]],
    ) {
        let (lefts, weights) = (taps.0.as_chunks::<TOGETHER>().0, taps.1.as_chunks::<TOGETHER>().0);
        let (groups, _) = out.as_chunks_mut::<TOGETHER>();
        for (index, group) in groups.iter_mut().enumerate() {
            let (lefts, weights) = (&lefts[index], &weights[index]);
            let mut pixels = [[0_u32; TOGETHER]; 2];
            for at in 0..TOGETHER {
                let pair = &source[lefts[at] as usize..][..2];
                pixels[0][at] = u32::from_le_bytes(pair[0]);
                pixels[1][at] = u32::from_le_bytes(pair[1]);
            }
            for at in 0..TOGETHER {
                let (left, right, weight) = (pixels[0][at], pixels[1][at], weights[at] & 0xffff);
                let even = mix_half(left & 0x00ff_00ff, right & 0x00ff_00ff, weight);
                let odd = mix_half(left >> 8 & 0x00ff_00ff, right >> 8 & 0x00ff_00ff, weight);
                group[at] = (even | odd << 8).to_le_bytes();
            }
        }
    }

    /// `weight` 256ths of `lower` and the rest of `upper`, rounded.
    pub(crate) fn blend(upper: &[u8], lower: &[u8], weight: u16, out: &mut [u8]) {
        let count = out.len();
        let (upper, lower) = (&upper[..count], &lower[..count]);
        for at in 0..count {
            let (upper, lower) = (u16::from(upper[at]), u16::from(lower[at]));
            let sum = (upper << 8).wrapping_add(lower.wrapping_sub(upper).wrapping_mul(weight)).wrapping_add(128);
            out[at] = (sum >> 8) as u8;
        }
    }

    /// The means of squares of two by two pixels, rounded up across and then down.
    pub(crate) fn halve(
        upper: &[[u8; BYTES_PER_PIXEL]],
        lower: &[[u8; BYTES_PER_PIXEL]],
        out: &mut [[u8; BYTES_PER_PIXEL]],
    ) {
        let count = out.len();
        let (upper, lower) = (&upper.as_chunks::<2>().0[..count], &lower.as_chunks::<2>().0[..count]);
        for at in 0..count {
            let above = mean(u32::from_le_bytes(upper[at][0]), u32::from_le_bytes(upper[at][1]));
            let below = mean(u32::from_le_bytes(lower[at][0]), u32::from_le_bytes(lower[at][1]));
            out[at] = mean(above, below).to_le_bytes();
        }
    }

    /// The means of squares of two by two pixels, rounded once.
    pub(crate) fn quarter(
        upper: &[[u8; BYTES_PER_PIXEL]],
        lower: &[[u8; BYTES_PER_PIXEL]],
        out: &mut [[u8; BYTES_PER_PIXEL]],
    ) {
        const EVEN: u32 = 0x00ff_00ff;
        let count = out.len();
        let (upper, lower) = (&upper.as_chunks::<2>().0[..count], &lower.as_chunks::<2>().0[..count]);
        for at in 0..count {
            let (a, b) = (u32::from_le_bytes(upper[at][0]), u32::from_le_bytes(upper[at][1]));
            let (c, d) = (u32::from_le_bytes(lower[at][0]), u32::from_le_bytes(lower[at][1]));
            let even = (a & EVEN) + (b & EVEN) + (c & EVEN) + (d & EVEN) + 0x0002_0002;
            let odd = (a >> 8 & EVEN) + (b >> 8 & EVEN) + (c >> 8 & EVEN) + (d >> 8 & EVEN) + 0x0002_0002;
            out[at] = (even >> 2 & EVEN | (odd >> 2 & EVEN) << 8).to_le_bytes();
        }
    }
}

/// The means of each of four bytes, rounded up.
#[inline(always)]
fn mean(a: u32, b: u32) -> u32 {
    (a | b) - ((a ^ b) >> 1 & 0x7f7f_7f7f)
}

/// `weight` 256ths of `b` and the rest of `a`, rounded, in two lanes of 16 bits with a byte in each.
#[inline(always)]
fn mix_half(a: u32, b: u32, weight: u32) -> u32 {
    // The sums fit, so that one product serves both lanes, whatever is borrowed between them.
    ((a << 8).wrapping_add(b.wrapping_sub(a).wrapping_mul(weight)).wrapping_add(0x0080_0080)) >> 8 & 0x00ff_00ff
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Pairs, TOGETHER};

    /// Where a group of pixels is read from: not so far right that a vector would reach beyond the row.
    #[inline(always)]
    fn base(lefts: &[u32], read: usize, width: usize) -> usize {
        let least = lefts[0].min(lefts[lefts.len() - 1]) as usize;
        least.min(width - read - 1)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn mix(left: __m512i, right: __m512i, weights: __m512i) -> __m512i {
        let (zero, half) = (_mm512_setzero_si512(), _mm512_set1_epi8(-128));
        // The left byte times 256 and a half, plus the difference times its weight.
        let (low, high) = (_mm512_unpacklo_epi8(left, zero), _mm512_unpackhi_epi8(left, zero));
        let low_change = _mm512_sub_epi16(_mm512_unpacklo_epi8(right, zero), low);
        let high_change = _mm512_sub_epi16(_mm512_unpackhi_epi8(right, zero), high);
        let low_change = _mm512_mullo_epi16(low_change, _mm512_unpacklo_epi32(weights, weights));
        let high_change = _mm512_mullo_epi16(high_change, _mm512_unpackhi_epi32(weights, weights));
        let low = _mm512_add_epi16(_mm512_unpacklo_epi8(half, left), low_change);
        let high = _mm512_add_epi16(_mm512_unpackhi_epi8(half, left), high_change);
        _mm512_packus_epi16(_mm512_srli_epi16::<8>(low), _mm512_srli_epi16::<8>(high))
    }

    /// Where the pixels of a group lie within [`TOGETHER`].
    ///
    /// # Safety
    /// The rows have the lengths of `pairs`; that which is read has more pixels than [`TOGETHER`].
    #[expect(unsafe_code, reason = "vectors are read and written through pointers")]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) unsafe fn near(source: &[[u8; 4]], pairs: &Pairs, out: &mut [[u8; 4]]) {
        for group in 0..out.len() / TOGETHER {
            let from = group * TOGETHER;
            let lefts = &pairs.lefts[from..from + TOGETHER];
            let base = base(lefts, TOGETHER, source.len());
            let first = source.as_ptr().wrapping_add(base);
            // SAFETY: `base` leaves room for a vector and one pixel; the tables and `out` have whole groups.
            unsafe {
                let places =
                    _mm512_sub_epi32(_mm512_loadu_si512(lefts.as_ptr().cast()), _mm512_set1_epi32(base as i32));
                let left = _mm512_permutexvar_epi32(places, _mm512_loadu_si512(first.cast()));
                let right = _mm512_permutexvar_epi32(places, _mm512_loadu_si512(first.add(1).cast()));
                let weights = _mm512_loadu_si512(pairs.weights.as_ptr().add(from).cast());
                _mm512_storeu_si512(out.as_mut_ptr().add(from).cast(), mix(left, right, weights));
            }
        }
    }

    /// Where they lie within twice as many.
    ///
    /// # Safety
    /// The rows have the lengths of `pairs`; that which is read has more pixels than twice [`TOGETHER`].
    #[expect(unsafe_code, reason = "vectors are read and written through pointers")]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) unsafe fn far(source: &[[u8; 4]], pairs: &Pairs, out: &mut [[u8; 4]]) {
        for group in 0..out.len() / TOGETHER {
            let from = group * TOGETHER;
            let lefts = &pairs.lefts[from..from + TOGETHER];
            let base = base(lefts, 2 * TOGETHER, source.len());
            let first = source.as_ptr().wrapping_add(base);
            // SAFETY: `base` leaves room for two vectors and one pixel; the tables and `out` have whole groups.
            unsafe {
                let places =
                    _mm512_sub_epi32(_mm512_loadu_si512(lefts.as_ptr().cast()), _mm512_set1_epi32(base as i32));
                let load = |at: usize| _mm512_loadu_si512(first.add(at).cast());
                let left = _mm512_permutex2var_epi32(load(0), places, load(TOGETHER));
                let right = _mm512_permutex2var_epi32(load(1), places, load(TOGETHER + 1));
                let weights = _mm512_loadu_si512(pairs.weights.as_ptr().add(from).cast());
                _mm512_storeu_si512(out.as_mut_ptr().add(from).cast(), mix(left, right, weights));
            }
        }
    }

    /// The same as `near` with vectors of half the length.
    ///
    /// # Safety
    /// The rows have the lengths of `pairs`; that which is read has more pixels than half of [`TOGETHER`].
    #[expect(unsafe_code, reason = "vectors are read and written through pointers")]
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn half(source: &[[u8; 4]], pairs: &Pairs, out: &mut [[u8; 4]]) {
        const READ: usize = TOGETHER / 2;
        let (zero, half) = (_mm256_setzero_si256(), _mm256_set1_epi8(-128));
        for group in 0..out.len() / READ {
            let from = group * READ;
            let lefts = &pairs.lefts[from..from + READ];
            let base = base(lefts, READ, source.len());
            let first = source.as_ptr().wrapping_add(base);
            // SAFETY: `base` leaves room for a vector and one pixel; the tables and `out` have whole groups.
            unsafe {
                let places =
                    _mm256_sub_epi32(_mm256_loadu_si256(lefts.as_ptr().cast()), _mm256_set1_epi32(base as i32));
                let left = _mm256_permutevar8x32_epi32(_mm256_loadu_si256(first.cast()), places);
                let right = _mm256_permutevar8x32_epi32(_mm256_loadu_si256(first.add(1).cast()), places);
                let weights = _mm256_loadu_si256(pairs.weights.as_ptr().add(from).cast());
                let (low, high) = (_mm256_unpacklo_epi8(left, zero), _mm256_unpackhi_epi8(left, zero));
                let low_change = _mm256_sub_epi16(_mm256_unpacklo_epi8(right, zero), low);
                let high_change = _mm256_sub_epi16(_mm256_unpackhi_epi8(right, zero), high);
                let low_change = _mm256_mullo_epi16(low_change, _mm256_unpacklo_epi32(weights, weights));
                let high_change = _mm256_mullo_epi16(high_change, _mm256_unpackhi_epi32(weights, weights));
                let low = _mm256_add_epi16(_mm256_unpacklo_epi8(half, left), low_change);
                let high = _mm256_add_epi16(_mm256_unpackhi_epi8(half, left), high_change);
                let mixed = _mm256_packus_epi16(_mm256_srli_epi16::<8>(low), _mm256_srli_epi16::<8>(high));
                _mm256_storeu_si256(out.as_mut_ptr().add(from).cast(), mixed);
            }
        }
    }
}
