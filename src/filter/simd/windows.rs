//! Means of windows along a row of sums of columns.

use super::CHUNK;
use crate::frame::BYTES_PER_PIXEL;

/// Pixels worked on together; there are columns for whole groups.
const TOGETHER: usize = 4;

/// Sets each pixel of `out` to the sum of `side` of `columns` from there on, times `scale`, rounded.
///
/// # Panics
/// When there are fewer columns than whole groups of four pixels need.
pub(crate) fn sliding_means(
    columns: &[[u16; BYTES_PER_PIXEL]],
    side: usize,
    scale: f32,
    out: &mut [[u8; BYTES_PER_PIXEL]],
) {
    assert!(columns.len() >= out.len().next_multiple_of(TOGETHER) + side - 1, "there are columns for all windows");
    let mut sums = [0_u32; BYTES_PER_PIXEL];
    for column in &columns[..side - 1] {
        for (sum, value) in sums.iter_mut().zip(column) {
            *sum += u32::from(*value);
        }
    }
    #[cfg(target_arch = "x86_64")]
    {
        use super::Level;
        #[expect(unsafe_code, reason = "the processor was asked and the lengths were checked")]
        // SAFETY: `level` has found these instructions; there are as many columns as are read.
        unsafe {
            match super::level() {
                Level::Baseline => {}
                Level::Avx2 => return x86::avx2((columns, sums), side, scale, out),
                Level::Avx512 => return x86::avx512((columns, sums), side, scale, out),
            }
        }
    }
    for (at, pixel) in out.iter_mut().enumerate() {
        let (leaving, entering) = (&columns[at], &columns[at + side - 1]);
        for channel in 0..BYTES_PER_PIXEL {
            sums[channel] += u32::from(entering[channel]);
            pixel[channel] = rounded(sums[channel], scale);
            sums[channel] -= u32::from(leaving[channel]);
        }
    }
}

/// Adding it to a float leaves a whole number in the lowest bits, rounded.
const WHOLE: f32 = (1 << 23) as f32;

/// The sum times `scale`, rounded. It is below 2^23, so that a float holds it exactly.
#[inline(always)]
fn rounded(sum: u32, scale: f32) -> u8 {
    (sum as i32 as f32 * scale + WHOLE).to_bits() as u8
}

