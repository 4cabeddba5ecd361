//! Medians of squares of three and five rows, in registers from the sorted columns on.

use super::CHUNK;

/// Where sorted columns are: all least values, then all second ones, and so on.
#[derive(Clone, Copy)]
pub(crate) struct Ranked {
    /// Bytes from one rank to the next.
    pub length: usize,
    /// Bytes from one column to the next.
    pub channels: usize,
}

/// Sorts the values at each place of `SIDE` lines; those of each rank go to `sorted`, `length` bytes apart. What lies behind
/// the last place up to a whole chunk is overwritten. `SIDE` is 3 or 5.
///
/// # Panics
/// When the lines differ in length or `sorted` is too short.
pub(crate) fn sort_lines<const SIDE: usize>(lines: &[&[u8]], length: usize, sorted: &mut [u8]) {
    let lines: &[&[u8]; SIDE] = lines.try_into().expect("there are as many lines as ranks");
    let width = lines[0].len();
    assert!(lines.iter().all(|line| line.len() == width), "the lines have one length");
    assert!(sorted.len() >= (SIDE - 1) * length + width.next_multiple_of(CHUNK), "there is a place for all ranks");
    let whole = width / CHUNK * CHUNK;
    sort_whole::<SIDE>(lines.map(|line| &line[..whole]), length, sorted);
    if whole < width {
        let mut last = [[0; CHUNK]; SIDE];
        for (last, line) in last.iter_mut().zip(lines) {
            last[..width - whole].copy_from_slice(&line[whole..]);
        }
        sort_whole::<SIDE>(last.each_ref().map(|line| &line[..]), length, &mut sorted[whole..]);
    }
}

/// Sets each value of `out` to the median of `SIDE` neighbouring columns, the first of which is in its place. `SIDE` is 3
/// or 5.
///
/// # Panics
/// When `sorted` does not have enough columns for whole chunks of `out`.
pub(crate) fn median_of_columns<const SIDE: usize>(sorted: &[u8], ranked: Ranked, out: &mut [u8]) {
    let Ranked { length, channels } = ranked;
    let beside = (SIDE - 1) * channels;
    let reach = (SIDE - 1) * length + beside + out.len().next_multiple_of(CHUNK);
    assert!(sorted.len() >= reach, "there are columns for all values");
    let (whole, rest) = out.as_chunks_mut::<CHUNK>();
    let count = whole.len() * CHUNK;
    median_whole::<SIDE>(sorted, ranked, whole);
    if !rest.is_empty() {
        let mut last = [[0; CHUNK]];
        median_whole::<SIDE>(&sorted[count..], ranked, &mut last);
        rest.copy_from_slice(&last[0][..rest.len()]);
    }
}

