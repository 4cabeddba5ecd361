//! Whether a queue grows somewhere on the way to a viewer: the delay-based half of Google congestion control
//! (draft-ietf-rmcat-gcc-02, section 5, with the line through the delays that browsers use in place of its filter); pure.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Packets that leave within this time count as one: what lies between them is the sender's doing.
const GROUP: Duration = Duration::from_millis(5);
/// Groups the line goes through; at 30 frames a second about two thirds of a second.
const LINE: usize = 20;
/// How much the sum of the changes is smoothed before the line is drawn.
const SMOOTHING: f64 = 0.9;
/// What makes the slope, which is nearly nothing, comparable with a threshold in milliseconds.
const GAIN: f64 = 4.0;
const MOST_COUNTED: usize = 60;
/// The threshold adapts itself between these, faster downwards than upwards (section 5.4).
const THRESHOLDS: (f64, f64) = (6.0, 600.0);
const FIRST_THRESHOLD: f64 = 12.5;
const ADAPTS_UP: f64 = 0.0087;
const ADAPTS_DOWN: f64 = 0.039;
/// A trend so far above the threshold is a jump of the route, to which nothing should adapt.
const JUMP: f64 = 15.0;
/// A queue has to grow for so long before it counts.
const OVERUSE_TIME: Duration = Duration::from_millis(10);

/// Frames differ in size, which alone makes the delay rise and fall. There is a queue only where the luckiest packet of
/// the last groups took so much longer than the luckiest of all lately.
const QUEUE_MS: f64 = 8.0;
const LUCKIEST_OF: usize = 3;
/// The luckiest of all is looked for in so many stretches of this length: clocks drift, and routes change.
const STRETCHES: usize = 4;
const STRETCH: Duration = Duration::from_secs(5);

/// What the delay says of the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Usage {
    /// A queue drains.
    Under,
    #[default]
    Normal,
    /// A queue grows.
    Over,
}

/// Packets that left together.
#[derive(Debug, Clone, Copy)]
struct Group {
    first_sent: Instant,
    last_sent: Instant,
    arrived: Duration,
    /// The least time on the way, in milliseconds, up to a difference between the clocks that stays the same.
    way_ms: f64,
}

/// Takes packets in the order in which they were sent.
#[derive(Debug)]
pub struct Trend {
    current: Option<Group>,
    previous: Option<Group>,
    /// The sum of all changes of the delay, and the same smoothed, in milliseconds.
    delay: f64,
    smoothed: f64,
    /// When a group arrived, in milliseconds since the first, and the smoothed delay then.
    points: VecDeque<(f64, f64)>,
    first_arrival: Option<Duration>,
    changes: usize,
    threshold: f64,
    adapted: Option<Duration>,
    over_for: Duration,
    over_seen: usize,
    last_trend: f64,
    usage: Usage,
    start: Option<Instant>,
    /// The luckiest packet of each of the last groups, and of each stretch with its beginning.
    lately: VecDeque<f64>,
    stretches: VecDeque<(Instant, f64)>,
}

impl Default for Trend {
    fn default() -> Self {
        Self {
            current: None,
            previous: None,
            delay: 0.0,
            smoothed: 0.0,
            points: VecDeque::with_capacity(LINE + 1),
            first_arrival: None,
            changes: 0,
            threshold: FIRST_THRESHOLD,
            adapted: None,
            over_for: Duration::ZERO,
            over_seen: 0,
            last_trend: 0.0,
            usage: Usage::Normal,
            start: None,
            lately: VecDeque::with_capacity(LUCKIEST_OF + 1),
            stretches: VecDeque::with_capacity(STRETCHES + 1),
        }
    }
}

impl Trend {
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// A packet that left then and arrived then, the latter on the viewer's clock.
    pub fn note(&mut self, sent: Instant, arrived: Duration) {
        let start = *self.start.get_or_insert(sent);
        let way_ms = (arrived.as_secs_f64() - sent.saturating_duration_since(start).as_secs_f64()) * 1e3;
        let Some(group) = &mut self.current else {
            self.current = Some(Group { first_sent: sent, last_sent: sent, arrived, way_ms });
            return;
        };
        if sent < group.first_sent {
            // Overtaken on the way to us; its group is done with.
            return;
        }
        if sent.saturating_duration_since(group.first_sent) <= GROUP {
            group.last_sent = group.last_sent.max(sent);
            group.arrived = group.arrived.max(arrived);
            group.way_ms = group.way_ms.min(way_ms);
            return;
        }
        let done = *group;
        self.current = Some(Group { first_sent: sent, last_sent: sent, arrived, way_ms });
        self.note_way(&done);
        if let Some(before) = self.previous.replace(done) {
            let sent_apart = done.last_sent.saturating_duration_since(before.last_sent);
            let ms = |time: Duration| time.as_secs_f64() * 1e3;
            self.note_change(ms(done.arrived) - ms(before.arrived) - ms(sent_apart), done.arrived, sent_apart);
        }
    }

