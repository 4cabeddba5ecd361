//! The sending half of a WebSocket: messages at once, and the newest JPEG whenever the page has taken the ones before.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocket};
use futures_util::SinkExt;
use futures_util::stream::SplitSink;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};

use super::super::Shared;
use super::super::protocol::{FrameHead, HostMessage, Quality};
use super::super::viewers::{Viewer, Way};
use super::auto::Auto;
use crate::encode::{EncodedJpeg, Grade, JpegSubscription, Rung};

/// Frames on their way: one that travels while the page draws the other.
const MOST_IN_FLIGHT: usize = 2;
/// A page that acknowledges nothing for so long is gone, whatever its socket says.
const STALLED: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_millis(500);
/// Every client answers a ping by itself, so that one which is gone is told from one with nothing to say.
const PING_GAP: Duration = Duration::from_secs(4);

/// What the page said about frames.
#[derive(Debug, Clone, Copy, Default)]
pub struct Told {
    pub quality: Quality,
    pub acked: Option<u64>,
}

/// Frames that the page has not acknowledged, by their numbers.
#[derive(Debug, Default)]
struct InFlight(VecDeque<(u64, Instant)>);

impl InFlight {
    fn is_full(&self) -> bool {
        self.0.len() >= MOST_IN_FLIGHT
    }

    /// Takes a frame and all before it as arrived; how long it took, if it was under way.
    fn acknowledge(&mut self, frame: u64, now: Instant) -> Option<Duration> {
        let place = self.0.iter().position(|(sent, _)| *sent == frame)?;
        let (_, at) = self.0.drain(..=place).next_back()?;
        Some(now.saturating_duration_since(at))
    }

    fn is_stalled(&self, now: Instant) -> bool {
        self.0.front().is_some_and(|(_, at)| now.saturating_duration_since(*at) > STALLED)
    }
}

/// Sends until the socket or the encoder ends, or the page takes nothing any more.
pub async fn send_frames(
    sink: &mut SplitSink<WebSocket, Message>,
    mut messages: mpsc::Receiver<HostMessage>,
    mut told: watch::Receiver<Told>,
    shared: &Shared,
    viewer: &Viewer,
) {
    let mut auto = Auto::new(Instant::now());
    let mut rung = Rung::Full;
    viewer.note_rung(rung.id());
    // With the wish that keeps the frames coming.
    let mut jpegs: JpegSubscription = shared.jpeg.subscribe(rung, Grade::Setting);
    let mut newest = jpegs.0.get();
    let mut under_way = InFlight::default();
    let mut pinged = Instant::now();
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            message = messages.recv() => {
                let Some(message) = message else { return };
                if sink.send(Message::text(message.to_text())).await.is_err() {
                    return;
                }
            }
            changed = told.changed() => {
                if changed.is_err() {
                    return;
                }
                let Told { quality, acked } = *told.borrow_and_update();
                let now = Instant::now();
                if let Some(time) = acked.and_then(|frame| under_way.acknowledge(frame, now)) {
                    auto.on_arrival(time, now);
                    let round_trip_ms = Some(time.as_secs_f32() * 1e3);
                    viewer.note_way(Way { round_trip_ms, ..Way::default() });
                }
                viewer.choose(quality);
                let wanted = viewer.pinned().unwrap_or(auto.rung());
                if wanted != rung {
                    rung = wanted;
                    viewer.note_rung(rung.id());
                    // The old wish ends after the new one began, so that capture goes on.
                    jpegs = shared.jpeg.subscribe(rung, Grade::Setting);
                    newest = jpegs.0.get();
                }
            }
            jpeg = jpegs.0.changed() => {
                let Some(jpeg) = jpeg else { return };
                viewer.note_skipped(u64::from(newest.is_some()));
                newest = jpeg;
            }
            _ = tick.tick() => {
                let now = Instant::now();
                if under_way.is_stalled(now) {
                    tracing::debug!("viewer {} takes no frames any more", viewer.id);
                    return;
                }
                if now.saturating_duration_since(pinged) >= PING_GAP {
                    pinged = now;
                    if sink.send(Message::Ping(Bytes::new())).await.is_err() {
                        return;
                    }
                }
            }
        }
        // What was woken by something else may have missed a newer one.
        if let Some(newer) = jpegs.0.get_if_new() {
            viewer.note_skipped(u64::from(newest.is_some()));
            newest = newer;
        }
        if !under_way.is_full()
            && let Some(jpeg) = newest.take()
        {
            let now = Instant::now();
            let bytes = message(&jpeg, shared, now);
            let length = bytes.len();
            under_way.0.push_back((jpeg.frame_id, now));
            if sink.send(Message::Binary(bytes)).await.is_err() {
                return;
            }
            viewer.note_sent(length, Instant::now());
        }
    }
}

/// A frame as the page gets it.
fn message(jpeg: &Arc<EncodedJpeg>, shared: &Shared, now: Instant) -> Bytes {
    let clock = |at| shared.host.clock_us(at);
    let head = FrameHead {
        epoch: jpeg.geometry.epoch,
        frame: jpeg.frame_id,
        pointer: jpeg.geometry.desktop_from_source.is_some(),
        captured_us: clock(jpeg.times.captured),
        filtered_us: clock(jpeg.times.filtered.unwrap_or(jpeg.times.captured)),
        encoded_us: clock(jpeg.encoded),
        sent_us: clock(now),
    };
    let mut bytes = Vec::with_capacity(FrameHead::LENGTH + jpeg.data.len());
    bytes.extend_from_slice(&head.to_bytes());
    bytes.extend_from_slice(&jpeg.data);
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acknowledged_frame_makes_room_and_so_do_those_before_it() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut frames = InFlight(VecDeque::from([(7, at(0)), (9, at(40))]));
        assert!(frames.is_full());
        assert_eq!(frames.acknowledge(8, at(50)), None);
        assert_eq!(frames.acknowledge(9, at(100)), Some(Duration::from_millis(60)));
        assert!(!frames.is_full() && !frames.is_stalled(at(60_000)));
        frames.0.push_back((10, at(0)));
        assert!(!frames.is_stalled(at(9_000)) && frames.is_stalled(at(10_001)));
    }
}
