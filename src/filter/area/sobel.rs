//! Edges by Sobel's operator: how steeply each channel changes.

use multiversion::multiversion;

use crate::filter::bands::{for_each_band, mirrored};
use crate::filter::declare::params;
use crate::filter::kernel::{AreaKernel, Kernel, Prepare, PrepareError};
use crate::filter::level::level;
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

params! {
    /// Shows how steeply the colours change: edges shine on black.
    pub struct Sobel("sobel", "Edges (Sobel)", Area) {
        /// Brightness of the edges; at 1 a straight edge from black to white is white.
        amount: f32 = 1.0 in 0.0..=4.0 step 0.01, "Amount";
    }
}

/// Values worked on together.
const CHUNK: usize = 64;
/// What Sobel's weights sum to on either side.
const WEIGHTS: f32 = 4.0;

impl Prepare for Sobel {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        Ok(Kernel::Area(Box::new(Slopes { size: input, scale: self.amount / WEIGHTS })))
    }
}

struct Slopes {
    size: Size,
    scale: f32,
}

impl AreaKernel for Slopes {
    fn run(&mut self, input: &[u8], output: &mut [u8]) {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let stride = width * BYTES_PER_PIXEL;
        for_each_band(output, stride, |first, band| {
            for (index, out) in band.chunks_exact_mut(stride).enumerate() {
                let line =
                    |row: usize| &input[mirrored((first + index + row) as isize - 1, height) * stride..][..stride];
                let lines: [&[u8]; 3] = std::array::from_fn(line);
                if width > 2 {
                    slope_row(lines, self.scale, &mut out[BYTES_PER_PIXEL..stride - BYTES_PER_PIXEL]);
                }
                for x in [0, width - 1] {
                    let columns: [usize; 3] = std::array::from_fn(|column| mirrored((x + column) as isize - 1, width));
                    for channel in 0..3 {
                        let around = lines.map(|line| columns.map(|x| line[x * BYTES_PER_PIXEL + channel]));
                        out[x * BYTES_PER_PIXEL + channel] = slope(around, self.scale);
                    }
                    out[x * BYTES_PER_PIXEL + 3] = lines[1][x * BYTES_PER_PIXEL + 3];
                }
            }
        });
    }
}

/// All pixels of a row but the first and the last.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
fn slope_row(lines: [&[u8]; 3], scale: f32, out: &mut [u8]) {
    let (chunks, rest) = out.as_chunks_mut::<CHUNK>();
    let whole = chunks.len() * CHUNK;
    for (index, out) in chunks.iter_mut().enumerate() {
        let part = |line: &[u8], column: usize| -> [u8; CHUNK] {
            let part = line[index * CHUNK + column * BYTES_PER_PIXEL..].first_chunk();
            part.copied().unwrap_or([0; CHUNK])
        };
        let [above, here, below] = lines.map(|line| [part(line, 0), part(line, 1), part(line, 2)]);
        let (mut across, mut down) = ([0_i16; CHUNK], [0_i16; CHUNK]);
        // One simple loop after another: all at once the compiler does it level by level.
        for at in 0..CHUNK {
            let step = |row: &[[u8; CHUNK]; 3]| i16::from(row[2][at]) - i16::from(row[0][at]);
            across[at] = step(&above) + 2 * step(&here) + step(&below);
        }
        for at in 0..CHUNK {
            let step = |column: usize| i16::from(below[column][at]) - i16::from(above[column][at]);
            down[at] = step(0) + 2 * step(1) + step(2);
        }
        for at in 0..CHUNK {
            out[at] = length([across[at], down[at]], scale);
        }
        for at in (3..CHUNK).step_by(BYTES_PER_PIXEL) {
            out[at] = here[1][at];
        }
    }
    for (at, out) in rest.iter_mut().enumerate() {
        let around = lines.map(|line| [0, 1, 2].map(|column| line[whole + at + column * BYTES_PER_PIXEL]));
        *out = if at % BYTES_PER_PIXEL == 3 { around[1][1] } else { slope(around, scale) };
    }
}

/// The length of the gradient at the middle of three rows of three levels.
#[inline(always)]
fn slope(around: [[u8; 3]; 3], scale: f32) -> u8 {
    let [above, here, below] = around.map(|row| row.map(i16::from));
    let step = |row: [i16; 3]| row[2] - row[0];
    let sum = |row: [i16; 3]| row[0] + 2 * row[1] + row[2];
    length([step(above) + 2 * step(here) + step(below), sum(below) - sum(above)], scale)
}

#[inline(always)]
fn length(gradient: [i16; 2], scale: f32) -> u8 {
    let [across, down] = gradient.map(f32::from);
    level((across * across + down * down).sqrt() * scale)
}
