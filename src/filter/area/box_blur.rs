//! Box blur: the mean of a square. The sums slide, so that the work does not grow with the square.

use crate::filter::bands::{for_each_band_with, mirrored, pad_row};
use crate::filter::declare::params;
use crate::filter::kernel::{AreaKernel, Kernel, Prepare, PrepareError};
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
        Ok(Kernel::Area(Box::new(Mean { size: input, radius, rows: Vec::new(), padded: Vec::new(), sums: Vec::new() })))
    }
}

struct Mean {
    size: Size,
    radius: usize,
    /// Sums along the rows; 129 levels fit 16 bits.
    rows: Vec<u16>,
    padded: Vec<u8>,
    sums: Vec<u32>,
}

impl AreaKernel for Mean {
    fn run(&mut self, input: &[u8], output: &mut [u8]) {
        let (stride, height) = (self.size.width as usize * BYTES_PER_PIXEL, self.size.height as usize);
        let radius = self.radius;
        self.rows.resize(stride * height, 0);
        let padded_length = stride + 2 * radius * BYTES_PER_PIXEL;
        for_each_band_with(&mut self.rows, stride, (&mut self.padded, padded_length), |first, band, padded| {
            for (index, row) in band.chunks_exact_mut(stride).enumerate() {
                pad_row(&input[(first + index) * stride..][..stride], radius, padded);
                slide_across(padded, radius, row);
            }
        });
        let rows = &self.rows;
        let side = (2 * radius + 1) as f32;
        let scale = 1.0 / (side * side);
        for_each_band_with(output, stride, (&mut self.sums, stride), |first, band, sums| {
            let line = |y: isize| &rows[mirrored(y, height) * stride..][..stride];
            sums.fill(0);
            let top = first as isize - radius as isize;
            for y in top..=top + 2 * radius as isize {
                for (sum, value) in sums.iter_mut().zip(line(y)) {
                    *sum += u32::from(*value);
                }
            }
            for (index, out) in band.chunks_exact_mut(stride).enumerate() {
                let leaving = line(top + index as isize);
                let entering = line(top + (index + 2 * radius + 1) as isize);
                for (((out, sum), leaving), entering) in out.iter_mut().zip(&mut *sums).zip(leaving).zip(entering) {
                    *out = (*sum as i32 as f32 * scale + 0.5) as i32 as u8;
                    *sum = *sum + u32::from(*entering) - u32::from(*leaving);
                }
            }
        });
    }
}

fn slide_across(padded: &[u8], radius: usize, row: &mut [u16]) {
    let (pixels, _) = padded.as_chunks::<BYTES_PER_PIXEL>();
    let (row, _) = row.as_chunks_mut::<BYTES_PER_PIXEL>();
    let side = 2 * radius + 1;
    let mut sums = [0_u16; BYTES_PER_PIXEL];
    for pixel in &pixels[..side - 1] {
        for (sum, value) in sums.iter_mut().zip(pixel) {
            *sum += u16::from(*value);
        }
    }
    for ((out, entering), leaving) in row.iter_mut().zip(&pixels[side - 1..]).zip(pixels) {
        for (sum, value) in sums.iter_mut().zip(entering) {
            *sum += u16::from(*value);
        }
        *out = sums;
        for (sum, value) in sums.iter_mut().zip(leaving) {
            *sum -= u16::from(*value);
        }
    }
}
