//! Sums of pixels with weights in whole numbers: down columns into a row of sums, and along that row into pixels.

use super::vectorised;
use crate::frame::BYTES_PER_PIXEL;

/// A weight of 1, in the 14 bits of both steps.
pub(crate) const ONE: i32 = 1 << 14;
/// Bits of a sum below a level; with the overshoot of a sharp kernel a sum has still room in 16.
pub(crate) const SUM_BITS: u32 = 6;
/// Weights along a row come in groups of so many.
pub(crate) const TAPS: usize = 4;
/// Values of a row worked on together; rows of sums have whole groups.
pub(crate) const SUMS: usize = 64;

const DOWN_SHIFT: u32 = ONE.trailing_zeros() - SUM_BITS;
const ALONG_SHIFT: u32 = ONE.trailing_zeros() + SUM_BITS;

/// Sums `rows` of equal length, each by its weight, which make [`ONE`] together, into the first values of `sums`.
///
/// # Panics
/// When `sums` are fewer than the values of a row, in groups of [`SUMS`].
pub(crate) fn sum_rows(rows: &[&[u8]], weights: &[i16], sums: &mut [i16]) {
    let width = rows.iter().map(|row| row.len()).min().unwrap_or(0);
    assert!(rows.len() == weights.len() && sums.len() >= width.next_multiple_of(SUMS), "there is a place for each sum");
    let whole = width / SUMS * SUMS;
    sum_whole(rows, weights, &mut sums[..whole]);
    if whole < width {
        let mut last = [0_i32; SUMS];
        for (row, weight) in rows.iter().zip(weights) {
            for (sum, level) in last.iter_mut().zip(&row[whole..width]) {
                *sum += i32::from(*level) * i32::from(*weight);
            }
        }
        for (sum, last) in sums[whole..].iter_mut().zip(last) {
            *sum = narrowed(last);
        }
    }
}

