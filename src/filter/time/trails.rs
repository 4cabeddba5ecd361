//! Trails: what was shown before fades out slowly.
//!
//! Only time counts, not the number of frames: a repeat of the same picture fades what is left of earlier ones as a new
//! picture would.

use std::any::Any;
use std::time::Instant;

use multiversion::multiversion;

use super::remembered::{blend_towards, remember, show};
use crate::filter::bands::for_each_band_of_two;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Moment, Prepare, PrepareError, Shown, TimeKernel};
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

params! {
    /// Lets things that move or vanish leave a trail that fades.
    pub struct Trails("trails", "Trails", Time) {
        /// How much of an earlier picture is left after a thirtieth of a second; at most 98 %.
        decay: f32 = 0.0 in 0.0..=1.0 step 0.01, "Length", Fraction;
    }
}

/// The most that is left after a thirtieth of a second; a picture that never fades would stand still.
const MOST_LEFT: f32 = 0.98;
/// Steps a second that `decay` is meant for.
const STEPS_A_SECOND: f32 = 30.0;

impl Prepare for Trails {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        if self.decay == 0.0 {
            return Ok(Kernel::Identity);
        }
        let left = self.decay.min(MOST_LEFT);
        Ok(Kernel::Time(Box::new(Fading { size: input, left, last: None, shown: Vec::new(), fades: false })))
    }
}

struct Fading {
    size: Size,
    left: f32,
    last: Option<Instant>,
    /// What was shown, in 256ths of a level: steps of whole levels would never reach the new picture.
    shown: Vec<u16>,
    /// Something of an earlier picture is left.
    fades: bool,
}

impl TimeKernel for Fading {
    fn run(&mut self, pixels: &mut [u8], Moment { now, .. }: Moment) -> Shown {
        let stride = self.size.width as usize * BYTES_PER_PIXEL;
        let last = self.last.replace(now);
        let Some(last) = last.filter(|_| self.shown.len() == pixels.len()) else {
            remember(pixels, stride, &mut self.shown);
            self.fades = false;
            return Shown::Yes;
        };
        let seconds = now.saturating_duration_since(last).as_secs_f32();
        let share = 1.0 - self.left.powf(seconds * STEPS_A_SECOND);
        let share = (share * 65_536.0) as i32;
        let is_left = std::sync::atomic::AtomicBool::new(false);
        for_each_band_of_two((pixels, stride), (&mut self.shown, stride), |_, pixels, shown| {
            if fade(pixels, shown, share) {
                is_left.store(true, std::sync::atomic::Ordering::Relaxed);
            }
        });
        self.fades = is_left.into_inner();
        Shown::Yes
    }

    fn go_on_from(&mut self, older: Box<dyn Any>) {
        if let Ok(older) = older.downcast::<Self>()
            && older.size == self.size
        {
            (self.last, self.shown, self.fades) = (older.last, older.shown, older.fades);
        }
    }

    fn goes_on(&self) -> bool {
        self.fades
    }

    fn memory(&self) -> [usize; 2] {
        [self.shown.len() * size_of::<u16>(), self.size.pixels() * BYTES_PER_PIXEL * size_of::<u16>()]
    }
}

/// Moves what is shown towards the picture by `share` of 65536; whether it has not arrived yet. Alpha is the picture's.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
fn fade(pixels: &mut [u8], shown: &mut [u16], share: i32) -> bool {
    let mut apart = 0;
    for (at, (level, shown)) in pixels.iter_mut().zip(shown).enumerate() {
        let next = blend_towards(*shown, *level, share);
        *shown = next;
        let drawn = show(next);
        let drawn = if at % BYTES_PER_PIXEL == 3 { *level } else { drawn };
        apart |= drawn ^ *level;
        *level = drawn;
    }
    apart != 0
}
