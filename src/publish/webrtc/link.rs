//! What is known of the way to one viewer, shared by the interceptors that find it out and by those who decide on frames
//! and bitrates.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::super::viewers::Way;
use super::congestion::Quality;
use crate::encode::Rung;

/// Every figure is the newest one.
#[derive(Debug)]
pub struct Link {
    /// Microseconds; 0 while unknown.
    round_trip_us: AtomicU32,
    estimate_kbps: AtomicU32,
    /// Hundredths of a per cent.
    loss: AtomicU32,
    silent: AtomicBool,
    backlog_us: AtomicU32,
    /// The place in [`Rung::ALL`].
    rung: AtomicU8,
    /// Numbers of lost packets that nobody has sent again yet; emptied at every report.
    lost: Mutex<Vec<u16>>,
}

impl Link {
    pub fn new(estimate_kbps: f64) -> Self {
        Self {
            round_trip_us: AtomicU32::new(0),
            estimate_kbps: AtomicU32::new(estimate_kbps as u32),
            loss: AtomicU32::new(0),
            silent: AtomicBool::new(false),
            backlog_us: AtomicU32::new(0),
            rung: AtomicU8::new(0),
            lost: Mutex::default(),
        }
    }

    pub fn round_trip(&self) -> Option<Duration> {
        let us = self.round_trip_us.load(Ordering::Relaxed);
        (us > 0).then(|| Duration::from_micros(u64::from(us)))
    }

    pub fn set_round_trip(&self, round_trip: Duration) {
        self.round_trip_us.store(in_us(round_trip).max(1), Ordering::Relaxed);
    }

    /// What the link carries, retransmissions included, and how much of it gets lost.
    pub fn quality(&self) -> Quality {
        Quality {
            kbps: f64::from(self.estimate_kbps.load(Ordering::Relaxed)),
            loss: f64::from(self.loss.load(Ordering::Relaxed)) / 1e4,
            silent: self.silent.load(Ordering::Relaxed),
        }
    }

    pub fn set_quality(&self, quality: Quality) {
        self.estimate_kbps.store(quality.kbps as u32, Ordering::Relaxed);
        self.loss.store((quality.loss * 1e4) as u32, Ordering::Relaxed);
        self.silent.store(quality.silent, Ordering::Relaxed);
    }

    /// How long what waits before the network still takes.
    pub fn backlog(&self) -> Duration {
        Duration::from_micros(u64::from(self.backlog_us.load(Ordering::Relaxed)))
    }

    pub fn set_backlog(&self, backlog: Duration) {
        self.backlog_us.store(in_us(backlog), Ordering::Relaxed);
    }

    /// The size that the viewer gets, or is about to get: keyframes of it are what helps it.
    pub fn rung(&self) -> Rung {
        Rung::ALL.get(usize::from(self.rung.load(Ordering::Relaxed))).copied().unwrap_or_default()
    }

    pub fn set_rung(&self, rung: Rung) {
        self.rung.store(rung as u8, Ordering::Relaxed);
    }

    /// Packets that a report has just called lost, by their RTP sequence numbers.
    pub fn set_lost(&self, numbers: Vec<u16>) {
        *self.lost.lock().unwrap_or_else(PoisonError::into_inner) = numbers;
    }

    pub fn take_lost(&self) -> Vec<u16> {
        std::mem::take(&mut *self.lost.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The same for the list of viewers.
    pub fn way(&self) -> Way {
        let Quality { kbps, loss, .. } = self.quality();
        Way {
            estimate_kbps: Some(kbps as f32),
            loss_percent: Some(loss as f32 * 100.0),
            round_trip_ms: self.round_trip().map(|time| time.as_secs_f32() * 1e3),
        }
    }
}

fn in_us(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}
