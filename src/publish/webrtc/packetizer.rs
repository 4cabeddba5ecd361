//! The frames of one codec's encoders, cut into RTP payloads once and handed to every viewer of that size.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use rtc::rtp::codec::h264::H264Payloader;
use rtc::rtp::codec::vp8::Vp8Payloader;
use rtc::rtp::packetizer::Payloader;
use tokio::sync::mpsc;

use super::super::host::VideoSource;
use super::congestion::{Quality, ceiling_kbps};
use super::link::Link;
use crate::encode::{EncodedVideo, Rung, VideoCodec, VideoConfig, VideoSink};
use crate::frame::FrameTimes;
use crate::geometry::{Geometry, Size};
use crate::util::Ticket;

/// The largest payload. With the RTP header, its extension, retransmission, SRTP, UDP and IPv6 a packet stays below
/// 1280 bytes, which every path carries.
const PAYLOAD_BYTES: usize = 1150;
/// Encoder to one viewer; a full channel means that the viewer lags: it skips to the next keyframe.
const FRAMES_AHEAD: usize = 4;
/// This many frames from a keyframe on are kept: a viewer that comes within half a second after it starts with them,
/// because the encoder makes no other keyframe so soon.
pub const RECENT_FRAMES: usize = 16;
const RECENT_TIME: Duration = Duration::from_millis(600);

/// What a link is thought to carry at first: enough for a picture, and little enough for most links; and more where the
/// viewer has an address of this network.
const START_KBPS: f64 = 1_000.0;
const START_NEARBY_KBPS: f64 = 4_000.0;
/// The encoder follows the links so often.
const FOLLOW_GAP: Duration = Duration::from_millis(100);

/// A frame ready to be sent; shared by all viewers.
#[derive(Debug)]
pub struct VideoFrame {
    pub payloads: Vec<Bytes>,
    pub bytes: usize,
    pub keyframe: bool,
    pub size: Size,
    pub rtp_timestamp: u32,
    pub times: FrameTimes,
    pub encoded: Instant,
    pub geometry: Arc<Geometry>,
}

/// Between the encoders of one codec and their viewers.
pub struct Broadcast {
    source: Arc<dyn VideoSource>,
    /// One for each size, as in [`Rung::ALL`].
    states: [Mutex<State>; 3],
    links: Mutex<Links>,
}

/// The ways to all viewers of this codec, those included who are still connecting.
#[derive(Default)]
struct Links {
    known: Vec<Weak<Link>>,
    /// For each size.
    ceilings_kbps: [Option<u32>; 3],
    followed: Option<Instant>,
    /// The size of the picture before it is made smaller.
    full_size: Option<Size>,
}

struct State {
    payloader: Box<dyn Payloader + Send>,
    viewers: Vec<Lane>,
    last_lane: u64,
    /// The last keyframe and all frames after it; empty when there were too many.
    recent: VecDeque<Arc<VideoFrame>>,
}

/// What the encoder holds: it outlives the publisher, which it must not keep alive.
struct Outlet(Weak<Broadcast>);

/// The way to one viewer.
struct Lane {
    id: u64,
    frames: mpsc::Sender<Arc<VideoFrame>>,
    /// What follows can't be decoded without a keyframe.
    waits_for_keyframe: bool,
    /// Before its first frame a viewer misses nothing.
    started: bool,
    skipped: Arc<AtomicU64>,
}

/// A viewer's end; the encoder runs while there is one.
pub struct Subscription {
    lane: u64,
    broadcast: Arc<Broadcast>,
    rung: Rung,
    /// What comes before the frames of the channel.
    first: VecDeque<Arc<VideoFrame>>,
    frames: mpsc::Receiver<Arc<VideoFrame>>,
    _ticket: Ticket,
}

impl Broadcast {
    /// Connects to an encoder for good.
    pub fn connect(source: Arc<dyn VideoSource>) -> Arc<Self> {
        let codec = source.codec();
        let states = Rung::ALL.map(|_| {
            let payloader: Box<dyn Payloader + Send> = match codec {
                VideoCodec::H264 => Box::new(H264Payloader::default()),
                // Without picture numbers: they would jump from one size to another, and players follow the packets'.
                VideoCodec::Vp8 => Box::new(Vp8Payloader::default()),
            };
            Mutex::new(State { payloader, viewers: Vec::new(), last_lane: 0, recent: VecDeque::new() })
        });
        let broadcast = Arc::new(Self { source: Arc::clone(&source), states, links: Mutex::default() });
        source.set_output(Arc::new(Outlet(Arc::downgrade(&broadcast))));
        broadcast
    }

