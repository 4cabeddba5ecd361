//! How old an event is that comes with the time of a clock nobody has compared with ours. Pure.

use std::time::{Duration, Instant};

/// An event older than this is aimed at a picture that is gone.
const MOST_AGE: Duration = Duration::from_millis(500);
/// How much faster than the quickest event so far the other clock may seem, for each second: clocks drift apart.
const DRIFT: f64 = 200e-6;
/// When everything is late for so long it is the clock that stood still, as on a laptop that slept.
const ALL_LATE: Duration = Duration::from_secs(2);

/// Compares each event with the quickest of its session: what took longer than that one is late by the difference.
#[derive(Debug, Default)]
pub struct Freshness {
    /// When the quickest event came, and the time that it said, in milliseconds.
    quickest: Option<(Instant, f64)>,
    late_since: Option<Instant>,
}

impl Freshness {
    /// Whether an event of this time, in milliseconds of the page's clock, is young enough. One without a time is.
    pub fn is_fresh(&mut self, time: Option<f64>, now: Instant) -> bool {
        let Some(time) = time.filter(|time| time.is_finite()) else { return true };
        let Some((at, said)) = self.quickest else {
            self.quickest = Some((now, time));
            return true;
        };
        let passed = now.saturating_duration_since(at).as_secs_f64() * 1e3;
        let late = passed * (1.0 - DRIFT) - (time - said);
        let fresh = late <= MOST_AGE.as_secs_f64() * 1e3;
        let since = *self.late_since.get_or_insert(now);
        if fresh {
            self.late_since = None;
        }
        if late <= 0.0 || now.saturating_duration_since(since) > ALL_LATE {
            self.quickest = Some((now, time));
        }
        fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_as_late_as_it_took_longer_than_the_quickest() {
        let (mut freshness, start) = (Freshness::default(), Instant::now());
        let mut fresh = |time, ms| freshness.is_fresh(Some(time), start + Duration::from_millis(ms));
        assert!(fresh(5_000.0, 100));
        assert!(fresh(5_100.0, 180), "quicker than the first by 20 ms");
        assert!(fresh(5_200.0, 770), "490 ms late");
        assert!(!fresh(5_300.0, 900), "520 ms late");
        assert!(fresh(5_900.0, 1_000));
    }

    #[test]
    fn clocks_that_drift_apart_shut_nobody_out() {
        let (mut freshness, start) = (Freshness::default(), Instant::now());
        // A page whose clock loses a tenth of a second in an hour.
        for minute in 0..600_u32 {
            let time = f64::from(minute) * 60_000.0 * (1.0 - 28e-6);
            assert!(freshness.is_fresh(Some(time), start + Duration::from_secs(60) * minute), "minute {minute}");
        }
    }

    #[test]
    fn a_clock_that_stood_still_is_believed_again_after_a_while() {
        let (mut freshness, start) = (Freshness::default(), Instant::now());
        let mut fresh = |time, ms| freshness.is_fresh(Some(time), start + Duration::from_millis(ms));
        assert!(fresh(1_000.0, 0));
        for step in 0..=21_u64 {
            assert!(!fresh(1_000.0 + 100.0 * step as f64, 60_000 + 100 * step), "step {step}");
        }
        assert!(fresh(3_200.0, 62_200));
    }

    #[test]
    fn no_time_and_nonsense_are_fresh() {
        let mut freshness = Freshness::default();
        for time in [None, Some(f64::NAN), Some(f64::INFINITY)] {
            assert!(freshness.is_fresh(time, Instant::now()));
        }
    }
}
