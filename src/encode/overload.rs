//! What an encoder gives up when the machine can't keep up: the frame rate first, then the size, then the bitrate; pure.

use std::time::{Duration, Instant};

use super::types::Rung;

/// Below this rate the picture no longer moves, so that size is the smaller loss.
const LEAST_FPS: u32 = 10;
/// Frames that take too long for so long are no accident.
const OVER_TIME: Duration = Duration::from_secs(1);
/// Something is taken back when there would have been room for it for so long; twice as long each time it was in vain.
const FIRST_PATIENCE: Duration = Duration::from_secs(8);
const LONGEST_PATIENCE: Duration = Duration::from_secs(120);
const IN_VAIN: Duration = Duration::from_secs(8);
/// There is room when a frame would take less than this share of its time.
const ROOM: f64 = 0.6;
/// How much of a newly measured time counts.
const SMOOTHING: f64 = 0.2;
/// A larger size takes about this many times as long.
const SIZE_FACTOR: f64 = 4.0;
/// A size of which nothing was heard for so long is not encoded any more.
const FORGOTTEN: Duration = Duration::from_secs(2);

/// What is given up now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Relief {
    /// At most so many frames a second; `None` is as many as there are.
    pub fps: Option<u32>,
    /// No larger size is encoded.
    pub largest: Rung,
    /// Only half of the bitrate is made.
    pub half_bitrate: bool,
}

impl Relief {
    /// For people: what gives way; `None` when nothing does.
    pub fn sentence(self) -> Option<String> {
        let fps = self.fps?;
        let size = match self.largest {
            Rung::Full => "",
            Rung::Half => ", at half size",
            Rung::Quarter => ", at a quarter of the size",
        };
        let bitrate = if self.half_bitrate { ", with half the bitrate" } else { "" };
        Some(format!("Encoding is too slow here: {fps} frames a second{size}{bitrate}"))
    }
}

/// The state of one codec's encoders.
#[derive(Debug)]
pub struct Overload {
    /// How much is given up, as a place in [`steps`].
    step: usize,
    /// The smoothed time of a frame in seconds, and when it was last measured, for each size.
    times: [Option<(f64, Instant)>; 3],
    over_since: Option<Instant>,
    room_since: Option<Instant>,
    taken_back: Option<Instant>,
    patience: Duration,
}

impl Default for Overload {
    fn default() -> Self {
        Self {
            step: 0,
            times: [None; 3],
            over_since: None,
            room_since: None,
            taken_back: None,
            patience: FIRST_PATIENCE,
        }
    }
}

/// All there is to give up, in order; the first gives up nothing.
fn steps(fps: u32) -> Vec<Relief> {
    let mut steps = vec![Relief::default()];
    let mut rate = fps.max(1);
    while rate > LEAST_FPS {
        rate = (rate / 2).max(LEAST_FPS);
        steps.push(Relief { fps: Some(rate), ..Relief::default() });
    }
    let slowest = Relief { fps: Some(rate), ..Relief::default() };
    steps.push(Relief { largest: Rung::Half, ..slowest });
    steps.push(Relief { largest: Rung::Quarter, ..slowest });
    steps.push(Relief { largest: Rung::Quarter, half_bitrate: true, ..slowest });
    steps
}

impl Overload {
    pub fn relief(&self, fps: u32) -> Relief {
        let steps = steps(fps);
        steps[self.step.min(steps.len() - 1)]
    }

