//! Erode and dilate: the darkest or the brightest of a square, and one after the other. What lies beyond the picture's
//! edge does not count.

use crate::filter::bands::for_each_tall_band_with;
use crate::filter::declare::{choices, params};
use crate::filter::kernel::{AreaKernel, Kernel, Prepare, PrepareError};
use crate::filter::simd::vectorised;
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

choices! {
    /// What is done with the square around each pixel.
    pub enum MorphologyOperation {
        Erode = "erode", "Erode";
        Dilate = "dilate", "Dilate";
        Open = "open", "Open";
        Close = "close", "Close";
    }
}

params! {
    /// Makes dark or bright things thicker, channel by channel, or removes small ones.
    pub struct Morphology("morphology", "Erode and dilate", Area) {
        /// Erode thickens what is dark, Dilate what is bright; Open removes small bright things, Close small dark ones.
        operation: MorphologyOperation = Erode, "Operation";
        /// From the middle of the square to its side.
        radius: i32 = 0 in 0..=32 step 1, "Radius", Pixels;
    }
}

impl Prepare for Morphology {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        if self.radius == 0 {
            return Ok(Kernel::Identity);
        }
        let steps = match self.operation {
            MorphologyOperation::Erode => [Some(Extreme::Darkest), None],
            MorphologyOperation::Dilate => [Some(Extreme::Brightest), None],
            MorphologyOperation::Open => [Some(Extreme::Darkest), Some(Extreme::Brightest)],
            MorphologyOperation::Close => [Some(Extreme::Brightest), Some(Extreme::Darkest)],
        };
        let radius = self.radius.unsigned_abs() as usize;
        let (between, scratch) = (Vec::new(), Vec::new());
        Ok(Kernel::Area(Box::new(Squares { size: input, radius, steps, between, scratch })))
    }
}

/// Which level of the square is taken.
#[derive(Clone, Copy)]
enum Extreme {
    Darkest,
    Brightest,
}

struct Squares {
    size: Size,
    radius: usize,
    steps: [Option<Extreme>; 2],
    /// After the first of two steps.
    between: Vec<u8>,
    scratch: Vec<u8>,
}

/// Bytes of a row that are worked on together.
const CHUNK: usize = 64;

impl AreaKernel for Squares {
    fn run(&mut self, input: &[u8], output: &mut [u8]) {
        let [first, second] = self.steps;
        let mut between = std::mem::take(&mut self.between);
        if let (Some(first), Some(second)) = (first, second) {
            between.resize(input.len(), 0);
            self.step(input, first, &mut between);
            self.step(&between, second, output);
        } else if let Some(only) = first {
            self.step(input, only, output);
        }
        self.between = between;
    }
}

impl Squares {
    fn step(&mut self, input: &[u8], extreme: Extreme, output: &mut [u8]) {
        match extreme {
            Extreme::Darkest => self.squares::<true>(input, output),
            Extreme::Brightest => self.squares::<false>(input, output),
        }
    }

    /// Down the columns first. Rows are taken in blocks as high as the window: a window that begins within one block ends
    /// within the next, so its extreme is that of the block from there on and of the next block up to there, and both grow
    /// row by row; the work does not depend on the height.
    fn squares<const DARKEST: bool>(&mut self, input: &[u8], output: &mut [u8]) {
        let (stride, height) = (self.size.width as usize * BYTES_PER_PIXEL, self.size.height as usize);
        let (radius, window) = (self.radius, 2 * self.radius + 1);
        let beside = radius * BYTES_PER_PIXEL;
        let padded = stride.next_multiple_of(CHUNK) + 2 * beside + CHUNK;
        // The row a radius above `y`. In place of one beyond the edge the outermost one, which is in the square as well.
        let line = |y: usize| &input[y.saturating_sub(radius).min(height - 1) * stride..][..stride];
        let scratch = (&mut self.scratch, (window + 1) * padded);
        for_each_tall_band_with(output, (stride, 2 * radius), scratch, |first, band, scratch| {
            let (next, block) = scratch.split_at_mut(padded);
            let next = &mut next[..stride];
            for (index, out) in band.chunks_mut(window * stride).enumerate() {
                let top = first + index * window;
                block[(window - 1) * padded + beside..][..stride].copy_from_slice(line(top + window - 1));
                for at in (0..window - 1).rev() {
                    let (upper, lower) = block[at * padded..].split_at_mut(padded);
                    pick::<DARKEST>(line(top + at), &lower[beside..][..stride], &mut upper[beside..][..stride]);
                }
                next.fill(beyond::<DARKEST>());
                for (at, out) in out.chunks_exact_mut(stride).enumerate() {
                    let row = &mut block[at * padded..][..padded];
                    if at > 0 {
                        pick_on::<DARKEST>(line(top + at + window - 1), next, &mut row[beside..][..stride]);
                    }
                    let source = &input[(top + at) * stride..][..stride];
                    along::<DARKEST>(row, window, (source, out));
                }
            }
        });
    }
}

