//! Weighted sums of rows, where the compiler does not find the one instruction that keeps the upper half of a product.

/// Values worked on together.
pub(crate) const CHUNK: usize = 64;

/// Sets each of `sums`, whose number is a multiple of [`CHUNK`], to half the number of weights plus the sum of the
/// products' upper halves of `weights` and the values in `rows` from `lines` on. A sum wraps.
///
/// # Panics
/// When a line does not lie within `rows`.
pub(crate) fn weighted_rows(rows: &[u16], (lines, weights): (&[usize], &[u16]), sums: &mut [u16]) {
    assert!(lines.iter().all(|line| line.saturating_add(sums.len()) <= rows.len()), "a line lies within the rows");
    #[cfg(target_arch = "x86_64")]
    {
        use super::Level;
        #[expect(unsafe_code, reason = "the processor was asked and the places were checked")]
        // SAFETY: `level` has found these instructions on this processor; every line lies within the rows.
        unsafe {
            match super::level() {
                Level::Baseline => x86::sse2(rows, (lines, weights), sums),
                Level::Avx2 => x86::avx2(rows, (lines, weights), sums),
                Level::Avx512 => x86::avx512(rows, (lines, weights), sums),
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        let (chunks, _) = sums.as_chunks_mut::<CHUNK>();
        for (index, chunk) in chunks.iter_mut().enumerate() {
            let mut sums = [weights.len() as u16 / 2; CHUNK];
            for (line, weight) in lines.iter().zip(weights) {
                for (sum, value) in sums.iter_mut().zip(&rows[line + index * CHUNK..][..CHUNK]) {
                    *sum = sum.wrapping_add(((u32::from(*weight) * u32::from(*value)) >> 16) as u16);
                }
            }
            *chunk = sums;
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::CHUNK;

    macro_rules! weighted_rows {
        ($name:ident, $features:literal, $vector:ty, $set:ident, $load:ident, $store:ident, $add:ident, $mul:ident) => {
            #[expect(unsafe_code, reason = "vectors are read and written through pointers")]
            #[target_feature(enable = $features)]
            /// # Safety
            /// Each of `lines` and as many values as `sums` has lie within `rows`.
            pub(super) unsafe fn $name(rows: &[u16], (lines, weights): (&[usize], &[u16]), sums: &mut [u16]) {
                const LANES: usize = size_of::<$vector>() / size_of::<u16>();
                let half = $set(weights.len() as i16 / 2);
                let (chunks, _) = sums.as_chunks_mut::<CHUNK>();
                for (index, chunk) in chunks.iter_mut().enumerate() {
                    let mut sums = [half; CHUNK / LANES];
                    for (line, weight) in lines.iter().zip(weights) {
                        let weight = $set(*weight as i16);
                        for (part, sum) in sums.iter_mut().enumerate() {
                            let values = rows.as_ptr().wrapping_add(line + index * CHUNK + part * LANES);
                            // SAFETY: the caller has checked the lines.
                            let values = unsafe { $load(values.cast()) };
                            *sum = $add(*sum, $mul(values, weight));
                        }
                    }
                    for (part, sum) in sums.iter().enumerate() {
                        // SAFETY: the parts make up the chunk.
                        unsafe { $store(chunk.as_mut_ptr().add(part * LANES).cast(), *sum) };
                    }
                }
            }
        };
    }

    weighted_rows!(
        sse2,
        "sse2",
        __m128i,
        _mm_set1_epi16,
        _mm_loadu_si128,
        _mm_storeu_si128,
        _mm_add_epi16,
        _mm_mulhi_epu16
    );
    weighted_rows!(
        avx2,
        "avx2",
        __m256i,
        _mm256_set1_epi16,
        _mm256_loadu_si256,
        _mm256_storeu_si256,
        _mm256_add_epi16,
        _mm256_mulhi_epu16
    );
    weighted_rows!(
        avx512,
        "avx512f,avx512bw",
        __m512i,
        _mm512_set1_epi16,
        _mm512_loadu_si512,
        _mm512_storeu_si512,
        _mm512_add_epi16,
        _mm512_mulhi_epu16
    );
}
