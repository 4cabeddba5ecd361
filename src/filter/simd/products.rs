//! Weighted sums of neighbours in whole numbers. Two rows lie interleaved, because processors multiply pairs of 16-bit
//! values and add the two products in one instruction.

use super::vectorised;

/// Values worked on together; pair rows have whole groups beyond what a tap leads to.
pub(crate) const GROUP: usize = 64;

/// Weights for a value of each of two rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PairTap {
    /// Which pair of rows.
    pub row: usize,
    /// How many values to the right the pair of values is.
    pub offset: usize,
    /// Of the upper row's value, and of the lower one's.
    pub weights: [i16; 2],
}

/// What becomes of a weighted sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scale {
    /// Added before the shift; with the half that rounds.
    pub bias: i32,
    /// Bits of the weights' fractions.
    pub shift: u32,
}

vectorised! {
    /// Puts the values of two rows beside each other, the lower one's in the upper halves.
    pub(crate) fn interleave(upper: &[u8], lower: &[u8], pairs: &mut [u32]) {
        for ((pair, upper), lower) in pairs.iter_mut().zip(upper).zip(lower) {
            *pair = u32::from(*upper) | u32::from(*lower) << 16;
        }
    }
}

/// Sets each value of `out` to the sum of `taps` from there on, scaled and clamped; every fourth one is that of `here`.
/// No sum passes 32 bits.
///
/// # Panics
/// When a row is shorter than its taps need for whole groups, or `here` than `out`.
pub(crate) fn sum_pairs(rows: &[&[u32]], taps: &[PairTap], scale: Scale, (here, out): (&[u8], &mut [u8])) {
    let groups = out.len().next_multiple_of(GROUP);
    let fits = |tap: &PairTap| rows[tap.row].len() >= groups + tap.offset;
    assert!(taps.iter().all(fits) && here.len() == out.len(), "the rows have their lengths");
    let whole = out.len() / GROUP * GROUP;
    sum_groups(rows, taps, (scale, 0), (&here[..whole], &mut out[..whole]));
    if whole < out.len() {
        let (mut last_here, mut last) = ([0; GROUP], [0; GROUP]);
        let count = out.len() - whole;
        last_here[..count].copy_from_slice(&here[whole..]);
        sum_groups(rows, taps, (scale, whole), (&last_here, &mut last));
        out[whole..].copy_from_slice(&last[..count]);
    }
}

