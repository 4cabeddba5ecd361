//! The median of a square around each value, by a network of comparisons that is made when the filter is: every value of
//! a row goes through the same comparisons, which are vector instructions.

use super::plane::held;
use crate::filter::bands::for_each_band_with;
use crate::filter::simd::{CHUNK, Ranked, median_of_five_columns, median_of_three, sort_five_lines, vectorised};

/// The largest square has nine rows.
const MOST_ROWS: usize = 9;
/// Bytes of a row worked on before the next row, with what lies beside them.
const STRIP: usize = 16 * CHUNK;
/// Bytes that go through a network together: more than one vector, because what one comparison writes the next one often
/// reads, and there is something else to do meanwhile.
const WIDE: usize = 4 * CHUNK;

/// A comparison of two places: the lesser value goes to the first, the greater to the second.
type Comparison = [u8; 2];

/// The median filter of one side, for pictures of any size.
pub(crate) struct Ranks {
    side: usize,
    /// Sorts a column.
    column: Vec<Comparison>,
    /// Leads from columns that are sorted to the median of all of them, at the place `middle`.
    network: Vec<Comparison>,
    middle: usize,
    scratch: Vec<Scratch>,
}

/// What a band needs while it works on a strip.
#[derive(Default, Clone)]
struct Scratch {
    /// Sorted columns: all least values, then all second ones, and so on.
    sorted: Vec<u8>,
    values: Vec<Values>,
}

/// Values at a place of a network; a vector that lies across two lines of the cache takes twice as long.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Values([u8; WIDE]);

impl Ranks {
    /// `radius` is 1 to 4: from the middle of the square to its side.
    pub(crate) fn new(radius: usize) -> Self {
        let side = 2 * radius + 1;
        let column = sorting_network(side);
        let (network, middle) = network_to_median(side);
        Self { side, column, network, middle, scratch: Vec::new() }
    }

    /// The median of each value and its neighbours, among pixels of `channels` bytes in rows of `stride` bytes, channel by
    /// channel. Beyond the picture's edge the last pixel counts on.
    pub(crate) fn run(&mut self, input: &[u8], (stride, channels): (usize, usize), output: &mut [u8]) {
        let height = input.len() / stride;
        let Self { side, column, network, middle, scratch } = self;
        let (side, middle) = (*side, *middle);
        let radius = side / 2;
        let beside = radius * channels;
        let length = (STRIP + 2 * beside).next_multiple_of(WIDE) + WIDE;
        for_each_band_with(output, stride, (scratch, 1), |first, band, scratch| {
            let Scratch { sorted, values } = &mut scratch[0];
            if side == 3 {
                return band_of_three(input, (stride, channels), (first, band), sorted);
            }
            sorted.resize(side * length, 0);
            values.resize(side * side, Values([0; WIDE]));
            for (index, out) in band.chunks_exact_mut(stride).enumerate() {
                let lines: [&[u8]; MOST_ROWS] = std::array::from_fn(|line| {
                    &input[held(first + index, line as isize - radius as isize, height) * stride..][..stride]
                });
                for start in (0..stride).step_by(STRIP) {
                    let end = (start + STRIP).min(stride);
                    let inside = start.saturating_sub(beside)..(end + beside).min(stride);
                    let before = inside.start + beside - start;
                    let parts = lines.map(|line| &line[inside.clone()]);
                    match side {
                        5 => sort_five_lines(&parts[..5], length, &mut sorted[before..]),
                        _ => sort_columns(&parts[..side], column, values, &mut sorted[before..], length),
                    }
                    let after = before + inside.len();
                    for rank in sorted.chunks_exact_mut(length) {
                        for place in (0..before).rev() {
                            rank[place] = rank[place + channels];
                        }
                        for place in after..end - start + 2 * beside {
                            rank[place] = rank[place - channels];
                        }
                    }
                    let (out, ranked) = (&mut out[start..end], Ranked { length, channels });
                    match side {
                        5 => median_of_five_columns(sorted, ranked, out),
                        _ => run_network(sorted, Shape { side, channels, length, middle }, network, values, out),
                    }
                }
            }
        });
    }
}

