//! The one place where pixels are moved. It reads through the same [`Mapping`]s that lead a click back, so a pixel and a
//! click on it can't disagree.

use std::ops::Range;

use super::straight::{Mixed, Straight};
use crate::filter::bands::{for_each_band_with, swap_in_place};
use crate::filter::simd::{POSITION_BITS, Rows, SIDE, Walk, sample, transpose, vectorised};
use crate::frame::{BYTES_PER_PIXEL, PixelFormat};
use crate::geometry::{Affine, Mapping, Size};

/// One movement and the RGBA colour of what lies beside its input.
pub(crate) type Move = (Mapping, [u8; 4]);

/// Moves `input` through `moves`, all of them affine, in the order of the chain, in a single resampling, into RGBA.
///
/// Between pixels it is bilinear with 8 bits of position; at the input's edge the last pixel counts on, and what comes
/// from outside of any step is that step's fill. Whole-pixel moves, mirrors and quarter turns copy pixels exactly.
pub(crate) fn resample(input: &[u8], format: PixelFormat, moves: &[Move], output: &mut [u8]) {
    let (Some((first, _)), Some((last, _))) = (moves.first(), moves.last()) else { return };
    let Some(path) = Path::new(moves) else { return };
    let picture = Picture { pixels: input, size: first.input };
    let stride = last.output.width as usize * BYTES_PER_PIXEL;
    let exact = Exact::new(path.total(), stride);
    let straight = if exact.is_none() { path.straight(picture, last.output.width as usize) } else { None };
    let work = |first_row: usize, band: &mut [u8], mixed: &mut [Mixed]| {
        for (index, rows) in band.chunks_mut(stride * TILE).enumerate() {
            let mut shown: [Range<usize>; TILE] = std::array::from_fn(|_| 0..0);
            for (index_in_tile, row) in rows.chunks_exact_mut(stride).enumerate() {
                let y = first_row + index * TILE + index_in_tile;
                let range = path.fill_beside(y, row);
                match &straight {
                    _ if exact.is_some() => {}
                    Some(_) if range.is_empty() => {}
                    Some(straight) => {
                        let out = &mut row[range.start * BYTES_PER_PIXEL..range.end * BYTES_PER_PIXEL];
                        straight.sample_row(walk(path.total(), y, range.start).start[1], &mut mixed[0], out);
                    }
                    None => sample_row(picture, path.total(), y, range.clone(), row),
                }
                shown[index_in_tile] = range;
            }
            if let Some(exact) = &exact {
                exact.copy_tile(picture, first_row + index * TILE, &shown, rows);
            }
            if format == PixelFormat::Bgrx {
                for (row, range) in rows.chunks_exact_mut(stride).zip(&shown) {
                    swap_in_place(&mut row[range.start * BYTES_PER_PIXEL..range.end * BYTES_PER_PIXEL]);
                }
            }
        }
    };
    if exact.is_some() && output.len() <= COPIED_ALONE {
        work(0, output, &mut []);
    } else {
        for_each_band_with(output, stride, (&mut Vec::new(), 1), work);
    }
}

/// One core copies nearly as fast as memory allows. Up to this many bytes, those of 2560x1440 pixels, the others would cost
/// twice the time to wake and win little.
const COPIED_ALONE: usize = 2_560 * 1_440 * BYTES_PER_PIXEL;

/// Rows that are worked on together. A quarter turn reads columns, and sixteen pixels fill a line of the cache.
const TILE: usize = 16;

#[derive(Clone, Copy)]
pub(super) struct Picture<'a> {
    pub pixels: &'a [u8],
    pub size: Size,
}

impl Picture<'_> {
    pub(super) fn row(&self, y: usize) -> &[u8] {
        let stride = self.size.width as usize * BYTES_PER_PIXEL;
        &self.pixels[y * stride..][..stride]
    }
}

/// The way from the output back through every step, the last one first.
struct Path {
    steps: Vec<Step>,
}

struct Step {
    /// Leads from the output to the input of the step.
    map: Affine,
    /// The size of that input, and the colour beside it.
    size: Size,
    fill: [u8; BYTES_PER_PIXEL],
    /// The columns that come from within the input in each row that does, where these are the same for all rows.
    columns: Option<Range<usize>>,
}

