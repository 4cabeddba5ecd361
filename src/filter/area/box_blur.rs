//! Box blur: the mean of a square. The sums slide, so that the work does not grow with the square.

use crate::filter::bands::{for_each_tall_band_with, mirrored};
use crate::filter::declare::params;
use crate::filter::kernel::{AreaKernel, Kernel, Prepare, PrepareError};
use crate::filter::simd::{CHUNK, vectorised};
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

params! {
    /// Replaces each pixel by the mean of the square around it.
    pub struct BoxBlur("box_blur", "Box blur", Area) {
        /// From the middle of the square to its side.
        radius: i32 = 0 in 0..=64 step 1, "Radius", Pixels;
    }
}

impl Prepare for BoxBlur {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        if self.radius == 0 {
            return Ok(Kernel::Identity);
        }
        let radius = self.radius.unsigned_abs() as usize;
        Ok(Kernel::Area(Box::new(Mean { size: input, radius, scratch: Vec::new() })))
    }
}

struct Mean {
    size: Size,
    radius: usize,
    scratch: Vec<Sums>,
}

/// What a band needs while it works on a strip.
#[derive(Default, Clone)]
struct Sums {
    /// Sums of the columns around a row, with what lies beside the strip; 129 levels fit 16 bits.
    columns: Vec<u16>,
    squares: Vec<[u32; BYTES_PER_PIXEL]>,
}

/// Columns worked on from top to bottom, so that all sums stay in the nearest cache; at least this many pixels
const STRIP: usize = 256;
/// and this many times the radius, because what lies beside a strip is worked on twice.
const STRIP_OF_RADIUS: usize = 8;

impl AreaKernel for Mean {
    fn run(&mut self, input: &[u8], output: &mut [u8]) {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let stride = width * BYTES_PER_PIXEL;
        let radius = self.radius;
        let side = 2 * radius + 1;
        let scale = 1.0 / (side * side) as f32;
        let strips = (width / STRIP.max(STRIP_OF_RADIUS * radius)).max(1);
        for_each_tall_band_with(output, (stride, radius), (&mut self.scratch, 1), |first, band, scratch| {
            let Sums { columns, squares } = &mut scratch[0];
            for strip in 0..strips {
                let (start, end) = (width * strip / strips, width * (strip + 1) / strips);
                let inside = start.saturating_sub(radius)..(end + radius).min(width);
                let line = |y: isize| {
                    let row = &input[mirrored(y, height) * stride..][..stride];
                    &row[inside.start * BYTES_PER_PIXEL..inside.end * BYTES_PER_PIXEL]
                };
                columns.clear();
                let wide = ((end - start) * BYTES_PER_PIXEL).next_multiple_of(CHUNK);
                columns.resize(wide + 2 * radius * BYTES_PER_PIXEL, 0);
                let padded = end - start + 2 * radius;
                squares.resize(end - start, [0; BYTES_PER_PIXEL]);
                let before = inside.start + radius - start;
                let within = before * BYTES_PER_PIXEL..(before + inside.len()) * BYTES_PER_PIXEL;
                let top = first as isize - radius as isize;
                for y in top..top + side as isize {
                    enter(&mut columns[within.clone()], line(y));
                }
                for (index, out) in band.chunks_exact_mut(stride).enumerate() {
                    mirror_ends(&mut columns[..padded * BYTES_PER_PIXEL], before, inside.len());
                    let out = &mut out[start * BYTES_PER_PIXEL..end * BYTES_PER_PIXEL];
                    if side <= FEW {
                        add_few(columns, side, scale, out);
                    } else {
                        slide(&columns[..padded * BYTES_PER_PIXEL], side, squares);
                        scale_down(squares.as_flattened(), scale, out);
                    }
                    let y = top + index as isize;
                    replace(&mut columns[within.clone()], line(y), line(y + side as isize));
                }
            }
        });
    }
}

/// Fills what lies before the pixel `first` and after `count` pixels from there.
fn mirror_ends(columns: &mut [u16], first: usize, count: usize) {
    let (columns, _) = columns.as_chunks_mut::<BYTES_PER_PIXEL>();
    for at in (0..first).chain(first + count..columns.len()) {
        columns[at] = columns[first + mirrored(at as isize - first as isize, count)];
    }
}

/// Sides of squares up to this are summed up anew for each pixel; their sums fit 16 bits.
const FEW: usize = 9;

vectorised! {
    fn enter(columns: &mut [u16], line: &[u8]) {
        for (sum, value) in columns.iter_mut().zip(line) {
            *sum = sum.wrapping_add(u16::from(*value));
        }
    }

    fn replace(columns: &mut [u16], leaving: &[u8], entering: &[u8]) {
        for ((sum, leaving), entering) in columns.iter_mut().zip(leaving).zip(entering) {
            *sum = sum.wrapping_add(u16::from(*entering).wrapping_sub(u16::from(*leaving)));
        }
    }

    /// Means of each `side` neighbouring columns, of which there are enough for whole chunks.
    fn add_few(columns: &[u16], side: usize, scale: f32, out: &mut [u8]) {
        for (index, out) in out.chunks_mut(CHUNK).enumerate() {
            let mut sums = [0_u16; CHUNK];
            for column in 0..side {
                let values = &columns[index * CHUNK + column * BYTES_PER_PIXEL..][..CHUNK];
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum = sum.wrapping_add(*value);
                }
            }
            if let Ok(out) = <&mut [u8; CHUNK]>::try_from(&mut *out) {
                for (out, sum) in out.iter_mut().zip(sums) {
                    *out = rounded(u32::from(sum), scale);
                }
            } else {
                for (out, sum) in out.iter_mut().zip(sums) {
                    *out = rounded(u32::from(sum), scale);
                }
            }
        }
    }

    /// Sums of each `side` neighbouring columns.
    fn slide(columns: &[u16], side: usize, squares: &mut [[u32; BYTES_PER_PIXEL]]) {
        let (columns, _) = columns.as_chunks::<BYTES_PER_PIXEL>();
        let mut sums = [0_u32; BYTES_PER_PIXEL];
        for column in &columns[..side - 1] {
            for (sum, value) in sums.iter_mut().zip(column) {
                *sum += u32::from(*value);
            }
        }
        let mut leaving = [0_u32; BYTES_PER_PIXEL];
        for ((square, entering), next) in squares.iter_mut().zip(&columns[side - 1..]).zip(columns) {
            for at in 0..BYTES_PER_PIXEL {
                let change = u32::from(entering[at]).wrapping_sub(leaving[at]);
                sums[at] = sums[at].wrapping_add(change);
            }
            *square = sums;
            leaving = next.map(u32::from);
        }
    }

    fn scale_down(squares: &[u32], scale: f32, out: &mut [u8]) {
        for (out, sum) in out.iter_mut().zip(squares) {
            *out = rounded(*sum, scale);
        }
    }
}

/// Adding it to a float leaves a whole number in the lowest bits, rounded.
const WHOLE: f32 = (1 << 23) as f32;

/// The sum times `scale`, rounded. It is below 2^23, so that a float holds it exactly.
#[inline(always)]
fn rounded(sum: u32, scale: f32) -> u8 {
    (sum as i32 as f32 * scale + WHOLE).to_bits() as u8
}
