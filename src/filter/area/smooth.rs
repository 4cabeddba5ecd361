//! The neighbourhood steps of the cartoon: a bilateral blur, a median, and a threshold that follows the local mean.

use super::plane::held;
use crate::filter::bands::{for_each_band, for_each_band_with, mirrored};
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

/// A blur that stops at edges, over a disc.
pub(super) struct Bilateral {
    size: Size,
    radius: usize,
    /// Pixels of the disc as distances from its middle in the padded picture, with the weight of the distance.
    disc: Vec<(isize, f32)>,
    /// Weight by the sum of the three channels' differences.
    likeness: Vec<f32>,
    padded: Vec<u8>,
}

impl Bilateral {
    pub(super) fn new(size: Size, diameter: usize, [sigma_color, sigma_space]: [f32; 2]) -> Self {
        let radius = diameter / 2;
        let bell = |distance_squared: f32, sigma: f32| (-0.5 * distance_squared / (sigma * sigma)).exp();
        let reach = radius as isize;
        let wide = size.width as isize + 2 * reach;
        let square = (-reach..=reach).flat_map(|y| (-reach..=reach).map(move |x| (x, y)));
        let disc = square.filter(|(x, y)| x * x + y * y <= reach * reach);
        Self {
            size,
            radius,
            disc: disc.map(|(x, y)| (y * wide + x, bell((x * x + y * y) as f32, sigma_space))).collect(),
            likeness: (0..=3 * 255).map(|difference| bell((difference * difference) as f32, sigma_color)).collect(),
            padded: Vec::new(),
        }
    }

    pub(super) fn run(&mut self, input: &[u8], output: &mut [u8]) {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let wide = width + 2 * self.radius;
        let (source, _) = input.as_chunks::<BYTES_PER_PIXEL>();
        self.padded.resize(wide * (height + 2 * self.radius) * BYTES_PER_PIXEL, 0);
        let radius = self.radius as isize;
        for_each_band(&mut self.padded, wide * BYTES_PER_PIXEL, |first, band| {
            let (pixels, _) = band.as_chunks_mut::<BYTES_PER_PIXEL>();
            for (index, row) in pixels.chunks_exact_mut(wide).enumerate() {
                let line = &source[mirrored((first + index) as isize - radius, height) * width..][..width];
                for (x, pixel) in row.iter_mut().enumerate() {
                    *pixel = line[mirrored(x as isize - radius, width)];
                }
            }
        });
        let (padded, _) = self.padded.as_chunks::<BYTES_PER_PIXEL>();
        for_each_band(output, width * BYTES_PER_PIXEL, |first, band| {
            let (pixels, _) = band.as_chunks_mut::<BYTES_PER_PIXEL>();
            for (index, row) in pixels.chunks_exact_mut(width).enumerate() {
                let start = (first + index + self.radius) * wide + self.radius;
                for (x, pixel) in row.iter_mut().enumerate() {
                    *pixel = self.smoothed(padded, start + x);
                }
            }
        });
    }

    fn smoothed(&self, padded: &[[u8; BYTES_PER_PIXEL]], middle: usize) -> [u8; BYTES_PER_PIXEL] {
        let [r, g, b, alpha] = padded[middle];
        // Red, green, blue and the sum of the weights, in one vector.
        let mut sums = [0.0_f32; 4];
        for (distance, weight) in &self.disc {
            let pixel = padded[middle.wrapping_add_signed(*distance)];
            let apart = [pixel[0].abs_diff(r), pixel[1].abs_diff(g), pixel[2].abs_diff(b)].map(usize::from);
            let weight = weight * self.likeness[apart[0] + apart[1] + apart[2]];
            let values = [f32::from(pixel[0]), f32::from(pixel[1]), f32::from(pixel[2]), 1.0];
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += weight * value;
            }
        }
        let [r, g, b, _] = sums.map(|sum| (sum / sums[3] + 0.5) as u8);
        [r, g, b, alpha]
    }
}

/// The median of the square of `SIDE`, an odd number, around each pixel; beyond the edge the last pixel counts on.
pub(super) fn median<const SIDE: usize>(gray: &[u8], size: Size, output: &mut [u8]) {
    let (width, height) = (size.width as usize, size.height as usize);
    let reach = (SIDE / 2) as isize;
    let half = (SIDE * SIDE / 2) as u16;
    for_each_band(output, width, |first, band| {
        for (index, row) in band.chunks_exact_mut(width).enumerate() {
            let lines: [&[u8]; SIDE] = std::array::from_fn(|line| {
                &gray[held(first + index, line as isize - reach, height) * width..][..width]
            });
            let column = |x: isize| {
                let x = x.clamp(0, width as isize - 1) as usize;
                lines.map(|line| line[x])
            };
            let mut counts = [0_u16; 256];
            // How many values lie below the median as it was; it moves little from one pixel to the next.
            let (mut below, mut median) = (0_u16, 0_u8);
            for x in -reach..reach {
                for value in column(x) {
                    counts[usize::from(value)] += 1;
                }
            }
            for (x, out) in row.iter_mut().enumerate() {
                for value in column(x as isize + reach) {
                    counts[usize::from(value)] += 1;
                    below += u16::from(value < median);
                }
                while below > half {
                    median -= 1;
                    below -= counts[usize::from(median)];
                }
                while below + counts[usize::from(median)] <= half {
                    below += counts[usize::from(median)];
                    median += 1;
                }
                *out = median;
                for value in column(x as isize - reach) {
                    counts[usize::from(value)] -= 1;
                    below -= u16::from(value < median);
                }
            }
        }
    });
}

/// 255 where a pixel is brighter than the rounded mean of the square of `side` around it less `offset`, else 0.
pub(super) fn above_local_mean(
    gray: &[u8],
    size: Size,
    (side, offset): (usize, i32),
    (output, sums): (&mut [u8], &mut Vec<u32>),
) {
    let (width, height) = (size.width as usize, size.height as usize);
    let reach = (side / 2) as isize;
    let area = (side * side) as u32;
    for_each_band_with(output, width, (sums, width), |first, band, columns| {
        let line = |y: isize| &gray[y.clamp(0, height as isize - 1) as usize * width..][..width];
        let top = first as isize - reach;
        columns.fill(0);
        for y in top..top + side as isize {
            for (sum, value) in columns.iter_mut().zip(line(y)) {
                *sum += u32::from(*value);
            }
        }
        for (index, row) in band.chunks_exact_mut(width).enumerate() {
            let here = line((first + index) as isize);
            let at = |x: isize| columns[x.clamp(0, width as isize - 1) as usize];
            let mut sum: u32 = (-reach..reach).map(at).sum();
            for (x, out) in row.iter_mut().enumerate() {
                sum += at(x as isize + reach);
                let mean = (sum + area / 2) / area;
                *out = if i32::from(here[x]) > mean as i32 - offset { 255 } else { 0 };
                sum -= at(x as isize - reach);
            }
            let (leaving, entering) = (line(top + index as isize), line(top + (index + side) as isize));
            for ((sum, leaving), entering) in columns.iter_mut().zip(leaving).zip(entering) {
                *sum = *sum + u32::from(*entering) - u32::from(*leaving);
            }
        }
    });
}
