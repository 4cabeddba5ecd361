//! How long the window's frames take, said in the log when the window closes: the figures behind "it stays responsive".

use std::time::Duration;

/// A frame that takes longer than this is felt.
const FELT: Duration = Duration::from_millis(50);

/// Sums over the window's life.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// The first frame, which is painted while the window is still hidden. Fonts and shaders are made in it, so it is a
    /// part of the start and felt by nobody as a stutter.
    hidden: Option<Duration>,
    frames: u32,
    total: Duration,
    longest: Duration,
    felt: u32,
}

impl Pace {
    /// Notes what the frame before this one took, swapping buffers left out; `None` before there was one.
    pub fn note(&mut self, taken: Option<f32>) {
        let Some(taken) = taken.filter(|seconds| seconds.is_finite() && *seconds >= 0.0) else { return };
        let taken = Duration::from_secs_f32(taken);
        if self.hidden.is_none() {
            self.hidden = Some(taken);
            return;
        }
        self.frames += 1;
        self.total += taken;
        self.longest = self.longest.max(taken);
        self.felt += u32::from(taken > FELT);
    }
}

impl Drop for Pace {
    fn drop(&mut self) {
        let mean = self.total / self.frames.max(1);
        tracing::info!(
            "the window was painted in {:.1?} before it was shown; then it drew {} frames, {mean:.1?} each, {:.1?} the \
             longest, {} over {FELT:?}",
            self.hidden.unwrap_or_default(),
            self.frames,
            self.longest,
            self.felt
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_before_the_window_is_shown_is_told_apart() {
        let mut pace = Pace::default();
        for taken in [None, Some(0.25), Some(0.0625), Some(f32::NAN), Some(0.03125)] {
            pace.note(taken);
        }
        let us = Duration::from_micros;
        let expected = Pace { hidden: Some(us(250_000)), frames: 2, total: us(93_750), longest: us(62_500), felt: 1 };
        assert_eq!(pace, expected);
    }
}