/// A level that is never the extreme.
const fn beyond<const DARKEST: bool>() -> u8 {
    if DARKEST { 255 } else { 0 }
}

/// The extremes of windows along `row`, whose own values begin half a window behind its start, with the alpha of `source`.
/// Windows grow up to fourfold at a time, so the work grows with the logarithm of their width.
fn along<const DARKEST: bool>(row: &mut [u8], window: usize, (source, out): (&[u8], &mut [u8])) {
    let beside = window / 2 * BYTES_PER_PIXEL;
    row[..beside].fill(beyond::<DARKEST>());
    row[beside + out.len()..].fill(beyond::<DARKEST>());
    // Where windows of `span` have to begin that together make up one of `wide`; they may overlap.
    let starts = |span: usize, wide: usize| [1, 2, 3].map(|part| (part * span).min(wide - span) * BYTES_PER_PIXEL);
    let mut span = 1;
    while 4 * span < window {
        let wide = (4 * span).min(window.div_ceil(4));
        let values = out.len() + (window - wide) * BYTES_PER_PIXEL;
        widen::<DARKEST>(row, starts(span, wide), values);
        span = wide;
    }
    let starts = starts(span, window);
    let whole = out.len() / CHUNK * CHUNK;
    widen_into::<DARKEST>(row, starts, &source[..whole], &mut out[..whole]);
    if whole < out.len() {
        let count = out.len() - whole;
        let (mut last_source, mut last) = ([0; CHUNK], [0; CHUNK]);
        last_source[..count].copy_from_slice(&source[whole..]);
        widen_into::<DARKEST>(&row[whole..], starts, &last_source, &mut last);
        out[whole..].copy_from_slice(&last[..count]);
    }
}

#[inline(always)]
fn extreme<const DARKEST: bool>(one: u8, other: u8) -> u8 {
    if DARKEST { one.min(other) } else { one.max(other) }
}

/// The extremes of a chunk's values and those behind them, by each of `starts`.
#[inline(always)]
fn chunk<const DARKEST: bool>(row: &[u8], at: usize, starts: [usize; 3]) -> [u8; CHUNK] {
    let here = &row[at..][..CHUNK];
    let (first, second, third) =
        (&row[at + starts[0]..][..CHUNK], &row[at + starts[1]..][..CHUNK], &row[at + starts[2]..][..CHUNK]);
    let mut wide = [0; CHUNK];
    for at in 0..CHUNK {
        let one = extreme::<DARKEST>(here[at], first[at]);
        wide[at] = extreme::<DARKEST>(one, extreme::<DARKEST>(second[at], third[at]));
    }
    wide
}

vectorised! {
    fn pick<const DARKEST: bool>(one: &[u8], other: &[u8], out: &mut [u8]) {
        for ((out, one), other) in out.iter_mut().zip(one).zip(other) {
            *out = extreme::<DARKEST>(*one, *other);
        }
    }

    /// `line` goes into `next`, and that into `row`.
    fn pick_on<const DARKEST: bool>(line: &[u8], next: &mut [u8], row: &mut [u8]) {
        for ((row, next), line) in row.iter_mut().zip(next).zip(line) {
            *next = extreme::<DARKEST>(*next, *line);
            *row = extreme::<DARKEST>(*row, *next);
        }
    }

    /// In place, from the front to the back: what is read was not written before. At least `values` of them.
    fn widen<const DARKEST: bool>(row: &mut [u8], starts: [usize; 3], values: usize) {
        let mut at = 0;
        while at < values {
            let wide = chunk::<DARKEST>(row, at, starts);
            row[at..at + CHUNK].copy_from_slice(&wide);
            at += CHUNK;
        }
    }

    /// For whole chunks of `out`.
    fn widen_into<const DARKEST: bool>(row: &[u8], starts: [usize; 3], source: &[u8], out: &mut [u8]) {
        let (chunks, _) = out.as_chunks_mut::<CHUNK>();
        let (sources, _) = source.as_chunks::<CHUNK>();
        for (index, (out, source)) in chunks.iter_mut().zip(sources).enumerate() {
            let wide = chunk::<DARKEST>(row, index * CHUNK, starts);
            let (wide, _) = wide.as_chunks::<BYTES_PER_PIXEL>();
            let (source, _) = source.as_chunks::<BYTES_PER_PIXEL>();
            let (out, _) = out.as_chunks_mut::<BYTES_PER_PIXEL>();
            for ((out, wide), source) in out.iter_mut().zip(wide).zip(source) {
                let (color, alpha) = (u32::from_le_bytes(*wide), u32::from_le_bytes(*source));
                *out = (color & 0x00ff_ffff | alpha & 0xff00_0000).to_le_bytes();
            }
        }
    }
}
