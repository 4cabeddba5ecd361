//! How often something happens: events a second over the last seconds.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Events a second over a sliding window; pure, it is told the time.
#[derive(Debug, Clone)]
pub struct RateMeter {
    window: Duration,
    events: VecDeque<Instant>,
}

impl Default for RateMeter {
    fn default() -> Self {
        Self { window: Duration::from_secs(2), events: VecDeque::new() }
    }
}

impl RateMeter {
    pub fn tick(&mut self, now: Instant) {
        self.forget(now);
        // 1,000 a second is beyond anything counted here; the bound keeps a runaway caller from growing the list.
        if self.events.len() < 2_000 {
            self.events.push_back(now);
        }
    }

    /// Events a second, 0 when nothing happened within the window.
    pub fn per_second(&mut self, now: Instant) -> f32 {
        self.forget(now);
        match (self.events.front(), self.events.len()) {
            (Some(&first), count) if count > 1 => {
                // Over the time since the first event, so that the figure is right from the second event on.
                let span = now.saturating_duration_since(first).as_secs_f32().max(1e-3);
                (count - 1) as f32 / span
            }
            (_, count) => count as f32 / self.window.as_secs_f32(),
        }
    }

    fn forget(&mut self, now: Instant) {
        while self.events.front().is_some_and(|&event| now.saturating_duration_since(event) > self.window) {
            self.events.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_a_second_reads_as_thirty_and_silence_as_zero() {
        let start = Instant::now();
        let mut meter = RateMeter::default();
        let mut now = start;
        for frame in 0..150u32 {
            now = start + Duration::from_secs_f64(f64::from(frame) / 30.0);
            meter.tick(now);
        }
        let rate = meter.per_second(now);
        assert!((29.0..31.0).contains(&rate), "{rate}");
        assert_eq!(meter.per_second(now + Duration::from_secs(3)), 0.0);
    }
}