/// The same for whole groups, the first of which begins at `start` in the rows.
fn sum_groups(rows: &[&[u32]], taps: &[PairTap], (scale, start): (Scale, usize), (here, out): (&[u8], &mut [u8])) {
    #[cfg(target_arch = "x86_64")]
    {
        use super::Level;
        #[expect(unsafe_code, reason = "the processor was asked and the lengths were checked")]
        // SAFETY: `level` has found these instructions; `sum_pairs` has compared the lengths.
        unsafe {
            match super::level() {
                Level::Baseline => x86::sse2(rows, taps, (scale, start), (here, out)),
                Level::Avx2 => x86::avx2(rows, taps, (scale, start), (here, out)),
                Level::Avx512 => x86::avx512(rows, taps, (scale, start), (here, out)),
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    for (index, (here, out)) in here.chunks_exact(GROUP).zip(out.chunks_exact_mut(GROUP)).enumerate() {
        let mut sums = [scale.bias; GROUP];
        for tap in taps {
            let pairs = &rows[tap.row][start + index * GROUP + tap.offset..][..GROUP];
            let [upper, lower] = tap.weights.map(i32::from);
            for at in 0..GROUP {
                sums[at] += (pairs[at] & 0xffff) as i32 * upper + (pairs[at] >> 16) as i32 * lower;
            }
        }
        for at in 0..GROUP {
            let level = (sums[at] >> scale.shift).clamp(0, 255) as u8;
            out[at] = if at % 4 == 3 { here[at] } else { level };
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{GROUP, PairTap, Scale};

    macro_rules! sum_groups {
        ($name:ident, $features:literal, $vector:ty, $set:ident, $load:ident, $madd:ident, $add:ident, $shift:ident,
         $narrow:ident, $pack:ident, $store:ident, $and:ident, $andnot:ident, $or:ident) => {
            /// # Safety
            /// Each tap's row goes on for as many values as `out` has, in whole groups, beyond `start` and its offset.
            #[expect(unsafe_code, reason = "vectors are read and written through pointers")]
            #[target_feature(enable = $features)]
            pub(super) unsafe fn $name(
                rows: &[&[u32]],
                taps: &[PairTap],
                (scale, start): (Scale, usize),
                (here, out): (&[u8], &mut [u8]),
            ) {
                const LANES: usize = size_of::<$vector>() / size_of::<u32>();
                // As many vectors of sums as make one of levels.
                const PARTS: usize = 4;
                let shift = _mm_cvtsi32_si128(scale.shift as i32);
                let alpha = $set(0xff00_0000_u32 as i32);
                let whole = out.len() / GROUP * GROUP;
                let mut at = 0;
                while at < whole {
                    let mut sums = [$set(scale.bias); PARTS];
                    let mut tap = 0;
                    while tap < taps.len() {
                        let PairTap { row, offset, weights: [upper, lower] } = taps[tap];
                        let weights = $set(i32::from(lower) << 16 | i32::from(upper) & 0xffff);
                        let pairs = rows[row].as_ptr().wrapping_add(start + at + offset);
                        let mut part = 0;
                        while part < PARTS {
                            // SAFETY: the caller has checked the lengths.
                            let pairs = unsafe { $load(pairs.add(part * LANES).cast()) };
                            sums[part] = $add(sums[part], $madd(pairs, weights));
                            part += 1;
                        }
                        tap += 1;
                    }
                    let [a, b, c, d] = sums;
                    let low = $narrow($shift(a, shift), $shift(b, shift));
                    let high = $narrow($shift(c, shift), $shift(d, shift));
                    let levels = $pack(low, high);
                    // SAFETY: the groups are made of whole vectors.
                    unsafe {
                        let here = $load(here.as_ptr().add(at).cast());
                        let levels = $or($andnot(alpha, levels), $and(alpha, here));
                        $store(out.as_mut_ptr().add(at).cast(), levels);
                    }
                    at += size_of::<$vector>();
                }
            }
        };
    }

    sum_groups!(
        sse2,
        "sse2",
        __m128i,
        _mm_set1_epi32,
        _mm_loadu_si128,
        _mm_madd_epi16,
        _mm_add_epi32,
        _mm_sra_epi32,
        _mm_packs_epi32,
        _mm_packus_epi16,
        _mm_storeu_si128,
        _mm_and_si128,
        _mm_andnot_si128,
        _mm_or_si128
    );
    sum_groups!(
        avx2,
        "avx2",
        __m256i,
        _mm256_set1_epi32,
        _mm256_loadu_si256,
        _mm256_madd_epi16,
        _mm256_add_epi32,
        _mm256_sra_epi32,
        _mm256_packs_epi32,
        pack_avx2,
        _mm256_storeu_si256,
        _mm256_and_si256,
        _mm256_andnot_si256,
        _mm256_or_si256
    );
    sum_groups!(
        avx512,
        "avx512f,avx512bw",
        __m512i,
        _mm512_set1_epi32,
        _mm512_loadu_si512,
        _mm512_madd_epi16,
        _mm512_add_epi32,
        _mm512_sra_epi32,
        _mm512_packs_epi32,
        pack_avx512,
        _mm512_storeu_si512,
        _mm512_and_si512,
        _mm512_andnot_si512,
        _mm512_or_si512
    );

    /// Bytes in the order of the four vectors, which were narrowed half by half.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn pack_avx2(low: __m256i, high: __m256i) -> __m256i {
        let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
        _mm256_permutevar8x32_epi32(_mm256_packus_epi16(low, high), order)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn pack_avx512(low: __m512i, high: __m512i) -> __m512i {
        let order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        _mm512_permutexvar_epi32(order, _mm512_packus_epi16(low, high))
    }
}
