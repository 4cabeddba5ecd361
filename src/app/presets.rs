//! The gallery's presets: their files, touched on a thread of their own, and what it tells of them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::action::{Action, PresetJob};
use crate::engine::{Event, Handle};
use crate::settings::presets::{BuiltIn, Preset, built_in};
use crate::settings::{FolderError, Listing, PresetFolder};
use crate::util::{Latest, spawn_named};

/// Messages that wait at most; the oldest goes.
const MOST_TOLD: usize = 16;
const NO_FOLDER: &str = "This system has no folder for settings, so presets can't be kept; save the chain as a file.";

/// Names a preset for as long as the gallery is open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PresetId {
    BuiltIn(&'static str),
    /// The name of its file.
    Own(String),
}

/// A message with the way to take back what it tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    pub event: Event,
    pub undo: Option<Action>,
}

/// The presets of this run of the program. Clones are the same.
#[derive(Clone)]
pub struct Presets {
    handle: Handle,
    folder: Option<PresetFolder>,
    listing: Arc<Latest<Arc<Listing>>>,
    told: Arc<Mutex<VecDeque<Told>>>,
    /// Held while files are touched, so that two jobs never do it at once.
    busy: Arc<Mutex<()>>,
}

impl Presets {
    /// Nothing is read before [`Presets::refresh`].
    pub fn new(handle: Handle, folder: Option<PresetFolder>) -> Self {
        let listing = Arc::new(Latest::new(Arc::default()));
        Self { handle, folder, listing, told: Arc::default(), busy: Arc::default() }
    }

    /// The user's presets as they were last read.
    pub fn listing(&self) -> Arc<Listing> {
        self.listing.get()
    }

    /// Reads the folder again, on a thread of its own: the user may have put files there.
    pub fn refresh(&self) {
        let presets = self.clone();
        spawn_named("file", move || {
            let _busy = presets.busy();
            presets.read();
        });
    }

    /// Starts a job and returns at once; what came of it is told.
    pub fn start(&self, job: PresetJob) {
        let presets = self.clone();
        spawn_named("file", move || {
            let _busy = presets.busy();
            let told = presets.carry_out(job).unwrap_or_else(|error| {
                tracing::warn!("{error}");
                Told { event: Event::Error(error.to_string()), undo: None }
            });
            presets.read();
            presets.tell(told);
        });
    }

    /// Keeps a preset from a file and gives the name it got. Called on a thread that may wait.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn import(&self, preset: Preset) -> Result<String, FolderError> {
        let _busy = self.busy();
        let name = self.folder()?.add(preset)?;
        self.read();
        Ok(name)
    }

    /// One of the user's presets, to export it. Called on a thread that may wait.
    ///
    /// # Errors
    /// When it is gone or damaged.
    pub fn get(&self, file: &str) -> Result<Preset, FolderError> {
        self.folder()?.get(file)
    }

    /// The messages since the last call, oldest first.
    pub fn take_told(&self) -> VecDeque<Told> {
        std::mem::take(&mut *self.told.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn carry_out(&self, job: PresetJob) -> Result<Told, FolderError> {
        let folder = self.folder()?;
        let (text, undo) = match job {
            PresetJob::Save { name } => {
                let chain = self.handle.store.get().chain();
                let name = folder.add(Preset { name, about: String::new(), chain })?;
                (format!("Saved the preset “{name}”"), None)
            }
            PresetJob::Rename { file, name } => (format!("Renamed to “{}”", folder.rename(&file, &name)?), None),
            PresetJob::Delete { file } => {
                let preset = folder.delete(&file)?;
                let text = format!("Deleted the preset “{}”", preset.name);
                (text, Some(Action::Preset(PresetJob::Restore(Box::new(preset)))))
            }
            PresetJob::Restore(preset) => (format!("The preset “{}” is back", folder.add(*preset)?), None),
        };
        Ok(Told { event: Event::Info(text), undo })
    }

    fn folder(&self) -> Result<&PresetFolder, FolderError> {
        self.folder.as_ref().ok_or(FolderError::NoFolder(NO_FOLDER))
    }

    fn read(&self) {
        if let Some(folder) = &self.folder {
            self.listing.publish(Arc::new(folder.list()));
        }
        self.handle.wake();
    }

    fn tell(&self, told: Told) {
        let mut waiting = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= MOST_TOLD {
            waiting.pop_front();
        }
        waiting.push_back(told);
        drop(waiting);
        self.handle.wake();
    }

    fn busy(&self) -> MutexGuard<'_, ()> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every preset of the gallery with its name in it, the user's own first.
pub fn all_of(listing: &Listing) -> impl Iterator<Item = (PresetId, &Preset)> {
    let own = listing.presets.iter().map(|own| (PresetId::Own(own.file.clone()), &own.preset));
    own.chain(built_in().iter().map(|BuiltIn { id, preset }| (PresetId::BuiltIn(id), preset)))
}
