//! Oil paint: strokes of one colour that end at edges. Each pixel takes the means of the four squares that it is a corner
//! of, the calmest one most.

use crate::filter::bands::{for_each_band, for_each_band_with, mirrored};
use crate::filter::declare::params;
use crate::filter::kernel::{AreaKernel, Kernel, Prepare, PrepareError};
use crate::filter::level::{channels, level, pixel};
use crate::filter::simd::vectorised;
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

params! {
    /// Paints the picture with strokes of a broad brush.
    pub struct Oil("oil", "Oil paint", Area) {
        /// How much of the picture becomes paint.
        strength: f32 = 1.0 in 0.0..=1.0 step 0.01, "Strength";
        /// Half the width of the brush.
        radius: i32 = 4 in 1..=16 step 1, "Radius", Pixels;
    }
}

impl Prepare for Oil {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        if self.strength == 0.0 {
            return Ok(Kernel::Identity);
        }
        let radius = self.radius.unsigned_abs() as usize;
        // A finer brush after the broad one makes the strokes round and their edges clear.
        let layers = [(radius, self.strength), (radius.div_ceil(2), self.strength)];
        let layers = layers.map(|(radius, strength)| Layer { size: input, radius, strength, ..Layer::default() });
        Ok(Kernel::Area(Box::new(Paint { layers, between: vec![0; input.pixels() * BYTES_PER_PIXEL] })))
    }
}

struct Paint {
    layers: [Layer; 2],
    between: Vec<u8>,
}

impl AreaKernel for Paint {
    fn run(&mut self, input: &[u8], output: &mut [u8]) {
        let [broad, fine] = &mut self.layers;
        broad.run(input, &mut self.between);
        fine.run(&self.between, output);
    }
}

/// Sums of red, green, blue and the square of the brightness.
type Sums = [u32; BYTES_PER_PIXEL];

impl Default for Layer {
    fn default() -> Self {
        Self { size: Size::new(0, 0), radius: 0, strength: 0.0, strokes: Vec::new(), scratch: Vec::new() }
    }
}

struct Layer {
    size: Size,
    radius: usize,
    strength: f32,
    /// Mean colour of each square by its upper left pixel, and how restless it is in place of alpha. Squares begin up to
    /// a radius beyond the left and upper edge.
    strokes: Vec<u8>,
    scratch: Vec<Sums>,
}

impl Layer {
    fn run(&mut self, input: &[u8], output: &mut [u8]) {
        let (width, height, radius) = (self.size.width as usize, self.size.height as usize, self.radius);
        let (source, _) = input.as_chunks::<BYTES_PER_PIXEL>();
        let (wide, side) = (width + radius, radius + 1);
        self.strokes.resize(wide * (height + radius) * BYTES_PER_PIXEL, 0);
        // Sums of columns, a radius beyond either edge.
        let columns = width + 2 * radius;
        let scale = 1.0 / (side * side) as f32;
        for_each_band_with(
            &mut self.strokes,
            wide * BYTES_PER_PIXEL,
            (&mut self.scratch, columns),
            |first, band, sums| {
                let line = |y: usize| &source[mirrored(y as isize - radius as isize, height) * width..][..width];
                let inner = radius..radius + width;
                sums.fill([0; BYTES_PER_PIXEL]);
                for y in first..first + side {
                    add(line(y), &mut sums[inner.clone()]);
                }
                let (band, _) = band.as_chunks_mut::<BYTES_PER_PIXEL>();
                for (index, row) in band.chunks_exact_mut(wide).enumerate() {
                    for x in (0..radius).chain(radius + width..columns) {
                        sums[x] = sums[radius + mirrored(x as isize - radius as isize, width)];
                    }
                    average(sums, side, scale, row);
                    let y = first + index;
                    take(line(y), &mut sums[inner.clone()]);
                    add(line(y + side), &mut sums[inner.clone()]);
                }
            },
        );
        let (strokes, _) = self.strokes.as_chunks::<BYTES_PER_PIXEL>();
        for_each_band(output, width * BYTES_PER_PIXEL, |first, band| {
            let (band, _) = band.as_chunks_mut::<BYTES_PER_PIXEL>();
            for (index, row) in band.chunks_exact_mut(width).enumerate() {
                let y = first + index;
                let squares = |y: usize, x: usize| &strokes[y * wide + x..][..width];
                let around = [squares(y, 0), squares(y, radius), squares(y + radius, 0), squares(y + radius, radius)];
                paint(&source[y * width..][..width], around, self.strength, row);
            }
        });
    }
}

/// Pixels that are worked on together.
const BLOCK: usize = 16;

#[inline(always)]
fn summands(pixel: [u8; BYTES_PER_PIXEL]) -> Sums {
    let pixel = u32::from_le_bytes(pixel);
    let (r, g, b) = (pixel & 0xff, pixel >> 8 & 0xff, pixel >> 16 & 0xff);
    let luma = (54 * r + 183 * g + 19 * b + 128) >> 8;
    [r, g, b, luma * luma]
}

