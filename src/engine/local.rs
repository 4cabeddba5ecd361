//! The person at the host comes first: while the picture is shared, the real mouse and keyboard are listened to.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::Event;
use super::handle::Handle;
use crate::input::{InputHub, LocalAct, LocalInput};

/// Listens only while it has a reason to.
pub struct Local {
    handle: Handle,
    input: Arc<InputHub>,
    listening: Mutex<Option<LocalInput>>,
}

impl Local {
    pub fn new(handle: Handle, input: Arc<InputHub>) -> Self {
        Self { handle, input, listening: Mutex::default() }
    }

    /// Brings it to what the settings ask for; returns at once.
    pub fn follow(&self, shares: bool) {
        let mut listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        if shares == listening.is_some() {
            return;
        }
        let (handle, input) = (self.handle.clone(), Arc::clone(&self.input));
        *listening = shares.then(|| {
            LocalInput::start(move |act| match act {
                LocalAct::Active => input.local_activity(Instant::now()),
                LocalAct::Stop => {
                    handle.stop_everything();
                    handle.tell(Event::Info("Sharing was stopped with the stop key".to_owned()));
                }
            })
        });
    }
}
