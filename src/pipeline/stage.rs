//! The pipeline's one step, from a captured picture to a frame. It has no clock and no thread: it is told the time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::plan::{Picture, Plan, Run};
use super::report::PassReport;
use crate::filter::kernel::Moment;
use crate::filter::place::Redact;
use crate::filter::{Chain, Entry, Files, Filter, LiveText, ParamKind};
use crate::frame::{BYTES_PER_PIXEL, Buffer, BufferPool, Captured, Frame, FrameTimes, PixelFormat};
use crate::geometry::{Affine, Geometry, Mapping, Size};

/// Said of a hidden region after the source has changed its size.
const SIZE_CHANGED: &str = "the source changed its size, so nothing is shown; check where this region is now, then move it or turn it off and on";
/// Said of a hidden region when a source gives less than a whole picture.
const BROKEN_PICTURE: &str = "the source gave a broken picture, so nothing is shown";

/// Runs pictures through a chain. The chain is compiled when it or the picture's size changes.
pub struct Stage {
    files: Arc<Files>,
    clock: Option<fn() -> Instant>,
    compiled: Option<Compiled>,
    pools: Vec<BufferPool>,
    blanks: BufferPool,
    geometry: Option<Arc<Geometry>>,
    held: Option<Held>,
    /// The regions to hide and the size of the picture that they were made for.
    checked: Option<(Vec<Redact>, Size)>,
    last_id: u64,
    last_run: Option<Instant>,
    report: Vec<(u32, String)>,
}

struct Compiled {
    chain: Chain,
    size: Size,
    /// Of the files, if the plan depends on one.
    files: u64,
    plan: Plan,
}

/// How a picture is run through the chain.
struct Pull<'a> {
    chain: &'a Chain,
    live: &'a LiveText,
    captured: Instant,
    moment: Moment,
    only_remember: bool,
}

/// The last captured picture, for when the chain changes and the picture does not.
struct Held {
    size: Size,
    format: PixelFormat,
    pixels: Arc<Buffer>,
    desktop_from_source: Option<Affine>,
}

impl Default for Stage {
    fn default() -> Self {
        Self::new()
    }
}

impl Stage {
    /// A stage that reads no files and measures nothing.
    pub fn new() -> Self {
        Self {
            files: Arc::new(Files::none()),
            clock: None,
            compiled: None,
            pools: Vec::new(),
            blanks: BufferPool::default(),
            geometry: None,
            held: None,
            checked: None,
            last_id: 0,
            last_run: None,
            report: Vec::new(),
        }
    }

    /// With the files that filters may read.
    #[must_use]
    pub fn with_files(self, files: Arc<Files>) -> Self {
        Self { files, ..self }
    }

    /// With a clock to tell what each pass costs.
    #[must_use]
    pub fn with_clock(self, clock: fn() -> Instant) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// Makes a frame from a captured picture; `None` when a filter keeps it from being shown.
    ///
    /// Where no filter does anything the captured pixels are passed on as they are, in their own format; otherwise the
    /// frame is RGBA. `times.filtered` is left for the caller, who has the clock. Frames are numbered upwards from the
    /// captured picture's number, each with its own.
    pub fn process(&mut self, captured: Captured, chain: &Chain, live: &LiveText, now: Instant) -> Option<Frame> {
        self.take(captured, chain, live, (now, false))
    }

    /// Shows a picture, for which there is no time, to the filters that want to see every one.
    pub fn remember(&mut self, captured: Captured, chain: &Chain, live: &LiveText, now: Instant) {
        self.take(captured, chain, live, (now, true));
    }

    fn take(
        &mut self,
        captured: Captured,
        chain: &Chain,
        live: &LiveText,
        (now, only_remember): (Instant, bool),
    ) -> Option<Frame> {
        let Captured { id, size, format, pixels, at, desktop_from_source, .. } = captured;
        self.last_id = id.max(self.last_id + 1);
        let held = Held { size, format, pixels: Arc::new(pixels), desktop_from_source };
        let moment = Moment { now, is_new: true };
        let frame = self.run(&held, &Pull { chain, live, captured: at, moment, only_remember });
        self.held = Some(held);
        frame
    }

