//! Canny's edge detector as OpenCV has it: 3x3 Sobel, the gradient's length as |x| + |y|, and edges followed from where they
//! are strong to where they are weak.

use super::plane::held;
use crate::filter::bands::{for_each_band, for_each_band_of_two};
use crate::filter::simd::vectorised;
use crate::geometry::Size;

/// Not an edge.
const NONE: u8 = 0;
/// An edge if it touches one.
const WEAK: u8 = 1;
/// An edge.
pub(super) const EDGE: u8 = 2;

/// The tangent of 22.5 degrees times 2^15.
const TANGENT: i32 = 13_573;

/// Marks that are looked at together.
const SEEN: usize = 16;

/// Scratch of the detector.
#[derive(Default)]
pub(super) struct Canny {
    /// The gradient's parts: all of a row in x, then all of it in y.
    gradients: Vec<i16>,
    /// The gradient's length, in a frame of zeros one pixel wide.
    lengths: Vec<u16>,
    marks: Vec<u8>,
    open: Vec<usize>,
}

impl Canny {
    /// Marks the edges of a grey picture: a byte a pixel, [`EDGE`] or something less. `low` and `high` are lengths of the
    /// gradient; the smaller is taken as `low`.
    pub(super) fn run(&mut self, gray: &[u8], size: Size, [low, high]: [f32; 2]) -> &[u8] {
        let (low, high) = (low.min(high).floor() as u16, low.max(high).floor() as u16);
        let (width, height) = (size.width as usize, size.height as usize);
        let framed = width + 2;
        self.gradients.resize(2 * size.pixels(), 0);
        self.lengths.resize(framed * (height + 2), 0);
        self.lengths[..framed].fill(0);
        self.lengths[framed * (height + 1)..].fill(0);
        self.marks.resize(size.pixels(), NONE);
        let inner = &mut self.lengths[framed..framed * (height + 1)];
        for_each_band_of_two((&mut self.gradients, 2 * width), (inner, framed), |first, gradients, lengths| {
            let rows = gradients.chunks_exact_mut(2 * width).zip(lengths.chunks_exact_mut(framed));
            for (index, (gradients, lengths)) in rows.enumerate() {
                gradient_row(gray, size, first + index, (gradients, lengths));
            }
        });
        let (gradients, lengths) = (&self.gradients, &self.lengths);
        for_each_band(&mut self.marks, width, |first, band| {
            for (index, marks) in band.chunks_exact_mut(width).enumerate() {
                let y = first + index;
                let gradients = &gradients[2 * y * width..][..2 * width];
                mark_ridges(gradients, &lengths[y * framed..][..3 * framed], [low, high], marks);
            }
        });
        self.follow(size);
        &self.marks
    }

    /// Weak pixels that touch an edge become one, and so on.
    fn follow(&mut self, size: Size) {
        let (width, height) = (size.width as usize, size.height as usize);
        self.open.clear();
        let (chunks, rest) = self.marks.as_chunks::<SEEN>();
        for (index, chunk) in chunks.iter().enumerate() {
            // Most of a picture is no edge.
            if *chunk != [NONE; SEEN] {
                let edges = chunk.iter().enumerate().filter(|(_, mark)| **mark == EDGE);
                self.open.extend(edges.map(|(at, _)| index * SEEN + at));
            }
        }
        let edges = rest.iter().enumerate().filter(|(_, mark)| **mark == EDGE);
        self.open.extend(edges.map(|(at, _)| chunks.len() * SEEN + at));
        while let Some(at) = self.open.pop() {
            let (x, y) = (at % width, at / width);
            for y in y.saturating_sub(1)..=(y + 1).min(height - 1) {
                for x in x.saturating_sub(1)..=(x + 1).min(width - 1) {
                    let mark = &mut self.marks[y * width + x];
                    if *mark == WEAK {
                        *mark = EDGE;
                        self.open.push(y * width + x);
                    }
                }
            }
        }
    }
}