impl Path {
    /// `None` where a step is not affine.
    fn new(moves: &[Move]) -> Option<Self> {
        let mut total = Affine::IDENTITY;
        let steps = moves.iter().rev().map(|(mapping, fill)| {
            total = total.then(mapping.input_from_output.affine()?);
            let step = Step { map: total, size: mapping.input, fill: *fill, columns: None };
            Some(Step { columns: step.columns_of_rows(moves), ..step })
        });
        Some(Self { steps: steps.collect::<Option<_>>()? })
    }

    fn total(&self) -> Affine {
        self.steps.last().map_or(Affine::IDENTITY, |step| step.map)
    }

    /// Where columns stay columns: what is the same for all rows of `width` pixels.
    fn straight<'a>(&self, picture: Picture<'a>, width: usize) -> Option<Straight<'a>> {
        let total = self.total();
        if total.b != 0.0 || total.d != 0.0 {
            return None;
        }
        let columns = self.steps.iter().try_fold(0..width, |left, step| {
            let columns = step.columns.as_ref()?;
            Some(left.start.max(columns.start)..left.end.min(columns.end))
        })?;
        Straight::new(picture, walk(total, 0, columns.start), total.e, columns.len())
    }

    /// Fills what comes from outside of a step's input with the step's colour; gives the pixels that are left to sample.
    fn fill_beside(&self, y: usize, row: &mut [u8]) -> Range<usize> {
        let (pixels, _) = row.as_chunks_mut::<BYTES_PER_PIXEL>();
        let mut left = 0..pixels.len();
        for step in &self.steps {
            let inside = match &step.columns {
                Some(columns) if step.is_row_inside(y) => {
                    let start = columns.start.clamp(left.start, left.end);
                    start..columns.end.clamp(start, left.end)
                }
                Some(_) => left.start..left.start,
                None => columns_inside(step.map, step.size, y, left.clone()),
            };
            pixels[left.start..inside.start].fill(step.fill);
            pixels[inside.end..left.end].fill(step.fill);
            left = inside;
        }
        left
    }
}

impl Step {
    /// `None` where each row has its own. `moves` are all of the path.
    fn columns_of_rows(&self, moves: &[Move]) -> Option<Range<usize>> {
        let Affine { a, b, d, e, .. } = self.map;
        let ((b, d), (a, e)) = ((b == 0.0, d == 0.0), (a == 0.0, e == 0.0));
        let output = moves.last()?.0.output;
        if !(b && d || a && e) {
            return None;
        }
        // Any row within the input will do.
        let row = (0..output.height as usize).find(|y| self.is_row_inside(*y));
        Some(row.map_or(0..0, |y| columns_inside(self.map, self.size, y, 0..output.width as usize)))
    }

    /// Whether a row comes from within the input, where only columns decide about the rest.
    fn is_row_inside(&self, y: usize) -> bool {
        let (x, down) = self.map.apply(0.5, y as f64 + 0.5);
        let (at, length) = if self.map.b == 0.0 { (down, self.size.height) } else { (x, self.size.width) };
        at >= 0.0 && at < f64::from(length)
    }
}

/// The columns within `range` whose pixel's middle in row `y` comes from within a picture of `size`.
fn columns_inside(map: Affine, size: Size, y: usize, range: Range<usize>) -> Range<usize> {
    let inside = |column: usize| {
        let (x, y) = map.apply(column as f64 + 0.5, y as f64 + 0.5);
        x >= 0.0 && y >= 0.0 && x < f64::from(size.width) && y < f64::from(size.height)
    };
    let (x, down) = map.apply(0.5, y as f64 + 0.5);
    let (mut start, mut end) = (range.start as f64, range.end as f64);
    for (position, step, length) in [(x, map.a, size.width), (down, map.d, size.height)] {
        if step != 0.0 {
            let (one, other) = (-position / step, (f64::from(length) - position) / step);
            start = start.max(one.min(other));
            end = end.min(one.max(other) + 2.0);
        }
    }
    // The ends above are right but for rounding, which is towards 0; the mapping itself has the last word.
    let (mut start, mut end) = (start as usize, (end.max(start) as usize).min(range.end));
    while start < end && !inside(start) {
        start += 1;
    }
    while end > start && !inside(end - 1) {
        end -= 1;
    }
    start.min(range.end)..end.min(range.end)
}

