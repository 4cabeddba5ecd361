//! How much a link to a viewer carries: Google congestion control (draft-ietf-rmcat-gcc-02) on the reports about each
//! packet, or, where a viewer sends none, on its receiver reports and REMB; pure.
//!
//! It differs from the draft where a shared screen does: much of the time nothing moves and hardly anything is sent, from
//! which nothing can be learned; and a share of lost packets that stays whatever the rate is belongs to the link.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::trend::{Trend, Usage};

/// What a viewer starts with when nothing is known: enough for a picture, and little enough for most links.
#[cfg(test)]
pub const START_KBPS: f64 = 1_000.0;
/// Below this there is no picture worth sending.
pub const FLOOR_KBPS: f64 = 100.0;
const MOST_KBPS: f64 = 60_000.0;
/// After overuse: this share of what arrived (section 5.5).
const DECREASE: f64 = 0.85;
/// Growth a second: until the link was full for the first time; while nothing is known of the neighbourhood; and close
/// to where it was full the last time, in packets a response time, and at most by a share.
const GROWTH_AT_FIRST: f64 = 1.0;
const GROWTH: f64 = 0.4;
const PACKET_KBIT: f64 = 9.6;
const GROWTH_NEAR: f64 = 0.08;
/// After a decrease the queue has to drain before anything grows again.
const CALM_AFTER_DECREASE: Duration = Duration::from_millis(300);
const FULL_TIME: Duration = Duration::from_secs(3);
/// Arrivals are counted over this time.
const RATE_TIME: Duration = Duration::from_millis(500);
/// The target may exceed what arrives by this factor; beyond it, nothing has shown that the link carries it. Less would
/// keep it down where an encoder does not use up what it is given.
const BEYOND_ARRIVED: f64 = 1.8;
const BEYOND_ARRIVED_AT_FIRST: f64 = 2.2;
/// Losses are judged over so much time and so many packets (section 6).
const LOSS_TIME: Duration = Duration::from_millis(300);
const LOSS_PACKETS: usize = 20;
const LOSS_HARMLESS: f64 = 0.02;
const LOSS_HARMFUL: f64 = 0.1;
/// Losses that were there for so many judgements, whatever the rate was, are the link's own.
const LOSS_KEPT: usize = 16;
/// A queue of so many milliseconds is too long even when it does not grow; unless it stays after so many decreases.
const STANDING_MS: f64 = 50.0;
const MOST_DRAINED: usize = 4;
/// Without reports for so long, while there was something to report, nothing comes through.
const SILENCE: Duration = Duration::from_millis(800);

/// What became of one packet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fate {
    pub sent: Instant,
    /// On the viewer's clock; `None` for a lost packet.
    pub arrived: Option<Duration>,
    pub bytes: usize,
}

/// Bytes over the last half second of some clock.
#[derive(Debug, Default)]
struct Rate {
    entries: VecDeque<(Duration, usize)>,
    bytes: usize,
    begun: Option<Duration>,
}

impl Rate {
    fn note(&mut self, at: Duration, bytes: usize) {
        self.begun.get_or_insert(at);
        self.bytes += bytes;
        self.entries.push_back((at, bytes));
        while let Some(&(oldest, bytes)) = self.entries.front()
            && oldest + RATE_TIME < at
        {
            self.bytes -= bytes;
            self.entries.pop_front();
        }
    }

    /// `None` until there is a quarter of a second to speak of.
    fn kbps(&self) -> Option<f64> {
        let (newest, _) = self.entries.back()?;
        let over = newest.saturating_sub(self.begun?).min(RATE_TIME);
        (over >= RATE_TIME / 2).then(|| self.bytes as f64 * 8.0 / 1e3 / over.as_secs_f64())
    }
}

/// Where the link was full: the mean and the variance of what arrived then.
#[derive(Debug, Clone, Copy)]
struct Ceiling {
    mean: f64,
    /// Relative to the mean.
    variance: f64,
}

impl Ceiling {
    fn note(ceiling: Option<Self>, kbps: f64) -> Self {
        let Some(Self { mean, variance }) = ceiling.filter(|ceiling| !ceiling.is_below(kbps)) else {
            return Self { mean: kbps, variance: 0.004 };
        };
        let mean_now = 0.9 * mean + 0.1 * kbps;
        let off = (mean_now - kbps) / mean_now;
        Self { mean: mean_now, variance: (0.9 * variance + 0.1 * off * off).clamp(0.002, 0.006) }
    }

    fn width(&self) -> f64 {
        3.0 * self.variance.sqrt() * self.mean
    }

    fn is_near(&self, kbps: f64) -> bool {
        kbps > self.mean - self.width() && !self.is_below(kbps)
    }

