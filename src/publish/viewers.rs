//! Who watches now: the table behind the list of viewers, with the figures of each.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::watch;

use super::admit::Pass;
use super::protocol::Quality;
use crate::encode::Rung;
use crate::util::RateMeter;

/// More viewers than this are asked to come back later.
pub const MOST_VIEWERS: usize = 64;
/// So many are let in where the host has not said another number.
pub const DEFAULT_VIEWERS: usize = 16;
/// A viewer that did something with the pointer within this time is the one who controls.
pub const CONTROLS_FOR: Duration = Duration::from_secs(3);
/// The bit rate is that of the last seconds.
const RATE_WINDOW: Duration = Duration::from_secs(2);

/// How a viewer gets the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    Webrtc,
    Websocket,
    Mjpeg,
}

/// One line of the list of viewers, in the window and in `GET /state`. Unknown figures are `None`; the others are
/// rounded to what is shown, because finer changes are no news.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ViewerInfo {
    pub id: u64,
    /// The browser or player, in few words, as it names itself.
    pub name: Option<String>,
    pub address: IpAddr,
    pub transport: Transport,
    /// `full`, `half` or `quarter`, where there is a choice.
    pub rung: Option<&'static str>,
    /// The size that the host has pinned this viewer to.
    pub pinned: Option<&'static str>,
    /// `jpeg`, `h264` or `vp8`.
    pub codec: &'static str,
    pub sent: u64,
    /// Frames that were newer than what the viewer could take.
    pub skipped: u64,
    pub kbps: f32,
    pub fps: Option<f32>,
    /// From capture to display, measured by the viewer.
    pub delay_ms: Option<f32>,
    /// What the way to the viewer is thought to carry.
    pub estimate_kbps: Option<f32>,
    /// Packets lost on the way lately, in per cent.
    pub loss_percent: Option<f32>,
    pub round_trip_ms: Option<f32>,
    /// Whether this viewer moves the pointer now.
    pub controls: bool,
    /// The guest whose page this is; `None` for the standing link, tokens, and whoever needs nothing.
    pub guest: Option<u64>,
}

/// What a viewer measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Measured {
    pub delay_ms: Option<f32>,
    pub fps: Option<f32>,
}

/// What is known of the way to a viewer.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Way {
    pub estimate_kbps: Option<f32>,
    pub loss_percent: Option<f32>,
    pub round_trip_ms: Option<f32>,
}

/// The table; ids are never used twice.
#[derive(Debug, Default)]
pub struct Viewers {
    entries: Mutex<BTreeMap<u64, Arc<Viewer>>>,
    last_id: AtomicU64,
}

/// One viewer, shared by whoever sends to it and whoever lists it.
#[derive(Debug)]
pub struct Viewer {
    pub id: u64,
    pub address: IpAddr,
    /// How it was let in, which decides what it may do at every moment.
    pub pass: Pass,
    pub transport: Transport,
    codec: &'static str,
    sent: AtomicU64,
    skipped: Arc<AtomicU64>,
    figures: Mutex<Figures>,
    /// Becomes true when the viewer has to go.
    end: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Figures {
    frames: RateMeter,
    bytes: VecDeque<(Instant, usize)>,
    measured: Measured,
    way: Way,
    name: Option<String>,
    /// The browser or player, whatever its user is called.
    agent: Option<String>,
    rung: Option<&'static str>,
    /// What the viewer chose, and what the host did, which counts more.
    choice: Quality,
    pinned: Option<Rung>,
    pointed: Option<Instant>,
}

/// A place in the table, given back when this is dropped.
#[derive(Debug)]
pub struct ViewerPlace {
    viewer: Arc<Viewer>,
    table: Arc<Viewers>,
}

impl Viewers {
    /// Takes one of so many places; `None` when all are taken.
    pub fn enter(
        self: &Arc<Self>,
        (address, pass): (IpAddr, Pass),
        transport: Transport,
        codec: &'static str,
        most: usize,
    ) -> Option<ViewerPlace> {
        let id = self.new_id();
        let viewer = Arc::new(Viewer {
            id,
            address,
            pass,
            transport,
            codec,
            sent: AtomicU64::new(0),
            skipped: Arc::new(AtomicU64::new(0)),
            figures: Mutex::default(),
            end: watch::Sender::new(false),
        });
        let mut entries = self.lock();
        if entries.len() >= most.min(MOST_VIEWERS) {
            return None;
        }
        entries.insert(id, Arc::clone(&viewer));
        Some(ViewerPlace { viewer, table: Arc::clone(self) })
    }

