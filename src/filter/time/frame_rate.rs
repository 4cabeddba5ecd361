//! Limits how many frames a second are shown.
//!
//! A repeat of the same picture counts like a new one. While a frame is held back the filter asks for repeats, so that the
//! last picture of a movement is shown in the end.

use std::any::Any;
use std::time::{Duration, Instant};

use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Moment, Prepare, PrepareError, Shown, TimeKernel};
use crate::geometry::Size;

params! {
    /// Shows at most so many frames a second.
    pub struct FrameRate("frame_rate", "Frame-rate limit", Time) {
        /// Frames a second; 120 is no limit.
        fps: i32 = 120 in 1..=120 step 1, "At most", PerSecond;
    }
}

/// What no source and no encoder exceeds.
const NO_LIMIT: i32 = 120;
/// A frame may be this part of its time early: sources are not on time to the millisecond.
const EARLY: u32 = 8;

impl Prepare for FrameRate {
    fn prepare(&self, _: Size) -> Result<Kernel, PrepareError> {
        if self.fps >= NO_LIMIT {
            return Ok(Kernel::Identity);
        }
        let period = Duration::from_secs(1) / self.fps.unsigned_abs().max(1);
        Ok(Kernel::Time(Box::new(Limit { period, due: None, holds_back: false })))
    }
}

struct Limit {
    period: Duration,
    /// When the next frame may be shown.
    due: Option<Instant>,
    /// A frame was held back since the last one that was shown.
    holds_back: bool,
}

impl TimeKernel for Limit {
    fn run(&mut self, _: &mut [u8], Moment { now, .. }: Moment) -> Shown {
        let slack = self.period / EARLY;
        let Some(due) = self.due else {
            self.due = Some(now + self.period);
            return Shown::Yes;
        };
        if now + slack < due {
            self.holds_back = true;
            return Shown::No;
        }
        // From when it was due, so that the rate is right on average; after a pause from now.
        self.due = Some((due + self.period).max(now + self.period - slack));
        self.holds_back = false;
        Shown::Yes
    }

    fn go_on_from(&mut self, older: Box<dyn Any>) {
        if let Ok(older) = older.downcast::<Self>() {
            // Not later than the new limit wants it.
            self.due = older.due.map(|due| due.checked_sub(older.period).unwrap_or(due) + self.period);
            self.holds_back = older.holds_back;
        }
    }

    fn goes_on(&self) -> bool {
        self.holds_back
    }

    fn memory(&self) -> [usize; 2] {
        [0, 0]
    }
}
