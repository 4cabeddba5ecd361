//! What the keys share: how much of each pixel stays, and what is seen where it does not.

use multiversion::multiversion;

use crate::filter::Color;
use crate::filter::area::Blur;
use crate::filter::bands::{for_each_band, for_each_band_with};
use crate::filter::kernel::{DrawKernel, Kernel, Scene};
use crate::filter::level::{channels, level};
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

/// Decides about single pixels. A trait and no closure, because only what is always inlined is compiled for the
/// processor's vectors: plain arithmetic without branches.
pub(super) trait Key: Send + Sync + 'static {
    /// From red, green and blue in 0 to 1 the colour that the pixel has then and how much of it stays, 0 to 1.
    fn apply(&self, color: [f32; 3]) -> ([f32; 3], f32);
}

/// Keys out pixels.
pub(super) struct Keying<K> {
    pub size: Size,
    pub key: K,
    pub backdrop: Backdrop,
    blurred: Vec<u8>,
    row: Vec<u8>,
}

impl<K: Key> Keying<K> {
    pub(super) fn kernel(size: Size, backdrop: Backdrop, key: K) -> Kernel {
        Kernel::Draw(Box::new(Self { size, key, backdrop, blurred: Vec::new(), row: Vec::new() }))
    }
}

impl<K: Key> DrawKernel for Keying<K> {
    fn draw(&mut self, pixels: &mut [u8], _: &Scene<'_>) {
        let stride = self.size.width as usize * BYTES_PER_PIXEL;
        let key = &self.key;
        let behind = match &mut self.backdrop {
            Backdrop::Transparent => {
                for_each_band(pixels, stride, |_, band| thin_out(key, band.as_chunks_mut().0));
                return;
            }
            Backdrop::Color(color) => {
                let behind = [color.r, color.g, color.b, 255];
                for_each_band_with(pixels, stride, (&mut self.row, stride), |_, band, row| {
                    row.as_chunks_mut().0.fill(behind);
                    for pixels in band.chunks_exact_mut(stride) {
                        put_over(key, row.as_chunks().0, pixels.as_chunks_mut().0);
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
            put_over(key, behind.as_chunks().0, band.as_chunks_mut().0);
        });
    }
}

/// From red, green, blue and alpha in levels, put together in one number: the compiler writes that as one vector.
#[inline(always)]
fn packed(color: [f32; 3], alpha: f32) -> Pixel {
    let (r, g, b, a) = (level(color[0]), level(color[1]), level(color[2]), level(alpha));
    (u32::from(r) | u32::from(g) << 8 | u32::from(b) << 16 | u32::from(a) << 24).to_le_bytes()
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
fn thin_out<K: Key>(key: &K, pixels: &mut [Pixel]) {
    for pixel in pixels {
        let [r, g, b] = channels(*pixel);
        let ([r, g, b], stays) = key.apply([r * (1.0 / 255.0), g * (1.0 / 255.0), b * (1.0 / 255.0)]);
        *pixel = packed([r * 255.0, g * 255.0, b * 255.0], alpha(*pixel) * stays);
    }
}

/// The result is opaque where `behind` is.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
fn put_over<K: Key>(key: &K, behind: &[Pixel], pixels: &mut [Pixel]) {
    for (pixel, behind) in pixels.iter_mut().zip(behind) {
        let [r, g, b] = channels(*pixel);
        let ([r, g, b], stays) = key.apply([r * (1.0 / 255.0), g * (1.0 / 255.0), b * (1.0 / 255.0)]);
        let over = stays * alpha(*pixel) * (1.0 / 255.0);
        let under = (1.0 - over) * alpha(*behind) * (1.0 / 255.0);
        let total = over + under;
        let whole = if total > 0.0 { 1.0 / total } else { 0.0 };
        let ground = channels(*behind);
        let r = (r * 255.0 * over + ground[0] * under) * whole;
        let g = (g * 255.0 * over + ground[1] * under) * whole;
        let b = (b * 255.0 * over + ground[2] * under) * whole;
        *pixel = packed([r, g, b], total * 255.0);
    }
}

#[inline(always)]
fn alpha(pixel: Pixel) -> f32 {
    // Signed, because that conversion is one instruction.
    (u32::from_le_bytes(pixel) >> 24) as i32 as f32
}

/// From 0 to 1 over a length; a step where there is none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ramp {
    start: f32,
    slope: f32,
}

impl Ramp {
    pub(super) fn new(start: f32, over: f32) -> Self {
        Self { start, slope: 1.0 / over.max(1e-6) }
    }

    #[inline(always)]
    pub(super) fn at(self, position: f32) -> f32 {
        let way = (position - self.start) * self.slope;
        let way = if way > 0.0 { way } else { 0.0 };
        if way < 1.0 { way } else { 1.0 }
    }
}