    /// A number for a session that nobody else has.
    pub fn new_id(&self) -> u64 {
        self.last_id.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Every viewer, the one that came first on top.
    pub fn list(&self, now: Instant) -> Vec<ViewerInfo> {
        let viewers = self.all();
        viewers.iter().map(|viewer| viewer.info(now)).collect()
    }

    /// Ends one viewer's session; false when there is no such viewer.
    pub fn disconnect(&self, id: u64) -> bool {
        let viewer = self.lock().get(&id).cloned();
        viewer.map(|viewer| viewer.end.send_replace(true)).is_some()
    }

    /// Lets the host choose a viewer's size, or leave it to the viewer; false when there is no such viewer.
    pub fn pin(&self, id: u64, rung: Option<Rung>) -> bool {
        let viewer = self.lock().get(&id).cloned();
        viewer.map(|viewer| viewer.figures().pinned = rung).is_some()
    }

    /// Every viewer, whatever for.
    pub fn all(&self) -> Vec<Arc<Viewer>> {
        self.lock().values().cloned().collect()
    }

    pub fn disconnect_all(&self) {
        for viewer in self.lock().values() {
            viewer.end.send_replace(true);
        }
    }

    /// Notes that somebody at this address used the pointer by POST, which names no viewer.
    pub fn note_pointer_from(&self, address: IpAddr, now: Instant) {
        let viewers = self.all();
        for viewer in viewers.iter().filter(|viewer| viewer.address == address && viewer.transport == Transport::Mjpeg)
        {
            viewer.note_pointer(now);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Viewer>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Viewer {
    /// Counts a frame that was handed to the network.
    pub fn note_sent(&self, bytes: usize, now: Instant) {
        self.sent.fetch_add(1, Ordering::Relaxed);
        let mut figures = self.figures();
        figures.frames.tick(now);
        figures.bytes.push_back((now, bytes));
        figures.forget(now);
    }

    pub fn note_skipped(&self, frames: u64) {
        self.skipped.fetch_add(frames, Ordering::Relaxed);
    }

    /// The counter itself, for whoever skips frames on this viewer's behalf.
    pub fn skipped(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.skipped)
    }

    pub fn note_measured(&self, measured: Measured) {
        self.figures().measured = measured;
    }

    pub fn note_way(&self, way: Way) {
        self.figures().way = way;
    }

    /// What the viewer calls itself, for the list.
    pub fn set_name(&self, name: Option<String>) {
        self.figures().name = name;
    }

    /// The browser or player that it uses.
    pub fn set_agent(&self, agent: Option<String>) {
        self.figures().agent = agent;
    }

    pub fn agent(&self) -> Option<String> {
        self.figures().agent.clone()
    }

    /// Which size the viewer gets.
    pub fn note_rung(&self, rung: &'static str) {
        self.figures().rung = Some(rung);
    }

    /// What the viewer itself wants.
    pub fn choose(&self, quality: Quality) {
        self.figures().choice = quality;
    }

    /// The size that somebody chose for this viewer; `None` leaves it to what the way carries.
    pub fn pinned(&self) -> Option<Rung> {
        let figures = self.figures();
        match figures.choice {
            Quality::Pinned(rung) => figures.pinned.or(Some(rung)),
            Quality::Auto => figures.pinned,
        }
    }

    /// Ends this viewer's session.
    pub fn end(&self) {
        self.end.send_replace(true);
    }

    /// Whether it did something with the pointer just now.
    pub fn controls(&self, now: Instant) -> bool {
        self.figures().controls(now)
    }

    /// What it is called.
    pub fn name(&self) -> Option<String> {
        self.figures().name.clone()
    }

    pub fn note_pointer(&self, now: Instant) {
        self.figures().pointed = Some(now);
    }

    /// Resolves when the viewer has to go.
    pub async fn ended(&self) {
        let mut end = self.end.subscribe();
        // The sender lives in `self`, so waiting can't fail while somebody waits.
        let _ = end.wait_for(|end| *end).await;
    }

    fn info(&self, now: Instant) -> ViewerInfo {
        let mut figures = self.figures();
        figures.forget(now);
        let bytes: usize = figures.bytes.iter().map(|(_, bytes)| bytes).sum();
        let fps = figures.measured.fps.unwrap_or_else(|| figures.frames.per_second(now));
        ViewerInfo {
            id: self.id,
            name: figures.name.clone(),
            address: self.address,
            transport: self.transport,
            rung: figures.rung,
            pinned: figures.pinned.map(Rung::id),
            codec: self.codec,
            sent: self.sent.load(Ordering::Relaxed),
            skipped: self.skipped.load(Ordering::Relaxed),
            kbps: (bytes as f32 * 8.0 / 1000.0 / RATE_WINDOW.as_secs_f32()).round(),
            fps: Some((fps * 10.0).round() / 10.0),
            delay_ms: figures.measured.delay_ms.map(f32::round),
            // Two places are enough of an estimate that never stands still.
            estimate_kbps: figures.way.estimate_kbps.map(|kbps| (kbps / 50.0).round() * 50.0),
            loss_percent: figures.way.loss_percent.map(f32::round),
            round_trip_ms: figures.way.round_trip_ms.map(f32::round),
            controls: figures.controls(now),
            guest: match self.pass {
                Pass::Guest(id) => Some(id),
                Pass::Anyone | Pass::Standing(_) | Pass::Token(_) => None,
            },
        }
    }

    fn figures(&self) -> MutexGuard<'_, Figures> {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Figures {
    fn controls(&self, now: Instant) -> bool {
        self.pointed.is_some_and(|at| now.saturating_duration_since(at) < CONTROLS_FOR)
    }

    fn forget(&mut self, now: Instant) {
        while self.bytes.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) > RATE_WINDOW) {
            self.bytes.pop_front();
        }
    }
}

impl std::ops::Deref for ViewerPlace {
    type Target = Viewer;

