//! How often a program that fails is started again.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Failures longer ago than this are forgotten.
const MEMORY: Duration = Duration::from_secs(60);
/// Starts again within that time; one more failure and the program is left out.
const MOST_RESTARTS: usize = 5;

/// What to do after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Again(Duration),
    GiveUp,
}

/// The failures of the last minute.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    faults: VecDeque<Instant>,
}

impl Backoff {
    /// Notes a failure: 1, 2, then 4 times `pause` until the next start.
    pub(super) fn failed(&mut self, pause: Duration, now: Instant) -> Verdict {
        self.faults.retain(|fault| now.saturating_duration_since(*fault) < MEMORY);
        self.faults.push_back(now);
        match self.faults.len() {
            count if count > MOST_RESTARTS => Verdict::GiveUp,
            1 => Verdict::Again(pause),
            2 => Verdict::Again(pause * 2),
            _ => Verdict::Again(pause * 4),
        }
    }

    pub(super) fn forget(&mut self) {
        self.faults.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn five_restarts_a_minute_then_no_more() {
        let (mut backoff, start) = (Backoff::default(), Instant::now());
        let verdicts: Vec<_> = (0..6).map(|second| backoff.failed(SECOND, start + SECOND * second)).collect();
        let again = [1, 2, 4, 4, 4].map(|pauses| Verdict::Again(SECOND * pauses));
        assert_eq!(verdicts[..5], again);
        assert_eq!(verdicts[5], Verdict::GiveUp);
        backoff.forget();
        assert_eq!(backoff.failed(SECOND, start), Verdict::Again(SECOND));
    }

    #[test]
    fn a_failure_now_and_then_is_forgotten() {
        let (mut backoff, start) = (Backoff::default(), Instant::now());
        for minute in 0..20 {
            assert_eq!(backoff.failed(SECOND, start + MEMORY * minute), Verdict::Again(SECOND));
        }
    }
}
