//! The pipeline's thread: the newest captured picture through the chain, and the result to all who want it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::beside::Beside;
use super::files;
use super::handle::Handle;
use super::marks::Marks;
use crate::capture::{CaptureState, SourceId};
use crate::filter::{Chain, Click, Entry, Filter, LiveText};
use crate::frame::{Captured, Frame, FrameSink};
use crate::geometry::Size;
use crate::input::InputHub;
use crate::pipeline::{PassReport, Stage, over_black};
use crate::util::{Mailbox, RateMeter, Worker};

/// How long the thread sleeps at most.
const NAP: Duration = Duration::from_secs(1);
/// How often a clock in the picture is looked at while the picture stands still.
const CLOCK_LOOK: Duration = Duration::from_millis(100);

/// Pictures that wait at most for filters that want to see every one.
const MOST_WAITING: usize = 4;
/// How long a click is remembered, and how many of them.
const CLICK_TIME: Duration = Duration::from_secs(1);
const MOST_CLICKS: usize = 16;
/// How often what a pass costs is told.
const REPORT_EVERY: Duration = Duration::from_millis(100);

/// What waits for the pipeline.
#[derive(Default)]
struct Job {
    /// The newest last; earlier ones only for filters that want to see every one. Each with the source that was wished
    /// for when it was taken: its chain, and no other, is for this picture.
    pictures: VecDeque<(Captured, SourceId)>,
    /// A chain may have changed: the last picture goes through it again if no new one is there.
    settings: bool,
    /// Capture paused, because nobody looks.
    paused: bool,
}

/// Counters and facts that the status shows.
#[derive(Debug, Default)]
pub struct Facts {
    pub state: CaptureState,
    pub source: Option<SourceId>,
    pub source_name: String,
    pub source_size: Option<Size>,
    pub output_size: Option<Size>,
    pub captured: u64,
    pub filtered: u64,
    pub dropped: u64,
    pub captured_rate: RateMeter,
    pub filtered_rate: RateMeter,
    pub filter_ms: f32,
    pub filter_errors: Vec<(u32, String)>,
    pub passes: Vec<PassReport>,
    pub newest: Option<Arc<Frame>>,
    pub viewers: usize,
}

/// Between the capture thread, the pipeline's thread and whoever shows the status.
#[derive(Default)]
pub struct Shared {
    mailbox: Mailbox<Job>,
    /// A filter wants to see every picture.
    keeps_pictures: AtomicBool,
    facts: Mutex<Facts>,
}

impl Shared {
    pub fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a captured picture; older ones that still wait are dropped and counted.
    pub fn picture(&self, picture: Captured, wished: SourceId) {
        let (at, size) = (picture.at, picture.size);
        let most = if self.keeps_pictures.load(Ordering::Relaxed) { MOST_WAITING } else { 1 };
        let dropped = self.mailbox.update(|slot| {
            let job = slot.get_or_insert_default();
            job.paused = false;
            job.pictures.push_back((picture, wished));
            let too_many = job.pictures.len().saturating_sub(most);
            job.pictures.drain(..too_many).count()
        });
        let mut facts = self.facts();
        facts.captured += 1;
        facts.dropped += dropped as u64;
        facts.source_size = Some(size);
        facts.captured_rate.tick(at);
    }

    pub fn capture_state(&self, state: CaptureState, source: SourceId, name: String) {
        if state == CaptureState::Idle {
            self.mailbox.update(|slot| {
                let job = slot.get_or_insert_default();
                job.paused = true;
                job.pictures.clear();
            });
        }
        let mut facts = self.facts();
        if let CaptureState::StandIn(reason) = &state
            && facts.state != state
        {
            tracing::warn!("{reason}; the test pattern stands in");
        }
        facts.state = state;
        facts.source = Some(source);
        facts.source_name = name;
    }

    /// A viewer begins to point, while nothing else may be going on.
    pub fn marks_changed(&self) {
        self.settings_changed();
    }

    pub fn settings_changed(&self) {
        self.mailbox.update(|slot| slot.get_or_insert_default().settings = true);
    }
}

/// The running thread.
pub struct Processing {
    shared: Arc<Shared>,
    worker: Worker,
}

impl Processing {
    pub fn start(handle: Handle, input: Arc<InputHub>, marks: Arc<Marks>) -> (Self, Arc<Shared>) {
        let shared = Arc::new(Shared::default());
        let thread = Arc::clone(&shared);
        let worker = Worker::start("pipeline", move || run(&thread, &handle, &input, &marks));
        (Self { shared: Arc::clone(&shared), worker }, shared)
    }

    pub fn stop(&mut self, deadline: Instant) {
        self.shared.mailbox.close();
        self.worker.join(deadline);
    }
}

