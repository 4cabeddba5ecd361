//! A link in virtual time for the tests of the estimate: a rate, a queue, and losses of its own.

use std::time::{Duration, Instant};

use super::estimate::{Estimator, Fate, START_KBPS};

/// What a link is like for some time.
#[derive(Debug, Clone, Copy)]
pub struct Link {
    pub kbps: f64,
    pub queue_ms: f64,
    pub loss: f64,
}

/// A sender of 30 frames a second whose sizes vary, and its link.
pub struct Run {
    pub estimator: Estimator,
    start: Instant,
    ms: f64,
    pub way_ms: f64,
    /// When the link has sent what it was given.
    free_ms: f64,
    encoder_kbps: f64,
    /// What is asked of the encoder at most.
    pub wanted_kbps: f64,
    /// Packets whose report is on its way back.
    under_way: Vec<(f64, Fate)>,
    random: u64,
    frame: u64,
    /// The estimate at each frame, the queue of the link then, and the packets sent and lost.
    pub estimates: Vec<f64>,
    pub queues_ms: Vec<f64>,
    pub sent: usize,
    pub lost: usize,
}

/// One way; twice of it is the round trip of an idle link.
const WAY_MS: f64 = 20.0;
const REPORTS_MS: f64 = 100.0;

impl Run {
    pub fn new(seed: u64) -> Self {
        Self {
            estimator: Estimator::new(START_KBPS),
            start: Instant::now(),
            ms: 0.0,
            way_ms: WAY_MS,
            free_ms: 0.0,
            encoder_kbps: START_KBPS,
            wanted_kbps: 8_000.0,
            under_way: Vec::new(),
            random: seed | 1,
            frame: 0,
            estimates: Vec::new(),
            queues_ms: Vec::new(),
            sent: 0,
            lost: 0,
        }
    }