    /// Makes another frame from the last captured picture, for when the chain or a live text changes while the source
    /// stands still. `None` before the first picture. Since nothing on the source has changed, the frame counts as captured
    /// `now`.
    pub fn again(&mut self, chain: &Chain, live: &LiveText, now: Instant) -> Option<Frame> {
        let held = self.held.take()?;
        self.last_id += 1;
        let moment = Moment { now, is_new: false };
        let frame = self.run(&held, &Pull { chain, live, captured: now, moment, only_remember: false });
        self.held = Some(held);
        frame
    }

    /// Whether every further frame of the same picture would look different, because something moves or fades by itself.
    pub fn goes_on(&self) -> bool {
        self.compiled.as_ref().is_some_and(|compiled| compiled.plan.goes_on())
    }

    /// Whether a filter wants to see every picture, also those for which there is no time; see [`Stage::remember`].
    pub fn wants_every_frame(&self) -> bool {
        self.compiled.as_ref().is_some_and(|compiled| compiled.plan.wants_every_frame())
    }

    /// Whether a filter waits for a file to be read.
    pub fn waits_for_files(&self) -> bool {
        self.compiled.as_ref().is_some_and(|compiled| compiled.plan.waits_for_files)
    }

    /// Whether a frame of the same picture would look different, because a file was read since.
    pub fn has_new_files(&self) -> bool {
        let changed = |compiled: &Compiled| compiled.files != self.files.version() && needs_files(&compiled.chain);
        self.compiled.as_ref().is_some_and(changed)
    }

    /// How the chain was compiled and what each pass costs; empty before the first frame and where nothing is done.
    pub fn passes(&self) -> Vec<PassReport> {
        self.compiled.as_ref().map(|compiled| compiled.plan.report()).unwrap_or_default()
    }

    /// Whether a frame of the same picture would look different with another [`LiveText`].
    pub fn shows_live_text(&self) -> bool {
        self.compiled.as_ref().is_some_and(|compiled| shows_live_text(&compiled.chain))
    }

    /// Whether a frame of the same picture would look different with the pointer elsewhere; see [`LiveText::pointer`].
    pub fn follows_pointer(&self) -> bool {
        self.compiled.as_ref().is_some_and(|compiled| compiled.plan.follows_pointer())
    }

    /// The filters that could not do their work in the last frame, by their key in the chain, and why. They were left out;
    /// where one should have hidden a region, the frame is blank. First those that could not be prepared.
    pub fn report(&self) -> &[(u32, String)] {
        &self.report
    }

    /// Forgets the source's last picture and what filters remember of it, so that nothing of it is shown again.
    pub fn forget(&mut self) {
        self.held = None;
        self.compiled = None;
    }

    fn run(&mut self, held: &Held, pull: &Pull<'_>) -> Option<Frame> {
        let Pull { chain, live, captured, moment, only_remember } = *pull;
        let now = moment.now;
        let elapsed = self.last_run.map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
        self.last_run = Some(now);
        let whole = !held.size.is_empty() && held.pixels.len() == held.size.pixels() * BYTES_PER_PIXEL;
        let complaint = if whole { self.check_size(chain, held.size) } else { Some(BROKEN_PICTURE) };
        if let Some(complaint) = complaint {
            let hidden = redactions(chain).map(|(key, _)| (key, complaint.to_owned()));
            self.report = hidden.collect();
            self.compiled = None;
            return Some(self.blank(held.size, captured));
        }
        let mut compiled = self.compile(chain, held.size);
        compiled.plan.wait(elapsed);
        let frame = if compiled.plan.is_blank {
            Some(self.blank(held.size, captured))
        } else if compiled.plan.is_identity() {
            let geometry = self.geometry(held, held.size, Vec::new());
            Some(self.frame((held.size, held.format, Arc::clone(&held.pixels)), captured, geometry))
        } else {
            let picture = Picture { pixels: &held.pixels, size: held.size, format: held.format };
            let run = Run { live, moment, clock: self.clock, only_remember };
            compiled.plan.run(picture, &run, &mut self.pools).map(|processed| {
                let geometry = self.geometry(held, processed.size, processed.mappings);
                self.frame((processed.size, PixelFormat::Rgba, Arc::new(processed.pixels)), captured, geometry)
            })
        };
        // What could not be prepared stands first and stays for as long as the plan does.
        self.report.truncate(compiled.plan.errors.len());
        self.report.extend(compiled.plan.complaints());
        self.compiled = Some(compiled);
        frame
    }

