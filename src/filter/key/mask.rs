//! Image mask: a picture that says how much of each pixel stays.

use multiversion::multiversion;

use crate::filter::bands::for_each_band;
use crate::filter::color::LUMA_709;
use crate::filter::declare::{choices, params};
use crate::filter::kernel::{DrawKernel, Kernel, Prepare, PrepareError, Scene};
use crate::filter::level::{level, mix, value};
use crate::filter::picture::{self, Fit};
use crate::filter::{FilePath, Files};
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

choices! {
    /// What of the mask counts.
    pub enum MaskChannel {
        Alpha = "alpha", "Alpha";
        Luma = "luma", "Luma";
    }
}

choices! {
    /// What the mask does with the opacity of the picture.
    pub enum MaskOperation {
        Multiply = "multiply", "Multiply";
        Add = "add", "Add";
        Subtract = "subtract", "Subtract";
    }
}

params! {
    /// Makes the picture transparent by another picture, which is stretched over it. JPEG and video know no transparency:
    /// viewers see black there.
    pub struct Mask("mask", "Image mask", Key) {
        /// The mask.
        path: FilePath = "png jpg jpeg webp gif bmp", "File";
        /// What of the mask counts: how opaque it is, or how bright.
        channel: MaskChannel = Alpha, "Counts";
        /// Multiply keeps what is in the mask, Add brings back what an earlier key took, Subtract takes what is in the mask.
        operation: MaskOperation = Multiply, "Operation";
    }
}

impl Prepare for Mask {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        self.prepare_with(input, &Files::none())
    }

    fn prepare_with(&self, input: Size, files: &Files) -> Result<Kernel, PrepareError> {
        if self.path.0.trim().is_empty() {
            return Ok(Kernel::Identity);
        }
        let scaled = files.parsed(&self.path.0, picture::read)?.scaled(input, Fit::Stretch);
        let (pixels, _) = scaled.as_chunks::<BYTES_PER_PIXEL>();
        let luma = |[r, g, b, a]: [u8; BYTES_PER_PIXEL]| {
            let luma = LUMA_709[0] * value(r) + LUMA_709[1] * value(g) + LUMA_709[2] * value(b);
            // What is not there is not bright.
            level(luma * value(a) / 255.0)
        };
        let cover = match self.channel {
            MaskChannel::Alpha => pixels.iter().map(|pixel| pixel[3]).collect(),
            MaskChannel::Luma => pixels.iter().copied().map(luma).collect(),
        };
        Ok(Kernel::Draw(Box::new(Cover { size: input, cover, operation: self.operation })))
    }
}

struct Cover {
    size: Size,
    /// A byte a pixel.
    cover: Vec<u8>,
    operation: MaskOperation,
}

impl DrawKernel for Cover {
    fn draw(&mut self, pixels: &mut [u8], _: &Scene<'_>) {
        let width = self.size.width as usize;
        let (cover, operation) = (&self.cover, self.operation);
        for_each_band(pixels, width * BYTES_PER_PIXEL, |first, band| {
            let (pixels, _) = band.as_chunks_mut::<BYTES_PER_PIXEL>();
            let cover = &cover[first * width..][..pixels.len()];
            match operation {
                MaskOperation::Multiply => change(pixels, cover, |alpha, cover| mix(0, alpha, cover)),
                MaskOperation::Add => change(pixels, cover, u8::saturating_add),
                MaskOperation::Subtract => change(pixels, cover, u8::saturating_sub),
            }
        });
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
fn change<F: Fn(u8, u8) -> u8>(pixels: &mut [[u8; BYTES_PER_PIXEL]], cover: &[u8], operation: F) {
    for (pixel, cover) in pixels.iter_mut().zip(cover) {
        pixel[3] = operation(pixel[3], *cover);
    }
}