fn run(shared: &Arc<Shared>, handle: &Handle, input: &InputHub, marks: &Marks) {
    let mut stage = Stage::new().with_files(files::reader()).with_clock(Instant::now);
    let mut last: Option<(SourceId, Chain)> = None;
    let mut last_live = LiveText::default();
    let mut reported: Option<Instant> = None;
    let mut pointer = None;
    let mut clicks: VecDeque<Click> = VecDeque::new();
    let mut beside = Beside::new(handle.clone(), Arc::clone(shared));
    loop {
        // A chain with a spin or a clock changes by itself, also over a picture that stands still.
        let goes_on = last.is_some() && stage.goes_on();
        let looks = last.is_some() && (stage.shows_live_text() || stage.waits_for_files());
        // Viewers' pointers are followed at the pace of the picture, however often they tell where they are.
        let follows = goes_on || !last_live.marks.is_empty();
        let patience = match (follows, looks) {
            (true, _) => Duration::from_secs(1) / handle.store.get().fps.max(1),
            (false, true) => CLOCK_LOOK,
            (false, false) => NAP,
        };
        shared.keeps_pictures.store(stage.wants_every_frame(), Ordering::Relaxed);
        let Ok(job) = shared.mailbox.take(patience) else { return };
        let job = job.unwrap_or_default();
        if job.paused {
            stage.forget();
            beside.stop();
            last = None;
            shared.facts().newest = None;
            for sink in sinks(handle).iter() {
                sink.clear();
            }
        }
        let settings = handle.store.get();
        // Whoever may point is seen to, also where nobody has chosen how.
        let points = marks.any();
        let chain_of = |source: &SourceId| {
            let mut chain = settings.chains.get(source).cloned().unwrap_or_default();
            if points && !has_pointers(&chain) {
                chain.add(Filter::Pointers(Default::default()));
            }
            chain
        };
        for (picture, _) in &job.pictures {
            pointer = picture.pointer;
            if let (Some(at), true) = (picture.pointer, picture.pressed) {
                clicks.push_back(Click { at, when: picture.at });
            }
        }
        let now = Instant::now();
        clicks.retain(|click| now.saturating_duration_since(click.when) < CLICK_TIME);
        clicks.drain(..clicks.len().saturating_sub(MOST_CLICKS));
        let pictures = beside.pictures();
        let marks = marks.list(now);
        let clicks = clicks.iter().copied().collect();
        let live = LiveText { pointer, clicks, marks, pictures, ..live_text(shared) };
        let started = Instant::now();
        let mut pictures = job.pictures;
        let newest = pictures.pop_back();
        if let Some((_, source)) = &newest {
            if last.as_ref().is_some_and(|(last, _)| last != source) {
                stage.forget();
            }
            let passed = pictures.len();
            for (picture, of) in pictures.into_iter().filter(|(_, of)| of == source) {
                stage.remember(picture, &chain_of(&of), &live, started);
            }
            shared.facts().dropped += passed as u64;
        }
        let (frame, source, chain) = match (newest, &last) {
            (Some((picture, source)), _) => {
                let chain = chain_of(&source);
                (stage.process(picture, &chain, &live, started), source, chain)
            }
            // The last picture again. Never through the chain of another source, which may hide other regions.
            (None, Some((source, used))) if *source == settings.source => {
                let chain = chain_of(source);
                let text_changed = live.shows_another_text_than(&last_live) && stage.shows_live_text();
                let text_changed = text_changed || live.pictures != last_live.pictures || live.marks != last_live.marks;
                if chain == *used && !goes_on && !text_changed && !stage.has_new_files() {
                    continue;
                }
                (stage.again(&chain, &live, started), source.clone(), chain)
            }
            (None, _) => continue,
        };
        let frame = frame.map(|mut frame| {
            over_black(&mut frame, &chain);
            frame
        });
        beside.follow(&chain, &source);
        last = Some((source, chain));
        last_live = live;
        let Some(mut frame) = frame else { continue };
        let done = Instant::now();
        frame.times.filtered = Some(done);
        let frame = Arc::new(frame);
        // First the pointer must know the geometry, then viewers may see the frame.
        input.note_geometry(&frame.geometry, done);
        for sink in sinks(handle).iter() {
            sink.offer(&frame);
        }
        let report_is_due = reported.is_none_or(|last| done.saturating_duration_since(last) >= REPORT_EVERY);
        let passes = report_is_due.then(|| stage.passes());
        if report_is_due {
            reported = Some(done);
        }
        let mut facts = shared.facts();
        if let Some(passes) = passes {
            facts.passes = passes;
        }
        facts.filtered += 1;
        facts.filtered_rate.tick(done);
        facts.filter_ms = done.saturating_duration_since(started).as_secs_f32() * 1e3;
        facts.output_size = Some(frame.size);
        facts.filter_errors = stage.report().to_vec();
        facts.newest = Some(frame);
    }
}

fn has_pointers(chain: &Chain) -> bool {
    chain.items().iter().any(|item| item.enabled && matches!(item.entry, Entry::Filter(Filter::Pointers(_))))
}

fn sinks(handle: &Handle) -> MutexGuard<'_, Vec<Arc<dyn FrameSink>>> {
    handle.sinks.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the placeholders of the text filter stand for now.
fn live_text(shared: &Shared) -> LiveText {
    let now = jiff::Zoned::now();
    let mut facts = shared.facts();
    LiveText {
        clock: now.strftime("%H:%M:%S").to_string(),
        date: now.strftime("%Y-%m-%d").to_string(),
        // Whole numbers: a finer one would differ every time, and be a reason for yet another frame.
        fps: facts.filtered_rate.per_second(Instant::now()).round(),
        viewers: facts.viewers,
        ..LiveText::default()
    }
}