/// Medians of squares of three for the rows of a band, two at a time.
fn band_of_three(
    input: &[u8],
    (stride, channels): (usize, usize),
    (first, band): (usize, &mut [u8]),
    spare: &mut Vec<u8>,
) {
    let height = input.len() / stride;
    for (index, rows) in band.chunks_mut(2 * stride).enumerate() {
        let lines: [&[u8]; 4] =
            std::array::from_fn(|line| &input[held(first + 2 * index, line as isize - 1, height) * stride..][..stride]);
        let (upper, lower) = rows.split_at_mut(stride);
        if lower.is_empty() {
            spare.resize(stride, 0);
            median_of_three(lines, channels, upper, spare);
        } else {
            median_of_three(lines, channels, upper, lower);
        }
    }
}

#[derive(Clone, Copy)]
struct Shape {
    side: usize,
    channels: usize,
    length: usize,
    middle: usize,
}

#[inline(always)]
fn compare(values: &mut [Values], [low, high]: Comparison) {
    let (low, high) = (usize::from(low), usize::from(high));
    let (one, other) = (values[low].0, values[high].0);
    for at in 0..WIDE {
        values[low].0[at] = one[at].min(other[at]);
    }
    for at in 0..WIDE {
        values[high].0[at] = one[at].max(other[at]);
    }
}

vectorised! {
    /// Sorts the columns of `lines`; the values of each rank go to `sorted`, `length` bytes apart.
    fn sort_columns(
        lines: &[&[u8]],
        network: &[Comparison],
        values: &mut [Values],
        sorted: &mut [u8],
        length: usize,
    ) {
        let width = lines[0].len();
        for start in (0..width).step_by(WIDE) {
            let count = WIDE.min(width - start);
            for (value, line) in values.iter_mut().zip(lines) {
                match line.get(start..start + WIDE) {
                    Some(part) => value.0.copy_from_slice(part),
                    None => value.0[..count].copy_from_slice(&line[start..]),
                }
            }
            for comparison in network {
                compare(values, *comparison);
            }
            for (rank, value) in values.iter().take(lines.len()).enumerate() {
                // What lies behind the last column is scratch of the same rank.
                sorted[rank * length + start..][..WIDE].copy_from_slice(&value.0);
            }
        }
    }

    fn run_network(sorted: &[u8], shape: Shape, network: &[Comparison], values: &mut [Values], out: &mut [u8]) {
        let Shape { side, channels, length, middle } = shape;
        for (index, out) in out.chunks_mut(WIDE).enumerate() {
            for (place, value) in values.iter_mut().enumerate() {
                let from = place / side * length + index * WIDE + place % side * channels;
                value.0.copy_from_slice(&sorted[from..from + WIDE]);
            }
            for comparison in network {
                compare(values, *comparison);
            }
            let count = out.len();
            out.copy_from_slice(&values[middle].0[..count]);
        }
    }
}

/// Batcher's merge of odd and even places, for any number of values.
fn sorting_network(count: usize) -> Vec<Comparison> {
    let mut network = Vec::new();
    let mut part = 1;
    while part < count {
        let mut distance = part;
        while distance > 0 {
            for start in (distance % part..count).step_by(2 * distance) {
                for low in start..(start + distance).min(count.saturating_sub(distance)) {
                    if low / (2 * part) == (low + distance) / (2 * part) {
                        network.push([low as u8, (low + distance) as u8]);
                    }
                }
            }
            distance /= 2;
        }
        part *= 2;
    }
    network
}

/// What is known of the order of values while they go through a network.
struct Order {
    /// For each place, the places whose values are known to be not greater; one bit each.
    below: Vec<u128>,
    above: Vec<u128>,
    network: Vec<Comparison>,
}

impl Order {
    /// Values of which every row and every column is sorted: place `rank * side + column`.
    fn of_grid(side: usize) -> Self {
        let lies_below =
            |low: usize, high: usize| low != high && low / side <= high / side && low % side <= high % side;
        let bits = |is_one: &dyn Fn(usize) -> bool| {
            (0..side * side).filter(|place| is_one(*place)).map(|place| 1_u128 << place).sum()
        };
        Self {
            below: (0..side * side).map(|place| bits(&|other| lies_below(other, place))).collect(),
            above: (0..side * side).map(|place| bits(&|other| lies_below(place, other))).collect(),
            network: Vec::new(),
        }
    }

