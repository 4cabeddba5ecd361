//! Which size of the picture suits a viewer's link; pure.

use std::time::{Duration, Instant};

use super::policy::Quality;
use crate::encode::{Rung, VideoConfig};
use crate::geometry::Size;

/// Below so many bits a pixel a moving picture is mush, or the encoder leaves frames out, and a smaller one looks better.
const LEAST_BITS: f64 = 0.075;
/// That is not asked for beyond this share of the setting, which someone who knows the picture has chosen.
const MOST_OF_SETTING: f64 = 0.2;
/// Beyond this rate frames are for smoothness, which is not worth a smaller size.
const FRAMES: u32 = 30;
/// A link counts as used up when the picture takes this share of it; before that, a small estimate costs nothing.
const USED: f64 = 0.7;
/// A size is left after its link was too narrow for so long.
const DOWN_TIME: Duration = Duration::from_secs(1);
/// A larger one is tried when there was this much more than it needs for so long; twice as long each time it was in vain.
const UP_ROOM: f64 = 1.3;
const FIRST_PATIENCE: Duration = Duration::from_secs(5);
const LONGEST_PATIENCE: Duration = Duration::from_secs(120);
const IN_VAIN: Duration = Duration::from_secs(10);
/// The next larger size makes at most about this many times the bits.
const LARGER_MAKES: f64 = 3.0;

/// What a picture of each size needs at least, in kbit/s; there is nothing below the smallest.
pub fn floors_kbps(full: Size, setting: VideoConfig) -> [f64; 3] {
    let floor = |rung: Rung| {
        let pixels = full.pixels() as f64 / f64::from(rung.divisor()).powi(2);
        let frames = f64::from(setting.fps.min(FRAMES));
        let most = f64::from(rung.config(setting).bitrate_kbps) * MOST_OF_SETTING;
        (LEAST_BITS * pixels * frames / 1e3).min(most)
    };
    [floor(Rung::Full), floor(Rung::Half), 0.0]
}

/// Where one viewer stands.
#[derive(Debug)]
pub struct Ladder {
    rung: Rung,
    low_since: Option<Instant>,
    room_since: Option<Instant>,
    climbed: Option<Instant>,
    patience: Duration,
}

impl Default for Ladder {
    fn default() -> Self {
        Self { rung: Rung::Full, low_since: None, room_since: None, climbed: None, patience: FIRST_PATIENCE }
    }
}

impl Ladder {
    /// Goes on from a size that somebody chose.
    pub fn start_at(&mut self, rung: Rung) {
        if self.rung != rung {
            *self = Self { rung, ..Self::default() };
        }
    }

