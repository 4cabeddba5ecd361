//! Glow: what is bright shines over its surroundings.

use multiversion::multiversion;

use super::gaussian::Blur;
use crate::filter::bands::for_each_band;
use crate::filter::declare::params;
use crate::filter::kernel::{AreaKernel, Kernel, Prepare, PrepareError};
use crate::filter::level::{level, value};
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

params! {
    /// Lets bright things shine over what is around them.
    pub struct Glow("glow", "Glow", Area) {
        /// How bright the shine is.
        strength: f32 = 0.6 in 0.0..=1.0 step 0.01, "Strength";
        /// How far it reaches.
        radius: f32 = 12.0 in 1.0..=64.0 step 0.5, "Radius", Pixels;
    }
}

impl Prepare for Glow {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        if self.strength == 0.0 {
            return Ok(Kernel::Identity);
        }
        let blur = Blur::new(input, self.radius);
        let bytes = input.pixels() * BYTES_PER_PIXEL;
        let (bright, shine) = (vec![0; bytes], vec![0; bytes]);
        Ok(Kernel::Area(Box::new(Shine { size: input, strength: self.strength, blur, bright, shine })))
    }
}

struct Shine {
    size: Size,
    strength: f32,
    blur: Blur,
    /// Only what is bright.
    bright: Vec<u8>,
    shine: Vec<u8>,
}

impl AreaKernel for Shine {
    fn run(&mut self, input: &[u8], output: &mut [u8]) {
        let stride = self.size.width as usize * BYTES_PER_PIXEL;
        for_each_band(&mut self.bright, stride, |first, band| {
            keep_bright(&input[first * stride..][..band.len()], band);
        });
        self.blur.run(&self.bright, &mut self.shine);
        let (shine, strength) = (&self.shine, self.strength);
        for_each_band(output, stride, |first, band| {
            let at = first * stride..first * stride + band.len();
            screen((&input[at.clone()], &shine[at]), strength, band);
        });
    }
}

/// The square of each level: a middle grey keeps a quarter, white all of it.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
fn keep_bright(input: &[u8], output: &mut [u8]) {
    for (out, level) in output.iter_mut().zip(input) {
        let level = u16::from(*level);
        *out = (level * level / 255) as u8;
    }
}

/// Two lights on one wall: what is missing to white is multiplied.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
fn screen((input, shine): (&[u8], &[u8]), strength: f32, output: &mut [u8]) {
    let scale = strength / 255.0;
    for (at, ((out, before), shine)) in output.iter_mut().zip(input).zip(shine).enumerate() {
        let base = value(*before);
        let lit = level(base + (255.0 - base) * (value(*shine) * scale));
        *out = if at % BYTES_PER_PIXEL == 3 { *before } else { lit };
    }
}