    pub fn codec(&self) -> VideoCodec {
        self.source.codec()
    }

    /// The setting, which speaks of the full size.
    pub fn config(&self) -> VideoConfig {
        self.source.config()
    }

    /// The largest size that there is now.
    pub fn largest(&self) -> Rung {
        self.source.largest()
    }

    /// The picture before it is made smaller; unknown before the first frame.
    pub fn full_size(&self) -> Option<Size> {
        self.links().full_size
    }

    pub fn request_keyframe(&self, rung: Rung) {
        self.source.request_keyframe(rung);
    }

    /// A viewer that is about to come; what it starts with is known before the first frame is encoded for it.
    pub fn expect_viewer(&self, viewer: IpAddr) -> Arc<Link> {
        let nearby = match viewer {
            IpAddr::V4(address) => address.is_loopback() || address.is_private() || address.is_link_local(),
            IpAddr::V6(address) => {
                address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
            }
        };
        let start = if nearby { START_NEARBY_KBPS } else { START_KBPS };
        let link = {
            let mut links = self.links();
            let ceiling = links.ceilings(Instant::now())[Rung::Full.index()].map_or(0.0, f64::from);
            // One more must not take from the others what it most likely can have as well.
            let link = Arc::new(Link::new(start.max(ceiling)));
            links.known.push(Arc::downgrade(&link));
            link
        };
        self.follow_links_now(Instant::now());
        link
    }

    /// Lets the encoders follow at once, because somebody came or changed the size.
    pub fn follow_links_now(&self, now: Instant) {
        self.links().followed = None;
        self.follow_links(now);
    }

    /// Lets the encoders follow what the viewers' links carry.
    pub fn follow_links(&self, now: Instant) {
        let changed = {
            let mut links = self.links();
            if links.followed.is_some_and(|at| now.saturating_duration_since(at) < FOLLOW_GAP) {
                return;
            }
            let ceilings = links.ceilings(now);
            let before = std::mem::replace(&mut links.ceilings_kbps, ceilings);
            Rung::ALL.map(|rung| (rung, ceilings[rung.index()], before[rung.index()]))
        };
        for (rung, ceiling, _) in changed.into_iter().filter(|(_, ceiling, before)| ceiling != before) {
            self.source.set_ceiling(rung, ceiling);
        }
    }

    fn links(&self) -> MutexGuard<'_, Links> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wants the encoder to run already, before there is a way to the viewer.
    pub fn want(&self) -> Ticket {
        self.source.want(self.largest())
    }

    /// Frames from a keyframe on: the last one if it is young enough, or else the next one, which is asked for.
    pub fn subscribe(self: &Arc<Self>, rung: Rung, skipped: Arc<AtomicU64>) -> Subscription {
        self.enter(rung, skipped, true)
    }

    /// Frames from the next keyframe on, which is asked for; for those who have seen something newer than the last one.
    pub fn begin(self: &Arc<Self>, rung: Rung, skipped: Arc<AtomicU64>) -> Subscription {
        self.enter(rung, skipped, false)
    }

    fn enter(self: &Arc<Self>, rung: Rung, skipped: Arc<AtomicU64>, recent: bool) -> Subscription {
        let (sender, frames) = mpsc::channel(FRAMES_AHEAD);
        let ticket = self.source.want(rung);
        let (lane, first) = {
            let mut state = self.lock(rung);
            state.last_lane += 1;
            let id = state.last_lane;
            if state.recent.front().is_some_and(|keyframe| keyframe.is_old(Instant::now())) {
                state.recent.clear();
            }
            let first = if recent { state.recent.clone() } else { VecDeque::new() };
            let started = !first.is_empty();
            state.viewers.push(Lane { id, frames: sender, waits_for_keyframe: !started, started, skipped });
            (id, first)
        };
        if first.is_empty() {
            self.source.request_keyframe(rung);
        }
        Subscription { lane, broadcast: Arc::clone(self), rung, first, frames, _ticket: ticket }
    }

