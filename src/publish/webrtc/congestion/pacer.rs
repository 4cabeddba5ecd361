//! When packets may leave: an ordinary frame at once, what exceeds it a little faster than the link is thought to carry;
//! pure.

use std::time::{Duration, Instant};

/// How much faster than the estimate: a keyframe should not take long, nor fill the queues of the network.
const PACE: f64 = 1.8;
/// The same while the link is full: then there is no room to be early.
const PACE_WHEN_FULL: f64 = 1.15;
/// What may leave at once: two frames' share of the estimate, and never less than a few packets.
const BURST: Duration = Duration::from_millis(66);
const LEAST_BURST: f64 = 6_000.0;
/// Beyond this debt even what is sent again has to wait.
const DEEP: Duration = Duration::from_millis(60);
/// Packets that wait leave in steps of this length, because each wakes the whole connection.
const STEP: Duration = Duration::from_millis(5);

/// A bucket of bytes that may leave; it may be overdrawn by one packet, or by those that can't wait.
#[derive(Debug)]
pub struct Pacer {
    kbps: f64,
    pace: f64,
    bytes: f64,
    at: Option<Instant>,
}

impl Pacer {
    pub fn new(estimate_kbps: f64) -> Self {
        Self { kbps: estimate_kbps, pace: PACE, bytes: f64::INFINITY, at: None }
    }

    pub fn set_estimate(&mut self, kbps: f64, full: bool) {
        self.kbps = kbps;
        self.pace = if full { PACE_WHEN_FULL } else { PACE };
    }

    /// Whether more has left than can be justified.
    pub fn is_deep(&self) -> bool {
        self.bytes < -DEEP.as_secs_f64() * self.bytes_a_second()
    }

    /// Whether the next packet may leave now.
    pub fn may_send(&mut self, now: Instant) -> bool {
        let passed = self.at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        self.at = Some(now);
        let burst = (self.kbps * 125.0 * BURST.as_secs_f64()).max(LEAST_BURST);
        self.bytes = (self.bytes + passed.as_secs_f64() * self.bytes_a_second()).min(burst);
        self.bytes > 0.0
    }

    /// Counts a packet that leaves.
    pub fn note(&mut self, bytes: usize) {
        self.bytes -= bytes as f64;
    }

    /// When the next packets may leave.
    pub fn ready_at(&self, now: Instant) -> Instant {
        let step = STEP.as_secs_f64();
        let owed = (-self.bytes / self.bytes_a_second()).clamp(0.0, 1.0);
        self.at.unwrap_or(now) + Duration::from_secs_f64(owed + step)
    }

    /// How long so many bytes take.
    pub fn time_of(&self, bytes: usize) -> Duration {
        Duration::from_secs_f64((bytes as f64 / self.bytes_a_second()).min(60.0))
    }

    fn bytes_a_second(&self) -> f64 {
        self.kbps.max(1.0) * 125.0 * self.pace
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of 100 packets have left after each step, when they all come at once.
    fn left(kbps: f64, steps: u64) -> Vec<usize> {
        let (mut pacer, start) = (Pacer::new(kbps), Instant::now());
        let (mut now, mut left) = (start, 0);
        let mut counts = Vec::new();
        for _ in 0..steps {
            while left < 100 && pacer.may_send(now) {
                pacer.note(1_200);
                left += 1;
            }
            counts.push(left);
            now = pacer.ready_at(now);
        }
        counts
    }

    #[test]
    fn an_ordinary_frame_leaves_at_once_and_a_keyframe_at_its_pace() {
        // A frame's share of 4 Mbit/s is 17 kB, and two of them leave at once.
        let fast = left(4_000.0, 30);
        assert!((27..30).contains(&fast[0]), "{fast:?}");
        // 120 kB at 7.2 Mbit/s without the burst: 97 ms, in steps of at least five.
        let done = fast.iter().position(|&left| left == 100).expect("it gets through");
        assert!((10..=22).contains(&done), "{fast:?}");
        assert_eq!(left(100.0, 1), [5]);
    }

    #[test]
    fn what_waits_is_told_as_time() {
        let pacer = Pacer::new(1_000.0);
        assert_eq!(pacer.time_of(22_500).as_millis(), 100);
    }
}