    fn note_change(&mut self, change_ms: f64, arrived: Duration, sent_apart: Duration) {
        self.changes = (self.changes + 1).min(MOST_COUNTED);
        self.delay += change_ms;
        self.smoothed = SMOOTHING * self.smoothed + (1.0 - SMOOTHING) * self.delay;
        let first = *self.first_arrival.get_or_insert(arrived);
        let at_ms = (arrived.as_secs_f64() - first.as_secs_f64()) * 1e3;
        self.points.push_back((at_ms, self.smoothed));
        if self.points.len() > LINE {
            self.points.pop_front();
        }
        let slope = if self.points.len() == LINE { slope(&self.points) } else { Some(0.0) };
        if let Some(slope) = slope {
            self.judge(slope, sent_apart);
            self.adapt(slope * self.changes as f64 * GAIN, arrived);
            self.last_trend = slope;
        }
    }

    /// Forgets how long packets take at least.
    pub fn forget_ways(&mut self) {
        self.stretches.clear();
        self.lately.clear();
    }

    fn note_way(&mut self, group: &Group) {
        self.lately.push_back(group.way_ms);
        if self.lately.len() > LUCKIEST_OF {
            self.lately.pop_front();
        }
        match self.stretches.back_mut() {
            Some((begun, least)) if group.last_sent.saturating_duration_since(*begun) < STRETCH => {
                *least = least.min(group.way_ms);
            }
            _ => self.stretches.push_back((group.last_sent, group.way_ms)),
        }
        if self.stretches.len() > STRETCHES {
            self.stretches.pop_front();
        }
    }

    /// How much longer packets wait somewhere than they have to, in milliseconds.
    pub fn queue_ms(&self) -> f64 {
        if self.lately.len() < LUCKIEST_OF {
            return 0.0;
        }
        let least = |ways: &mut dyn Iterator<Item = f64>| ways.fold(f64::INFINITY, f64::min);
        least(&mut self.lately.iter().copied()) - least(&mut self.stretches.iter().map(|(_, way)| *way))
    }

    fn judge(&mut self, slope: f64, sent_apart: Duration) {
        let trend = slope * self.changes as f64 * GAIN;
        if trend > self.threshold && self.queue_ms() > QUEUE_MS {
            self.over_for += sent_apart;
            self.over_seen += 1;
            // One large frame is no queue, and a queue that already drains needs nothing done.
            if self.over_for > OVERUSE_TIME && self.over_seen > 1 && slope >= self.last_trend {
                self.over_for = Duration::ZERO;
                self.over_seen = 0;
                self.usage = Usage::Over;
            }
            return;
        }
        self.over_for = Duration::ZERO;
        self.over_seen = 0;
        self.usage = if trend < -self.threshold { Usage::Under } else { Usage::Normal };
    }

    fn adapt(&mut self, trend: f64, now: Duration) {
        let since = self.adapted.map_or(Duration::ZERO, |at| now.saturating_sub(at));
        self.adapted = Some(now);
        let size = trend.abs();
        if size > self.threshold + JUMP {
            return;
        }
        let speed = if size < self.threshold { ADAPTS_DOWN } else { ADAPTS_UP };
        let ms = since.min(Duration::from_millis(100)).as_secs_f64() * 1e3;
        self.threshold = (self.threshold + speed * (size - self.threshold) * ms).clamp(THRESHOLDS.0, THRESHOLDS.1);
    }
}

/// The slope of the line through the points that is nearest to all of them.
fn slope(points: &VecDeque<(f64, f64)>) -> Option<f64> {
    let count = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
    let (x, y) = (x / count, y / count);
    let (mut above, mut below) = (0.0, 0.0);
    for point in points {
        above += (point.0 - x) * (point.1 - y);
        below += (point.0 - x) * (point.0 - x);
    }
    (below > 0.0).then(|| above / below)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Usages over packets every 20 ms whose delay is what the function says, in milliseconds.
    fn usages(delay_ms: impl Fn(u64) -> u64) -> Vec<Usage> {
        let (mut trend, start) = (Trend::default(), Instant::now());
        let mut note = |number: u64| {
            trend.note(
                start + Duration::from_millis(20 * number),
                Duration::from_millis(1_000 + 20 * number + delay_ms(number)),
            );
            trend.usage()
        };
        (0..150).map(&mut note).collect()
    }

    #[test]
    fn a_delay_that_grows_is_overuse_and_one_that_falls_is_not() {
        assert!(usages(|_| 40).iter().all(|&usage| usage == Usage::Normal));
        assert!(usages(|number| 30 + number * 7 % 5).iter().all(|&usage| usage == Usage::Normal), "jitter alone");
        assert!(usages(|number| number.saturating_sub(50) * 3).contains(&Usage::Over));
        let drains = usages(|number| 600 - 3 * number.min(150));
        assert!(drains.contains(&Usage::Under) && !drains.contains(&Usage::Over));
    }

    #[test]
    fn packets_of_one_frame_count_once() {
        let (mut trend, start) = (Trend::default(), Instant::now());
        // A frame of ten packets every 33 ms, of which each takes a millisecond on the link: no queue is left.
        for packet in 0..1_000_u64 {
            let sent = Duration::from_millis(packet / 10 * 33);
            trend.note(start + sent, sent + Duration::from_millis(1_000 + packet % 10));
            assert_eq!(trend.usage(), Usage::Normal);
        }
    }
}
