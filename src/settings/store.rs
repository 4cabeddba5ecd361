//! The one place where settings change: window, command line and remote sliders all edit through it.

use std::sync::Arc;

use super::Settings;
use crate::util::{Latest, LatestReader};

/// Holds the newest settings; workers look once a frame and see a consistent whole.
#[derive(Debug)]
pub struct Store(Latest<Arc<Settings>>);

impl Store {
    pub fn new(mut settings: Settings) -> Self {
        settings.clamp();
        Self(Latest::new(Arc::new(settings)))
    }

    pub fn get(&self) -> Arc<Settings> {
        self.0.get()
    }

    pub fn reader(&self) -> LatestReader<Arc<Settings>> {
        self.0.reader()
    }

    /// Changes the settings in one step; readers hear of it only if something differs afterwards.
    pub fn edit<R>(&self, change: impl FnOnce(&mut Settings) -> R) -> R {
        let mut result = None;
        self.0.update(|current| {
            let mut settings = Settings::clone(current);
            result = Some(change(&mut settings));
            settings.clamp();
            let differs = settings != **current;
            if differs {
                *current = Arc::new(settings);
            }
            differs
        });
        // `update` calls its closure exactly once.
        result.expect("the change has run")
    }
}