    /// Compares two places, unless their order is known already.
    fn compare(&mut self, low: usize, high: usize) {
        if self.above[low] >> high & 1 == 1 {
            return;
        }
        self.network.push([low as u8, high as u8]);
        let both = 1_u128 << low | 1_u128 << high;
        let (below, above) = ([self.below[low], self.below[high]], [self.above[low], self.above[high]]);
        self.below[low] = below[0] & below[1] & !both;
        self.above[low] = (above[0] | above[1] | 1 << high) & !(1 << low);
        self.below[high] = (below[0] | below[1] | 1 << low) & !(1 << high);
        self.above[high] = above[0] & above[1] & !both;
        for other in (0..self.below.len()).filter(|other| *other != low && *other != high) {
            for place in [low, high] {
                let set = |bits: u128, is_set: bool| bits & !(1 << place) | u128::from(is_set) << place;
                self.above[other] = set(self.above[other], self.below[place] >> other & 1 == 1);
                self.below[other] = set(self.below[other], self.above[place] >> other & 1 == 1);
            }
        }
    }
}

/// The comparisons from sorted columns to the median of all values, and its place. Sorts the rows of equal rank too, drops
/// what then can't be the median, sorts the rest as far as its order is not known, and leaves out what has no effect.
fn network_to_median(side: usize) -> (Vec<Comparison>, usize) {
    let half = side * side / 2;
    // The columns stay sorted while the rows are.
    let mut order = Order::of_grid(side);
    for rank in 0..side {
        let in_row = |place: u8| (rank * side) as u8 + place;
        order.network.extend(sorting_network(side).iter().map(|comparison| comparison.map(in_row)));
    }
    let is_too_high = |place: &usize| order.below[*place].count_ones() as usize > half;
    let is_too_low = |place: &usize| order.above[*place].count_ones() as usize > half;
    let too_low = (0..side * side).filter(is_too_low).count();
    let mut left: Vec<usize> = (0..side * side).filter(|place| !is_too_high(place) && !is_too_low(place)).collect();
    // In an order that agrees with what is known.
    left.sort_by_key(|place| (place / side + place % side, *place));
    let middle = left[half - too_low];
    for [low, high] in sorting_network(left.len()) {
        order.compare(left[usize::from(low)], left[usize::from(high)]);
    }
    let mut needed = 1_u128 << middle;
    let mut network = order.network;
    network.reverse();
    network.retain(|[low, high]| {
        let both = 1_u128 << low | 1_u128 << high;
        let is_needed = needed & both != 0;
        if is_needed {
            needed |= both;
        }
        is_needed
    });
    network.reverse();
    (network, middle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_one_that_sorting_finds() {
        let mut state = 1_u32;
        let mut next = |most: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 8) % (most + 1)) as u8
        };
        for radius in 1..=4 {
            for (width, height, channels) in [(1, 1, 4), (5, 3, 1), (300, 9, 4), (1100, 4, 1)] {
                let most = if width == 5 { 3 } else { 255 };
                let input: Vec<u8> = (0..width * height * channels).map(|_| next(most)).collect();
                let mut output = vec![0; input.len()];
                Ranks::new(radius).run(&input, (width * channels, channels), &mut output);
                let reach = radius as isize;
                for at in 0..input.len() {
                    let (x, y) = (at / channels % width, at / channels / width);
                    let mut square: Vec<u8> = (-reach..=reach)
                        .flat_map(|down| (-reach..=reach).map(move |across| (across, down)))
                        .map(|(across, down)| (held(x, across, width), held(y, down, height)))
                        .map(|(x, y)| input[(y * width + x) * channels + at % channels])
                        .collect();
                    square.sort_unstable();
                    assert_eq!(output[at], square[square.len() / 2], "radius {radius}, {width}x{height} at {x}, {y}");
                }
            }
        }
    }

    #[test]
    fn networks_are_short() {
        let lengths: Vec<usize> = (1..=4).map(|radius| network_to_median(2 * radius + 1).0.len()).collect();
        println!("{lengths:?}");
        assert!(lengths.iter().zip([16, 80, 260, 600]).all(|(length, most)| *length <= most), "{lengths:?}");
    }
}