fn gradient_row(gray: &[u8], size: Size, y: usize, (gradients, lengths): (&mut [i16], &mut [u16])) {
    let (width, height) = (size.width as usize, size.height as usize);
    let line = |by: isize| &gray[held(y, by, height) * width..][..width];
    let lines = [line(-1), line(0), line(1)];
    let (across, down) = gradients.split_at_mut(width);
    if width > 2 {
        sobel(lines, &mut across[1..width - 1], &mut down[1..width - 1]);
    }
    for x in [0, width - 1] {
        let column = |x: usize| lines.map(|line| i16::from(line[x]));
        let (left, here, right) = (column(x.saturating_sub(1)), column(x), column(held(x, 1, width)));
        let sum = |[above, here, below]: [i16; 3]| above + 2 * here + below;
        across[x] = sum(right) - sum(left);
        down[x] = left[2] + 2 * here[2] + right[2] - left[0] - 2 * here[0] - right[0];
    }
    (lengths[0], lengths[width + 1]) = (0, 0);
    measure(across, down, &mut lengths[1..=width]);
}

vectorised! {
    /// The gradient at the middle of each three columns of three rows.
    fn sobel(lines: [&[u8]; 3], across: &mut [i16], down: &mut [i16]) {
        let width = across.len();
        let part = |line: usize, column: usize| &lines[line][column..][..width];
        let [a, b, c] = [part(0, 0), part(0, 1), part(0, 2)];
        let [d, f] = [part(1, 0), part(1, 2)];
        let [g, h, i] = [part(2, 0), part(2, 1), part(2, 2)];
        for (at, (across, down)) in across.iter_mut().zip(down).enumerate() {
            let level = |row: &[u8]| i16::from(row[at]);
            let corners = [level(a), level(c), level(g), level(i)];
            *across = corners[1] - corners[0] + 2 * (level(f) - level(d)) + corners[3] - corners[2];
            *down = corners[2] - corners[0] + 2 * (level(h) - level(b)) + corners[3] - corners[1];
        }
    }

    fn measure(across: &[i16], down: &[i16], lengths: &mut [u16]) {
        for ((length, across), down) in lengths.iter_mut().zip(across).zip(down) {
            *length = across.unsigned_abs() + down.unsigned_abs();
        }
    }

    /// Marks what is longer than its two neighbours across the edge. `lengths` are three framed rows, the middle one this
    /// row. All four directions are looked at, because choosing one takes longer.
    fn mark_ridges(gradients: &[i16], lengths: &[u16], limits: [u16; 2], marks: &mut [u8]) {
        let width = marks.len();
        let (across, down) = gradients.split_at(width);
        let part = |line: usize, column: usize| &lengths[line * (width + 2) + column..][..width];
        let [a, b, c] = [part(0, 0), part(0, 1), part(0, 2)];
        let [d, e, f] = [part(1, 0), part(1, 1), part(1, 2)];
        let [g, h, i] = [part(2, 0), part(2, 1), part(2, 2)];
        let across = &across[..width];
        let down = &down[..width];
        for (at, mark) in marks.iter_mut().enumerate() {
            let length = e[at];
            let (wide, high) = (i32::from(across[at].unsigned_abs()), i32::from(down[at].unsigned_abs()));
            let (steep, flat) = (high << 15, wide * TANGENT);
            let is_flat = steep < flat;
            // tan 67.5 = tan 22.5 + 2
            let is_steep = steep > flat + (wide << 16);
            let falls = (across[at] ^ down[at]) < 0;
            let along = (length > d[at]) & (length >= f[at]);
            let upright = (length > b[at]) & (length >= h[at]);
            let falling = (length > c[at]) & (length > g[at]);
            let rising = (length > a[at]) & (length > i[at]);
            let slanted = (falls & falling) | (!falls & rising);
            let ridge = (is_flat & along) | (!is_flat & is_steep & upright) | (!is_flat & !is_steep & slanted);
            let found = ridge & (length > limits[0]);
            *mark = u8::from(found) + u8::from(found & (length > limits[1]));
        }
    }
}
