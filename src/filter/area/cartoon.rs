//! Cartoon: flat colours with black outlines.

use super::local_mean::above_local_mean;
use super::plane::gray_plane;
use super::pyramid::{grow, half, shrink};
use super::ranks::Ranks;
use super::smooth::Smooth;
use crate::filter::bands::for_each_band;
use crate::filter::declare::params;
use crate::filter::kernel::{AreaKernel, Kernel, Prepare, PrepareError};
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

params! {
    /// Flattens the colours and draws the outlines in black.
    pub struct Cartoon("cartoon", "Cartoon", Area) {
        /// How often the colours are smoothed.
        smoothing: i32 = 6 in 1..=10 step 1, "Smoothing";
        /// Side of the square that a pixel is compared with to find outlines; odd.
        edge_size: i32 = 9 in 3..=15 step 2, "Outline size", Pixels;
        /// How much darker than that square an outline is, in levels of 255.
        edge_offset: i32 = 2 in 0..=10 step 1, "Outline threshold";
    }
}

/// Colours are smoothed at a quarter of the size.
const HALVINGS: usize = 2;
const BILATERAL_DIAMETER: usize = 9;
const BILATERAL_SIGMA_COLOR: f32 = 9.0;
const BILATERAL_SIGMA_SPACE: f32 = 7.0;
/// Outlines are looked for after a median over a square of this radius.
const MEDIAN_RADIUS: usize = 3;

impl Prepare for Cartoon {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        let sizes = [input, half(input), half(half(input))];
        let picture = |size: Size| vec![0; size.pixels() * BYTES_PER_PIXEL];
        Ok(Kernel::Area(Box::new(Drawing {
            sizes,
            smoothing: self.smoothing,
            // A remote slider knows no steps: an even side counts as the next odd one.
            edge: ((self.edge_size | 1).unsigned_abs() as usize, self.edge_offset),
            bilateral: Smooth::new(sizes[HALVINGS], BILATERAL_DIAMETER, [BILATERAL_SIGMA_COLOR, BILATERAL_SIGMA_SPACE]),
            median: Ranks::new(MEDIAN_RADIUS),
            half: picture(sizes[1]),
            quarter: [picture(sizes[HALVINGS]), picture(sizes[HALVINGS])],
            gray: Vec::new(),
            calm: Vec::new(),
            outlines: Vec::new(),
            row: Vec::new(),
            sums: Vec::new(),
        })))
    }
}

struct Drawing {
    sizes: [Size; HALVINGS + 1],
    smoothing: i32,
    edge: (usize, i32),
    bilateral: Smooth,
    median: Ranks,
    half: Vec<u8>,
    quarter: [Vec<u8>; 2],
    gray: Vec<u8>,
    /// Grey after the median.
    calm: Vec<u8>,
    /// 0 on an outline, 255 elsewhere.
    outlines: Vec<u8>,
    row: Vec<u16>,
    sums: Vec<u32>,
}

impl AreaKernel for Drawing {
    fn run(&mut self, input: &[u8], output: &mut [u8]) {
        let [full, halved, _] = self.sizes;
        let [colors, smoothed] = &mut self.quarter;
        shrink(input, full, (&mut self.half, &mut self.row));
        shrink(&self.half, halved, (colors, &mut self.row));
        for _ in 0..self.smoothing {
            self.bilateral.run(colors, smoothed);
            std::mem::swap(colors, smoothed);
        }
        grow(colors, halved, (&mut self.half, &mut self.row));
        grow(&self.half, full, (output, &mut self.row));

        let width = full.width as usize;
        gray_plane(input, width, &mut self.gray);
        self.calm.resize(full.pixels(), 0);
        self.outlines.resize(full.pixels(), 0);
        self.median.run(&self.gray, (width, 1), &mut self.calm);
        above_local_mean(&self.calm, full, self.edge, (&mut self.outlines, &mut self.sums));
        let (source, _) = input.as_chunks::<BYTES_PER_PIXEL>();
        let outlines = &self.outlines;
        for_each_band(output, width * BYTES_PER_PIXEL, |first, band| {
            let (pixels, _) = band.as_chunks_mut::<BYTES_PER_PIXEL>();
            let beside = source[first * width..].iter().zip(&outlines[first * width..]);
            for ([r, g, b, a], (source, outline)) in pixels.iter_mut().zip(beside) {
                (*r, *g, *b, *a) = (*r & outline, *g & outline, *b & outline, source[3]);
            }
        });
    }
}