    fn is_below(&self, kbps: f64) -> bool {
        kbps > self.mean + self.width()
    }
}

/// The estimate for one viewer.
#[derive(Debug)]
pub struct Estimator {
    kbps: f64,
    trend: Trend,
    sent: Rate,
    arrived: Rate,
    epoch: Option<Instant>,
    ceiling: Option<Ceiling>,
    /// The link was never full yet.
    at_first: bool,
    grown: Option<Instant>,
    decreased: Option<Instant>,
    round_trip: Duration,
    lost: Losses,
    heard: Option<Instant>,
    silent: bool,
    /// How often the target was taken back for a queue that stays.
    drained: usize,
    /// The viewer reports each packet, so that its other reports are not needed.
    detailed: bool,
    remb_kbps: f64,
}

/// Lost packets since the last judgement, and what was judged before.
#[derive(Debug, Default)]
struct Losses {
    packets: usize,
    lost: usize,
    since: Option<Instant>,
    share: f64,
    before: VecDeque<f64>,
}

impl Losses {
    /// The share that was lost, once enough packets are known, and how much of it is not the link's own.
    fn judge(&mut self, now: Instant) -> Option<f64> {
        let since = *self.since.get_or_insert(now);
        if self.packets < LOSS_PACKETS || now.saturating_duration_since(since) < LOSS_TIME {
            return None;
        }
        self.share = self.lost as f64 / self.packets as f64;
        (self.packets, self.lost, self.since) = (0, 0, Some(now));
        self.before.push_back(self.share);
        if self.before.len() > LOSS_KEPT {
            self.before.pop_front();
        }
        // Until there is enough of the past to compare with, all of it may be ours.
        let own = if self.before.len() < LOSS_KEPT { 0.0 } else { self.before.iter().copied().fold(1.0, f64::min) };
        Some(self.share - own)
    }
}

impl Estimator {
    pub fn new(start_kbps: f64) -> Self {
        Self {
            kbps: start_kbps.clamp(FLOOR_KBPS, MOST_KBPS),
            trend: Trend::default(),
            sent: Rate::default(),
            arrived: Rate::default(),
            epoch: None,
            ceiling: None,
            at_first: true,
            grown: None,
            decreased: None,
            round_trip: Duration::from_millis(50),
            lost: Losses::default(),
            heard: None,
            silent: false,
            drained: 0,
            detailed: false,
            remb_kbps: MOST_KBPS,
        }
    }

    /// All that may be sent, retransmissions included.
    pub fn kbps(&self) -> f64 {
        if self.detailed { self.kbps } else { self.kbps.min(self.remb_kbps.max(FLOOR_KBPS)) }
    }

    /// The share of packets that was lost lately.
    pub fn loss(&self) -> f64 {
        self.lost.share
    }

    /// Nothing comes back from the viewer.
    pub fn is_silent(&self) -> bool {
        self.silent
    }

    /// The link was full a moment ago, and its queue most likely is not empty.
    pub fn was_full(&self, now: Instant) -> bool {
        self.decreased.is_some_and(|at| now.saturating_duration_since(at) < FULL_TIME)
    }

    pub fn set_round_trip(&mut self, round_trip: Duration) {
        self.round_trip = round_trip;
    }

    /// What became of packets, in the order in which they were sent. True when this breaks a silence.
    pub fn on_fates(&mut self, now: Instant, fates: &[Fate]) -> bool {
        if fates.is_empty() {
            return false;
        }
        self.detailed = true;
        let back = self.hear(now);
        let epoch = *self.epoch.get_or_insert(fates[0].sent);
        for fate in fates {
            self.sent.note(fate.sent.saturating_duration_since(epoch), fate.bytes);
            if let Some(arrived) = fate.arrived {
                self.arrived.note(arrived, fate.bytes);
                self.trend.note(fate.sent, arrived);
            }
            // What was lost while nothing came through says nothing about the rate.
            if !back {
                self.lost.packets += 1;
                self.lost.lost += usize::from(fate.arrived.is_none());
            }
        }
        if let Some(share) = self.lost.judge(now) {
            self.judge_loss(share, now);
        }
        match self.trend.usage() {
            Usage::Over => self.decrease(now),
            // The queue drains; what grows now would only keep it full.
            Usage::Under => self.grown = Some(now),
            Usage::Normal if self.trend.queue_ms() > STANDING_MS => self.drain(now),
            Usage::Normal => {
                self.drained = 0;
                self.grow(now);
            }
        }
        back
    }

