//! Takes the noise out of a camera's picture by averaging over time, but not where something moves.
//!
//! A repeat of the same picture is averaged in like a new one: where a slider before this filter moved it has to show, and
//! a picture that stands still ends as itself.

use std::any::Any;

use super::remembered::{blend_towards, remember, show};
use crate::filter::bands::for_each_band_of_two;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Moment, Prepare, PrepareError, Shown, TimeKernel};
use crate::filter::simd::vectorised;
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

/// Pixels that are worked on together.
const BLOCK: usize = 16;
const VALUES: usize = BLOCK * BYTES_PER_PIXEL;

vectorised! {
    /// All channels of a pixel move together, by the one that differs most: otherwise edges would get coloured seams.
    fn average_in(
        pixels: &mut [[u8; BYTES_PER_PIXEL]],
        average: &mut [[u16; BYTES_PER_PIXEL]],
        calm: f32,
        movement: f32,
    ) {
        let (blocks, rest) = pixels.as_chunks_mut::<BLOCK>();
        let (averages, rest_averages) = average.as_chunks_mut::<BLOCK>();
        for (pixels, average) in blocks.iter_mut().zip(averages) {
            average_block(pixels, average, calm, movement);
        }
        let (mut last, mut last_average) = ([[0; BYTES_PER_PIXEL]; BLOCK], [[0; BYTES_PER_PIXEL]; BLOCK]);
        let count = rest.len();
        last[..count].copy_from_slice(rest);
        last_average[..count].copy_from_slice(rest_averages);
        average_block(&mut last, &mut last_average, calm, movement);
        rest.copy_from_slice(&last[..count]);
        rest_averages.copy_from_slice(&last_average[..count]);
    }
}

/// One simple loop after another: all at once the compiler does it value by value.
#[inline(always)]
fn average_block(
    pixels: &mut [[u8; BYTES_PER_PIXEL]; BLOCK],
    average: &mut [[u16; BYTES_PER_PIXEL]; BLOCK],
    calm: f32,
    movement: f32,
) {
    let (levels, averages) = (pixels.as_flattened_mut(), average.as_flattened_mut());
    let mut away = [0_i32; VALUES];
    for at in 0..VALUES {
        away[at] = (i32::from(levels[at]) * 256 - i32::from(averages[at])).abs();
    }
    let mut shares = [0_i32; BLOCK];
    let scale = 1.0 / (256.0 * movement);
    for at in 0..BLOCK {
        let [r, g, b] = [away[4 * at], away[4 * at + 1], away[4 * at + 2]];
        let most = if r > g { r } else { g };
        let most = if most > b { most } else { b };
        // From calm to all of it, first slowly: small differences are noise.
        let moved = most as f32 * scale;
        let moved = if moved < 1.0 { moved } else { 1.0 };
        shares[at] = ((calm + (1.0 - calm) * moved * moved) * 65_536.0) as i32;
    }
    let mut spread = [[0_i32; BYTES_PER_PIXEL]; BLOCK];
    for at in 0..BLOCK {
        // Alpha is the picture's own.
        spread[at] = [shares[at], shares[at], shares[at], 65_536];
    }
    let spread = spread.as_flattened();
    for at in 0..VALUES {
        averages[at] = blend_towards(averages[at], levels[at], spread[at]);
    }
    for at in 0..VALUES {
        levels[at] = show(averages[at]);
    }
}
