//! Canny's edge detector as OpenCV has it: 3x3 Sobel, the gradient's length as |x| + |y|, and edges followed from where they
//! are strong to where they are weak.

use super::plane::held;
use crate::filter::bands::{for_each_band, for_each_band_of_two};
use crate::geometry::Size;

/// Not an edge.
const NONE: u8 = 0;
/// An edge if it touches one.
const WEAK: u8 = 1;
/// An edge.
pub(super) const EDGE: u8 = 2;

/// The tangent of 22.5 degrees times 2^15.
const TANGENT: i32 = 13_573;

/// Scratch of the detector.
#[derive(Default)]
pub(super) struct Canny {
    /// The gradient in x and y.
    gradients: Vec<[i16; 2]>,
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
        self.gradients.resize(size.pixels(), [0; 2]);
        self.lengths.resize(framed * (height + 2), 0);
        self.lengths[..framed].fill(0);
        self.lengths[framed * (height + 1)..].fill(0);
        self.marks.resize(size.pixels(), NONE);
        let inner = &mut self.lengths[framed..framed * (height + 1)];
        for_each_band_of_two((&mut self.gradients, width), (inner, framed), |first, gradients, lengths| {
            let rows = gradients.chunks_exact_mut(width).zip(lengths.chunks_exact_mut(framed));
            for (index, (gradients, lengths)) in rows.enumerate() {
                gradient_row(gray, size, first + index, (gradients, lengths));
            }
        });
        let (gradients, lengths) = (&self.gradients, &self.lengths);
        for_each_band(&mut self.marks, width, |first, band| {
            for (index, marks) in band.chunks_exact_mut(width).enumerate() {
                let y = first + index;
                let gradients = &gradients[y * width..][..width];
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
        self.open.extend(self.marks.iter().enumerate().filter(|(_, mark)| **mark == EDGE).map(|(at, _)| at));
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

fn gradient_row(gray: &[u8], size: Size, y: usize, (gradients, lengths): (&mut [[i16; 2]], &mut [u16])) {
    let (width, height) = (size.width as usize, size.height as usize);
    let line = |by: isize| &gray[held(y, by, height) * width..][..width];
    let (above, here, below) = (line(-1), line(0), line(1));
    let inner = above.windows(3).zip(here.windows(3)).zip(below.windows(3));
    for (gradient, ((above, here), below)) in gradients.iter_mut().skip(1).zip(inner) {
        *gradient = sobel([above, here, below], [0, 1, 2]);
    }
    for x in [0, width - 1] {
        gradients[x] = sobel([above, here, below], [x.saturating_sub(1), x, held(x, 1, width)]);
    }
    (lengths[0], lengths[width + 1]) = (0, 0);
    for (length, [across, down]) in lengths[1..].iter_mut().zip(gradients) {
        *length = across.unsigned_abs() + down.unsigned_abs();
    }
}

/// The gradient at the middle of three rows, from the columns `left`, `x` and `right`.
fn sobel([above, here, below]: [&[u8]; 3], [left, x, right]: [usize; 3]) -> [i16; 2] {
    let level = |row: &[u8], column: usize| i16::from(row[column]);
    let step = |row: &[u8]| level(row, right) - level(row, left);
    let sum = |row: &[u8]| level(row, left) + 2 * level(row, x) + level(row, right);
    [step(above) + 2 * step(here) + step(below), sum(below) - sum(above)]
}

/// Marks what is longer than its two neighbours across the edge. `lengths` are three framed rows, the middle one this row.
fn mark_ridges(gradients: &[[i16; 2]], lengths: &[u16], [low, high]: [u16; 2], marks: &mut [u8]) {
    let framed = gradients.len() + 2;
    let (above, rest) = lengths.split_at(framed);
    let (here, below) = rest.split_at(framed);
    for (index, (mark, [across, down])) in marks.iter_mut().zip(gradients).enumerate() {
        let x = index + 1;
        let length = here[x];
        *mark = NONE;
        if length <= low {
            continue;
        }
        let (steep, flat) = (i32::from(down.unsigned_abs()) << 15, i32::from(across.unsigned_abs()) * TANGENT);
        // tan 67.5 = tan 22.5 + 2
        let steepest = flat + (i32::from(across.unsigned_abs()) << 16);
        let ridge = if steep < flat {
            length > here[x - 1] && length >= here[x + 1]
        } else if steep > steepest {
            length > above[x] && length >= below[x]
        } else if (across ^ down) < 0 {
            length > above[x + 1] && length > below[x - 1]
        } else {
            length > above[x - 1] && length > below[x + 1]
        };
        if ridge {
            *mark = if length > high { EDGE } else { WEAK };
        }
    }
}