    fn deref(&self) -> &Viewer {
        &self.viewer
    }
}

impl ViewerPlace {
    pub fn viewer(&self) -> &Arc<Viewer> {
        &self.viewer
    }
}

impl Drop for ViewerPlace {
    fn drop(&mut self) {
        self.table.lock().remove(&self.viewer.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn the_last_place_is_free_again_once_somebody_leaves() {
        let viewers = Arc::new(Viewers::default());
        let mut places: Vec<_> = (0..MOST_VIEWERS)
            .map(|_| {
                viewers.enter((HERE, Pass::Anyone), Transport::Mjpeg, "jpeg", MOST_VIEWERS).expect("a place is free")
            })
            .collect();
        assert!(viewers.enter((HERE, Pass::Anyone), Transport::Webrtc, "vp8", MOST_VIEWERS).is_none());
        places.pop();
        assert!(viewers.enter((HERE, Pass::Anyone), Transport::Webrtc, "vp8", MOST_VIEWERS).is_some());
        drop(places);
        assert!(viewers.list(Instant::now()).is_empty());
    }

    #[test]
    fn figures_are_those_of_the_last_two_seconds() {
        let viewers = Arc::new(Viewers::default());
        let place =
            viewers.enter((HERE, Pass::Anyone), Transport::Mjpeg, "jpeg", MOST_VIEWERS).expect("a place is free");
        let start = Instant::now();
        for frame in 0..20 {
            place.note_sent(12_500, start + Duration::from_millis(100 * frame));
        }
        place.note_pointer(start);
        let now = start + Duration::from_millis(1900);
        let info = &viewers.list(now)[0];
        assert_eq!((info.sent, info.kbps, info.controls), (20, 1000.0, true));
        let info = &viewers.list(now + Duration::from_secs(9))[0];
        assert_eq!((info.sent, info.kbps, info.controls), (20, 0.0, false));
    }
}