    /// The size for what the link carries now. `made_kbps` is what the encoder makes of the present size.
    pub fn on_estimate(&mut self, link: Quality, made_kbps: f64, floors: [f64; 3], now: Instant) -> Rung {
        if link.silent {
            (self.low_since, self.room_since) = (None, None);
            return self.rung;
        }
        let carried = link.picture_kbps();
        self.low_since = if carried < floors[self.rung.index()] && made_kbps > carried * USED {
            self.low_since.or(Some(now))
        } else {
            None
        };
        let is_room = self.rung.larger().is_some_and(|larger| {
            // A picture that hardly moves needs little, however large it is.
            let needed = floors[larger.index()].min(made_kbps * LARGER_MAKES);
            carried > needed * UP_ROOM
        });
        self.room_since = if is_room { self.room_since.or(Some(now)) } else { None };
        let lasted = |since: Option<Instant>, time| since.is_some_and(|at| now.saturating_duration_since(at) >= time);
        if lasted(self.low_since, DOWN_TIME) {
            let in_vain = self.climbed.is_some_and(|at| now.saturating_duration_since(at) < IN_VAIN);
            self.patience = if in_vain { (self.patience * 2).min(LONGEST_PATIENCE) } else { self.patience };
            let fits = |rung: &Rung| *rung > self.rung && carried >= floors[rung.index()];
            self.rung = Rung::ALL.into_iter().find(fits).unwrap_or(Rung::Quarter);
            (self.low_since, self.room_since, self.climbed) = (None, None, None);
        } else if lasted(self.room_since, self.patience)
            && let Some(larger) = self.rung.larger()
        {
            self.rung = larger;
            (self.low_since, self.room_since, self.climbed) = (None, None, Some(now));
        }
        self.rung
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOORS: [f64; 3] = [1_000.0, 300.0, 0.0];

    fn link(kbps: f64) -> Quality {
        // So that so much is left for the picture.
        Quality { kbps: kbps / 0.93, loss: 0.0, silent: false }
    }

    /// The sizes over some seconds, each with the second in which it began. The encoder makes what the link carries.
    fn climb(ladder: &mut Ladder, start: Instant, seconds: std::ops::Range<u32>, kbps: f64) -> Vec<(u32, Rung)> {
        let mut seen: Vec<(u32, Rung)> = Vec::new();
        for quarter in seconds.start * 4..seconds.end * 4 {
            let now = start + Duration::from_millis(250) * quarter;
            let rung = ladder.on_estimate(link(kbps), kbps, FLOORS, now);
            if seen.last().is_none_or(|(_, last)| *last != rung) {
                seen.push((quarter / 4, rung));
            }
        }
        seen
    }

    #[test]
    fn a_narrow_link_gets_the_size_it_carries_after_a_second() {
        for (kbps, rung) in [(950.0, Rung::Half), (400.0, Rung::Half), (200.0, Rung::Quarter)] {
            let seen = climb(&mut Ladder::default(), Instant::now(), 0..60, kbps);
            assert_eq!(seen, [(0, Rung::Full), (1, rung)], "{kbps}");
        }
        assert_eq!(climb(&mut Ladder::default(), Instant::now(), 0..60, 1_010.0), [(0, Rung::Full)]);
    }

    #[test]
    fn a_wide_link_climbs_one_size_at_a_time_and_only_with_room_to_spare() {
        let (mut ladder, start) = (Ladder::default(), Instant::now());
        climb(&mut ladder, start, 0..5, 200.0);
        assert_eq!(climb(&mut ladder, start, 5..20, 350.0), [(5, Rung::Quarter)]);
        assert_eq!(climb(&mut ladder, start, 20..60, 1_200.0), [(20, Rung::Quarter), (25, Rung::Half)]);
        assert_eq!(climb(&mut ladder, start, 60..90, 1_400.0), [(60, Rung::Half), (65, Rung::Full)]);
    }

    #[test]
    fn a_moment_s_weakness_changes_nothing() {
        let (mut ladder, start) = (Ladder::default(), Instant::now());
        for tenth in 0..600 {
            let kbps = if tenth % 10 < 9 { 300.0 } else { 1_500.0 };
            let now = start + Duration::from_millis(100) * tenth;
            assert_eq!(ladder.on_estimate(link(kbps), kbps, FLOORS, now), Rung::Full);
        }
    }

    #[test]
    fn a_picture_that_hardly_moves_stays_large_on_a_narrow_link_and_comes_back() {
        let (mut ladder, start) = (Ladder::default(), Instant::now());
        let at = |second: u64| start + Duration::from_secs(second);
        for second in 0..20 {
            assert_eq!(ladder.on_estimate(link(400.0), 50.0, FLOORS, at(second)), Rung::Full);
        }
        climb(&mut ladder, start, 20..25, 400.0);
        assert_eq!(ladder.on_estimate(link(400.0), 50.0, FLOORS, at(25)), Rung::Half);
        assert_eq!(ladder.on_estimate(link(400.0), 50.0, FLOORS, at(31)), Rung::Full);
    }

    #[test]
    fn a_size_that_fails_is_tried_ever_less_often() {
        let (mut ladder, start) = (Ladder::default(), Instant::now());
        let (mut climbs, mut before) = (0, Rung::Full);
        for second in 0..600 {
            // The estimate looks good as long as little is sent.
            let kbps = if before == Rung::Full { 500.0 } else { 1_500.0 };
            let rung = ladder.on_estimate(link(kbps), kbps, FLOORS, start + Duration::from_secs(second));
            climbs += u32::from(rung < before);
            before = rung;
        }
        assert!((3..=10).contains(&climbs), "{climbs} times in ten minutes");
    }

    #[test]
    fn silence_says_nothing() {
        let mut ladder = Ladder::default();
        let silent = Quality { silent: true, ..link(100.0) };
        for second in 0..20 {
            let now = Instant::now() + Duration::from_secs(second);
            assert_eq!(ladder.on_estimate(silent, 1_000.0, FLOORS, now), Rung::Full);
        }
    }

    #[test]
    fn the_floors_follow_the_picture_but_never_ask_for_much_of_the_setting() {
        let setting = |bitrate_kbps| VideoConfig { bitrate_kbps, fps: 60 };
        let floors = |width, height, kbps| floors_kbps(Size::new(width, height), setting(kbps)).map(f64::round);
        assert_eq!(floors(640, 360, 6_000), [518.0, 130.0, 0.0]);
        assert_eq!(floors(1_920, 1_080, 4_000), [800.0, 280.0, 0.0]);
        assert_eq!(floors(1_920, 1_080, 500), [100.0, 60.0, 0.0]);
    }
}
