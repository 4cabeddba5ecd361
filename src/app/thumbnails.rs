//! The gallery's thumbnails: a small copy of the live picture through every preset, on a thread that lives as long as
//! the window and works only while the gallery is open.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use egui::ColorImage;

use super::presets::{PresetId, all_of};
use super::preview::Shrinker;
use crate::capture::SourceKind;
use crate::engine::{Command, Handle, PeekTicket, SmallPicture, filter_files};
use crate::filter::{Chain, Entry, Files, Filter, ParamKind, ParamValue, Unit};
use crate::frame::{Captured, PixelFormat};
use crate::geometry::Size;
use crate::pipeline::{LiveText, Stage};
use crate::settings::Listing;
use crate::settings::presets::applied;
use crate::util::{Mailbox, Worker};

/// Between two rounds through all presets: lively, and still little work beside the stream.
const PAUSE: Duration = Duration::from_millis(200);
/// How often a picture is looked for while there is none.
const LOOK: Duration = Duration::from_millis(50);
/// A source that stands still gives its next picture only when it is opened again; it is, after this long.
const PATIENCE: Duration = Duration::from_millis(300);
/// The largest thumbnail, in pixels.
const ROOM: [usize; 2] = [192, 144];

/// Called after thumbnails were made.
pub type Wake = Box<dyn Fn() + Send + Sync>;

/// The presets that are shown, each with its chain.
pub type Wish = Arc<Vec<(PresetId, Chain)>>;

/// Makes thumbnails.
pub struct Thumbnails {
    shared: Arc<Shared>,
    worker: Worker,
}

#[derive(Default)]
struct Shared {
    /// Wakes the thread when something else is wanted.
    bell: Mailbox<()>,
    wish: Mutex<Option<Wish>>,
    /// Made and not taken yet: the newest of each preset. `None` where there is nothing to show any more.
    made: Mutex<BTreeMap<PresetId, Option<Arc<ColorImage>>>>,
}

/// What the gallery shows of this list of the user's presets.
pub fn wish_for(listing: &Listing) -> Wish {
    Arc::new(all_of(listing).map(|(id, preset)| (id, preset.chain.clone())).collect())
}

impl Thumbnails {
    /// Starts the thread; `wake` is called on it.
    pub fn start(handle: Handle, wake: Wake) -> Self {
        let shared = Arc::new(Shared::default());
        let thread = Arc::clone(&shared);
        let worker = Worker::start("thumbnails", move || work(&thread, &handle, &wake));
        Self { shared, worker }
    }

    /// Sets which presets are shown; `None` while the gallery is closed.
    pub fn want(&self, wish: Option<Wish>) {
        let mut current = self.shared.wish();
        let same = match (&*current, &wish) {
            (Some(current), Some(wish)) => Arc::ptr_eq(current, wish),
            (None, None) => true,
            _ => false,
        };
        if !same {
            *current = wish;
            drop(current);
            self.shared.bell.put(());
        }
    }

    /// What was made since the last call; `None` for a preset that has nothing to show any more.
    pub fn take(&self) -> BTreeMap<PresetId, Option<Arc<ColorImage>>> {
        std::mem::take(&mut *self.shared.made())
    }
}

impl Drop for Thumbnails {
    fn drop(&mut self) {
        *self.shared.wish() = None;
        self.shared.bell.close();
        self.worker.join(Instant::now() + Duration::from_millis(500));
    }
}

impl Shared {
    fn wish(&self) -> MutexGuard<'_, Option<Wish>> {
        self.wish.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn made(&self) -> MutexGuard<'_, BTreeMap<PresetId, Option<Arc<ColorImage>>>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// While the gallery is open.
struct Round {
    wish: Wish,
    _ticket: PeekTicket,
    /// When a picture was last there, or the gallery was opened.
    waits_since: Instant,
    asked: bool,
    done: Option<Done>,
    stages: Vec<Stage>,
}

/// What the thumbnails were made from.
#[derive(PartialEq)]
struct Done {
    picture: u64,
    hidden: Chain,
    blank: bool,
}

/// Runs until the bell is closed.
fn work(shared: &Shared, handle: &Handle, wake: &Wake) {
    let files = filter_files();
    let mut shrinker = Shrinker::default();
    // A pool of its own: in the common one, thumbnails would wait behind a slow chain, and it for them.
    let name = |_| "thumbnails".to_owned();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).thread_name(name).build().ok();
    let mut round: Option<Round> = None;
    loop {
        let wish = shared.wish().clone();
        let pause = match wish {
            None => {
                round = None;
                // The time-out has no meaning; the bell wakes the thread.
                Duration::from_secs(3_600)
            }
            Some(wish) => {
                let changed = round.as_ref().is_none_or(|round| !Arc::ptr_eq(&round.wish, &wish));
                if changed {
                    round = Some(Round::new(wish, handle, &files));
                }
                match &mut round {
                    Some(round) => match &pool {
                        Some(pool) => pool.install(|| round.go(shared, handle, &mut shrinker, wake)),
                        None => round.go(shared, handle, &mut shrinker, wake),
                    },
                    None => PAUSE,
                }
            }
        };
        if shared.bell.take(pause).is_err() {
            return;
        }
    }
}