/// The positions of the pixels of row `y` from `column` on.
fn walk(map: Affine, y: usize, column: usize) -> Walk {
    let fixed = |value: f64| (value * (1_u64 << POSITION_BITS) as f64).round() as i64;
    let (x, down) = map.apply(column as f64 + 0.5, y as f64 + 0.5);
    // A pixel's value belongs to its middle. The half of a 256th rounds the weights.
    let half_weight = 1_i64 << (POSITION_BITS - 9);
    let start = [fixed(x - 0.5) + half_weight, fixed(down - 0.5) + half_weight];
    Walk { start, step: [fixed(map.a), fixed(map.d)] }
}

fn sample_row(picture: Picture<'_>, map: Affine, y: usize, range: Range<usize>, row: &mut [u8]) {
    let walk = walk(map, y, range.start);
    let (row, _) = row.as_chunks_mut::<BYTES_PER_PIXEL>();
    let row = &mut row[range];
    let (width, height) = (picture.size.width as usize, picture.size.height as usize);
    let inside = walk.inside(row.len(), [width, height]);
    let from_inside = Walk { start: walk.at(inside.start), ..walk };
    let done = sample(picture.pixels, width, from_inside, &mut row[inside.clone()]);
    sample_anywhere(picture, walk, 0..inside.start, row);
    sample_anywhere(picture, walk, inside.start + done..row.len(), row);
}

/// Samples those of a walk's pixels one by one, at the edge as well.
fn sample_anywhere(picture: Picture<'_>, walk: Walk, range: Range<usize>, row: &mut [[u8; BYTES_PER_PIXEL]]) {
    let (last_x, last_y) = (i64::from(picture.size.width) - 1, i64::from(picture.size.height) - 1);
    let (source, _) = picture.pixels.as_chunks::<BYTES_PER_PIXEL>();
    let [mut x, mut down] = walk.at(range.start);
    for pixel in &mut row[range] {
        let (left, top) = (x >> POSITION_BITS, down >> POSITION_BITS);
        let weight = |position: i64| (position >> (POSITION_BITS - 8)) as u64 & 0xff;
        let (x0, x1) = (left.clamp(0, last_x) as usize, (left + 1).clamp(0, last_x) as usize);
        let (y0, y1) = (top.clamp(0, last_y) as usize, (top + 1).clamp(0, last_y) as usize);
        let (upper, lower) = (y0 * (last_x as usize + 1), y1 * (last_x as usize + 1));
        let above = mix(spread(source[upper + x0]), spread(source[upper + x1]), weight(x));
        let below = mix(spread(source[lower + x0]), spread(source[lower + x1]), weight(x));
        *pixel = gather(mix(above, below, weight(down)));
        x += walk.step[0];
        down += walk.step[1];
    }
}

/// The lower byte of each of four 16-bit lanes, in which the four channels are worked on at once.
const LANES: u64 = 0x00ff_00ff_00ff_00ff;

fn spread(pixel: [u8; BYTES_PER_PIXEL]) -> u64 {
    let packed = u64::from(u32::from_le_bytes(pixel));
    let halves = (packed | packed << 16) & 0x0000_ffff_0000_ffff;
    (halves | halves << 8) & LANES
}

fn gather(lanes: u64) -> [u8; BYTES_PER_PIXEL] {
    let halves = (lanes | lanes >> 8) & 0x0000_ffff_0000_ffff;
    ((halves | halves >> 16) as u32).to_le_bytes()
}

/// `weight` 256ths of `b` and the rest of `a`, rounded; a lane never passes its 16 bits.
fn mix(a: u64, b: u64, weight: u64) -> u64 {
    ((a * (256 - weight) + b * weight + 0x0080_0080_0080_0080) >> 8) & LANES
}

/// A map that takes whole pixels to whole pixels: `x' = a x + b y + c` and `y' = d x + e y + f` on pixel numbers.
struct Exact {
    a: isize,
    b: isize,
    c: isize,
    d: isize,
    e: isize,
    f: isize,
    /// Row length of the output in bytes.
    stride: usize,
}

impl Exact {
    fn new(map: Affine, stride: usize) -> Option<Self> {
        let Affine { a, b, c, d, e, f } = map;
        let upright = b == 0.0 && d == 0.0 && a.abs() == 1.0 && e.abs() == 1.0;
        let quarter = a == 0.0 && e == 0.0 && b.abs() == 1.0 && d.abs() == 1.0;
        if !(upright || quarter) || c.fract() != 0.0 || f.fract() != 0.0 {
            return None;
        }
        let [a, b, c, d, e, f] = [a, b, c, d, e, f].map(|number| number as isize);
        // The middle of pixel n is at n + 0.5: where the direction turns around, the number is one less.
        let turned = |sum: isize| (sum - 1) / 2;
        Some(Self { a, b, c: c + turned(a + b), d, e, f: f + turned(d + e), stride })
    }

