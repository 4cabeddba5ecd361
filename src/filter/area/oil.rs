//! Oil paint: strokes of one colour that end at edges. Each pixel takes the means of the four squares that it is a corner
//! of, the calmest one most.

use multiversion::multiversion;

use crate::filter::bands::{for_each_band, for_each_band_with, mirrored};
use crate::filter::declare::params;
use crate::filter::kernel::{AreaKernel, Kernel, Prepare, PrepareError};
use crate::filter::level::{level, value};
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

#[inline(always)]
fn summands([r, g, b, _]: [u8; BYTES_PER_PIXEL]) -> Sums {
    let [r, g, b] = [r, g, b].map(u32::from);
    let luma = (54 * r + 183 * g + 19 * b + 128) >> 8;
    [r, g, b, luma * luma]
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
fn add(line: &[[u8; BYTES_PER_PIXEL]], sums: &mut [Sums]) {
    for (sums, pixel) in sums.iter_mut().zip(line) {
        let values = summands(*pixel);
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += value;
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
fn take(line: &[[u8; BYTES_PER_PIXEL]], sums: &mut [Sums]) {
    for (sums, pixel) in sums.iter_mut().zip(line) {
        let values = summands(*pixel);
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum = sum.wrapping_sub(value);
        }
    }
}

/// The means of squares of `side` columns, and the deviation of their brightness.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
fn average(columns: &[Sums], side: usize, scale: f32, row: &mut [[u8; BYTES_PER_PIXEL]]) {
    let mut sums: Sums = [0; BYTES_PER_PIXEL];
    for column in &columns[..side - 1] {
        for (sum, value) in sums.iter_mut().zip(column) {
            *sum += value;
        }
    }
    for ((out, entering), leaving) in row.iter_mut().zip(&columns[side - 1..]).zip(columns) {
        for (sum, value) in sums.iter_mut().zip(entering) {
            *sum += value;
        }
        let means = sums.map(|sum| sum as i32 as f32 * scale);
        let luma = (54.0 * means[0] + 183.0 * means[1] + 19.0 * means[2]) * (1.0 / 256.0);
        let restless = (means[3] - luma * luma).max(0.0).sqrt();
        *out = [means[0], means[1], means[2], restless].map(level);
        for (sum, value) in sums.iter_mut().zip(leaving) {
            *sum -= value;
        }
    }
}

/// The mean of four squares, by the fourth power of their calm.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
fn paint(
    source: &[[u8; BYTES_PER_PIXEL]],
    around: [&[[u8; BYTES_PER_PIXEL]]; 4],
    strength: f32,
    row: &mut [[u8; BYTES_PER_PIXEL]],
) {
    let [first, second, third, fourth] = around;
    let squares = first.iter().zip(second).zip(third.iter().zip(fourth));
    for ((pixel, source), ((first, second), (third, fourth))) in row.iter_mut().zip(source).zip(squares) {
        let (mut sums, mut weights) = ([0.0_f32; 3], 0.0_f32);
        for square in [first, second, third, fourth] {
            let restless = value(square[3]) + 1.0;
            let weight = 1.0 / (restless * restless);
            let weight = weight * weight;
            for (sum, level) in sums.iter_mut().zip(square) {
                *sum += weight * value(*level);
            }
            weights += weight;
        }
        let whole = 1.0 / weights;
        let mut out = *source;
        for channel in 0..3 {
            let before = value(source[channel]);
            out[channel] = level(before + (sums[channel] * whole - before) * strength);
        }
        *pixel = out;
    }
}