impl Round {
    fn new(wish: Wish, handle: &Handle, files: &Arc<Files>) -> Self {
        let stages = wish.iter().map(|_| Stage::new().with_files(Arc::clone(files))).collect();
        let ticket = handle.peek.want(&handle.demand);
        Self { wish, _ticket: ticket, waits_since: Instant::now(), asked: false, done: None, stages }
    }

    /// Makes every thumbnail of the newest picture, if something differs, and says how long to rest.
    fn go(&mut self, shared: &Shared, handle: &Handle, shrinker: &mut Shrinker, wake: &Wake) -> Duration {
        let settings = handle.store.get();
        let Some(picture) = handle.peek.newest().filter(|picture| picture.source == settings.source) else {
            let stands_still = matches!(settings.source.kind(), SourceKind::Screen | SourceKind::Image);
            if stands_still && !self.asked && self.waits_since.elapsed() >= PATIENCE {
                self.asked = handle.command(Command::RetrySource);
            }
            return LOOK;
        };
        (self.waits_since, self.asked) = (Instant::now(), false);
        let hidden = hidden_regions(&settings.chain());
        // Where the stream is blank because a region could not be hidden, so are the thumbnails.
        let errors = &handle.status.get().filter_errors;
        let blank = hidden.items().iter().any(|item| errors.iter().any(|(broken, _)| *broken == item.key));
        let done = Done { picture: picture.number, hidden, blank };
        let goes_on = self.stages.iter().any(|stage| stage.goes_on() || stage.has_new_files());
        if self.done.as_ref() == Some(&done) && !goes_on {
            return PAUSE;
        }
        for ((id, preset), stage) in self.wish.iter().zip(&mut self.stages) {
            let is_wanted = shared.wish().as_ref().is_some_and(|wish| Arc::ptr_eq(wish, &self.wish));
            if !is_wanted {
                return Duration::ZERO;
            }
            let chain = applied(preset, &done.hidden).ok().filter(|_| !done.blank);
            let image = chain.and_then(|chain| thumbnail(stage, &picture, &chain, shrinker));
            shared.made().insert(id.clone(), image);
            wake();
        }
        self.done = Some(done);
        PAUSE
    }
}

/// The hidden regions of a chain and nothing else, under their keys.
fn hidden_regions(chain: &Chain) -> Chain {
    let mut hidden = chain.clone();
    for item in chain.items() {
        if !matches!(item.entry, Entry::Filter(Filter::Redact(_))) {
            hidden.remove(item.key);
        }
    }
    hidden
}

/// The picture through the chain, which looks as it would at full size.
fn thumbnail(
    stage: &mut Stage,
    picture: &SmallPicture,
    chain: &Chain,
    shrinker: &mut Shrinker,
) -> Option<Arc<ColorImage>> {
    let now = Instant::now();
    let captured = Captured {
        id: picture.number,
        size: picture.size,
        format: PixelFormat::Rgba,
        pixels: picture.pixels.clone().into(),
        at: now,
        desktop_from_source: None,
        pointer: None,
        pressed: false,
    };
    let chain = at_scale(chain, picture.size, picture.captured_size);
    let live = LiveText { clock: "12:34:56".to_owned(), date: "2026-01-31".to_owned(), ..LiveText::default() };
    let frame = stage.process(captured, &chain, &live, now)?;
    shrinker.shrink(&frame, ROOM)
}

