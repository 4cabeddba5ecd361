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
        let (mut sums, mut total) = ([0.0_f32; 3], 0.0_f32);
        for (distance, weight) in &self.disc {
            let pixel = padded[middle.wrapping_add_signed(*distance)];
            let difference =
                u32::from(pixel[0].abs_diff(r)) + u32::from(pixel[1].abs_diff(g)) + u32::from(pixel[2].abs_diff(b));
            let weight = weight * self.likeness[difference as usize];
            for (sum, value) in sums.iter_mut().zip(pixel) {
                *sum += weight * f32::from(value);
            }
            total += weight;
        }
        let [r, g, b] = sums.map(|sum| (sum / total + 0.5) as u8);
        [r, g, b, alpha]
    }
}

/// The median of the square of side `2 * radius + 1` around each pixel; beyond the edge the last pixel counts on.
pub(super) fn median(gray: &[u8], size: Size, radius: usize, output: &mut [u8]) {
    let (width, height) = (size.width as usize, size.height as usize);
    let reach = radius as isize;
    let half = ((2 * radius + 1) * (2 * radius + 1) / 2) as u16;
    for_each_band(output, width, |first, band| {
        for (index, row) in band.chunks_exact_mut(width).enumerate() {
            let y = first + index;
            let mut counts = [0_u16; 256];
            let change = |x: isize, counts: &mut [u16; 256], below: &mut u16, median: u8, enters: bool| {
                let column = x.clamp(0, width as isize - 1) as usize;
                for by in -reach..=reach {
                    let value = gray[held(y, by, height) * width + column];
                    let (count, step) = (&mut counts[usize::from(value)], u16::from(value < median));
                    if enters {
                        *count += 1;
                        *below += step;
                    } else {
                        *count -= 1;
                        *below -= step;
                    }
                }
            };
            // How many values lie below the median as it was; it moves little from one pixel to the next.
            let (mut below, mut median) = (0_u16, 0_u8);
            for x in -reach..reach {
                change(x, &mut counts, &mut below, median, true);
            }
            for (x, out) in row.iter_mut().enumerate() {
                let x = x as isize;
                change(x + reach, &mut counts, &mut below, median, true);
                while below > half {
                    median -= 1;
                    below -= counts[usize::from(median)];
                }
                while below + counts[usize::from(median)] <= half {
                    below += counts[usize::from(median)];
                    median += 1;
                }
                *out = median;
                change(x - reach, &mut counts, &mut below, median, false);
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
