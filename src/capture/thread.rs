//! The capture thread: opens the wished source, hands over its pictures, and puts the test pattern in its place when it
//! is gone. It does nothing while nobody looks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::id::SourceId;
use super::pattern::Pattern;
use super::source::{self, Picture, Source};
use crate::frame::{BufferPool, Captured};
use crate::util::{Demand, LatestReader, Worker};

/// How long to wait for one picture before looking at the wishes again.
const PATIENCE: Duration = Duration::from_millis(100);
/// How often a source that is gone is tried again.
const RETRY: Duration = Duration::from_secs(2);

/// What to capture. A new `attempt` opens the source again even if nothing else changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureWish {
    pub source: SourceId,
    /// Pictures a second at most.
    pub fps: u32,
    pub attempt: u32,
}

/// How the source is doing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum CaptureState {
    /// Nobody looks, so nothing is captured.
    #[default]
    Idle,
    Running,
    /// The test pattern stands in; the sentence says why and what to do.
    StandIn(String),
}

/// What the capture thread tells.
#[derive(Debug)]
pub enum CaptureReport {
    /// A picture, and the source that was wished for when it was taken: a stand-in's picture bears the wished name.
    Picture { picture: Captured, wished: SourceId },
    /// The state, and the name and id of what is really captured.
    State { state: CaptureState, source: SourceId, name: String },
}

/// The running thread.
pub struct CaptureThread {
    ending: Arc<AtomicBool>,
    worker: Worker,
}

impl CaptureThread {
    /// Starts it. `report` is called on the thread and must not block.
    pub fn start(
        demand: Arc<Demand>,
        wish: LatestReader<CaptureWish>,
        report: impl Fn(CaptureReport) + Send + 'static,
    ) -> Self {
        let ending = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&ending);
        let mut number = 0;
        let worker = Worker::start("capture", move || {
            Run { demand: &demand, wish: wish.clone(), report: &report, ending: &seen, number: &mut number }.run();
        });
        Self { ending, worker }
    }

    /// Ends it; a driver that hangs is left behind at `deadline`.
    pub fn stop(&mut self, deadline: Instant) {
        self.ending.store(true, Ordering::Relaxed);
        self.worker.join(deadline);
    }
}

struct Run<'a> {
    demand: &'a Arc<Demand>,
    wish: LatestReader<CaptureWish>,
    report: &'a dyn Fn(CaptureReport),
    ending: &'a AtomicBool,
    number: &'a mut u64,
}

/// An open source with what it stands for.
struct Opened {
    wish: CaptureWish,
    source: Box<dyn Source>,
    /// Why this is the stand-in, and when to try the wished source again.
    trouble: Option<(String, Instant)>,
}

impl Run<'_> {
    fn run(mut self) {
        let pool = BufferPool::default();
        let mut opened: Option<Opened> = None;
        let mut pace = Pace::default();
        let mut idle = true;
        while !self.ending.load(Ordering::Relaxed) {
            if !self.demand.wait(PATIENCE) {
                if !idle {
                    // A camera's light goes out and its driver rests when nobody looks; a screen is cheap to open again.
                    opened = None;
                    idle = true;
                    let wish = self.wish.get();
                    self.tell(CaptureState::Idle, wish.source.clone(), wish.source.to_string());
                }
                continue;
            }
            idle = false;
            let wish = self.wish.get();
            let mut current = match opened.take() {
                Some(current) if current.wish == wish && !current.retry_is_due() => current,
                old => {
                    // First the old one has to go: a camera can't be opened twice.
                    drop(old);
                    self.open(wish)
                }
            };
            if !current.source.paces_itself() {
                pace.wait(current.wish.fps);
            }
            match current.source.next(PATIENCE, &pool) {
                Ok(Some(picture)) => {
                    pace.taken(current.wish.fps);
                    self.hand_over(picture, &current.wish.source);
                }
                Ok(None) => {}
                Err(error) => current = self.stand_in(current.wish, error.to_string()),
            }
            opened = Some(current);
        }
    }

    fn open(&self, wish: CaptureWish) -> Opened {
        match source::open(&wish.source, wish.fps) {
            Ok(source) => {
                self.tell(CaptureState::Running, wish.source.clone(), source.name());
                Opened { wish, source, trouble: None }
            }
            Err(error) => self.stand_in(wish, error.to_string()),
        }
    }

    fn stand_in(&self, wish: CaptureWish, reason: String) -> Opened {
        let source = Pattern::new(wish.fps.min(10));
        self.tell(CaptureState::StandIn(reason.clone()), SourceId::Pattern, source.name());
        Opened { wish, source: Box::new(source), trouble: Some((reason, Instant::now() + RETRY)) }
    }

    fn tell(&self, state: CaptureState, source: SourceId, name: String) {
        (self.report)(CaptureReport::State { state, source, name });
    }

    fn hand_over(&mut self, picture: Picture, wished: &SourceId) {
        *self.number += 1;
        let picture = Captured {
            id: *self.number,
            size: picture.size,
            format: picture.format,
            pixels: picture.pixels,
            at: picture.at,
            desktop_from_source: picture.desktop_from_source,
        };
        (self.report)(CaptureReport::Picture { picture, wished: wished.clone() });
    }
}

impl Opened {
    fn retry_is_due(&self) -> bool {
        self.trouble.as_ref().is_some_and(|(_, at)| Instant::now() >= *at)
    }
}

/// Keeps sources that answer to every change at the wished rate.
#[derive(Default)]
struct Pace {
    due: Option<Instant>,
}

impl Pace {
    /// Sleeps until the next picture may be taken. A third of the interval early is allowed, so that a screen which
    /// moves at this very rate is never made to wait by its own jitter; the average stays at the rate.
    fn wait(&self, fps: u32) {
        let interval = Duration::from_secs(1) / fps.max(1);
        if let Some(due) = self.due {
            std::thread::sleep((due - interval / 3).saturating_duration_since(Instant::now()).min(interval));
        }
    }

    fn taken(&mut self, fps: u32) {
        let interval = Duration::from_secs(1) / fps.max(1);
        let now = Instant::now();
        self.due = Some(match self.due {
            Some(due) if now < due + interval => due + interval,
            _ => now + interval,
        });
    }
}
