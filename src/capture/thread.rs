//! The capture thread: opens the wished source, hands over its pictures, and puts the test pattern in its place when it
//! is gone. It does nothing while nobody looks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::id::SourceId;
use super::pattern::Pattern;
use super::source::{self, Picture, Source};
use crate::frame::{BufferPool, Captured};
use crate::receive::Inbox;
use crate::util::{Demand, LatestReader, Worker};

/// How long to wait for one picture before looking at the wishes again.
const PATIENCE: Duration = Duration::from_millis(100);
/// How often a source that is gone is tried again.
const RETRY: Duration = Duration::from_secs(2);

/// The test pattern's rate where it stands in: enough to see that it lives.
const STAND_IN_FPS: u32 = 10;

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
    /// Starts it. `inbox` is where published pictures come in; `report` is called on the thread and must not block.
    pub fn start(
        demand: Arc<Demand>,
        wish: LatestReader<CaptureWish>,
        inbox: Arc<Inbox>,
        report: impl Fn(CaptureReport) + Send + 'static,
    ) -> Self {
        let ending = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&ending);
        let mut number = 0;
        let worker = Worker::start("capture", move || {
            let stand_in = Pattern::new(STAND_IN_FPS);
            let wish = wish.clone();
            Run { demand: &demand, wish, inbox: &inbox, report: &report, ending: &seen, number: &mut number, stand_in }
                .run();
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
    inbox: &'a Arc<Inbox>,
    report: &'a dyn Fn(CaptureReport),
    ending: &'a AtomicBool,
    number: &'a mut u64,
    /// Kept from one attempt to the next, so that its counter runs on instead of starting again every two seconds.
    stand_in: Pattern,
}

/// Where pictures come from now, and the wish that this answers.
struct Opened {
    wish: CaptureWish,
    giving: Giving,
}

enum Giving {
    Wished(Box<dyn Source>),
    /// The test pattern, until it is time to try the wished source again.
    StandIn {
        until: Instant,
    },
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
            let next = match &mut current.giving {
                Giving::Wished(source) => {
                    if !source.paces_itself() {
                        pace.wait(current.wish.fps);
                    }
                    source.next(PATIENCE, &pool)
                }
                Giving::StandIn { .. } => self.stand_in.next(PATIENCE, &pool),
            };
            match next {
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
        match source::open(&wish.source, wish.fps, self.inbox) {
            Ok(source) => {
                self.tell(CaptureState::Running, wish.source.clone(), source.name());
                Opened { wish, giving: Giving::Wished(source) }
            }
            Err(error) => self.stand_in(wish, error.to_string()),
        }
    }

    fn stand_in(&self, wish: CaptureWish, reason: String) -> Opened {
        self.tell(CaptureState::StandIn(reason), SourceId::Pattern, self.stand_in.name());
        Opened { wish, giving: Giving::StandIn { until: Instant::now() + RETRY } }
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
            pointer: picture.pointer,
            pressed: picture.pressed,
        };
        (self.report)(CaptureReport::Picture { picture, wished: wished.clone() });
    }
}

impl Opened {
    fn retry_is_due(&self) -> bool {
        matches!(self.giving, Giving::StandIn { until } if Instant::now() >= until)
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::super::pattern::{PATTERN_SIZE, number_in};
    use super::*;
    use crate::geometry::Size;
    use crate::util::Latest;

    const SIZE: Size = Size::new(8, 6);

    #[test]
    fn a_source_that_comes_back_is_shown_again_and_its_stand_in_counted_on_until_then() {
        let path = std::env::temp_dir().join(format!("lenscast-comes-back-{}.png", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let source = SourceId::Image(path.clone());
        let wish = Latest::new(CaptureWish { source: source.clone(), fps: 120, attempt: 0 });
        let demand = Arc::<Demand>::default();
        let _ticket = demand.want();
        let (sender, reports) = mpsc::channel();
        let mut capture = CaptureThread::start(demand, wish.reader(), Arc::default(), move |report| {
            let _ = sender.send(report);
        });
        let next = || reports.recv_timeout(Duration::from_secs(30)).expect("the capture thread goes on");

        // Every attempt fails, and the pattern moves on over all of them.
        let mut counted = Vec::new();
        let mut failures = 0;
        while counted.len() < 8 {
            match next() {
                CaptureReport::Picture { picture, wished } => {
                    assert_eq!((picture.size, &wished), (PATTERN_SIZE, &source));
                    counted.push(number_in(&picture.pixels));
                    if counted.len() % 2 == 0 {
                        wish.update(|wish| {
                            wish.attempt += 1;
                            true
                        });
                    }
                }
                CaptureReport::State { state, source, .. } => {
                    assert!(matches!(&state, CaptureState::StandIn(reason) if reason.contains("can't be opened")));
                    assert_eq!(source, SourceId::Pattern);
                    failures += 1;
                }
            }
        }
        assert!(failures >= 3, "{failures} attempts");
        assert!(counted.is_sorted_by(|a, b| a < b), "{counted:?}");

        // Nobody asks: it is tried again by itself.
        image::RgbaImage::from_pixel(SIZE.width, SIZE.height, image::Rgba([9, 8, 7, 255])).save(&path).unwrap();
        loop {
            match next() {
                CaptureReport::State { state: CaptureState::Running, source: running, .. } => {
                    assert_eq!(running, source);
                    break;
                }
                CaptureReport::State { .. } | CaptureReport::Picture { .. } => {}
            }
        }
        let CaptureReport::Picture { picture, .. } = next() else { panic!("a picture follows") };
        assert_eq!((picture.size, &picture.pixels[..4]), (SIZE, &[9, 8, 7, 255][..]));
        capture.stop(Instant::now() + Duration::from_secs(10));
        std::fs::remove_file(&path).unwrap();
    }
}
