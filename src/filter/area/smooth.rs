//! The bilateral filter's engine: the mean of a disc around each pixel, in which a pixel counts the less the further away
//! it is, in space and in colour.

use std::f32::consts::{LN_2, LOG2_E};

use crate::filter::bands::{for_each_tall_band_with, mirrored, pad_part};
use crate::filter::simd::vectorised;
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

/// Pixels worked on together.
const LANES: usize = 16;
/// Pixels of a row worked on from top to bottom, so that the rows of a disc stay in the nearest cache.
const STRIP: usize = 8 * LANES;
/// Red, green, blue.
const PLANES: usize = 3;

/// A blur that stops at edges, over a disc; alpha stays.
pub(crate) struct Smooth {
    size: Size,
    radius: usize,
    /// Pixels of the disc as row, column and the binary logarithm of the distance's weight.
    disc: Vec<(usize, usize, f32)>,
    /// What the square of the sum of the channels' differences takes from that logarithm.
    fall: f32,
    strips: Vec<Strip>,
}

/// What a band needs while it works on a strip.
#[derive(Default, Clone)]
struct Strip {
    /// Rows of levels, each channel on its own; row `y` is at `y` modulo the diameter.
    rows: Vec<f32>,
    padded: Vec<u8>,
    taps: Vec<Tap>,
}

/// A pixel of the disc: where it is relative to a pixel's number in the strip, and its weight's logarithm.
#[derive(Clone, Copy)]
struct Tap {
    place: usize,
    weight: f32,
}

impl Smooth {
    /// `diameter` is odd, both standard deviations are above 0: that of the sum of three channels' differences in levels
    /// and that of the distance in pixels. The weights are those of OpenCV's `bilateralFilter`.
    pub(crate) fn new(size: Size, diameter: usize, [sigma_color, sigma_space]: [f32; 2]) -> Self {
        let radius = diameter / 2;
        let fall = |sigma: f32| -0.5 / (sigma * sigma) * LOG2_E;
        let square = (0..diameter).flat_map(|row| (0..diameter).map(move |column| (row, column)));
        let disc = square.filter_map(|(row, column)| {
            let distance = row.abs_diff(radius).pow(2) + column.abs_diff(radius).pow(2);
            (distance <= radius * radius).then(|| (row, column, distance as f32 * fall(sigma_space)))
        });
        Self { size, radius, disc: disc.collect(), fall: fall(sigma_color), strips: Vec::new() }
    }

    pub(crate) fn run(&mut self, input: &[u8], output: &mut [u8]) {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let stride = width * BYTES_PER_PIXEL;
        let radius = self.radius;
        let diameter = 2 * radius + 1;
        let plane = STRIP + 2 * radius;
        let (disc, fall) = (&self.disc, self.fall);
        for_each_tall_band_with(output, (stride, 2 * radius), (&mut self.strips, 1), |first, band, strips| {
            let Strip { rows, padded, taps } = &mut strips[0];
            rows.resize(diameter * PLANES * plane, 0.0);
            padded.resize(plane * BYTES_PER_PIXEL, 0);
            for start in (0..width).step_by(STRIP) {
                let end = (start + STRIP).min(width);
                let mut next = first.saturating_sub(radius);
                for (index, out) in band.chunks_exact_mut(stride).enumerate() {
                    let y = first + index;
                    while next <= (y + radius).min(height - 1) {
                        pad_part(&input[next * stride..][..stride], start as isize - radius as isize, padded);
                        let row = &mut rows[next % diameter * PLANES * plane..][..PLANES * plane];
                        separate(padded.as_chunks().0, plane, row);
                        next += 1;
                    }
                    taps.clear();
                    taps.extend(disc.iter().map(|(row, column, weight)| {
                        let line = mirrored((y + row) as isize - radius as isize, height);
                        Tap { place: line % diameter * PLANES * plane + column, weight: *weight }
                    }));
                    let part = start * BYTES_PER_PIXEL..end * BYTES_PER_PIXEL;
                    let (source, _) = input[y * stride..][part.clone()].as_chunks();
                    let (out, _) = out[part].as_chunks_mut();
                    let look = Look { plane, fall, middle: y % diameter * PLANES * plane + radius };
                    smooth(rows, taps, look, source, out);
                }
            }
        });
    }
}

#[derive(Clone, Copy)]
struct Look {
    plane: usize,
    fall: f32,
    /// Where the strip's first pixel is in the rows.
    middle: usize,
}

/// Adding it to a float leaves a whole number in the lowest bits, rounded; negative ones too.
const WHOLE: f32 = 1.5 * (1 << 23) as f32;
/// Weights below 2 to the power of this are as good as none.
const LEAST_LOGARITHM: f32 = -100.0;

/// 2 to the power of `exponent`, which is not above 0; off by less than a 10,000th. Only sums and products, so that it is
/// the same everywhere.
#[inline(always)]
fn power_of_two(exponent: f32) -> f32 {
    let exponent = if exponent < LEAST_LOGARITHM { LEAST_LOGARITHM } else { exponent };
    let whole = exponent + WHOLE;
    let rest = exponent - (whole - WHOLE);
    let power = 1.0 + rest * (LN_2 + rest * (0.240_226_5 + rest * (0.055_504_11 + rest * 0.009_618_13)));
    f32::from_bits(power.to_bits().wrapping_add(whole.to_bits() << 23))
}

vectorised! {
    /// One plane of levels for each channel.
    fn separate(pixels: &[[u8; BYTES_PER_PIXEL]], plane: usize, planes: &mut [f32]) {
        for (channel, values) in planes.chunks_exact_mut(plane).enumerate() {
            for (value, pixel) in values.iter_mut().zip(pixels) {
                *value = (u32::from_le_bytes(*pixel) >> (8 * channel) & 255) as i32 as f32;
            }
        }
    }

    fn smooth(
        rows: &[f32],
        taps: &[Tap],
        look: Look,
        source: &[[u8; BYTES_PER_PIXEL]],
        out: &mut [[u8; BYTES_PER_PIXEL]],
    ) {
        let Look { plane, fall, middle } = look;
        for (index, (source, out)) in source.chunks(LANES).zip(out.chunks_mut(LANES)).enumerate() {
            let at = |place: usize, channel: usize| -> [f32; LANES] {
                let from = place + channel * plane + index * LANES;
                *rows[from..].first_chunk().unwrap_or(&[0.0; LANES])
            };
            let here = [at(middle, 0), at(middle, 1), at(middle, 2)];
            let (mut r, mut g, mut b, mut weights) = ([0.0; LANES], [0.0; LANES], [0.0; LANES], [0.0; LANES]);
            for tap in taps {
                let there = [at(tap.place, 0), at(tap.place, 1), at(tap.place, 2)];
                for lane in 0..LANES {
                    let apart = (there[0][lane] - here[0][lane]).abs()
                        + (there[1][lane] - here[1][lane]).abs()
                        + (there[2][lane] - here[2][lane]).abs();
                    let weight = power_of_two(apart * apart * fall + tap.weight);
                    r[lane] += weight * there[0][lane];
                    g[lane] += weight * there[1][lane];
                    b[lane] += weight * there[2][lane];
                    weights[lane] += weight;
                }
            }
            for (lane, (source, out)) in source.iter().zip(out).enumerate() {
                let level = |sum: f32| (sum / weights[lane] + WHOLE).to_bits() & 255;
                let color = level(r[lane]) | level(g[lane]) << 8 | level(b[lane]) << 16;
                *out = (color | u32::from_le_bytes(*source) & 0xff00_0000).to_le_bytes();
            }
        }
    }
}
