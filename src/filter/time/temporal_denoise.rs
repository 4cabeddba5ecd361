//! Takes the noise out of a camera's picture by averaging over time, but not where something moves.
//!
//! A repeat of the same picture is averaged in like a new one: where a slider before this filter moved it has to show, and
//! a picture that stands still ends as itself.

use std::any::Any;

use super::remembered::{remember, shown, step_towards};
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

vectorised! {
    /// All channels of a pixel move together, by the one that differs most: otherwise edges would get coloured seams.
    fn average_in(
        pixels: &mut [[u8; BYTES_PER_PIXEL]],
        average: &mut [[u16; BYTES_PER_PIXEL]],
        calm: f32,
        movement: f32,
    ) {
        let scale = 1.0 / (256.0 * movement);
        for (pixel, average) in pixels.iter_mut().zip(average) {
            // Whole numbers of one width, put together at the end: the compiler makes vectors of that.
            let packed = u32::from_le_bytes(*pixel);
            let (r, g, b) = (packed << 8 & 0xff00, packed & 0xff00, packed >> 8 & 0xff00);
            let before = [i32::from(average[0]), i32::from(average[1]), i32::from(average[2])];
            let away = [r as i32 - before[0], g as i32 - before[1], b as i32 - before[2]];
            let most = away[0].abs().max(away[1].abs()).max(away[2].abs());
            // From calm to all of it, first slowly: small differences are noise.
            let moved = most as f32 * scale;
            let moved = if moved < 1.0 { moved } else { 1.0 };
            let share = ((calm + (1.0 - calm) * moved * moved) * 65_536.0) as i32;
            let (r, g, b) = (
                before[0] + step_towards(away[0], share),
                before[1] + step_towards(away[1], share),
                before[2] + step_towards(away[2], share),
            );
            *average = [r as u16, g as u16, b as u16, (packed >> 24 << 8) as u16];
            let shown = shown(r) | shown(g) << 8 | shown(b) << 16;
            *pixel = (shown | packed & 0xff00_0000).to_le_bytes();
        }
    }
}
