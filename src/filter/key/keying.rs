//! What the keys share: how much of each pixel stays, and what is seen where it does not.

use multiversion::multiversion;

use crate::filter::Color;
use crate::filter::area::Blur;
use crate::filter::bands::{for_each_band, for_each_band_with};
use crate::filter::kernel::{DrawKernel, Kernel, Scene};
use crate::filter::level::{level, value};
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

type Pixel = [u8; BYTES_PER_PIXEL];

/// What is behind the pixels that go.
pub(super) enum Backdrop {
    /// Nothing: alpha says how much of a pixel is left.
    Transparent,
    /// An opaque colour.
    Color(Color),
    /// An RGBA picture of the size of the pictures.
    Picture(Vec<u8>),
    /// The picture itself, blurred.
    Blurred(Blur),
}

/// Keys out pixels by a function of red, green and blue in 0 to 1, which gives the colour that the pixel has then and how
/// much of it stays, 0 to 1. Plain arithmetic without branches is fastest.
pub(super) struct Keying<F> {
    pub size: Size,
    pub function: F,
    pub backdrop: Backdrop,
    blurred: Vec<u8>,
    row: Vec<u8>,
}

impl<F: Fn([f32; 3]) -> ([f32; 3], f32) + Send + Sync + 'static> Keying<F> {
    pub(super) fn kernel(size: Size, backdrop: Backdrop, function: F) -> Kernel {
        Kernel::Draw(Box::new(Self { size, function, backdrop, blurred: Vec::new(), row: Vec::new() }))
    }
}

impl<F: Fn([f32; 3]) -> ([f32; 3], f32) + Send + Sync> DrawKernel for Keying<F> {
    fn draw(&mut self, pixels: &mut [u8], _: &Scene<'_>) {
        let stride = self.size.width as usize * BYTES_PER_PIXEL;
        let function = &self.function;
        let behind = match &mut self.backdrop {
            Backdrop::Transparent => {
                for_each_band(pixels, stride, |_, band| thin_out(function, band.as_chunks_mut().0));
                return;
            }
            Backdrop::Color(color) => {
                let behind = [color.r, color.g, color.b, 255];
                for_each_band_with(pixels, stride, (&mut self.row, stride), |_, band, row| {
                    row.as_chunks_mut().0.fill(behind);
                    for pixels in band.chunks_exact_mut(stride) {
                        put_over(function, row.as_chunks().0, pixels.as_chunks_mut().0);
                    }
                });
                return;
            }
            Backdrop::Picture(picture) => picture,
            Backdrop::Blurred(blur) => {
                self.blurred.resize(pixels.len(), 0);
                blur.run(pixels, &mut self.blurred);
                &self.blurred
            }
        };
        for_each_band(pixels, stride, |first, band| {
            let behind = &behind[first * stride..][..band.len()];
            put_over(function, behind.as_chunks().0, band.as_chunks_mut().0);
        });
    }
}

#[inline(always)]
fn channels([r, g, b, _]: Pixel) -> [f32; 3] {
    [r, g, b].map(|channel| value(channel) * (1.0 / 255.0))
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
fn thin_out<F: Fn([f32; 3]) -> ([f32; 3], f32)>(function: &F, pixels: &mut [Pixel]) {
    for pixel in pixels {
        let ([r, g, b], stays) = function(channels(*pixel));
        *pixel = [level(r * 255.0), level(g * 255.0), level(b * 255.0), level(value(pixel[3]) * stays)];
    }
}

/// The result is opaque where `behind` is.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
fn put_over<F: Fn([f32; 3]) -> ([f32; 3], f32)>(function: &F, behind: &[Pixel], pixels: &mut [Pixel]) {
    for (pixel, behind) in pixels.iter_mut().zip(behind) {
        let (color, stays) = function(channels(*pixel));
        let over = stays * value(pixel[3]) * (1.0 / 255.0);
        let under = (1.0 - over) * value(behind[3]) * (1.0 / 255.0);
        let total = over + under;
        let whole = if total > 0.0 { 1.0 / total } else { 0.0 };
        let mix = |channel: usize| level((color[channel] * 255.0 * over + value(behind[channel]) * under) * whole);
        *pixel = [mix(0), mix(1), mix(2), level(total * 255.0)];
    }
}

/// `at` on the way from `start` over the length `over` as 0 to 1; a step where there is no length.
#[inline(always)]
pub(super) fn ramp(at: f32, start: f32, over: f32) -> f32 {
    let way = (at - start) / over.max(1e-6);
    let way = if way > 0.0 { way } else { 0.0 };
    if way < 1.0 { way } else { 1.0 }
}
