//! Erode and dilate: the darkest or the brightest of a square, and one after the other. What lies beyond the picture's
//! edge does not count.

use multiversion::multiversion;

use crate::filter::bands::for_each_band_with;
use crate::filter::declare::{choices, params};
use crate::filter::kernel::{AreaKernel, Kernel, Prepare, PrepareError};
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
        let (rows, between, scratch) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Kernel::Area(Box::new(Squares { size: input, radius, steps, rows, between, scratch })))
    }
}

/// Which level of the square is taken.
#[derive(Clone, Copy, PartialEq)]
enum Extreme {
    Darkest,
    Brightest,
}

struct Squares {
    size: Size,
    radius: usize,
    steps: [Option<Extreme>; 2],
    /// The extremes along the rows.
    rows: Vec<u8>,
    /// After the first of two steps.
    between: Vec<u8>,
    scratch: Vec<u8>,
}

/// Bytes of a row that are worked on together on the way down, so that all of their rows stay in the nearest cache.
const STRIP: usize = 64;

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
        let (stride, height) = (self.size.width as usize * BYTES_PER_PIXEL, self.size.height as usize);
        let (radius, window) = (self.radius, 2 * self.radius + 1);
        // A level that is never the extreme.
        let beyond = if extreme == Extreme::Darkest { 255 } else { 0 };
        let beside = radius * BYTES_PER_PIXEL;
        self.rows.resize(input.len(), 0);
        let padded = stride + 2 * beside;
        for_each_band_with(&mut self.rows, stride, (&mut self.scratch, padded), |first, band, padded| {
            for (index, row) in band.chunks_exact_mut(stride).enumerate() {
                padded.fill(beyond);
                padded[beside..beside + stride].copy_from_slice(&input[(first + index) * stride..][..stride]);
                slide(padded, BYTES_PER_PIXEL, window, extreme == Extreme::Darkest);
                row.copy_from_slice(&padded[..stride]);
            }
        });
        let rows = &self.rows;
        // A strip is as high as the band with the rows above and below it; no band is higher than the picture.
        let strip = STRIP * (height + 2 * radius);
        for_each_band_with(output, stride, (&mut self.scratch, strip), |first, band, strip| {
            let high = band.len() / stride + 2 * radius;
            let strip = &mut strip[..high * STRIP];
            for start in (0..stride).step_by(STRIP) {
                let wide = STRIP.min(stride - start);
                for (index, values) in strip.chunks_exact_mut(STRIP).enumerate() {
                    let y = (first + index).wrapping_sub(radius);
                    if y < height {
                        values[..wide].copy_from_slice(&rows[y * stride + start..][..wide]);
                    } else {
                        values.fill(beyond);
                    }
                }
                slide(strip, STRIP, window, extreme == Extreme::Darkest);
                for (row, values) in band.chunks_exact_mut(stride).zip(strip.chunks_exact(STRIP)) {
                    row[start..start + wide].copy_from_slice(&values[..wide]);
                }
            }
            let source = &input[first * stride..][..band.len()];
            let (pixels, _) = band.as_chunks_mut::<BYTES_PER_PIXEL>();
            let (source, _) = source.as_chunks::<BYTES_PER_PIXEL>();
            for (pixel, source) in pixels.iter_mut().zip(source) {
                pixel[3] = source[3];
            }
        });
    }
}

/// Replaces each value by the extreme of itself and the `window` - 1 values that follow it, each `step` behind the last.
/// The last `window` - 1 steps are left with something else. The span doubles, so the work grows with its logarithm.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
fn slide(values: &mut [u8], step: usize, window: usize, darkest: bool) {
    let mut span = 1;
    while span < window {
        // The last stretch overlaps what is known already, which changes no extreme.
        let shift = span.min(window - span);
        if darkest {
            merge(values, shift * step, |one, other| one.min(other));
        } else {
            merge(values, shift * step, |one, other| one.max(other));
        }
        span += shift;
    }
}

/// Each value with the one `shift` behind it, from the front to the back: what is read was not written before.
#[inline(always)]
fn merge(values: &mut [u8], shift: usize, pick: impl Fn(u8, u8) -> u8) {
    let length = values.len().saturating_sub(shift);
    let mut at = 0;
    while let (Some(one), Some(other)) = (values[at..length].first_chunk(), values[at + shift..].first_chunk()) {
        let (mut one, other): ([u8; STRIP], &[u8; STRIP]) = (*one, other);
        for (one, other) in one.iter_mut().zip(other) {
            *one = pick(*one, *other);
        }
        values[at..at + STRIP].copy_from_slice(&one);
        at += STRIP;
    }
    for at in at..length {
        values[at] = pick(values[at], values[at + shift]);
    }
}