/// The same for rows that are as long as `sums` or longer.
fn sum_whole(rows: &[&[u8]], weights: &[i16], sums: &mut [i16]) {
    #[cfg(target_arch = "x86_64")]
    {
        use super::Level;
        #[expect(unsafe_code, reason = "the processor was asked and the lengths were checked")]
        // SAFETY: `level` has found these instructions; `sum_rows` has compared the lengths.
        unsafe {
            match super::level() {
                Level::Baseline => x86::sum_sse2(rows, weights, sums),
                Level::Avx2 => x86::sum_avx2(rows, weights, sums),
                Level::Avx512 => x86::sum_avx512(rows, weights, sums),
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    for (index, sums) in sums.as_chunks_mut::<SUMS>().0.iter_mut().enumerate() {
        let mut wide = [0_i32; SUMS];
        for (row, weight) in rows.iter().zip(weights) {
            let row = &row[index * SUMS..][..SUMS];
            for at in 0..SUMS {
                // Both factors in 16 bits, for which more processors have an instruction.
                wide[at] += i32::from(i16::from(row[at])) * i32::from(*weight);
            }
        }
        for at in 0..SUMS {
            sums[at] = narrowed(wide[at]);
        }
    }
}

#[inline(always)]
fn narrowed(sum: i32) -> i16 {
    ((sum + (1 << (DOWN_SHIFT - 1))) >> DOWN_SHIFT).clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}

/// Which pixels of a row each pixel of another row is made of: as many for each.
pub(crate) struct Along {
    firsts: Vec<u32>,
    weights: Vec<i16>,
    /// How many weights a pixel has, in groups of [`TAPS`].
    taps: usize,
    /// Pixels that the row has to have.
    length: usize,
}

impl Along {
    /// Each pixel's first one, and `taps` weights for each pixel from there on.
    ///
    /// # Panics
    /// When there are not as many weights, or when `taps` is no multiple of [`TAPS`].
    pub(crate) fn new(firsts: Vec<u32>, weights: Vec<i16>, taps: usize) -> Self {
        assert!(taps > 0 && taps.is_multiple_of(TAPS), "weights come in groups");
        assert!(weights.len() == firsts.len() * taps, "each pixel has its weights");
        let length = firsts.iter().max().map_or(0, |first| *first as usize + taps);
        Self { firsts, weights, taps, length }
    }
}

/// Makes each pixel of `out` from `sums` of pixels.
///
/// # Panics
/// When the rows are shorter than `taps` needs.
pub(crate) fn sum_along(sums: &[[i16; BYTES_PER_PIXEL]], taps: &Along, out: &mut [[u8; BYTES_PER_PIXEL]]) {
    assert!(sums.len() >= taps.length && out.len() == taps.firsts.len(), "the rows have their lengths");
    #[cfg(target_arch = "x86_64")]
    if super::level() >= super::Level::Avx2 {
        #[expect(unsafe_code, reason = "the processor was asked and the places were checked")]
        // SAFETY: `level` has found these instructions; all taps lie within the sums.
        unsafe {
            match taps.taps / TAPS {
                1 => x86::along::<1>(sums, taps, out),
                2 => x86::along::<2>(sums, taps, out),
                _ => x86::along::<0>(sums, taps, out),
            }
        }
        return;
    }
    along(sums, &taps.firsts, &taps.weights, taps.taps, out);
}

vectorised! {
    fn along(
        sums: &[[i16; BYTES_PER_PIXEL]],
        firsts: &[u32],
        weights: &[i16],
        taps: usize,
        out: &mut [[u8; BYTES_PER_PIXEL]],
    ) {
        for (at, pixel) in out.iter_mut().enumerate() {
            let sums = &sums[firsts[at] as usize..][..taps];
            let weights = &weights[at * taps..][..taps];
            let mut wide = [1_i32 << (ALONG_SHIFT - 1); BYTES_PER_PIXEL];
            for tap in 0..taps {
                for channel in 0..BYTES_PER_PIXEL {
                    wide[channel] += i32::from(sums[tap][channel]) * i32::from(weights[tap]);
                }
            }
            for channel in 0..BYTES_PER_PIXEL {
                pixel[channel] = (wide[channel] >> ALONG_SHIFT).clamp(0, 255) as u8;
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{ALONG_SHIFT, Along, BYTES_PER_PIXEL, DOWN_SHIFT, SUMS, TAPS};

    macro_rules! sum_rows {
        ($name:ident, $features:literal, $vector:ty, $half:ident, $widen:ident, $set:ident, $low:ident, $high:ident,
         $madd:ident, $add:ident, $shift:ident, $pack:ident, $store:ident) => {
            #[expect(unsafe_code, reason = "vectors are read and written through pointers")]
            #[target_feature(enable = $features)]
            /// # Safety
            /// There are as many weights as rows, and each row is at least as long as `sums`, which are whole groups.
            pub(super) unsafe fn $name(rows: &[&[u8]], weights: &[i16], sums: &mut [i16]) {
                const LANES: usize = size_of::<$vector>() / size_of::<i16>();
                const VECTORS: usize = SUMS / LANES;
                let half = $set(1 << (DOWN_SHIFT - 1));
                for (group, sums) in sums.as_chunks_mut::<SUMS>().0.iter_mut().enumerate() {
                    let mut low = [half; VECTORS];
                    let mut high = [half; VECTORS];
                    let mut line = 0;
                    while line < rows.len() {
                        let one = rows[line].as_ptr().wrapping_add(group * SUMS);
                        let has_other = line + 1 < rows.len();
                        let (other, weight) =
                            if has_other { (rows[line + 1], weights[line + 1]) } else { (rows[line], 0) };
                        let other = other.as_ptr().wrapping_add(group * SUMS);
                        let both = $set(i32::from(weight) << 16 | i32::from(weights[line]) & 0xffff);
                        let mut part = 0;
                        while part < VECTORS {
                            let (one, other) = (one.wrapping_add(part * LANES), other.wrapping_add(part * LANES));
                            // SAFETY: the caller has checked the lengths.
                            let (one, other) = unsafe { ($half(one.cast()), $half(other.cast())) };
                            let (one, other) = ($widen(one), $widen(other));
                            low[part] = $add(low[part], $madd($low(one, other), both));
                            high[part] = $add(high[part], $madd($high(one, other), both));
                            part += 1;
                        }
                        line += 2;
                    }
                    let mut part = 0;
                    while part < VECTORS {
                        let (low, high) = ($shift(low[part]), $shift(high[part]));
                        // SAFETY: the vectors make up the group.
                        unsafe { $store(sums.as_mut_ptr().add(part * LANES).cast(), $pack(low, high)) };
                        part += 1;
                    }
                }
            }
        };
    }

    sum_rows!(
        sum_sse2,
        "sse2",
        __m128i,
        _mm_loadl_epi64,
        widen_sse2,
        _mm_set1_epi32,
        _mm_unpacklo_epi16,
        _mm_unpackhi_epi16,
        _mm_madd_epi16,
        _mm_add_epi32,
        shift_sse2,
        _mm_packs_epi32,
        _mm_storeu_si128
    );
    sum_rows!(
        sum_avx2,
        "avx2",
        __m256i,
        _mm_loadu_si128,
        _mm256_cvtepu8_epi16,
        _mm256_set1_epi32,
        _mm256_unpacklo_epi16,
        _mm256_unpackhi_epi16,
        _mm256_madd_epi16,
        _mm256_add_epi32,
        shift_avx2,
        _mm256_packs_epi32,
        _mm256_storeu_si256
    );
    sum_rows!(
        sum_avx512,
        "avx512f,avx512bw",
        __m512i,
        _mm256_loadu_si256,
        _mm512_cvtepu8_epi16,
        _mm512_set1_epi32,
        _mm512_unpacklo_epi16,
        _mm512_unpackhi_epi16,
        _mm512_madd_epi16,
        _mm512_add_epi32,
        shift_avx512,
        _mm512_packs_epi32,
        _mm512_storeu_si512
    );

    #[inline]
    #[target_feature(enable = "sse2")]
    fn widen_sse2(levels: __m128i) -> __m128i {
        _mm_unpacklo_epi8(levels, _mm_setzero_si128())
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn shift_sse2(sums: __m128i) -> __m128i {
        _mm_srai_epi32::<{ DOWN_SHIFT as i32 }>(sums)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn shift_avx2(sums: __m256i) -> __m256i {
        _mm256_srai_epi32::<{ DOWN_SHIFT as i32 }>(sums)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn shift_avx512(sums: __m512i) -> __m512i {
        _mm512_srai_epi32::<DOWN_SHIFT>(sums)
    }

    /// With `GROUPS` groups of taps, or any number of them for 0.
    ///
    /// # Safety
    /// The rows have the lengths that `along` needs, and its taps make up `GROUPS` unless that is 0.
    #[expect(unsafe_code, reason = "vectors are read and written through pointers")]
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn along<const GROUPS: usize>(
        sums: &[[i16; BYTES_PER_PIXEL]],
        along: &Along,
        out: &mut [[u8; BYTES_PER_PIXEL]],
    ) {
        let (firsts, weights) = (&along.firsts[..out.len()], &along.weights);
        let taps = if GROUPS == 0 { along.taps } else { GROUPS * TAPS };
        // A pixel's values beside those of the next one, as the products are added up in twos.
        let beside = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15));
        let twos = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
        let half = _mm_set1_epi32(1 << (ALONG_SHIFT - 1));
        let mut at = 0;
        while at < out.len() {
            let count = (out.len() - at).min(4);
            let mut pixels = [_mm_setzero_si128(); 4];
            let mut index = 0;
            while index < count {
                let mut wide = _mm256_setzero_si256();
                let mut tap = 0;
                while tap < taps {
                    // SAFETY: the caller has checked the taps, and four of them are one vector.
                    let (values, both) = unsafe {
                        let values = sums.as_ptr().add(firsts[at + index] as usize + tap);
                        let weights = weights.as_ptr().add((at + index) * taps + tap);
                        (_mm256_loadu_si256(values.cast()), _mm_loadl_epi64(weights.cast()))
                    };
                    let both = _mm256_permutevar8x32_epi32(_mm256_castsi128_si256(both), twos);
                    wide = _mm256_add_epi32(wide, _mm256_madd_epi16(_mm256_shuffle_epi8(values, beside), both));
                    tap += TAPS;
                }
                let sum = _mm_add_epi32(_mm256_castsi256_si128(wide), _mm256_extracti128_si256::<1>(wide));
                pixels[index] = _mm_srai_epi32::<{ ALONG_SHIFT as i32 }>(_mm_add_epi32(sum, half));
                index += 1;
            }
            let low = _mm_packs_epi32(pixels[0], pixels[1]);
            let packed = _mm_packus_epi16(low, _mm_packs_epi32(pixels[2], pixels[3]));
            if count == 4 {
                // SAFETY: four pixels are left.
                unsafe { _mm_storeu_si128(out.as_mut_ptr().add(at).cast(), packed) };
            } else {
                let mut last = [[0_u8; BYTES_PER_PIXEL]; 4];
                // SAFETY: four pixels are a vector.
                unsafe { _mm_storeu_si128(last.as_mut_ptr().cast(), packed) };
                out[at..].copy_from_slice(&last[..count]);
            }
            at += count;
        }
    }
}