/// The mean colour of a square, and the deviation of its brightness in place of alpha.
#[inline(always)]
fn stroke(sums: Sums, scale: f32) -> [u8; BYTES_PER_PIXEL] {
    // Signed, because that conversion is one instruction.
    let (r, g, b) = (sums[0] as i32 as f32 * scale, sums[1] as i32 as f32 * scale, sums[2] as i32 as f32 * scale);
    let luma = (54.0 * r + 183.0 * g + 19.0 * b) * (1.0 / 256.0);
    let variance = sums[3] as i32 as f32 * scale - luma * luma;
    let restless = (if variance > 0.0 { variance } else { 0.0 }).sqrt();
    let color = u32::from(level(r)) | u32::from(level(g)) << 8 | u32::from(level(b)) << 16;
    (color | u32::from(level(restless)) << 24).to_le_bytes()
}

/// Adds a square to weighted sums of red, green, blue and the weights, by the fourth power of its calm.
#[inline(always)]
fn add_weighted(square: [u8; BYTES_PER_PIXEL], sums: [f32; 4]) -> [f32; 4] {
    let [r, g, b] = channels(square);
    let restless = (u32::from_le_bytes(square) >> 24) as i32 as f32 + 1.0;
    let squared = restless * restless;
    let weight = 1.0 / (squared * squared);
    [sums[0] + weight * r, sums[1] + weight * g, sums[2] + weight * b, sums[3] + weight]
}

vectorised! {
    fn add(line: &[[u8; BYTES_PER_PIXEL]], sums: &mut [Sums]) {
        for (sums, pixel) in sums.iter_mut().zip(line) {
            let values = summands(*pixel);
            *sums = [sums[0] + values[0], sums[1] + values[1], sums[2] + values[2], sums[3] + values[3]];
        }
    }

    fn take(line: &[[u8; BYTES_PER_PIXEL]], sums: &mut [Sums]) {
        for (sums, pixel) in sums.iter_mut().zip(line) {
            let values = summands(*pixel);
            *sums = [sums[0] - values[0], sums[1] - values[1], sums[2] - values[2], sums[3] - values[3]];
        }
    }

    /// The means of squares of `side` columns, and the deviation of their brightness.
    fn average(columns: &[Sums], side: usize, scale: f32, row: &mut [[u8; BYTES_PER_PIXEL]]) {
        let mut sums: Sums = [0; BYTES_PER_PIXEL];
        for column in &columns[..side - 1] {
            for channel in 0..BYTES_PER_PIXEL {
                sums[channel] += column[channel];
            }
        }
        for (block, out) in row.chunks_mut(BLOCK).enumerate() {
            // The sums follow from one another; all that is done with them does not.
            let mut squares: [Sums; BLOCK] = [[0; BYTES_PER_PIXEL]; BLOCK];
            let leaving = &columns[block * BLOCK..][..out.len()];
            let entering = &columns[block * BLOCK + side - 1..][..out.len()];
            for at in 0..out.len() {
                let (entering, leaving) = (entering[at], leaving[at]);
                let whole = [
                    sums[0] + entering[0],
                    sums[1] + entering[1],
                    sums[2] + entering[2],
                    sums[3] + entering[3],
                ];
                squares[at] = whole;
                sums = [whole[0] - leaving[0], whole[1] - leaving[1], whole[2] - leaving[2], whole[3] - leaving[3]];
            }
            if let Some(out) = out.as_mut_array::<BLOCK>() {
                for at in 0..BLOCK {
                    out[at] = stroke(squares[at], scale);
                }
            } else {
                for at in 0..out.len() {
                    out[at] = stroke(squares[at], scale);
                }
            }
        }
    }

    /// The mean of four squares, by the fourth power of their calm.
    fn paint(
        source: &[[u8; BYTES_PER_PIXEL]],
        around: [&[[u8; BYTES_PER_PIXEL]]; 4],
        strength: f32,
        row: &mut [[u8; BYTES_PER_PIXEL]],
    ) {
        let [first, second, third, fourth] = around;
        let squares = first.iter().zip(second).zip(third.iter().zip(fourth));
        for ((out, source), ((first, second), (third, fourth))) in row.iter_mut().zip(source).zip(squares) {
            let sums = add_weighted(*second, add_weighted(*first, [0.0; 4]));
            let sums = add_weighted(*fourth, add_weighted(*third, sums));
            let whole = 1.0 / sums[3];
            let [r, g, b] = channels(*source);
            let painted = [
                r + (sums[0] * whole - r) * strength,
                g + (sums[1] * whole - g) * strength,
                b + (sums[2] * whole - b) * strength,
            ];
            *out = pixel(painted, *source);
        }
    }
}