    /// A receiver report, once a second or so: the share that was lost since the last one.
    pub fn on_receiver_report(&mut self, now: Instant, lost: f64) {
        if self.detailed {
            return;
        }
        self.hear(now);
        self.lost.share = lost;
        if lost > LOSS_HARMFUL {
            self.at_first = false;
            self.set(self.kbps * (1.0 - 0.5 * lost), now);
        } else if lost < LOSS_HARMLESS {
            self.grow(now);
        }
        self.grown = Some(now);
    }

    /// What the viewer itself thinks it can receive.
    pub fn on_remb(&mut self, now: Instant, kbps: f64) {
        self.hear(now);
        self.remb_kbps = kbps;
    }

    /// Looks whether something that was sent then is still unheard of.
    pub fn on_tick(&mut self, now: Instant, sent_since: Option<Instant>) {
        let waits = self.heard.max(sent_since);
        let unheard = sent_since.is_some() && waits.is_some_and(|at| now.saturating_duration_since(at) > SILENCE);
        if self.detailed && unheard && !self.silent {
            self.silent = true;
            // Whatever comes after it may be another link.
            self.set(self.kbps * 0.5, now);
        }
    }

    /// True when a silence ends with this.
    fn hear(&mut self, now: Instant) -> bool {
        self.heard = Some(now);
        let back = std::mem::take(&mut self.silent);
        if back {
            self.trend = Trend::default();
            (self.sent, self.arrived) = (Rate::default(), Rate::default());
            (self.lost.packets, self.lost.lost, self.lost.since) = (0, 0, Some(now));
            self.grown = Some(now);
        }
        back
    }

    fn judge_loss(&mut self, excess: f64, now: Instant) {
        if excess > LOSS_HARMFUL {
            self.at_first = false;
            self.set(self.kbps * (1.0 - 0.5 * excess), now);
            self.decreased = Some(now);
        }
    }

    fn decrease(&mut self, now: Instant) {
        let Some(arrived) = self.arrived.kbps() else { return };
        let pause = self.round_trip.clamp(Duration::from_millis(10), Duration::from_millis(200)) + CALM_AFTER_DECREASE;
        let soon = self.decreased.is_some_and(|at| now.saturating_duration_since(at) < pause);
        // What arrives falls behind by far where the link got much narrower: that can't wait.
        if soon && arrived > 0.5 * self.kbps {
            return;
        }
        let sent = self.sent.kbps().unwrap_or(arrived);
        let target = if sent < 0.6 * self.kbps && arrived > 0.8 * sent {
            // Hardly anything was sent, so what arrived is no measure of the link.
            (0.7 * self.kbps).max(DECREASE * arrived)
        } else {
            self.ceiling = Some(Ceiling::note(self.ceiling.filter(|ceiling| arrived > 0.5 * ceiling.mean), arrived));
            DECREASE * arrived
        };
        self.at_first = false;
        if target < self.kbps {
            self.set(target, now);
        }
        self.decreased = Some(now);
    }

    /// A queue that neither grows nor shrinks: what is too much has to be taken back all the same.
    fn drain(&mut self, now: Instant) {
        let before = self.kbps;
        self.decrease(now);
        self.drained += usize::from(self.kbps < before);
        if self.drained > MOST_DRAINED {
            // It is no queue but a longer way.
            self.trend.forget_ways();
            self.drained = 0;
        }
    }

    fn grow(&mut self, now: Instant) {
        let since = self.grown.replace(now).map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        let seconds = since.min(Duration::from_secs(1)).as_secs_f64();
        if self.decreased.is_some_and(|at| now.saturating_duration_since(at) < CALM_AFTER_DECREASE) {
            return;
        }
        let arrived = if self.detailed { self.arrived.kbps() } else { Some(self.kbps) };
        let Some(arrived) = arrived else { return };
        if self.ceiling.is_some_and(|ceiling| ceiling.is_below(self.kbps)) {
            self.ceiling = None;
        }
        let grown = if self.ceiling.is_some_and(|ceiling| ceiling.is_near(self.kbps)) {
            // About a packet more in each response time.
            let response = self.round_trip.as_secs_f64() + 0.1;
            self.kbps + (PACKET_KBIT / response).min(GROWTH_NEAR * self.kbps) * seconds
        } else {
            let growth = if self.at_first { GROWTH_AT_FIRST } else { GROWTH };
            self.kbps * (1.0 + growth).powf(seconds)
        };
        let beyond = if self.at_first { BEYOND_ARRIVED_AT_FIRST } else { BEYOND_ARRIVED };
        let shown = beyond * arrived / (1.0 - self.lost.share.min(0.5)) + 10.0;
        if self.kbps < shown {
            self.set(grown.min(shown), now);
        }
    }

    fn set(&mut self, kbps: f64, now: Instant) {
        self.kbps = kbps.clamp(FLOOR_KBPS, MOST_KBPS);
        self.grown = Some(now);
    }
}
