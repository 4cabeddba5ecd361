//! Look-up tables of 256 levels a channel.

use crate::frame::BYTES_PER_PIXEL;

/// One level to another, for red, green and blue.
#[derive(Clone)]
pub(super) struct Table {
    levels: [[u8; 256]; 3],
}

impl Table {
    pub(super) fn new(levels: [[u8; 256]; 3]) -> Self {
        Self { levels }
    }

    #[cfg(test)]
    pub(super) fn levels(&self) -> &[[u8; 256]; 3] {
        &self.levels
    }

    /// First `self`, then `next`.
    pub(super) fn then(&self, next: &Self) -> Self {
        let mut levels = self.levels;
        for (levels, next) in levels.iter_mut().zip(&next.levels) {
            for level in levels {
                *level = next[usize::from(*level)];
            }
        }
        Self { levels }
    }

    /// RGBA in place; alpha stays.
    pub(super) fn apply(&self, pixels: &mut [[u8; BYTES_PER_PIXEL]]) {
        #[cfg(target_arch = "x86_64")]
        let pixels = if crate::filter::simd::level() == crate::filter::simd::Level::Avx512 {
            let (whole, rest) = pixels.as_chunks_mut::<{ x86::PIXELS }>();
            #[expect(unsafe_code, reason = "the processor was asked")]
            // SAFETY: `level` has found these instructions.
            unsafe {
                x86::look_up(&self.levels, whole);
            }
            rest
        } else {
            pixels
        };
        let [red, green, blue] = &self.levels;
        for pixel in pixels {
            let [r, g, b, a] = *pixel;
            *pixel = [red[usize::from(r)], green[usize::from(g)], blue[usize::from(b)], a];
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_of_every_channel_is_looked_up_wherever_it_stands() {
        let table = Table::new(std::array::from_fn(|channel| {
            std::array::from_fn(|level| (level * 37 + channel * 11 + level * level / 7) as u8)
        }));
        let same = Table::new([table.levels[1]; 3]);
        for table in [table, same] {
            for length in [0, 1, 15, 16, 17, 256, 300] {
                let mut pixels: Vec<[u8; 4]> =
                    (0..length).map(|at| [at as u8, (at + 85) as u8, (at * 3) as u8, at as u8]).collect();
                let [red, green, blue] = &table.levels;
                let wanted: Vec<[u8; 4]> = pixels
                    .iter()
                    .map(|[r, g, b, a]| [red[usize::from(*r)], green[usize::from(*g)], blue[usize::from(*b)], *a])
                    .collect();
                table.apply(&mut pixels);
                assert!(pixels == wanted, "{length} pixels");
            }
        }
    }
}