/// `lines` are whole chunks of one length, and there is a place in `sorted` for all ranks.
fn sort_whole<const SIDE: usize>(lines: [&[u8]; SIDE], length: usize, sorted: &mut [u8]) {
    #[cfg(target_arch = "x86_64")]
    {
        use super::Level;
        #[expect(unsafe_code, reason = "the processor was asked and the lengths were checked")]
        // SAFETY: `level` has found these instructions; `sort_lines` has compared the lengths.
        unsafe {
            match super::level() {
                Level::Baseline => sse2::sort::<SIDE>(lines, length, sorted),
                Level::Avx2 => avx2::sort::<SIDE>(lines, length, sorted),
                Level::Avx512 => avx512::sort::<SIDE>(lines, length, sorted),
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    for at in (0..lines[0].len()).step_by(CHUNK) {
        let mut values = [[0; CHUNK]; SIDE];
        for (value, line) in values.iter_mut().zip(lines) {
            value.copy_from_slice(&line[at..at + CHUNK]);
        }
        portable::sort::<SIDE>(&mut values);
        for (rank, value) in values.iter().enumerate() {
            sorted[rank * length + at..][..CHUNK].copy_from_slice(value);
        }
    }
}

/// There are as many columns in `sorted` as `out` needs.
fn median_whole<const SIDE: usize>(sorted: &[u8], ranked: Ranked, out: &mut [[u8; CHUNK]]) {
    #[cfg(target_arch = "x86_64")]
    {
        use super::Level;
        #[expect(unsafe_code, reason = "the processor was asked and the lengths were checked")]
        // SAFETY: `level` has found these instructions; `median_of_columns` has compared the lengths.
        unsafe {
            match super::level() {
                Level::Baseline => sse2::median::<SIDE>(sorted, ranked, out),
                Level::Avx2 => avx2::median::<SIDE>(sorted, ranked, out),
                Level::Avx512 => avx512::median::<SIDE>(sorted, ranked, out),
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    for (index, out) in out.iter_mut().enumerate() {
        let mut values = [[0; CHUNK]; MOST];
        for (place, value) in values[..SIDE * SIDE].iter_mut().enumerate() {
            let from = place / SIDE * ranked.length + index * CHUNK + place % SIDE * ranked.channels;
            value.copy_from_slice(&sorted[from..from + CHUNK]);
        }
        *out = portable::median::<SIDE>(&mut values);
    }
}

/// Values of the largest square.
const MOST: usize = 25;

/// Comparisons of the places of an array, in the order they are written in.
macro_rules! comparisons {
    ($min:ident, $max:ident, $values:ident: $($low:literal $high:literal),+) => {
        $(
            ($values[$low], $values[$high]) =
                ($min($values[$low], $values[$high]), $max($values[$low], $values[$high]));
        )+
    };
}

/// Sorts the first three or five of `values`.
macro_rules! sort {
    ($min:ident, $max:ident, $values:ident, $side:ident) => {
        if $side == 3 {
            comparisons!($min, $max, $values: 0 1, 1 2, 0 1);
        } else {
            comparisons!($min, $max, $values: 0 1, 3 4, 2 4, 2 3, 1 4, 0 3, 0 2, 1 3, 1 2);
        }
    };
}

/// The median of nine or twenty-five `values`, of which all least values of sorted columns are the first ones.
macro_rules! median {
    ($min:ident, $max:ident, $values:ident, $side:ident) => {
        if $side == 3 {
            // The median of the greatest of the least, the median of the medians, and the least of the greatest.
            let low = $max($max($values[0], $values[1]), $values[2]);
            let high = $min($min($values[6], $values[7]), $values[8]);
            let middle = middle!($min, $max, $values[3], $values[4], $values[5]);
            middle!($min, $max, low, middle, high)
        } else {
            // Made as `Ranks` makes the networks of larger squares.
            comparisons!($min, $max, $values: 0 1, 2 3, 0 2, 1 3, 1 2, 0 4, 2 4, 3 4, 5 6, 7 8, 5 7, 6 8, 6 7, 5 9, 7 9, 6 7, 8 9, 10 11, 12 13, 10 12, 11 13, 11 12, 10 14, 12 14, 11 12, 13 14, 15 16, 17 18, 15 17, 16 18, 16 17, 15 19, 17 19, 16 17, 20 21, 22 23, 20 22, 21 23, 21 22, 20 24, 22 24, 21 22, 3 7, 11 15, 4 8, 12 16, 20 9, 13 17, 3 11, 7 15, 4 12, 8 16, 20 13, 9 17, 7 11, 8 12, 9 13, 7 8, 11 12, 15 16, 11 4, 15 8, 13 21, 15 4, 8 12, 9 13, 3 20, 4 20, 8 9, 12 13, 15 8, 12 20, 8 12);
            $values[12]
        }
    };
}

macro_rules! middle {
    ($min:ident, $max:ident, $a:expr, $b:expr, $c:expr) => {
        $max($min($a, $b), $min($max($a, $b), $c))
    };
}

#[cfg(target_arch = "x86_64")]
macro_rules! medians {
    ($name:ident, $features:literal, $vector:ty, $load:ident, $store:ident, $min:ident, $max:ident, $zero:ident) => {
        mod $name {
            use std::arch::x86_64::*;

            use super::{CHUNK, MOST, Ranked};

            const LANES: usize = size_of::<$vector>();

            /// # Safety
            /// `lines` have one length and are whole chunks; `sorted` has a place for all ranks.
            #[expect(unsafe_code, reason = "vectors are read and written through pointers")]
            #[target_feature(enable = $features)]
            pub(super) unsafe fn sort<const SIDE: usize>(lines: [&[u8]; SIDE], length: usize, sorted: &mut [u8]) {
                let mut at = 0;
                while at < lines[0].len() {
                    // Written out, so that the values stay in registers.
                    let load = |line: usize| {
                        // SAFETY: the caller has checked the lengths.
                        unsafe { $load(lines[line].as_ptr().add(at).cast()) }
                    };
                    let mut values = if SIDE == 3 {
                        [load(0), load(1), load(2), $zero(), $zero()]
                    } else {
                        [load(0), load(1), load(2), load(3), load(4)]
                    };
                    sort!($min, $max, values, SIDE);
                    let mut store = |rank: usize, value: $vector| {
                        // SAFETY: the caller has checked the lengths.
                        unsafe { $store(sorted.as_mut_ptr().add(rank * length + at).cast(), value) };
                    };
                    store(0, values[0]);
                    store(1, values[1]);
                    store(2, values[2]);
                    if SIDE == 5 {
                        store(3, values[3]);
                        store(4, values[4]);
                    }
                    at += LANES;
                }
            }

            /// # Safety
            /// There are as many columns in `sorted` as `out` needs.
            #[expect(unsafe_code, reason = "vectors are read and written through pointers")]
            #[target_feature(enable = $features)]
            pub(super) unsafe fn median<const SIDE: usize>(sorted: &[u8], ranked: Ranked, out: &mut [[u8; CHUNK]]) {
                let out = out.as_flattened_mut();
                let mut at = 0;
                while at < out.len() {
                    let load = |rank: usize, column: usize| {
                        let from = rank * ranked.length + column * ranked.channels + at;
                        // SAFETY: the caller has checked that there are columns.
                        unsafe { $load(sorted.as_ptr().add(from).cast()) }
                    };
                    let mut values = [$zero(); MOST];
                    if SIDE == 3 {
                        [values[0], values[1], values[2]] = [load(0, 0), load(0, 1), load(0, 2)];
                        [values[3], values[4], values[5]] = [load(1, 0), load(1, 1), load(1, 2)];
                        [values[6], values[7], values[8]] = [load(2, 0), load(2, 1), load(2, 2)];
                    } else {
                        values = [
                            load(0, 0),
                            load(0, 1),
                            load(0, 2),
                            load(0, 3),
                            load(0, 4),
                            load(1, 0),
                            load(1, 1),
                            load(1, 2),
                            load(1, 3),
                            load(1, 4),
                            load(2, 0),
                            load(2, 1),
                            load(2, 2),
                            load(2, 3),
                            load(2, 4),
                            load(3, 0),
                            load(3, 1),
                            load(3, 2),
                            load(3, 3),
                            load(3, 4),
                            load(4, 0),
                            load(4, 1),
                            load(4, 2),
                            load(4, 3),
                            load(4, 4),
                        ];
                    }
                    let median = median!($min, $max, values, SIDE);
                    // SAFETY: a chunk is made up of vectors.
                    unsafe { $store(out.as_mut_ptr().add(at).cast(), median) };
                    at += LANES;
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
medians!(sse2, "sse2", __m128i, _mm_loadu_si128, _mm_storeu_si128, _mm_min_epu8, _mm_max_epu8, _mm_setzero_si128);
#[cfg(target_arch = "x86_64")]
medians!(
    avx2,
    "avx2",
    __m256i,
    _mm256_loadu_si256,
    _mm256_storeu_si256,
    _mm256_min_epu8,
    _mm256_max_epu8,
    _mm256_setzero_si256
);
#[cfg(target_arch = "x86_64")]
medians!(
    avx512,
    "avx512f,avx512bw",
    __m512i,
    _mm512_loadu_si512,
    _mm512_storeu_si512,
    _mm512_min_epu8,
    _mm512_max_epu8,
    _mm512_setzero_si512
);

#[cfg(any(test, not(target_arch = "x86_64")))]
mod portable {
    use super::{CHUNK, MOST};

    pub(super) fn sort<const SIDE: usize>(values: &mut [[u8; CHUNK]; SIDE]) {
        sort!(min, max, values, SIDE);
    }

    pub(super) fn median<const SIDE: usize>(values: &mut [[u8; CHUNK]; MOST]) -> [u8; CHUNK] {
        median!(min, max, values, SIDE)
    }

    #[inline(always)]
    fn min(one: [u8; CHUNK], other: [u8; CHUNK]) -> [u8; CHUNK] {
        let mut least = one;
        for at in 0..CHUNK {
            least[at] = one[at].min(other[at]);
        }
        least
    }

    #[inline(always)]
    fn max(one: [u8; CHUNK], other: [u8; CHUNK]) -> [u8; CHUNK] {
        let mut greatest = one;
        for at in 0..CHUNK {
            greatest[at] = one[at].max(other[at]);
        }
        greatest
    }
}
