//! What a front end holds of a running engine: everything it may read, ask for and listen to, none of which blocks.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::{Command, Event, Peek, Status};
use crate::frame::FrameSink;
use crate::input::UnseenActs;
use crate::receive::Inbox;
use crate::settings::Store;
use crate::util::{Demand, Latest};

/// Commands that wait at most; see [`Command`].
const MOST_COMMANDS: usize = 64;
/// Events that wait at most; see [`Event`].
const MOST_EVENTS: usize = 64;

/// Wakes whoever shows the status; workers know no user interface.
pub type Waker = Box<dyn Fn() + Send + Sync>;

/// The engine from outside. Clones are the same engine.
#[derive(Clone)]
pub struct Handle {
    pub store: Arc<Store>,
    pub status: Arc<Latest<Arc<Status>>>,
    /// Bounded: from the front end to the engine, a full channel refuses the newest.
    pub commands: SyncSender<Command>,
    /// Bounded: from the engine to the front end, the oldest goes.
    pub events: Arc<Mutex<VecDeque<Event>>>,
    /// The root: a wish here keeps the source and the filters running.
    pub demand: Arc<Demand>,
    /// Who gets every processed frame.
    pub sinks: Arc<Mutex<Vec<Arc<dyn FrameSink>>>>,
    /// Small copies of what is captured, for whoever asks for them.
    pub peek: Arc<Peek>,
    /// Where others publish a picture to.
    pub inbox: Arc<Inbox>,
    /// What viewers did to a window that may be ours.
    pub unseen: Arc<UnseenActs>,
    pub waker: Arc<OnceLock<Waker>>,
    ending: Arc<AtomicBool>,
}

impl Handle {
    /// A handle and the end at which the engine takes the commands.
    pub fn new(store: Arc<Store>) -> (Self, Receiver<Command>) {
        let (commands, taken) = mpsc::sync_channel(MOST_COMMANDS);
        let handle = Self {
            store,
            status: Arc::new(Latest::new(Arc::default())),
            commands,
            events: Arc::default(),
            demand: Arc::default(),
            sinks: Arc::default(),
            peek: Arc::default(),
            inbox: Arc::default(),
            unseen: Arc::default(),
            waker: Arc::default(),
            ending: Arc::default(),
        };
        (handle, taken)
    }

    /// Asks for something; false when it was refused because too much waits, which is told as an event, or because the
    /// engine has ended.
    pub fn command(&self, command: Command) -> bool {
        match self.commands.try_send(command) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                self.tell(Event::Error("The engine is busy and did not take that; try again in a moment".to_owned()));
                false
            }
            Err(TrySendError::Disconnected(_)) => false,
        }
    }

    /// Lets go everything that is held and ends every session, whatever the window is doing.
    pub fn stop_everything(&self) {
        self.store.edit(|settings| {
            settings.share.control = false;
            settings.share.on = false;
            settings.outgoing.on = false;
        });
        self.command(Command::StopSharing);
    }

    /// Queues an event and wakes the front end.
    pub fn tell(&self, event: Event) {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        if events.len() >= MOST_EVENTS {
            events.pop_front();
        }
        events.push_back(event);
        drop(events);
        self.wake();
    }

    /// The events since the last call, oldest first.
    pub fn take_events(&self) -> VecDeque<Event> {
        std::mem::take(&mut *self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn add_sink(&self, sink: Arc<dyn FrameSink>) {
        self.sinks.lock().unwrap_or_else(PoisonError::into_inner).push(sink);
    }

    /// Sets who is woken after status or events were published; only the first call counts.
    pub fn set_waker(&self, waker: Waker) {
        let _ = self.waker.set(waker);
    }

    /// Asks the front end to close; it hears of it at once.
    pub fn ask_to_end(&self) {
        self.ending.store(true, Ordering::Relaxed);
        self.wake();
    }

    pub fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }

    pub fn wake(&self) {
        if let Some(wake) = self.waker.get() {
            wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn the_oldest_event_goes_when_nobody_listens() {
        let (handle, _commands) = Handle::new(Arc::new(Store::new(Settings::default())));
        for number in 0..MOST_EVENTS + 1 {
            handle.tell(Event::Info(number.to_string()));
        }
        let events = handle.take_events();
        assert_eq!(events.len(), MOST_EVENTS);
        assert_eq!(events.front(), Some(&Event::Info("1".to_owned())));
        assert!(handle.take_events().is_empty());
    }

    #[test]
    fn a_full_channel_refuses_a_command_and_says_so() {
        let (handle, _commands) = Handle::new(Arc::new(Store::new(Settings::default())));
        for _ in 0..MOST_COMMANDS {
            assert!(handle.command(Command::RefreshSources));
        }
        assert!(!handle.command(Command::RefreshSources));
        assert_eq!(handle.take_events().len(), 1);
    }
}
