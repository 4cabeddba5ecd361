//! One viewer's frames, in the size that was chosen or that its link carries; from one size to another it goes at a
//! keyframe, and for the player it is one stream.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use super::congestion::{Ladder, floors_kbps};
use super::link::Link;
use super::packetizer::{Broadcast, Subscription, VideoFrame};
use crate::encode::Rung;

/// What an encoder makes is that of about the last second.
const RATE_TIME: Duration = Duration::from_secs(1);
/// The least step of a timestamp, in 90 kHz; a millisecond.
const LEAST_STEP: u32 = 90;

/// A viewer's frames.
pub struct Feed {
    broadcast: Arc<Broadcast>,
    link: Arc<Link>,
    ladder: Ladder,
    rung: Rung,
    frames: Subscription,
    /// The size it goes to, until the first keyframe of it is there.
    coming: Option<(Rung, Subscription)>,
    skipped: Arc<AtomicU64>,
    last_timestamp: Option<u32>,
    /// Bytes since the rate was worked out, and the rate before.
    counted: (Instant, usize),
    made_kbps: f64,
}

/// A frame on its way to one viewer.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub frame: Arc<VideoFrame>,
    /// Always growing, also from one encoder's frames to another's.
    pub rtp_timestamp: u32,
}

impl Feed {
    /// Frames of the full size, or of the largest that there is.
    pub fn new(broadcast: Arc<Broadcast>, link: Arc<Link>, skipped: Arc<AtomicU64>, now: Instant) -> Self {
        let rung = broadcast.largest();
        link.set_rung(rung);
        let frames = broadcast.subscribe(rung, Arc::clone(&skipped));
        Self {
            broadcast,
            link,
            ladder: Ladder::default(),
            rung,
            frames,
            coming: None,
            skipped,
            last_timestamp: None,
            counted: (now, 0),
            made_kbps: 0.0,
        }
    }

    /// The size of the last frame.
    pub fn rung(&self) -> Rung {
        self.rung
    }

    /// The next frame; frames that came while too many were waiting are left out up to a keyframe. `None` when the
    /// encoders have ended. Nothing is lost when it is dropped while it waits.
    pub async fn next(&mut self) -> Option<Outgoing> {
        let (frame, arrived) = match &mut self.coming {
            None => (self.frames.next().await, false),
            Some((_, coming)) => tokio::select! {
                biased;
                frame = coming.next() => (frame, true),
                frame = self.frames.next() => (frame, false),
            },
        };
        let frame = frame?;
        if arrived && let Some((rung, coming)) = self.coming.take() {
            // The wish for the old size ends here.
            (self.rung, self.frames) = (rung, coming);
            self.made_kbps = 0.0;
        }
        self.counted.1 += frame.bytes;
        let rtp_timestamp = after(self.last_timestamp, frame.rtp_timestamp);
        self.last_timestamp = Some(rtp_timestamp);
        Some(Outgoing { frame, rtp_timestamp })
    }

    /// Looks whether another size would be better, unless one is `pinned`; to be called a few times a second.
    pub fn on_tick(&mut self, pinned: Option<Rung>, now: Instant) {
        self.count(now);
        let rung = match (pinned, self.broadcast.full_size()) {
            (Some(rung), _) => {
                self.ladder.start_at(rung);
                rung
            }
            (None, Some(size)) if self.coming.is_none() => {
                let floors = floors_kbps(size, self.broadcast.config());
                self.ladder.on_estimate(self.link.quality(), self.made_kbps, floors, now)
            }
            (None, _) => self.link.rung(),
        };
        self.go_to(rung.max(self.broadcast.largest()), now);
    }

    fn go_to(&mut self, rung: Rung, now: Instant) {
        if self.link.rung() == rung {
            return;
        }
        // The encoders follow at once, so that the first keyframe is one that the link carries.
        self.link.set_rung(rung);
        self.broadcast.follow_links_now(now);
        self.coming = (rung != self.rung).then(|| (rung, self.broadcast.begin(rung, Arc::clone(&self.skipped))));
    }

    fn count(&mut self, now: Instant) {
        let (since, bytes) = self.counted;
        let over = now.saturating_duration_since(since);
        if over >= RATE_TIME {
            let kbps = bytes as f64 * 8.0 / 1e3 / over.as_secs_f64();
            self.made_kbps = if self.made_kbps == 0.0 { kbps } else { 0.5 * (self.made_kbps + kbps) };
            self.counted = (now, 0);
        }
    }
}

/// The timestamp itself, or, where it is not after the last one, one shortly after that: two encoders may have made
/// something of the same picture, and a player drops what goes back.
fn after(last: Option<u32>, timestamp: u32) -> u32 {
    match last {
        Some(last) if (timestamp.wrapping_sub(last) as i32) < LEAST_STEP as i32 => last.wrapping_add(LEAST_STEP),
        _ => timestamp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_never_go_back_or_stand_still() {
        assert_eq!(after(None, 7), 7);
        assert_eq!(after(Some(3_000), 6_000), 6_000);
        assert_eq!(after(Some(6_000), 6_000), 6_090);
        assert_eq!(after(Some(6_000), 3_000), 6_090);
        assert_eq!(after(Some(u32::MAX - 10), 2_980), 2_980);
        assert_eq!(after(Some(u32::MAX), u32::MAX - 5), 89);
    }
}