    /// The plan for this chain and size, made anew only if one of them or a file that it needs changed.
    fn compile(&mut self, chain: &Chain, size: Size) -> Compiled {
        let files = self.files.version();
        let older = match self.compiled.take() {
            Some(compiled)
                if compiled.size == size
                    && compiled.chain == *chain
                    && (compiled.files == files || !needs_files(chain)) =>
            {
                return compiled;
            }
            older => older,
        };
        let mut plan = Plan::compile(chain, size, &self.files);
        if let Some(older) = older {
            // Frames of before a region was hidden must not come back.
            let hides_the_same = redactions(&older.chain).eq(redactions(chain));
            plan.go_on_from(older.plan, older.size == size && hides_the_same);
        }
        self.report.clone_from(&plan.errors);
        Compiled { chain: chain.clone(), size, files, plan }
    }

    /// What is wrong if a region that was placed on a picture of one size would now hide a part of a picture of another.
    /// Any change to the regions says that somebody has looked.
    fn check_size(&mut self, chain: &Chain, size: Size) -> Option<&'static str> {
        match &self.checked {
            Some((regions, _)) if !regions.iter().eq(redactions(chain).map(|(_, region)| region)) => {}
            Some((regions, checked)) if !regions.is_empty() && *checked != size => return Some(SIZE_CHANGED),
            Some((_, checked)) if *checked == size => return None,
            _ => {}
        }
        self.checked = Some((redactions(chain).map(|(_, region)| region.clone()).collect(), size));
        None
    }

    /// A black picture that nobody can click on.
    fn blank(&mut self, size: Size, captured: Instant) -> Frame {
        let mut pixels = self.blanks.take(size.pixels() * BYTES_PER_PIXEL);
        pixels.as_chunks_mut::<BYTES_PER_PIXEL>().0.fill([0, 0, 0, 255]);
        let geometry = self.newest(Geometry::untouched(0, size, None));
        self.frame((size, PixelFormat::Rgba, Arc::new(pixels)), captured, geometry)
    }

    fn geometry(&mut self, held: &Held, output: Size, mappings: Vec<Mapping>) -> Arc<Geometry> {
        let untouched = Geometry::untouched(0, held.size, held.desktop_from_source);
        self.newest(Geometry { output, mappings, ..untouched })
    }

    /// The geometry in use if `wanted` has its shape, else `wanted` under the next epoch.
    fn newest(&mut self, mut wanted: Geometry) -> Arc<Geometry> {
        let last = match &self.geometry {
            Some(geometry) if geometry.same_shape(&wanted) => return Arc::clone(geometry),
            Some(geometry) => geometry.epoch,
            None => 0,
        };
        // 0 is never used, not even after every other number was.
        wanted.epoch = last.wrapping_add(1).max(1);
        let geometry = Arc::new(wanted);
        self.geometry = Some(Arc::clone(&geometry));
        geometry
    }

    fn frame(
        &self,
        (size, format, pixels): (Size, PixelFormat, Arc<Buffer>),
        captured: Instant,
        geometry: Arc<Geometry>,
    ) -> Frame {
        Frame { id: self.last_id, size, format, pixels, times: FrameTimes { captured, filtered: None }, geometry }
    }
}

/// The enabled filters that hide a region, with their keys.
fn redactions(chain: &Chain) -> impl Iterator<Item = (u32, &Redact)> {
    chain.items().iter().filter_map(|item| match &item.entry {
        Entry::Filter(Filter::Redact(region)) if item.enabled => Some((item.key, region)),
        _ => None,
    })
}

fn shows_live_text(chain: &Chain) -> bool {
    chain.items().iter().any(|item| match &item.entry {
        Entry::Filter(Filter::Text(text)) => item.enabled && text.text.contains('{'),
        Entry::Filter(Filter::CursorHighlight(_) | Filter::PictureInPicture(_) | Filter::Pointers(_)) => item.enabled,
        _ => false,
    })
}

fn needs_files(chain: &Chain) -> bool {
    chain.items().iter().any(|item| match &item.entry {
        Entry::Filter(filter) => {
            item.enabled && filter.spec().params.iter().any(|param| matches!(param.kind, ParamKind::File { .. }))
        }
        Entry::Unknown { .. } => false,
    })
}
