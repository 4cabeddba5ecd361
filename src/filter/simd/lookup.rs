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
    for pixel in pixels {
        *pixel = looked_up(levels, *pixel);
    }
}

/// The same from one row into another of the same length.
pub(crate) fn look_up_from(levels: &[[u8; 256]; 3], from: &[[u8; 4]], to: &mut [[u8; 4]]) {
    #[cfg(target_arch = "x86_64")]
    let (from, to) = if super::level() == super::Level::Avx512 {
        let (whole, rest) = from.as_chunks::<{ x86::PIXELS }>();
        let (whole_to, rest_to) = to.as_chunks_mut::<{ x86::PIXELS }>();
        #[expect(unsafe_code, reason = "the processor was asked")]
        // SAFETY: `level` has found these instructions.
        unsafe {
            x86::look_up_from(levels, whole, whole_to);
        }
        (rest, rest_to)
    } else {
        (from, to)
    };
    for (from, to) in from.iter().zip(to) {
        *to = looked_up(levels, *from);
    }
}

/// Whether a table costs as little as arithmetic does.
pub(crate) fn looks_up_fast() -> bool {
    #[cfg(target_arch = "x86_64")]
    return super::level() == super::Level::Avx512;
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

#[inline(always)]
fn looked_up([red, green, blue]: &[[u8; 256]; 3], [r, g, b, a]: [u8; 4]) -> [u8; 4] {
    [red[usize::from(r)], green[usize::from(g)], blue[usize::from(b)], a]
}

/// Processors that can take any byte out of 128 look up 64 levels in two steps.
#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    pub(super) const PIXELS: usize = 16;

    /// The table as four vectors.
    type Parts = [__m512i; 4];

    const RED: u64 = 0x1111_1111_1111_1111;

    struct Tables {
        parts: [Parts; 3],
        is_one_for_all: bool,
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    pub(super) fn look_up(levels: &[[u8; 256]; 3], pixels: &mut [[[u8; 4]; PIXELS]]) {
        let tables = tables(levels);
        for pixels in pixels {
            let after = find_all(&tables, load(pixels.as_flattened()));
            store(pixels.as_flattened_mut(), after);
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    pub(super) fn look_up_from(levels: &[[u8; 256]; 3], from: &[[[u8; 4]; PIXELS]], to: &mut [[[u8; 4]; PIXELS]]) {
        let tables = tables(levels);
        for (from, to) in from.iter().zip(to) {
            store(to.as_flattened_mut(), find_all(&tables, load(from.as_flattened())));
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn tables(levels: &[[u8; 256]; 3]) -> Tables {
        let is_one_for_all = levels[0] == levels[1] && levels[1] == levels[2];
        Tables { parts: [parts(&levels[0]), parts(&levels[1]), parts(&levels[2])], is_one_for_all }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    fn find_all(tables: &Tables, before: __m512i) -> __m512i {
        let [red, green, blue] = tables.parts;
        if tables.is_one_for_all {
            return _mm512_mask_mov_epi8(before, RED * 7, find(red, before));
        }
        let after = _mm512_mask_mov_epi8(before, RED, find(red, before));
        let after = _mm512_mask_mov_epi8(after, RED << 1, find(green, before));
        _mm512_mask_mov_epi8(after, RED << 2, find(blue, before))
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