    fn lock(&self, rung: Rung) -> MutexGuard<'_, State> {
        self.states[rung.index()].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscription {
    /// The next frame; frames that came while too many were waiting are left out up to a keyframe.
    pub async fn next(&mut self) -> Option<Arc<VideoFrame>> {
        match self.first.pop_front() {
            Some(frame) => Some(frame),
            None => self.frames.recv().await,
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.broadcast.lock(self.rung).viewers.retain(|lane| lane.id != self.lane);
    }
}

impl VideoSink for Outlet {
    fn encoded(&self, frame: EncodedVideo) {
        if let Some(broadcast) = self.0.upgrade() {
            broadcast.encoded(frame);
        }
    }
}

impl Links {
    fn ceilings(&mut self, now: Instant) -> [Option<u32>; 3] {
        self.followed = Some(now);
        let mut viewers: [Vec<Quality>; 3] = Default::default();
        let mut note = |link: &Arc<Link>| viewers[link.rung().index()].push(link.quality());
        self.known.retain(|link| link.upgrade().inspect(&mut note).is_some());
        viewers.map(|viewers| ceiling_kbps(&viewers))
    }
}

impl Broadcast {
    fn encoded(&self, frame: EncodedVideo) {
        self.follow_links(frame.encoded);
        let (rung, by) = (frame.rung, frame.rung.divisor());
        self.links().full_size = Some(Size::new(frame.size.width * by, frame.size.height * by));
        let mut state = self.lock(rung);
        let data = Bytes::from(frame.data);
        let payloads = match state.payloader.payload(PAYLOAD_BYTES, &data) {
            Ok(payloads) => payloads,
            Err(error) => {
                tracing::warn!("a video frame could not be cut into packets: {error}");
                return;
            }
        };
        let frame = Arc::new(VideoFrame {
            bytes: payloads.iter().map(Bytes::len).sum(),
            payloads,
            keyframe: frame.keyframe,
            size: frame.size,
            rtp_timestamp: frame.rtp_timestamp,
            times: frame.times,
            encoded: frame.encoded,
            geometry: frame.geometry,
        });
        state.note_recent(&frame);
        let mut lagging = false;
        for lane in &mut state.viewers {
            lagging |= !lane.send(&frame);
        }
        drop(state);
        if lagging {
            self.source.request_keyframe(rung);
        }
    }
}

impl State {
    fn note_recent(&mut self, frame: &Arc<VideoFrame>) {
        if frame.keyframe {
            self.recent.clear();
        } else if self.recent.is_empty() {
            return;
        }
        self.recent.push_back(Arc::clone(frame));
        if self.recent.len() > RECENT_FRAMES || self.recent[0].is_old(frame.encoded) {
            self.recent.clear();
        }
    }
}

impl VideoFrame {
    fn is_old(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.encoded) > RECENT_TIME
    }
}

impl Lane {
    /// False when this viewer now needs a keyframe and could take one.
    fn send(&mut self, frame: &Arc<VideoFrame>) -> bool {
        if self.waits_for_keyframe && !frame.keyframe {
            self.note_skipped();
            return self.frames.capacity() == 0;
        }
        self.waits_for_keyframe = self.frames.try_send(Arc::clone(frame)).is_err();
        if self.waits_for_keyframe {
            self.note_skipped();
        }
        self.started = true;
        true
    }

