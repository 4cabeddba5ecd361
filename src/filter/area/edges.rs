//! Edges as lines, by Canny's method.

use super::canny::{Canny, EDGE};
use super::plane::gray_plane;
use crate::filter::Color;
use crate::filter::bands::for_each_band;
use crate::filter::declare::params;
use crate::filter::kernel::{AreaKernel, Kernel, Prepare, PrepareError};
use crate::filter::simd::vectorised;
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

params! {
    /// Draws the edges of things as thin lines.
    pub struct Edges("edges", "Edges (Canny)", Area) {
        /// Edges at least this strong are drawn where they go on from a stronger one.
        low: f32 = 100.0 in 0.0..=500.0 step 1.0, "Low threshold";
        /// Edges at least this strong are always drawn.
        high: f32 = 200.0 in 0.0..=500.0 step 1.0, "High threshold";
        /// Draws on the picture instead of on black.
        overlay: bool = false, "Over the picture";
        /// Colour of the lines.
        color: Color = WHITE, "Line colour";
    }
}

impl Prepare for Edges {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        let (gray, canny) = (Vec::new(), Canny::default());
        Ok(Kernel::Area(Box::new(Lines { size: input, chosen: self.clone(), gray, canny })))
    }
}

struct Lines {
    size: Size,
    chosen: Edges,
    gray: Vec<u8>,
    canny: Canny,
}

impl AreaKernel for Lines {
    fn run(&mut self, input: &[u8], output: &mut [u8]) {
        let width = self.size.width as usize;
        gray_plane(input, width, &mut self.gray);
        let marks = self.canny.run(&self.gray, self.size, [self.chosen.low, self.chosen.high]);
        let Color { r, g, b, a } = self.chosen.color;
        let (source, _) = input.as_chunks::<BYTES_PER_PIXEL>();
        let overlay = self.chosen.overlay;
        for_each_band(output, width * BYTES_PER_PIXEL, |first, band| {
            let (pixels, _) = band.as_chunks_mut::<BYTES_PER_PIXEL>();
            let part = first * width..first * width + pixels.len();
            draw(&source[part.clone()], &marks[part], Style { overlay, color: [r, g, b], alpha: a }, pixels);
        });
    }
}

#[derive(Clone, Copy)]
struct Style {
    overlay: bool,
    color: [u8; 3],
    alpha: u8,
}

vectorised! {
    fn draw(source: &[[u8; 4]], marks: &[u8], style: Style, pixels: &mut [[u8; 4]]) {
        let kept = u32::from_le_bytes(if style.overlay { [255; 4] } else { [0, 0, 0, 255] });
        if style.alpha == 255 {
            let [r, g, b] = style.color;
            let line = u32::from_le_bytes([r, g, b, 0]);
            for ((pixel, source), mark) in pixels.iter_mut().zip(source).zip(marks) {
                let source = u32::from_le_bytes(*source);
                let drawn = line | source & 0xff00_0000;
                *pixel = (if *mark == EDGE { drawn } else { source & kept }).to_le_bytes();
            }
            return;
        }
        for ((pixel, source), mark) in pixels.iter_mut().zip(source).zip(marks) {
            let ground = (u32::from_le_bytes(*source) & kept).to_le_bytes();
            *pixel = if *mark == EDGE { over(ground, style.color, style.alpha) } else { ground };
        }
    }
}

fn over(ground: [u8; 4], color: [u8; 3], alpha: u8) -> [u8; 4] {
    let alpha = u32::from(alpha);
    let mix = |at: usize| ((u32::from(color[at]) * alpha + u32::from(ground[at]) * (255 - alpha) + 127) / 255) as u8;
    [mix(0), mix(1), mix(2), ground[3]]
}