/// Sets each value of `out` to the mean of squares of `SIDE` rows and columns: of each `SIDE` sums of `columns`, whose
/// channels lie side by side, from there on, rounded. `SIDE` is odd, 3 to 9, so that the sums fit 16 bits.
///
/// # Panics
/// When there are fewer columns than whole chunks of `out` need.
pub(crate) fn few_means<const SIDE: usize>(columns: &[u16], out: &mut [u8]) {
    let beside = (SIDE - 1) * BYTES_PER_PIXEL;
    assert!(columns.len() >= out.len().next_multiple_of(CHUNK) + beside, "there are columns for all windows");
    #[cfg(target_arch = "x86_64")]
    {
        use super::Level;
        #[expect(unsafe_code, reason = "the processor was asked and the lengths were checked")]
        // SAFETY: `level` has found these instructions; there are as many columns as are read.
        unsafe {
            match super::level() {
                Level::Baseline => x86::few_sse2::<SIDE>(columns, out),
                Level::Avx2 => x86::few_avx2::<SIDE>(columns, out),
                Level::Avx512 => x86::few_avx512::<SIDE>(columns, out),
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        let (factor, shift) = reciprocal(SIDE * SIDE);
        for (index, out) in out.chunks_mut(CHUNK).enumerate() {
            let columns = &columns[index * CHUNK..][..CHUNK + beside];
            let mut means = [0; CHUNK];
            for at in 0..CHUNK {
                let mut sum = (SIDE * SIDE / 2) as u16;
                for column in 0..SIDE {
                    sum += columns[at + column * BYTES_PER_PIXEL];
                }
                let upper = ((u32::from(sum) * u32::from(factor)) >> 16) as u16;
                means[at] = (upper >> shift) as u8;
            }
            let count = out.len();
            out.copy_from_slice(&means[..count]);
        }
    }
}

/// A factor and how far to shift the upper half of its product, to divide sums of up to `count` levels and a half by the
/// odd number `count`, from 9 to 81.
const fn reciprocal(count: usize) -> (u16, u32) {
    // The largest shift whose factor fits 16 bits, rounded up; so small a sum it does not lead past a whole quotient.
    let shift = count.ilog2();
    (((1_u32 << (16 + shift)) / count as u32 + 1) as u16, shift)
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{BYTES_PER_PIXEL, CHUNK, TOGETHER, WHOLE, reciprocal};

    /// `sums` is that of the first window without its last column.
    ///
    /// # Safety
    /// There are as many columns as pixels, in whole groups, and `side - 1` more.
    #[expect(unsafe_code, reason = "vectors are read and written through pointers")]
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn avx512(
        (columns, sums): (&[[u16; BYTES_PER_PIXEL]], [u32; BYTES_PER_PIXEL]),
        side: usize,
        scale: f32,
        out: &mut [[u8; BYTES_PER_PIXEL]],
    ) {
        let (zero, scale, whole) = (_mm512_setzero_si512(), _mm512_set1_ps(scale), _mm512_set1_ps(WHOLE));
        // SAFETY: an array of four is a vector.
        let mut before = _mm512_broadcast_i32x4(unsafe { _mm_loadu_si128(sums.as_ptr().cast()) });
        for (group, out) in out.chunks_mut(TOGETHER).enumerate() {
            let load = |at: usize| {
                // SAFETY: the caller has checked that there are columns.
                _mm512_cvtepu16_epi32(unsafe { _mm256_loadu_si256(columns.as_ptr().add(at).cast()) })
            };
            let leaving = load(group * TOGETHER);
            let change = _mm512_sub_epi32(load(group * TOGETHER + side - 1), leaving);
            // The changes up to each pixel: of two, then of four.
            let change = _mm512_add_epi32(change, _mm512_alignr_epi32::<12>(change, zero));
            let change = _mm512_add_epi32(change, _mm512_alignr_epi32::<8>(change, zero));
            let sums = _mm512_add_epi32(_mm512_add_epi32(before, change), leaving);
            before = _mm512_add_epi32(before, _mm512_shuffle_i32x4::<0xff>(change, change));
            let means = _mm512_add_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(sums), scale), whole);
            store(_mm512_cvtepi32_epi8(_mm512_castps_si512(means)), out);
        }
    }

    /// The same with vectors of half the length.
    ///
    /// # Safety
    /// There are as many columns as pixels, in whole groups, and `side - 1` more.
    #[expect(unsafe_code, reason = "vectors are read and written through pointers")]
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn avx2(
        (columns, sums): (&[[u16; BYTES_PER_PIXEL]], [u32; BYTES_PER_PIXEL]),
        side: usize,
        scale: f32,
        out: &mut [[u8; BYTES_PER_PIXEL]],
    ) {
        let (scale, whole, byte) = (_mm256_set1_ps(scale), _mm256_set1_ps(WHOLE), _mm256_set1_epi32(0xff));
        // SAFETY: an array of four is a vector.
        let mut before = _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(sums.as_ptr().cast()) });
        for (group, out) in out.chunks_mut(TOGETHER).enumerate() {
            let load = |at: usize| {
                // SAFETY: the caller has checked that there are columns.
                _mm256_cvtepu16_epi32(unsafe { _mm_loadu_si128(columns.as_ptr().add(at).cast()) })
            };
            let mut two = |at: usize| {
                let leaving = load(at);
                let change = _mm256_sub_epi32(load(at + side - 1), leaving);
                let change = _mm256_add_epi32(change, _mm256_permute2x128_si256::<0x08>(change, change));
                let sums = _mm256_add_epi32(_mm256_add_epi32(before, change), leaving);
                before = _mm256_add_epi32(before, _mm256_permute2x128_si256::<0x11>(change, change));
                let means = _mm256_add_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(sums), scale), whole);
                _mm256_and_si256(_mm256_castps_si256(means), byte)
            };
            let (first, second) = (two(group * TOGETHER), two(group * TOGETHER + TOGETHER / 2));
            let four = _mm256_packus_epi32(first, second);
            let four = _mm_packus_epi16(_mm256_castsi256_si128(four), _mm256_extracti128_si256::<1>(four));
            // The halves of both vectors have alternated.
            store(_mm_shuffle_epi32::<0b11_01_10_00>(four), out);
        }
    }

    #[expect(unsafe_code, reason = "vectors are written through pointers")]
    #[inline]
    #[target_feature(enable = "sse2")]
    fn store(four: __m128i, out: &mut [[u8; BYTES_PER_PIXEL]]) {
        if out.len() == TOGETHER {
            // SAFETY: four pixels are a vector.
            unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), four) };
        } else {
            let mut last = [[0; BYTES_PER_PIXEL]; TOGETHER];
            // SAFETY: four pixels are a vector.
            unsafe { _mm_storeu_si128(last.as_mut_ptr().cast(), four) };
            out.copy_from_slice(&last[..out.len()]);
        }
    }

    macro_rules! few_means {
        ($name:ident, $features:literal, $vector:ty, $set:ident, $load:ident, $add:ident, $mul:ident, $shift:ident,
         $pack:ident, $store:ident) => {
            /// # Safety
            /// There are as many columns as values, in whole chunks, and those of `SIDE - 1` pixels more.
            #[expect(unsafe_code, reason = "vectors are read and written through pointers")]
            #[target_feature(enable = $features)]
            pub(super) unsafe fn $name<const SIDE: usize>(columns: &[u16], out: &mut [u8]) {
                const LANES: usize = size_of::<$vector>() / size_of::<u16>();
                let (factor, shift) = reciprocal(SIDE * SIDE);
                let (factor, shift) = ($set(factor as i16), _mm_cvtsi32_si128(shift as i32));
                // Half the divisor rounds.
                let half = $set((SIDE * SIDE / 2) as i16);
                for (index, out) in out.chunks_mut(CHUNK).enumerate() {
                    let mut last = [0_u8; CHUNK];
                    let is_whole = out.len() == CHUNK;
                    let means = if is_whole { out.as_mut_ptr() } else { last.as_mut_ptr() };
                    let mut part = 0;
                    while part < CHUNK {
                        let mut sums = [half; 2];
                        let mut column = 0;
                        while column < SIDE {
                            let first = columns.as_ptr().wrapping_add(index * CHUNK + part + column * BYTES_PER_PIXEL);
                            // SAFETY: the caller has checked that there are columns.
                            unsafe {
                                sums[0] = $add(sums[0], $load(first.cast()));
                                sums[1] = $add(sums[1], $load(first.add(LANES).cast()));
                            }
                            column += 1;
                        }
                        let [low, high] = [$shift($mul(sums[0], factor), shift), $shift($mul(sums[1], factor), shift)];
                        // SAFETY: twice as many bytes as lanes are a vector, and the vectors make up the chunk.
                        unsafe { $store(means.add(part).cast(), $pack(low, high)) };
                        part += 2 * LANES;
                    }
                    if !is_whole {
                        let count = out.len();
                        out.copy_from_slice(&last[..count]);
                    }
                }
            }
        };
    }

    few_means!(
        few_sse2,
        "sse2",
        __m128i,
        _mm_set1_epi16,
        _mm_loadu_si128,
        _mm_add_epi16,
        _mm_mulhi_epu16,
        _mm_srl_epi16,
        _mm_packus_epi16,
        _mm_storeu_si128
    );
    few_means!(
        few_avx2,
        "avx2",
        __m256i,
        _mm256_set1_epi16,
        _mm256_loadu_si256,
        _mm256_add_epi16,
        _mm256_mulhi_epu16,
        _mm256_srl_epi16,
        pack_avx2,
        _mm256_storeu_si256
    );
    few_means!(
        few_avx512,
        "avx512f,avx512bw",
        __m512i,
        _mm512_set1_epi16,
        _mm512_loadu_si512,
        _mm512_add_epi16,
        _mm512_mulhi_epu16,
        _mm512_srl_epi16,
        pack_avx512,
        _mm512_storeu_si512
    );

    /// Bytes in the order of the words, whose upper bytes are 0.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn pack_avx2(low: __m256i, high: __m256i) -> __m256i {
        _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packus_epi16(low, high))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn pack_avx512(low: __m512i, high: __m512i) -> __m512i {
        let order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
        _mm512_permutexvar_epi64(order, _mm512_packus_epi16(low, high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_levels_are_divided_exactly() {
        for side in [3, 5, 7, 9] {
            let count = side * side;
            let (factor, shift) = reciprocal(count);
            for sum in 0..=255 * count + count / 2 {
                assert_eq!((sum * usize::from(factor)) >> 16 >> shift, sum / count, "{sum} / {count}");
            }
        }
    }
}