    fn note_skipped(&self) {
        if self.started {
            self.skipped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::util::Demand;

    #[derive(Default)]
    struct Encoder {
        demand: Arc<Demand>,
        keyframes: AtomicU64,
        ceilings: [AtomicU64; 3],
    }

    impl VideoSource for Encoder {
        fn codec(&self) -> VideoCodec {
            VideoCodec::Vp8
        }
        fn config(&self) -> VideoConfig {
            VideoConfig { bitrate_kbps: 4_000, fps: 30 }
        }
        fn largest(&self) -> Rung {
            Rung::Full
        }
        fn want(&self, _rung: Rung) -> Ticket {
            self.demand.want()
        }
        fn request_keyframe(&self, _rung: Rung) {
            self.keyframes.fetch_add(1, Ordering::Relaxed);
        }
        fn set_ceiling(&self, rung: Rung, kbps: Option<u32>) {
            self.ceilings[rung.index()].store(kbps.unwrap_or(0).into(), Ordering::Relaxed);
        }
        fn set_output(&self, _output: Arc<dyn VideoSink>) {}
    }

    fn frame(number: u32, keyframe: bool) -> EncodedVideo {
        let size = Size::new(16, 16);
        let now = Instant::now();
        EncodedVideo {
            codec: VideoCodec::Vp8,
            rung: Rung::Full,
            data: vec![7; 3000],
            keyframe,
            size,
            frame_id: u64::from(number),
            rtp_timestamp: number,
            times: FrameTimes { captured: now, filtered: Some(now) },
            encoded: now,
            geometry: Arc::new(Geometry::untouched(1, size, None)),
        }
    }

    #[test]
    fn the_encoder_follows_the_links_of_those_who_watch() {
        let encoder = Arc::new(Encoder::default());
        let broadcast = Broadcast::connect(Arc::clone(&encoder) as Arc<dyn VideoSource>);
        let ceiling = || encoder.ceilings[0].load(Ordering::Relaxed);
        let far = broadcast.expect_viewer([93, 184, 216, 34].into());
        assert_eq!((far.quality().kbps, ceiling()), (START_KBPS, 930));
        far.set_quality(Quality { kbps: 8_000.0, loss: 0.0, silent: false });
        let later = |times: u32| Instant::now() + FOLLOW_GAP * times;
        broadcast.follow_links(later(1));
        assert_eq!(ceiling(), 7_440);

        let another = broadcast.expect_viewer([93, 184, 216, 35].into());
        assert_eq!(another.quality().kbps, 7_440.0, "who comes later takes nothing away");
        another.set_quality(Quality { kbps: 3_000.0, loss: 0.0, silent: false });
        broadcast.follow_links(later(2));
        assert_eq!(ceiling(), 2_790);
        another.set_rung(Rung::Half);
        broadcast.follow_links_now(later(2));
        let half = encoder.ceilings[1].load(Ordering::Relaxed);
        assert_eq!((ceiling(), half), (7_440, 2_790), "who takes a smaller size slows only those who do as well");
        drop(another);
        broadcast.follow_links(later(3));
        assert_eq!(ceiling(), 7_440);
        drop(far);
        broadcast.follow_links(later(4));
        assert_eq!(ceiling(), 0, "no limit is left");
    }

    #[test]
    fn a_viewer_that_lags_goes_on_with_the_next_keyframe() {
        let encoder = Arc::new(Encoder::default());
        let broadcast = Broadcast::connect(Arc::clone(&encoder) as Arc<dyn VideoSource>);
        let skipped = Arc::new(AtomicU64::new(0));
        let mut viewer = broadcast.subscribe(Rung::Full, Arc::clone(&skipped));
        assert_eq!((encoder.demand.count(), encoder.keyframes.load(Ordering::Relaxed)), (1, 1));

        broadcast.encoded(frame(0, false));
        for number in 1..=6 {
            broadcast.encoded(frame(number, number == 1));
        }
        let mut taken = Vec::new();
        while let Ok(frame) = viewer.frames.try_recv() {
            assert_eq!(frame.payloads.len(), 3);
            taken.push(frame.rtp_timestamp);
        }
        assert_eq!(taken, [1, 2, 3, 4]);
        broadcast.encoded(frame(7, false));
        assert!(encoder.keyframes.load(Ordering::Relaxed) > 1);
        broadcast.encoded(frame(8, true));
        assert_eq!(viewer.frames.try_recv().map(|frame| frame.rtp_timestamp), Ok(8));
        assert_eq!(skipped.load(Ordering::Relaxed), 3);

        // A viewer that comes now needs no further keyframe to be made.
        broadcast.encoded(frame(9, false));
        let asked = encoder.keyframes.load(Ordering::Relaxed);
        let late = broadcast.subscribe(Rung::Full, Arc::default());
        assert_eq!(late.first.iter().map(|frame| frame.rtp_timestamp).collect::<Vec<_>>(), [8, 9]);
        assert_eq!(encoder.keyframes.load(Ordering::Relaxed), asked);
        drop(late);
        drop(viewer);
        assert_eq!(encoder.demand.count(), 0);
    }
}
