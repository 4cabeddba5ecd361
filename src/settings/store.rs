//! The one place where settings change: window, command line and remote sliders all edit through it.

use std::sync::{Arc, OnceLock};

use super::Settings;
use crate::util::{Latest, LatestReader};

/// Called after every change, on the thread that made it; it must not block.
type Listener = Box<dyn Fn() + Send + Sync>;

/// Holds the newest settings; workers look once a frame and see a consistent whole.
pub struct Store {
    settings: Latest<Arc<Settings>>,
    listener: OnceLock<Listener>,
}

impl Store {
    pub fn new(mut settings: Settings) -> Self {
        settings.clamp();
        Self { settings: Latest::new(Arc::new(settings)), listener: OnceLock::new() }
    }

    pub fn get(&self) -> Arc<Settings> {
        self.settings.get()
    }

    pub fn reader(&self) -> LatestReader<Arc<Settings>> {
        self.settings.reader()
    }

    /// Changes the settings in one step; readers hear of it only if something differs afterwards.
    pub fn edit<R>(&self, change: impl FnOnce(&mut Settings) -> R) -> R {
        let mut result = None;
        let mut differs = false;
        self.settings.update(|current| {
            let mut settings = Settings::clone(current);
            result = Some(change(&mut settings));
            settings.clamp();
            differs = settings != **current;
            if differs {
                *current = Arc::new(settings);
            }
            differs
        });
        if let Some(listener) = self.listener.get().filter(|_| differs) {
            listener();
        }
        // `update` calls its closure exactly once.
        result.expect("the change has run")
    }

    /// Sets who hears of changes at once, so that a moved slider is in the next frame; only the first call counts.
    pub fn set_listener(&self, listener: Listener) {
        let _ = self.listener.set(listener);
    }
}