    fn unit(&mut self) -> f64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 40) as f64 / (1_u64 << 24) as f64
    }

    /// Sends over the link for some seconds; gives where in `estimates` they begin.
    pub fn over(&mut self, link: Link, seconds: f64) -> usize {
        let begun = self.estimates.len();
        let end = self.ms + seconds * 1e3;
        while self.ms < end {
            self.send_frame(link);
            self.ms += 1e3 / 30.0;
            self.report();
            self.estimates.push(self.estimator.kbps());
            self.queues_ms.push((self.free_ms - self.ms).max(0.0));
        }
        begun
    }

    fn send_frame(&mut self, link: Link) {
        // Encoders follow within a few frames, and their frames vary; every ten seconds there is a large one.
        self.encoder_kbps += 0.3 * (0.9 * self.estimator.kbps().min(self.wanted_kbps) - self.encoder_kbps);
        let size = if self.frame.is_multiple_of(300) { 4.0 } else { 0.7 + 0.6 * self.unit() };
        let mut bytes = (self.encoder_kbps * 125.0 / 30.0 * size) as usize;
        self.frame += 1;
        // More than a frame's usual share is paced a little above the estimate.
        let burst = (self.encoder_kbps * 125.0 / 15.0) as usize;
        let (mut left_ms, mut gone) = (self.ms, 0);
        while bytes > 0 {
            let packet = bytes.min(1_200);
            bytes -= packet;
            gone += packet;
            if gone > burst {
                left_ms += packet as f64 * 8.0 / (1.6 * self.estimator.kbps());
            }
            let begins = self.free_ms.max(left_ms);
            self.sent += 1;
            let arrived = if begins - left_ms > link.queue_ms || self.unit() < link.loss {
                self.lost += 1;
                None
            } else {
                self.free_ms = begins + packet as f64 * 8.0 / link.kbps;
                Some(self.free_ms + self.way_ms)
            };
            let at = |ms: f64| Duration::from_secs_f64(ms / 1e3);
            let fate = Fate { sent: self.start + at(left_ms), arrived: arrived.map(at), bytes: packet };
            let known = arrived.unwrap_or(left_ms + self.way_ms);
            self.under_way.push(((known / REPORTS_MS).ceil() * REPORTS_MS + self.way_ms, fate));
        }
    }

    fn report(&mut self) {
        let now = self.start + Duration::from_secs_f64(self.ms / 1e3);
        let mut known: Vec<Fate> = Vec::new();
        let ms = self.ms;
        self.under_way.retain(|(at, fate)| {
            let keep = *at > ms;
            if !keep {
                known.push(*fate);
            }
            keep
        });
        known.sort_by_key(|fate| fate.sent);
        self.estimator.on_fates(now, &known);
        let oldest = self.under_way.iter().map(|(_, fate)| fate.sent).min();
        self.estimator.on_tick(now, oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEDS: [u64; 5] = [3, 17, 101, 4_242, 99_999];

    fn of(kbps: f64) -> Link {
        Link { kbps, queue_ms: 200.0, loss: 0.0 }
    }

    fn mean(numbers: &[f64]) -> f64 {
        numbers.iter().sum::<f64>() / numbers.len() as f64
    }

    /// Where a share of the numbers is smaller.
    fn quantile(numbers: &[f64], share: f64) -> f64 {
        let mut sorted = numbers.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted[((sorted.len() - 1) as f64 * share) as usize]
    }

    #[test]
    fn the_estimate_finds_the_link_and_stays_there() {
        for (seed, kbps) in SEEDS.into_iter().flat_map(|seed| [(seed, 2_000.0), (seed, 400.0), (seed, 5_000.0)]) {
            let mut run = Run::new(seed);
            run.over(of(kbps), 12.0);
            let begun = run.over(of(kbps), 60.0);
            let steady = &run.estimates[begun..];
            let (low, high) = (quantile(steady, 0.02), quantile(steady, 0.98));
            let queue = quantile(&run.queues_ms[begun..], 0.9);
            println!("{seed} {kbps}: {low:.0} {:.0} {high:.0}, queue {queue:.0} ms", mean(steady));
            assert!(mean(steady) > 0.75 * kbps, "seed {seed}: {} of {kbps}", mean(steady));
            assert!(high < 1.35 * kbps && low > 0.5 * kbps, "seed {seed}: from {low} to {high} on {kbps}");
            assert!(queue < 100.0, "seed {seed}: a queue of {queue} ms on {kbps}");
        }
    }

    #[test]
    fn a_link_that_narrows_is_followed_at_once_and_used_again_soon_after() {
        for seed in SEEDS {
            let mut run = Run::new(seed);
            run.over(of(3_000.0), 20.0);
            run.over(of(400.0), 3.0);
            let begun = run.over(of(400.0), 17.0);
            let narrow = &run.estimates[begun..];
            println!("{seed}: narrow {:.0} to {:.0}", quantile(narrow, 0.02), quantile(narrow, 0.98));
            assert!(quantile(narrow, 0.98) < 540.0, "seed {seed}: {}", quantile(narrow, 0.98));
            run.over(of(3_000.0), 13.0);
            let begun = run.over(of(3_000.0), 2.0);
            let wide = quantile(&run.estimates[begun..], 0.9);
            println!("{seed}: wide {wide:.0}");
            assert!(wide > 0.8 * 3_000.0, "seed {seed}: only {wide} after 15 s");
        }
    }

    #[test]
    fn losses_of_the_link_itself_do_not_take_the_picture_away() {
        for seed in SEEDS {
            for (loss, least) in [(0.02, 2_000.0), (0.05, 2_000.0), (0.1, 1_000.0), (0.15, 500.0)] {
                let mut run = Run::new(seed);
                run.over(of(3_000.0), 10.0);
                run.over(Link { loss, ..of(3_000.0) }, 10.0);
                let begun = run.over(Link { loss, ..of(3_000.0) }, 20.0);
                let found = mean(&run.estimates[begun..]);
                println!("{seed}: {found:.0} at {loss}");
                assert!(found > least, "seed {seed}: {found} at {loss}");
            }
        }
    }

    #[test]
    fn a_longer_way_is_not_taken_for_a_queue_for_ever() {
        for seed in SEEDS {
            let mut run = Run::new(seed);
            run.over(of(3_000.0), 15.0);
            run.way_ms += 90.0;
            run.over(of(3_000.0), 15.0);
            assert!(run.estimator.kbps() > 1_500.0, "seed {seed}: {}", run.estimator.kbps());
        }
    }

    #[test]
    fn a_still_picture_is_no_reason_to_forget_the_link() {
        for seed in SEEDS {
            let mut run = Run::new(seed);
            run.over(of(5_000.0), 15.0);
            let before = run.estimator.kbps();
            run.wanted_kbps = 60.0;
            run.over(of(5_000.0), 30.0);
            assert!(run.estimator.kbps() > 0.6 * before, "seed {seed}: {} of {before}", run.estimator.kbps());
        }
    }

    #[test]
    fn silence_halves_the_estimate_once_and_its_losses_do_not_count() {
        let mut run = Run::new(7);
        run.over(of(2_000.0), 15.0);
        let before = run.estimator.kbps();
        let now = run.start + Duration::from_secs_f64(run.ms / 1e3);
        let mut silent = 0;
        for ms in (0..5_000).step_by(100) {
            run.estimator.on_tick(now + Duration::from_millis(ms), Some(now));
            silent += usize::from(run.estimator.is_silent());
        }
        assert!(silent > 35);
        let gone = Fate { sent: now, arrived: None, bytes: 1_200 };
        let there = Fate { sent: now + Duration::from_secs(5), arrived: Some(Duration::from_secs(900)), bytes: 1_200 };
        assert!(run.estimator.on_fates(now + Duration::from_secs(5), &[gone, gone, gone, there]));
        assert!(!run.estimator.is_silent());
        assert!((run.estimator.kbps() - before / 2.0).abs() < 1.0);
    }

    #[test]
    fn without_detailed_reports_losses_and_remb_decide() {
        let (mut estimator, start) = (Estimator::new(START_KBPS), Instant::now());
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        for second in 0..5 {
            estimator.on_receiver_report(at(second), 0.0);
        }
        assert!(estimator.kbps() > 4_000.0, "{}", estimator.kbps());
        estimator.on_remb(at(5), 1_500.0);
        assert_eq!(estimator.kbps(), 1_500.0);
        estimator.on_remb(at(6), 20_000.0);
        for second in 6..12 {
            estimator.on_receiver_report(at(second), 0.4);
        }
        assert!(estimator.kbps() < 5_000.0, "{}", estimator.kbps());
    }
}