    /// Copies the shown columns of up to [`TILE`] rows.
    fn copy_tile(&self, picture: Picture<'_>, first_row: usize, shown: &[Range<usize>; TILE], rows: &mut [u8]) {
        if self.d == 0 {
            for ((index, row), range) in rows.chunks_exact_mut(self.stride).enumerate().zip(shown) {
                self.copy_along(picture, first_row + index, range.clone(), row);
            }
            return;
        }
        let (whole, _) = picture.pixels.as_chunks::<BYTES_PER_PIXEL>();
        let width = picture.size.width as usize;
        let columns = shown[0].clone();
        if rows.len() == TILE * self.stride && shown.iter().all(|range| *range == columns) {
            let (out, _) = rows.as_chunks_mut::<BYTES_PER_PIXEL>();
            let across = self.stride / BYTES_PER_PIXEL;
            let squares = columns.len() / SIDE;
            for block in (0..TILE).step_by(SIDE) {
                // The square's rows are read from left to right, whichever way the output's rows go.
                let last = if self.b < 0 { block + SIDE - 1 } else { block };
                let from_x = (self.b * (first_row + last) as isize + self.c) as usize;
                let from_y = (self.d * columns.start as isize + self.f) as usize;
                let from = Rows { first: from_y * width + from_x, step: self.d * width as isize };
                let to = Rows { first: last * across + columns.start, step: self.b * across as isize };
                transpose(whole, from, (&mut *out, to), squares);
            }
            self.copy_columns(
                picture,
                first_row,
                &shown.each_ref().map(|range| range.start + squares * SIDE..range.end),
                rows,
            );
            return;
        }
        self.copy_columns(picture, first_row, shown, rows);
    }

    /// A column of the input for each row.
    fn copy_columns(&self, picture: Picture<'_>, first_row: usize, shown: &[Range<usize>; TILE], rows: &mut [u8]) {
        let start = shown.iter().map(|range| range.start).min().unwrap_or(0);
        let end = shown.iter().map(|range| range.end).max().unwrap_or(0);
        for tile in (start..end).step_by(TILE) {
            for ((index, row), range) in rows.chunks_exact_mut(self.stride).enumerate().zip(shown) {
                let range = range.start.max(tile)..range.end.min(tile + TILE);
                let (row, _) = row.as_chunks_mut::<BYTES_PER_PIXEL>();
                let from_x = (self.b * (first_row + index) as isize + self.c) as usize;
                for column in range {
                    let from_y = (self.d * column as isize + self.f) as usize;
                    let (source, _) = picture.row(from_y).as_chunks::<BYTES_PER_PIXEL>();
                    row[column] = source[from_x];
                }
            }
        }
    }

    fn copy_along(&self, picture: Picture<'_>, y: usize, range: Range<usize>, row: &mut [u8]) {
        if range.is_empty() {
            return;
        }
        let source = picture.row((self.e * y as isize + self.f) as usize);
        let (source, _) = source.as_chunks::<BYTES_PER_PIXEL>();
        let (row, _) = row.as_chunks_mut::<BYTES_PER_PIXEL>();
        let from = (self.a * range.start as isize + self.c) as usize;
        if self.a == 1 {
            row[range.clone()].copy_from_slice(&source[from..from + range.len()]);
        } else {
            reverse(&source[from + 1 - range.len()..=from], &mut row[range]);
        }
    }
}

vectorised! {
    fn reverse(source: &[[u8; BYTES_PER_PIXEL]], row: &mut [[u8; BYTES_PER_PIXEL]]) {
        for (pixel, from) in row.iter_mut().zip(source.iter().rev()) {
            *pixel = *from;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_mix_without_touching_each_other() {
        let (a, b) = ([0, 255, 10, 200], [255, 0, 20, 200]);
        assert_eq!(gather(spread(a)), a);
        for weight in 0..256_u64 {
            let exact = std::array::from_fn(|at| {
                let (a, b) = (u64::from(a[at]), u64::from(b[at]));
                ((a * (256 - weight) + b * weight + 128) >> 8) as u8
            });
            assert_eq!(gather(mix(spread(a), spread(b), weight)), exact, "weight {weight}");
        }
    }
}
