//! Medians of squares of three and five rows, in registers.

use super::CHUNK;

/// Rows and columns of the square that is sorted by columns.
const SIDE: usize = 5;

/// Comparisons of the places of an array, in the order they are written in.
macro_rules! comparisons {
    ($min:ident, $max:ident, $values:ident: $($low:literal $high:literal),+) => {
        $(
            ($values[$low], $values[$high]) =
                ($min($values[$low], $values[$high]), $max($values[$low], $values[$high]));
        )+
    };
}

/// Sorts five values.
macro_rules! sort {
    ($min:ident, $max:ident, $values:ident) => {
        comparisons!($min, $max, $values: 0 1, 3 4, 2 4, 2 3, 1 4, 0 3, 0 2, 1 3, 1 2);
    };
}

/// The median of twenty-five values, of which all least values of sorted columns are the first ones. Made as `Ranks` makes
/// the networks of larger squares.
macro_rules! median {
    ($min:ident, $max:ident, $values:ident) => {{
        comparisons!($min, $max, $values: 0 1, 2 3, 0 2, 1 3, 1 2, 0 4, 2 4, 3 4, 5 6, 7 8, 5 7, 6 8, 6 7, 5 9, 7 9, 6 7, 8 9, 10 11, 12 13, 10 12, 11 13, 11 12, 10 14, 12 14, 11 12, 13 14, 15 16, 17 18, 15 17, 16 18, 16 17, 15 19, 17 19, 16 17, 20 21, 22 23, 20 22, 21 23, 21 22, 20 24, 22 24, 21 22, 3 7, 11 15, 4 8, 12 16, 20 9, 13 17, 3 11, 7 15, 4 12, 8 16, 20 13, 9 17, 7 11, 8 12, 9 13, 7 8, 11 12, 15 16, 11 4, 15 8, 13 21, 15 4, 8 12, 9 13, 3 20, 4 20, 8 9, 12 13, 15 8, 12 20, 8 12);
        $values[12]
    }};
}

/// The medians of two squares of three: of the upper three and of the lower three of four lines. `load` gives the values of a
/// line and a column. Written out, so that the values stay in registers.
macro_rules! three {
    ($min:ident, $max:ident, $load:ident) => {{
        let columns = [
            sorted_twice!($min, $max, $load, 0),
            sorted_twice!($min, $max, $load, 1),
            sorted_twice!($min, $max, $load, 2),
        ];
        [median_of_sorted!($min, $max, columns, 0), median_of_sorted!($min, $max, columns, 1)]
    }};
}

/// The upper three and the lower three values of a column of four, each sorted.
macro_rules! sorted_twice {
    ($min:ident, $max:ident, $load:ident, $column:literal) => {{
        let (upper, lower) = ($load(1, $column), $load(2, $column));
        let (least, most) = ($min(upper, lower), $max(upper, lower));
        [insert!($min, $max, $load(0, $column), least, most), insert!($min, $max, $load(3, $column), least, most)]
    }};
}

macro_rules! insert {
    ($min:ident, $max:ident, $value:expr, $least:ident, $most:ident) => {{
        let value = $value;
        let above = $max(value, $least);
        [$min(value, $least), $min(above, $most), $max(above, $most)]
    }};
}

/// The median of the greatest of the least, the median of the medians, and the least of the greatest.
macro_rules! median_of_sorted {
    ($min:ident, $max:ident, $columns:ident, $square:literal) => {{
        let [one, two, three] = [$columns[0][$square], $columns[1][$square], $columns[2][$square]];
        let low = $max($max(one[0], two[0]), three[0]);
        let high = $min($min(one[2], two[2]), three[2]);
        let middle = middle!($min, $max, one[1], two[1], three[1]);
        middle!($min, $max, low, middle, high)
    }};
}

macro_rules! middle {
    ($min:ident, $max:ident, $a:expr, $b:expr, $c:expr) => {
        $max($min($a, $b), $min($max($a, $b), $c))
    };
}

/// Where sorted columns are: all least values, then all second ones, and so on.
#[derive(Clone, Copy)]
pub(crate) struct Ranked {
    /// Bytes from one rank to the next.
    pub length: usize,
    /// Bytes from one column to the next.
    pub channels: usize,
}