    /// A frame of this size took so long; `fps` is the rate without any relief. True when what is given up changes.
    pub fn on_frame(&mut self, rung: Rung, taken: Duration, fps: u32, now: Instant) -> bool {
        let steps = steps(fps);
        self.step = self.step.min(steps.len() - 1);
        let taken = taken.as_secs_f64();
        let before = self.times[rung.index()].map_or(taken, |(before, _)| before);
        self.times[rung.index()] = Some((before + SMOOTHING * (taken - before), now));
        // The largest size at work decides: without it the others would have room.
        let heard = |(_, at): &(f64, Instant)| now.saturating_duration_since(*at) < FORGOTTEN;
        let Some(place) = self.times.iter().position(|time| time.as_ref().is_some_and(heard)) else { return false };
        let Some((time, _)) = self.times[rung.index()].filter(|_| place == rung.index()) else { return false };
        let load = |relief: Relief, time: f64| time * f64::from(relief.fps.unwrap_or(fps));
        if load(steps[self.step], time) > 1.0 {
            self.room_since = None;
            let since = *self.over_since.get_or_insert(now);
            if now.saturating_duration_since(since) >= OVER_TIME && self.step + 1 < steps.len() {
                let in_vain = self.taken_back.is_some_and(|at| now.saturating_duration_since(at) < IN_VAIN);
                self.patience = if in_vain { (self.patience * 2).min(LONGEST_PATIENCE) } else { self.patience };
                self.step += 1;
                self.restart();
                return true;
            }
            return false;
        }
        self.over_since = None;
        let Some(previous) = self.step.checked_sub(1).map(|step| steps[step]) else { return false };
        let factor = if previous.largest < steps[self.step].largest { SIZE_FACTOR } else { 1.0 };
        if load(previous, time * factor) > ROOM {
            self.room_since = None;
            return false;
        }
        let since = *self.room_since.get_or_insert(now);
        if now.saturating_duration_since(since) < self.patience {
            return false;
        }
        self.step -= 1;
        self.taken_back = Some(now);
        self.restart();
        true
    }

    /// What was measured was of other work.
    fn restart(&mut self) {
        (self.over_since, self.room_since, self.times) = (None, None, [None; 3]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Frames of one codec on a machine that needs `cost` milliseconds for a full one, until `until` seconds.
    fn run(overload: &mut Overload, start: Instant, seconds: std::ops::Range<u32>, cost: u32) -> Vec<Relief> {
        let mut seen = vec![overload.relief(30)];
        let (mut ms, until) = (seconds.start * 1_000, seconds.end * 1_000);
        while ms < until {
            let relief = overload.relief(30);
            let taken = MS * cost / (relief.largest.divisor() * relief.largest.divisor());
            ms += (1_000 / relief.fps.unwrap_or(30)).max(taken.as_millis() as u32);
            overload.on_frame(relief.largest, taken, 30, start + MS * ms);
            if seen.last() != Some(&overload.relief(30)) {
                seen.push(overload.relief(30));
            }
        }
        seen
    }

    fn given_up(fps: u32, largest: Rung, half_bitrate: bool) -> Relief {
        Relief { fps: Some(fps), largest, half_bitrate }
    }

    #[test]
    fn the_rate_gives_way_first_then_the_size_then_the_bitrate() {
        let mut overload = Overload::default();
        let seen = run(&mut overload, Instant::now(), 0..60, 6_000);
        let order = [
            Relief::default(),
            given_up(15, Rung::Full, false),
            given_up(10, Rung::Full, false),
            given_up(10, Rung::Half, false),
            given_up(10, Rung::Quarter, false),
            given_up(10, Rung::Quarter, true),
        ];
        assert_eq!(seen, order);
        assert!(overload.relief(30).sentence().is_some_and(|sentence| sentence.contains("10 frames a second")));
    }

    #[test]
    fn no_more_is_given_up_than_is_needed_and_all_comes_back() {
        let (mut overload, start) = (Overload::default(), Instant::now());
        assert_eq!(run(&mut overload, start, 0..30, 25), [Relief::default()]);
        assert_eq!(run(&mut overload, start, 30..60, 50).last(), Some(&given_up(15, Rung::Full, false)));
        assert_eq!(run(&mut overload, start, 60..120, 200).last(), Some(&given_up(10, Rung::Half, false)));
        assert_eq!(run(&mut overload, start, 120..300, 10).last(), Some(&Relief::default()));
        assert_eq!(overload.relief(30).sentence(), None);
    }

    #[test]
    fn what_was_taken_back_in_vain_is_tried_ever_less_often() {
        let (mut overload, start) = (Overload::default(), Instant::now());
        let mut tries = 0;
        for second in (0..600).step_by(2) {
            let cost = if overload.relief(30) == Relief::default() { 60 } else { 15 };
            let seen = run(&mut overload, start, second..second + 2, cost);
            tries += seen.windows(2).filter(|pair| pair[1] == Relief::default()).count();
        }
        assert!((2..=12).contains(&tries), "{tries} times in ten minutes");
    }
}
