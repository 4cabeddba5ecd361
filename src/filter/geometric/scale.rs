//! Scale: a smaller or larger picture.

use super::motion::{Motion, checked};
use super::separable::Separable;
use crate::filter::bands::for_each_band;
use crate::filter::declare::{choices, params};
use crate::filter::kernel::{AreaKernel, Kernel, Prepare, PrepareError};
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::{Affine, Mapping, Size};

choices! {
    /// What a pixel between pixels looks like.
    pub enum Sampling {
        Nearest = "nearest", "Nearest";
        Bilinear = "bilinear", "Bilinear";
        Bicubic = "bicubic", "Bicubic";
        Lanczos = "lanczos", "Lanczos";
        Area = "area", "Area mean";
    }
}

params! {
    /// Makes the picture smaller or larger. With a width or a height alone the proportions stay.
    pub struct Scale("scale", "Scale", Geometric) {
        /// How large it becomes in per cent, if neither width nor height is set.
        percent: f32 = 100.0 in 1.0..=400.0 step 1.0, "Per cent";
        /// How wide it becomes; 0 for what the height or the percentage gives.
        width: i32 = 0 in 0..=8192 step 1, "Width", Pixels;
        /// How high it becomes; 0 for what the width or the percentage gives.
        height: i32 = 0 in 0..=8192 step 1, "Height", Pixels;
        /// What pixels are made of. To make a picture much smaller, the area mean is best; the others leave pixels out.
        sampling: Sampling = Bilinear, "Sampling";
    }
}

impl Prepare for Scale {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        let output = checked(self.scaled(input))?;
        if output == input {
            return Ok(Kernel::Identity);
        }
        let ratio = |from: u32, to: u32| f64::from(from) / f64::from(to);
        let back = Affine::scaling(ratio(input.width, output.width), ratio(input.height, output.height));
        let mapping = Mapping { input, output, input_from_output: back.into() };
        let kernel: Box<dyn AreaKernel> = match self.sampling {
            Sampling::Nearest => Box::new(Nearest::new(input, output)),
            // What the shared resampler does, together with other moves.
            Sampling::Bilinear => return Ok(Motion::within(mapping)),
            Sampling::Bicubic => Box::new(Separable::interpolating(input, output, bicubic, 2)),
            Sampling::Lanczos => Box::new(Separable::interpolating(input, output, lanczos, 4)),
            Sampling::Area => Box::new(Separable::covering(input, output)),
        };
        Ok(Kernel::Scale(mapping, kernel))
    }
}

impl Scale {
    fn scaled(&self, input: Size) -> Size {
        let (width, height) = (self.width.unsigned_abs(), self.height.unsigned_abs());
        let side = |length: u32, times: f64| ((f64::from(length) * times).round() as u32).max(1);
        match (width, height) {
            (0, 0) => {
                let times = f64::from(self.percent) / 100.0;
                Size::new(side(input.width, times), side(input.height, times))
            }
            (width, 0) => Size::new(width, side(input.height, f64::from(width) / f64::from(input.width))),
            (0, height) => Size::new(side(input.width, f64::from(height) / f64::from(input.height)), height),
            (width, height) => Size::new(width, height),
        }
    }
}

/// OpenCV's cubic, which is a little sharper than most.
fn bicubic(x: f64) -> f64 {
    const A: f64 = -0.75;
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A
    } else {
        0.0
    }
}

/// Sinc under a wider sinc, over four pixels to either side.
fn lanczos(x: f64) -> f64 {
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { x.sin() / x };
    if x.abs() < 4.0 { sinc(x * std::f64::consts::PI) * sinc(x * std::f64::consts::FRAC_PI_4) } else { 0.0 }
}

/// Every pixel a copy of one.
struct Nearest {
    input: Size,
    /// The column and the row that each column and row of the output is copied from.
    columns: Vec<u32>,
    rows: Vec<u32>,
}

impl Nearest {
    fn new(input: Size, output: Size) -> Self {
        // The upper left of a pixel decides, as in OpenCV.
        let from = |from: u32, to: u32| {
            let ratio = f64::from(from) / f64::from(to);
            (0..to).map(|at| ((f64::from(at) * ratio) as u32).min(from - 1)).collect()
        };
        Self { input, columns: from(input.width, output.width), rows: from(input.height, output.height) }
    }
}

impl AreaKernel for Nearest {
    fn run(&mut self, input: &[u8], output: &mut [u8]) {
        let (pixels, _) = input.as_chunks::<BYTES_PER_PIXEL>();
        let width = self.input.width as usize;
        let stride = self.columns.len() * BYTES_PER_PIXEL;
        for_each_band(output, stride, |first, band| {
            for (row, from) in band.chunks_exact_mut(stride).zip(&self.rows[first..]) {
                let source = &pixels[*from as usize * width..][..width];
                for (pixel, column) in row.as_chunks_mut::<BYTES_PER_PIXEL>().0.iter_mut().zip(&self.columns) {
                    *pixel = source[*column as usize];
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_side_alone_keeps_the_proportions() {
        let scaled = |percent, width, height| {
            let scale = Scale { percent, width, height, ..Scale::default() };
            scale.scaled(Size::new(640, 480))
        };
        assert_eq!(scaled(50.0, 0, 0), Size::new(320, 240));
        assert_eq!(scaled(50.0, 1280, 0), Size::new(1280, 960));
        assert_eq!(scaled(50.0, 0, 120), Size::new(160, 120));
        assert_eq!(scaled(50.0, 7, 9), Size::new(7, 9));
        assert_eq!(scaled(1.0, 0, 0), Size::new(6, 5));
    }

    #[test]
    fn kernels_are_one_at_their_middle_and_nothing_at_other_pixels() {
        for kernel in [bicubic as fn(f64) -> f64, lanczos] {
            assert!((kernel(0.0) - 1.0).abs() < 1e-12);
            assert!((1..5).all(|x| kernel(f64::from(x)).abs() < 1e-12 && kernel(-f64::from(x)).abs() < 1e-12));
        }
    }
}