/// The chain with everything that counts in pixels made as much smaller as the picture is.
fn at_scale(chain: &Chain, small: Size, large: Size) -> Chain {
    let times = small.width.max(small.height) as f32 / large.width.max(large.height).max(1) as f32;
    let mut scaled = chain.clone();
    for item in chain.items() {
        let Some(filter) = scaled.filter_mut(item.key) else { continue };
        for spec in filter.spec().params.iter().filter(|spec| spec.unit == Unit::Pixels) {
            let value = match (spec.kind, filter.params().get(spec.id)) {
                (ParamKind::Float { .. }, Some(ParamValue::Float(length))) => ParamValue::Float(length * times),
                (ParamKind::Int { step, .. }, Some(ParamValue::Int(length))) => {
                    // What was not nothing does not become nothing, and steps of two stay odd.
                    let shorter = (length as f32 * times).round() as i32;
                    let shorter = if length > 0 { shorter.max(1) } else { shorter };
                    ParamValue::Int(if step == 2 { shorter | 1 } else { shorter })
                }
                _ => continue,
            };
            // The type is the parameter's own, so it is taken; its range is kept.
            let _ = filter.params_mut().set(spec.id, &value);
        }
    }
    scaled
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::settings::{Settings, Store};

    fn chain(filters: serde_json::Value) -> Chain {
        Chain::from_value(&json!({ "version": 1, "filters": filters })).unwrap()
    }

    #[test]
    fn what_counts_in_pixels_shrinks_with_the_picture_and_stays_in_range() {
        let chain = chain(json!([
            { "filter": "gaussian_blur", "params": { "sigma": 20.0 } },
            { "filter": "pixelate", "params": { "size": 4 } },
            { "filter": "cartoon", "params": { "edge_size": 15 } },
            { "filter": "crop", "params": { "left": 0.25 } },
        ]));
        let scaled = at_scale(&chain, Size::new(192, 108), Size::new(1_920, 1_080)).to_json();
        assert_eq!(scaled["filters"][0]["params"]["sigma"], json!(2.0));
        assert_eq!(scaled["filters"][1]["params"]["size"], json!(1));
        assert_eq!(scaled["filters"][2]["params"]["edge_size"], json!(3));
        assert_eq!(scaled["filters"][3]["params"]["left"], json!(0.25));
    }

    /// A picture on its way, as the capture thread hands it over.
    fn offer(handle: &Handle, pixel: [u8; 4]) {
        let size = Size::new(64, 36);
        let pixels = pixel.repeat(size.pixels()).into();
        let picture = Captured {
            id: 1,
            size,
            format: PixelFormat::Rgba,
            pixels,
            at: Instant::now(),
            desktop_from_source: None,
            pointer: None,
            pressed: false,
        };
        handle.peek.offer(&picture, &handle.store.get().source);
    }

    #[test]
    fn thumbnails_show_the_live_picture_through_each_preset_and_never_a_hidden_region() {
        let mut settings = Settings::default();
        let hide = json!([{ "filter": "redact", "params": { "left": 0, "top": 0, "width": 0.5, "height": 1 } }]);
        *settings.chain_mut() = chain(hide);
        let (handle, _commands) = Handle::new(Arc::new(Store::new(settings)));
        let (rung, wakes) = std::sync::mpsc::channel();
        let thumbnails = Thumbnails::start(handle.clone(), Box::new(move || rung.send(()).unwrap()));
        let ids = [PresetId::BuiltIn("same"), PresetId::BuiltIn("negative")];
        let chains = [chain(json!([])), chain(json!([{ "filter": "invert" }]))];
        thumbnails.want(Some(Arc::new(ids.iter().cloned().zip(chains).collect())));
        while !handle.demand.is_wanted() {
            std::thread::yield_now();
        }
        offer(&handle, [200, 100, 50, 255]);
        let mut made = BTreeMap::new();
        while made.len() < 2 {
            wakes.recv_timeout(Duration::from_secs(20)).unwrap();
            made.extend(thumbnails.take());
        }
        for (id, right) in ids.iter().zip([[200, 100, 50], [55, 155, 205]]) {
            let image = made[id].as_ref().unwrap();
            assert_eq!(image.size, [64, 36]);
            let [r, g, b, _] = image[(48, 18)].to_array();
            assert_eq!([r, g, b], right, "{id:?}");
            let [r, g, b, _] = image[(16, 18)].to_array();
            assert!([r, g, b] == [0; 3] || [r, g, b] == [255; 3], "{id:?} shows what is hidden: {r} {g} {b}");
        }
        thumbnails.want(None);
        while handle.demand.is_wanted() {
            std::thread::yield_now();
        }
    }
}