/// Sorts the values at each place of five lines; those of each rank go to `sorted`, `length` bytes apart. What lies behind
/// the last place up to a whole chunk is overwritten.
///
/// # Panics
/// When the lines differ in length or `sorted` is too short.
pub(crate) fn sort_five_lines(lines: &[&[u8]], length: usize, sorted: &mut [u8]) {
    let lines: &[&[u8]; SIDE] = lines.try_into().expect("there are as many lines as ranks");
    let width = lines[0].len();
    assert!(lines.iter().all(|line| line.len() == width), "the lines have one length");
    assert!(sorted.len() >= (SIDE - 1) * length + width.next_multiple_of(CHUNK), "there is a place for all ranks");
    let whole = width / CHUNK * CHUNK;
    sort_whole(lines.map(|line| &line[..whole]), length, sorted);
    if whole < width {
        let mut last = [[0; CHUNK]; SIDE];
        for (last, line) in last.iter_mut().zip(lines) {
            last[..width - whole].copy_from_slice(&line[whole..]);
        }
        sort_whole(last.each_ref().map(|line| &line[..]), length, &mut sorted[whole..]);
    }
}

/// Sets each value of `out` to the median of five neighbouring columns, the first of which is in its place.
///
/// # Panics
/// When `sorted` does not have enough columns for whole chunks of `out`.
pub(crate) fn median_of_five_columns(sorted: &[u8], ranked: Ranked, out: &mut [u8]) {
    let Ranked { length, channels } = ranked;
    let beside = (SIDE - 1) * channels;
    let reach = (SIDE - 1) * length + beside + out.len().next_multiple_of(CHUNK);
    assert!(sorted.len() >= reach, "there are columns for all values");
    let (whole, rest) = out.as_chunks_mut::<CHUNK>();
    let count = whole.len() * CHUNK;
    median_whole(sorted, ranked, whole);
    if !rest.is_empty() {
        let mut last = [[0; CHUNK]];
        median_whole(&sorted[count..], ranked, &mut last);
        rest.copy_from_slice(&last[0][..rest.len()]);
    }
}

/// Most bytes of a pixel.
const MOST_CHANNELS: usize = 4;

/// Sets two rows, which lie between the second and the third of `lines` one below the other, to the medians of squares of
/// three: the two middle lines are compared for both. Beyond the ends the last pixel of `channels` bytes, at most four,
/// counts on.
///
/// # Panics
/// When a line or row differs in length.
pub(crate) fn median_of_three(lines: [&[u8]; 4], channels: usize, first: &mut [u8], second: &mut [u8]) {
    let stride = lines[0].len();
    assert!(lines.iter().all(|line| line.len() == stride), "the lines have one length");
    assert!(first.len() == stride && second.len() == stride, "the rows have that of the lines");
    // The first chunk and what is not whole at the end have neighbours beyond the ends.
    let inner = stride.saturating_sub(CHUNK + channels) / CHUNK * CHUNK;
    let within = CHUNK..CHUNK + inner;
    if inner > 0 {
        let lines = lines.map(|line| &line[CHUNK - channels..CHUNK + inner + channels]);
        three_whole(lines, channels, &mut first[within.clone()], &mut second[within.clone()]);
    }
    for start in std::iter::once(0).chain((within.end..stride).step_by(CHUNK)) {
        let count = CHUNK.min(stride - start);
        let inside = start.saturating_sub(channels)..(start + count + channels).min(stride);
        let before = inside.start + channels - start;
        let after = before + inside.len();
        let mut padded = [[0; CHUNK + 2 * MOST_CHANNELS]; 4];
        for (padded, line) in padded.iter_mut().zip(lines) {
            padded[before..after].copy_from_slice(&line[inside.clone()]);
            for place in (0..before).rev() {
                padded[place] = padded[place + channels];
            }
            for place in after..count + 2 * channels {
                padded[place] = padded[place - channels];
            }
        }
        let lines = padded.each_ref().map(|line| &line[..CHUNK + 2 * channels]);
        let mut rows = [[0; CHUNK]; 2];
        let [one, other] = &mut rows;
        three_whole(lines, channels, one, other);
        first[start..start + count].copy_from_slice(&rows[0][..count]);
        second[start..start + count].copy_from_slice(&rows[1][..count]);
    }
}

