//! Tables of 256 levels.

/// Each of red, green and blue becomes what its table has at that level; alpha stays.
pub(crate) fn look_up(levels: &[[u8; 256]; 3], pixels: &mut [[u8; 4]]) {
    #[cfg(target_arch = "x86_64")]
    let pixels = if super::level() == super::Level::Avx512 {
        let (whole, rest) = pixels.as_chunks_mut::<{ x86::PIXELS }>();
        #[expect(unsafe_code, reason = "the processor was asked")]
        // SAFETY: `level` has found these instructions.
        unsafe {
            x86::look_up(levels, whole);
        }
        rest
    } else {
        pixels
    };
    let [red, green, blue] = levels;
    for pixel in pixels {
        let [r, g, b, a] = *pixel;
        *pixel = [red[usize::from(r)], green[usize::from(g)], blue[usize::from(b)], a];
    }
}

/// Processors that can take any byte out of 128 look up 64 levels in two steps.
#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    pub(super) const PIXELS: usize = 16;

    /// The table as four vectors.
    type Parts = [__m512i; 4];

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    pub(super) fn look_up(levels: &[[u8; 256]; 3], pixels: &mut [[[u8; 4]; PIXELS]]) {
        let [red, green, blue] = [parts(&levels[0]), parts(&levels[1]), parts(&levels[2])];
        let is_one_for_all = levels[0] == levels[1] && levels[1] == levels[2];
        const RED: u64 = 0x1111_1111_1111_1111;
        for pixels in pixels {
            let before = load(pixels.as_flattened());
            let after = if is_one_for_all {
                _mm512_mask_mov_epi8(before, RED * 7, find(red, before))
            } else {
                let after = _mm512_mask_mov_epi8(before, RED, find(red, before));
                let after = _mm512_mask_mov_epi8(after, RED << 1, find(green, before));
                _mm512_mask_mov_epi8(after, RED << 2, find(blue, before))
            };
            store(pixels.as_flattened_mut(), after);
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    fn find([first, second, third, fourth]: Parts, at: __m512i) -> __m512i {
        // Both take the lower seven bits; the eighth says which of them was meant.
        let lower = _mm512_permutex2var_epi8(first, at, second);
        let upper = _mm512_permutex2var_epi8(third, at, fourth);
        _mm512_mask_mov_epi8(lower, _mm512_movepi8_mask(at), upper)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn parts(levels: &[u8; 256]) -> Parts {
        let (parts, _) = levels.as_chunks::<64>();
        [load(&parts[0]), load(&parts[1]), load(&parts[2]), load(&parts[3])]
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn load(bytes: &[u8]) -> __m512i {
        assert!(bytes.len() == 64);
        #[expect(unsafe_code, reason = "a vector is read through a pointer")]
        // SAFETY: there are 64 bytes, and the instruction takes any alignment.
        unsafe {
            _mm512_loadu_si512(bytes.as_ptr().cast())
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn store(bytes: &mut [u8], vector: __m512i) {
        assert!(bytes.len() == 64);
        #[expect(unsafe_code, reason = "a vector is written through a pointer")]
        // SAFETY: there are 64 bytes, and the instruction takes any alignment.
        unsafe {
            _mm512_storeu_si512(bytes.as_mut_ptr().cast(), vector);
        }
    }
}
