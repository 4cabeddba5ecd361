//! Runs a function of a pixel and its place over the picture: rows in parallel, sixteen pixels at once where the processor
//! can.

use multiversion::multiversion;

use crate::filter::bands::for_each_band;
use crate::filter::color::{channels, packed};
use crate::filter::kernel::{DrawKernel, Kernel, Scene};
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

/// Pixels that are worked on together: a line of the cache.
const LANES: usize = 16;

/// What a pixel becomes, from where its middle is and what it was: red, green and blue in levels (0 to 255). Alpha stays.
/// Plain arithmetic without branches is fastest.
pub(super) trait PlaceFunction: Send + Sync + 'static {
    fn apply(&self, place: (f32, f32), levels: [f32; 3]) -> [f32; 3];
}

struct Placed<F> {
    size: Size,
    function: F,
}

pub(super) fn placed(size: Size, function: impl PlaceFunction) -> Kernel {
    Kernel::Draw(Box::new(Placed { size, function }))
}

impl<F: PlaceFunction> DrawKernel for Placed<F> {
    fn draw(&mut self, pixels: &mut [u8], _: &Scene<'_>) {
        let stride = self.size.width as usize * BYTES_PER_PIXEL;
        for_each_band(pixels, stride, |first, band| {
            for (index, row) in band.chunks_exact_mut(stride).enumerate() {
                map_row(&self.function, (first + index) as f32 + 0.5, row.as_chunks_mut().0);
            }
        });
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
fn map_row<F: PlaceFunction>(function: &F, y: f32, row: &mut [[u8; BYTES_PER_PIXEL]]) {
    let (whole, rest) = row.as_chunks_mut::<LANES>();
    let done = whole.len() * LANES;
    for (block, pixels) in whole.iter_mut().enumerate() {
        let start = (block * LANES) as f32 + 0.5;
        for (at, pixel) in pixels.iter_mut().enumerate() {
            *pixel = packed(function.apply((start + at as f32, y), channels(*pixel)), *pixel);
        }
    }
    for (at, pixel) in rest.iter_mut().enumerate() {
        *pixel = packed(function.apply(((done + at) as f32 + 0.5, y), channels(*pixel)), *pixel);
    }
}

/// 0 at whole numbers, 1 between them, and smooth: a wave without a sine.
#[inline(always)]
pub(super) fn ripple(turns: f32) -> f32 {
    // At this size the last bit of the fraction counts ones, so that adding rounds.
    const WHOLE: f32 = 12_582_912.0;
    let rise = (turns - ((turns + WHOLE) - WHOLE)).abs() * 2.0;
    smooth(rise)
}

/// From 0 to 1 without a corner at either end.
#[inline(always)]
pub(super) fn smooth(part: f32) -> f32 {
    part * part * (3.0 - 2.0 * part)
}

/// `amount` of the way from `levels` to `other`.
#[inline(always)]
pub(super) fn towards(levels: [f32; 3], other: [f32; 3], amount: f32) -> [f32; 3] {
    std::array::from_fn(|at| levels[at] + (other[at] - levels[at]) * amount)
}

/// The cosine and sine of an angle in degrees.
pub(super) fn heading(degrees: f32) -> (f32, f32) {
    let (sine, cosine) = f64::from(degrees).to_radians().sin_cos();
    (cosine as f32, sine as f32)
}
