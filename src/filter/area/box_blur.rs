//! Box blur: the mean of a square. The sums slide, so that the work does not grow with the square.

use crate::filter::bands::{for_each_tall_band_with, mirrored};
use crate::filter::declare::params;
use crate::filter::kernel::{AreaKernel, Kernel, Prepare, PrepareError};
use crate::filter::simd::{CHUNK, few_means, sliding_means, vectorised};
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
    /// For each band the sums of the columns around a row, with what lies beside the strip; 129 levels fit 16 bits.
    scratch: Vec<Vec<u16>>,
}

/// Columns worked on from top to bottom, so that all sums stay in the nearest cache; at least this many pixels
const STRIP: usize = 1024;
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
            let columns = &mut scratch[0];
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
                        match side {
                            3 => few_means::<3>(columns, out),
                            5 => few_means::<5>(columns, out),
                            7 => few_means::<7>(columns, out),
                            _ => few_means::<9>(columns, out),
                        }
                    } else {
                        sliding_means(columns.as_chunks().0, side, scale, out.as_chunks_mut().0);
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
        let line = &line[..columns.len()];
        for at in 0..columns.len() {
            columns[at] = columns[at].wrapping_add(u16::from(line[at]));
        }
    }

    fn replace(columns: &mut [u16], leaving: &[u8], entering: &[u8]) {
        let (leaving, entering) = (&leaving[..columns.len()], &entering[..columns.len()]);
        for at in 0..columns.len() {
            let change = u16::from(entering[at]).wrapping_sub(u16::from(leaving[at]));
            columns[at] = columns[at].wrapping_add(change);
        }
    }
}