/// The rows are whole chunks; the lines begin a pixel before and end a pixel behind them.
fn three_whole(lines: [&[u8]; 4], channels: usize, first: &mut [u8], second: &mut [u8]) {
    #[cfg(target_arch = "x86_64")]
    {
        use super::Level;
        #[expect(unsafe_code, reason = "the processor was asked and the lengths were checked")]
        // SAFETY: `level` has found these instructions; `median_of_three` has cut the lines to their lengths.
        unsafe {
            match super::level() {
                Level::Baseline => sse2::three(lines, channels, first, second),
                Level::Avx2 => avx2::three(lines, channels, first, second),
                Level::Avx512 => avx512::three(lines, channels, first, second),
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    portable::three(lines, channels, first, second);
}

/// `lines` are whole chunks of one length, and there is a place in `sorted` for all ranks.
fn sort_whole(lines: [&[u8]; SIDE], length: usize, sorted: &mut [u8]) {
    #[cfg(target_arch = "x86_64")]
    {
        use super::Level;
        #[expect(unsafe_code, reason = "the processor was asked and the lengths were checked")]
        // SAFETY: `level` has found these instructions; `sort_lines` has compared the lengths.
        unsafe {
            match super::level() {
                Level::Baseline => sse2::sort(lines, length, sorted),
                Level::Avx2 => avx2::sort(lines, length, sorted),
                Level::Avx512 => avx512::sort(lines, length, sorted),
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    portable::sort(lines, length, sorted);
}

/// There are as many columns in `sorted` as `out` needs.
fn median_whole(sorted: &[u8], ranked: Ranked, out: &mut [[u8; CHUNK]]) {
    #[cfg(target_arch = "x86_64")]
    {
        use super::Level;
        #[expect(unsafe_code, reason = "the processor was asked and the lengths were checked")]
        // SAFETY: `level` has found these instructions; `median_of_columns` has compared the lengths.
        unsafe {
            match super::level() {
                Level::Baseline => sse2::median(sorted, ranked, out),
                Level::Avx2 => avx2::median(sorted, ranked, out),
                Level::Avx512 => avx512::median(sorted, ranked, out),
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    portable::median(sorted, ranked, out);
}

#[cfg(target_arch = "x86_64")]
macro_rules! medians {
    ($name:ident, $features:literal, $vector:ty, $load:ident, $store:ident, $min:ident, $max:ident) => {
        mod $name {
            use std::arch::x86_64::*;

            use super::{CHUNK, Ranked, SIDE};

            const LANES: usize = size_of::<$vector>();

            /// # Safety
            /// `lines` have one length and are whole chunks; `sorted` has a place for all ranks.
            #[expect(unsafe_code, reason = "vectors are read and written through pointers")]
            #[target_feature(enable = $features)]
            pub(super) unsafe fn sort(lines: [&[u8]; SIDE], length: usize, sorted: &mut [u8]) {
                let mut at = 0;
                while at < lines[0].len() {
                    // Written out, so that the values stay in registers.
                    let load = |line: usize| {
                        // SAFETY: the caller has checked the lengths.
                        unsafe { $load(lines[line].as_ptr().add(at).cast()) }
                    };
                    let mut values = [load(0), load(1), load(2), load(3), load(4)];
                    sort!($min, $max, values);
                    let mut store = |rank: usize, value: $vector| {
                        // SAFETY: the caller has checked the lengths.
                        unsafe { $store(sorted.as_mut_ptr().add(rank * length + at).cast(), value) };
                    };
                    store(0, values[0]);
                    store(1, values[1]);
                    store(2, values[2]);
                    store(3, values[3]);
                    store(4, values[4]);
                    at += LANES;
                }
            }

            /// # Safety
            /// The rows have one length and are whole chunks; the lines are two pixels longer.
            #[expect(unsafe_code, reason = "vectors are read and written through pointers")]
            #[target_feature(enable = $features)]
            pub(super) unsafe fn three(lines: [&[u8]; 4], channels: usize, first: &mut [u8], second: &mut [u8]) {
                let mut at = 0;
                while at < first.len() {
                    let load = |line: usize, column: usize| {
                        // SAFETY: the caller has checked the lengths.
                        unsafe { $load(lines[line].as_ptr().add(at + column * channels).cast()) }
                    };
                    let [one, other] = three!($min, $max, load);
                    // SAFETY: the caller has checked the lengths.
                    unsafe {
                        $store(first.as_mut_ptr().add(at).cast(), one);
                        $store(second.as_mut_ptr().add(at).cast(), other);
                    }
                    at += LANES;
                }
            }

            /// # Safety
            /// There are as many columns in `sorted` as `out` needs.
            #[expect(unsafe_code, reason = "vectors are read and written through pointers")]
            #[target_feature(enable = $features)]
            pub(super) unsafe fn median(sorted: &[u8], ranked: Ranked, out: &mut [[u8; CHUNK]]) {
                let out = out.as_flattened_mut();
                let mut at = 0;
                while at < out.len() {
                    let load = |rank: usize, column: usize| {
                        let from = rank * ranked.length + column * ranked.channels + at;
                        // SAFETY: the caller has checked that there are columns.
                        unsafe { $load(sorted.as_ptr().add(from).cast()) }
                    };
                    let mut values = [
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
                    let median = median!($min, $max, values);
                    // SAFETY: a chunk is made up of vectors.
                    unsafe { $store(out.as_mut_ptr().add(at).cast(), median) };
                    at += LANES;
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
medians!(sse2, "sse2", __m128i, _mm_loadu_si128, _mm_storeu_si128, _mm_min_epu8, _mm_max_epu8);
#[cfg(target_arch = "x86_64")]
medians!(avx2, "avx2", __m256i, _mm256_loadu_si256, _mm256_storeu_si256, _mm256_min_epu8, _mm256_max_epu8);
#[cfg(target_arch = "x86_64")]
medians!(
    avx512,
    "avx512f,avx512bw",
    __m512i,
    _mm512_loadu_si512,
    _mm512_storeu_si512,
    _mm512_min_epu8,
    _mm512_max_epu8
);

#[cfg(not(target_arch = "x86_64"))]
mod portable {
    use super::{CHUNK, Ranked, SIDE};

    /// Stands in for a chunk that the callers have made sure of.
    const NONE: [u8; CHUNK] = [0; CHUNK];

    pub(super) fn three(lines: [&[u8]; 4], channels: usize, first: &mut [u8], second: &mut [u8]) {
        let rows = first.as_chunks_mut::<CHUNK>().0.iter_mut().zip(second.as_chunks_mut::<CHUNK>().0);
        for (index, (first, second)) in rows.enumerate() {
            let part = |line: usize, column: usize| {
                lines[line][index * CHUNK + column * channels..].first_chunk::<CHUNK>().unwrap_or(&NONE)
            };
            let parts = [0, 1, 2, 3].map(|line| [part(line, 0), part(line, 1), part(line, 2)]);
            for at in 0..CHUNK {
                let load = |line: usize, column: usize| parts[line][column][at];
                [first[at], second[at]] = three!(min, max, load);
            }
        }
    }

    pub(super) fn sort(lines: [&[u8]; SIDE], length: usize, sorted: &mut [u8]) {
        for start in (0..lines[0].len()).step_by(CHUNK) {
            let parts = lines.map(|line| line[start..].first_chunk::<CHUNK>().unwrap_or(&NONE));
            let mut ranks = [NONE; SIDE];
            for at in 0..CHUNK {
                let mut values = [parts[0][at], parts[1][at], parts[2][at], parts[3][at], parts[4][at]];
                sort!(min, max, values);
                for rank in 0..SIDE {
                    ranks[rank][at] = values[rank];
                }
            }
            for (rank, values) in ranks.iter().enumerate() {
                sorted[rank * length + start..][..CHUNK].copy_from_slice(values);
            }
        }
    }

    pub(super) fn median(sorted: &[u8], ranked: Ranked, out: &mut [[u8; CHUNK]]) {
        for (index, out) in out.iter_mut().enumerate() {
            let parts: [[&[u8; CHUNK]; SIDE]; SIDE] = std::array::from_fn(|rank| {
                std::array::from_fn(|column| {
                    let from = rank * ranked.length + column * ranked.channels + index * CHUNK;
                    sorted[from..].first_chunk().unwrap_or(&NONE)
                })
            });
            for at in 0..CHUNK {
                let load = |rank: usize, column: usize| parts[rank][column][at];
                let mut values = [
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
                out[at] = median!(min, max, values);
            }
        }
    }

    #[inline(always)]
    fn min(one: u8, other: u8) -> u8 {
        one.min(other)
    }

    #[inline(always)]
    fn max(one: u8, other: u8) -> u8 {
        one.max(other)
    }
}
