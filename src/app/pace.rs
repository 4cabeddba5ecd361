//! How long the window's frames take, said in the log when the window closes: the figures behind "it stays responsive".

use std::time::Duration;

/// A frame that takes longer than this is felt.
const FELT: Duration = Duration::from_millis(50);

/// Sums over the window's life.
#[derive(Debug, Default)]
pub struct Pace {
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
            "the window drew {} frames, {mean:.1?} each, {:.1?} the longest, {} over {FELT:?}",
            self.frames,
            self.longest,
            self.felt
        );
    }
}
