//! Takes the noise out of a camera's picture by averaging over time, but not where something moves.
//!
//! A repeat of the same picture is averaged in like a new one: where a slider before this filter moved it has to show, and
//! a picture that stands still ends as itself.

use std::any::Any;

use multiversion::multiversion;

use super::remembered::{blend_towards, remember, show};
use crate::filter::bands::for_each_band_of_two;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Moment, Prepare, PrepareError, Shown, TimeKernel};
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

params! {
    /// Calms the noise of a camera by averaging over time where nothing moves.
    pub struct TemporalDenoise("temporal_denoise", "Denoise over time", Time) {
        /// How much noise goes; too much lets slow movements smear.
        strength: f32 = 0.0 in 0.0..=1.0 step 0.01, "Strength";
    }
}

/// The share of a new picture at full strength where nothing moves.
const LEAST_SHARE: f32 = 0.08;
/// From how many levels on a difference is a movement, at the least and at full strength.
const MOVEMENT: [f32; 2] = [8.0, 40.0];

impl Prepare for TemporalDenoise {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        if self.strength == 0.0 {
            return Ok(Kernel::Identity);
        }
        let [least, most] = MOVEMENT;
        let calm = 1.0 - self.strength * (1.0 - LEAST_SHARE);
        let movement = least + (most - least) * self.strength;
        Ok(Kernel::Time(Box::new(Calm { size: input, calm, movement, average: Vec::new() })))
    }
}

struct Calm {
    size: Size,
    /// The share of a new picture where nothing moves.
    calm: f32,
    /// The difference in levels from which on a new picture counts alone.
    movement: f32,
    /// In 256ths of a level.
    average: Vec<u16>,
}

impl TimeKernel for Calm {
    fn run(&mut self, pixels: &mut [u8], _: Moment) -> Shown {
        let stride = self.size.width as usize * BYTES_PER_PIXEL;
        if self.average.len() != pixels.len() {
            remember(pixels, stride, &mut self.average);
            return Shown::Yes;
        }
        let (calm, movement) = (self.calm, self.movement);
        for_each_band_of_two((pixels, stride), (&mut self.average, stride), |_, pixels, average| {
            let (pixels, _) = pixels.as_chunks_mut::<BYTES_PER_PIXEL>();
            let (average, _) = average.as_chunks_mut::<BYTES_PER_PIXEL>();
            average_in(pixels, average, calm, movement);
        });
        Shown::Yes
    }

    fn go_on_from(&mut self, older: Box<dyn Any>) {
        if let Ok(older) = older.downcast::<Self>()
            && older.size == self.size
        {
            self.average = older.average;
        }
    }

    fn goes_on(&self) -> bool {
        false
    }

    fn memory(&self) -> [usize; 2] {
        [self.average.len() * size_of::<u16>(), self.size.pixels() * BYTES_PER_PIXEL * size_of::<u16>()]
    }
}

/// All channels of a pixel move together, by the one that differs most: otherwise edges would get coloured seams.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
fn average_in(pixels: &mut [[u8; BYTES_PER_PIXEL]], average: &mut [[u16; BYTES_PER_PIXEL]], calm: f32, movement: f32) {
    for (pixel, average) in pixels.iter_mut().zip(average) {
        let apart = |channel: usize| (i32::from(pixel[channel]) * 256 - i32::from(average[channel])).abs();
        let most = apart(0).max(apart(1)).max(apart(2)) as f32 * (1.0 / 256.0);
        // From calm to all of it, first slowly: small differences are noise.
        let moved = (most / movement).min(1.0);
        let share = ((calm + (1.0 - calm) * moved * moved) * 65_536.0) as i32;
        for channel in 0..3 {
            average[channel] = blend_towards(average[channel], pixel[channel], share);
            pixel[channel] = show(average[channel]);
        }
    }
}
