//! The other source of a picture in picture: captured beside the main one, through its own chain, while a chain asks for
//! it and somebody looks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::handle::Handle;
use super::processing::Shared;
use crate::capture::{CaptureReport, CaptureThread, CaptureWish, SourceId};
use crate::filter::{Chain, Entry, Filter, LivePicture, LiveText};
use crate::pipeline::Stage;
use crate::util::{Demand, Latest, Ticket};

/// How long its capture may take to end.
const ENDING: Duration = Duration::from_millis(500);

/// Captures at most one other source; a second picture in picture of yet another source stays empty.
pub struct Beside {
    handle: Handle,
    shared: Arc<Shared>,
    newest: Arc<Mutex<Option<LivePicture>>>,
    running: Option<Running>,
}

struct Running {
    source: SourceId,
    capture: CaptureThread,
    _wanted: Ticket,
}

impl Beside {
    pub fn new(handle: Handle, shared: Arc<Shared>) -> Self {
        Self { handle, shared, newest: Arc::default(), running: None }
    }

    /// Captures what the chain of `own` asks for, and nothing while it asks for nothing.
    pub fn follow(&mut self, chain: &Chain, own: &SourceId) {
        let wanted = source_of(chain).filter(|source| source != own);
        if self.running.as_ref().map(|running| &running.source) == wanted.as_ref() {
            return;
        }
        self.stop();
        self.running = wanted.map(|source| self.start(source));
    }

    /// Ends the capture and forgets its picture.
    pub fn stop(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.capture.stop(Instant::now() + ENDING);
        }
        *lock(&self.newest) = None;
    }

    pub fn pictures(&self) -> Vec<LivePicture> {
        lock(&self.newest).iter().cloned().collect()
    }

    fn start(&self, source: SourceId) -> Running {
        // A demand of its own: this source is wanted by a filter and not by whoever watches.
        let demand = Arc::new(Demand::default());
        let wanted = demand.want();
        let wish = Latest::new(CaptureWish { source: source.clone(), fps: self.handle.store.get().fps, attempt: 0 });
        let (handle, shared, newest) = (self.handle.clone(), Arc::clone(&self.shared), Arc::clone(&self.newest));
        let stage = Mutex::new(Stage::new().with_files(super::files::reader()));
        let capture = CaptureThread::start(demand, wish.reader(), Arc::clone(&self.handle.inbox), move |report| {
            let CaptureReport::Picture { picture, wished } = report else { return };
            // Its own chain, so that what is hidden there is hidden here.
            let chain = without_pictures(handle.store.get().chains.get(&wished));
            let (now, live) = (Instant::now(), LiveText::default());
            if let Some(frame) = lock(&stage).process(picture, &chain, &live, now) {
                *lock(&newest) = Some(LivePicture { source: wished.to_string(), frame: Arc::new(frame) });
                shared.settings_changed();
            }
        });
        Running { source, capture, _wanted: wanted }
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.stop();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The source that the first picture in picture of a chain names, if it is one.
fn source_of(chain: &Chain) -> Option<SourceId> {
    chain.items().iter().find_map(|item| match &item.entry {
        Entry::Filter(Filter::PictureInPicture(inset)) if item.enabled => inset.source.trim().parse().ok(),
        _ => None,
    })
}

/// A picture in a picture in a picture would have no end.
fn without_pictures(chain: Option<&Chain>) -> Chain {
    let mut chain = chain.cloned().unwrap_or_default();
    let inner = |entry: &Entry| matches!(entry, Entry::Filter(Filter::PictureInPicture(_)));
    let keys: Vec<u32> = chain.items().iter().filter(|item| inner(&item.entry)).map(|item| item.key).collect();
    for key in keys {
        chain.remove(key);
    }
    chain
}
