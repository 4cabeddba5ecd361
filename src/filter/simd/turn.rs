//! Squares of pixels, turned over their diagonal.

/// Side of a square.
pub(crate) const SIDE: usize = 8;

/// Where the rows of a square begin and how far they are apart; a distance below zero goes upwards.
#[derive(Clone, Copy)]
pub(crate) struct Rows {
    pub first: usize,
    pub step: isize,
}

impl Rows {
    #[inline(always)]
    fn at(self, index: usize) -> usize {
        self.first.wrapping_add_signed(index as isize * self.step)
    }
}

/// Row `n` of the squares that begin at `from` in `source` becomes column `n` of the squares that begin at `to` in
/// `output`, for `squares` squares side by side in `output`.
///
/// # Panics
/// When a square does not lie within its picture.
pub(crate) fn transpose(source: &[[u8; 4]], from: Rows, (output, to): (&mut [[u8; 4]], Rows), squares: usize) {
    #[cfg(target_arch = "x86_64")]
    if super::level() >= super::Level::Avx2 && squares > 0 {
        let last_of = |rows: Rows, count: usize, length: usize| [0, count - 1].map(|row| rows.at(row) + length);
        let lies_within = |ends: [usize; 2], length: usize| ends.iter().all(|end| *end <= length);
        let columns = squares * SIDE;
        assert!(lies_within(last_of(from, columns, SIDE), source.len()), "the squares lie within the source");
        assert!(lies_within(last_of(to, SIDE, columns), output.len()), "the squares lie within the output");
        #[expect(unsafe_code, reason = "the processor was asked and the places were checked")]
        // SAFETY: `level` has found these instructions; the first and the last row lie within, so all between do.
        unsafe {
            x86::transpose(source, from, (output, to), squares);
        }
        return;
    }
    for column in 0..squares * SIDE {
        let pixels = &source[from.at(column)..][..SIDE];
        for (row, pixel) in pixels.iter().enumerate() {
            output[to.at(row) + column] = *pixel;
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Rows, SIDE};

    /// # Safety
    /// All rows of all squares lie within `source` and `output`.
    #[expect(unsafe_code, reason = "vectors are read and written through pointers")]
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn transpose(
        source: &[[u8; 4]],
        from: Rows,
        (output, to): (&mut [[u8; 4]], Rows),
        squares: usize,
    ) {
        for square in 0..squares {
            let row = |index: usize| {
                let pixels = source.as_ptr().wrapping_add(from.at(square * SIDE + index));
                // SAFETY: the caller has checked the squares.
                unsafe { _mm256_loadu_si256(pixels.cast()) }
            };
            let [a, b, c, d, e, f, g, h] = [0, 1, 2, 3, 4, 5, 6, 7].map(row);
            // Pixels, then pairs of them, then halves of the rows change places.
            let pairs = |a, b, c, d| {
                let (low, high) = (_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
                let (next_low, next_high) = (_mm256_unpacklo_epi32(c, d), _mm256_unpackhi_epi32(c, d));
                [
                    _mm256_unpacklo_epi64(low, next_low),
                    _mm256_unpackhi_epi64(low, next_low),
                    _mm256_unpacklo_epi64(high, next_high),
                    _mm256_unpackhi_epi64(high, next_high),
                ]
            };
            let (upper, lower) = (pairs(a, b, c, d), pairs(e, f, g, h));
            for index in 0..SIDE {
                let (one, other) = (upper[index % 4], lower[index % 4]);
                let turned = if index < 4 {
                    _mm256_permute2x128_si256::<0x20>(one, other)
                } else {
                    _mm256_permute2x128_si256::<0x31>(one, other)
                };
                let pixels = output.as_mut_ptr().wrapping_add(to.at(index) + square * SIDE);
                // SAFETY: the caller has checked the squares.
                unsafe { _mm256_storeu_si256(pixels.cast(), turned) };
            }
        }
    }
}
