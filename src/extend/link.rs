//! Between a filter of a chain and what works for it on a thread of its own: the newest frame there, the newest answer
//! back. The filter itself never waits for more than it chooses to.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::frame::{Buffer, BufferPool};
use crate::geometry::Size;
use crate::util::{Closed, Mailbox};

/// A frame to work on. The newest wins; what it replaces hands its marks on.
pub(super) struct Job {
    pub number: u64,
    pub size: Size,
    pub pixels: Arc<Buffer>,
    pub params: Arc<str>,
    /// When the frame was, on the pipeline's clock.
    pub at: Instant,
    /// What is remembered of earlier frames is of another picture.
    pub forget: bool,
    /// The user changed something: also what was left out is tried again.
    pub retry: bool,
}

/// What was made of a frame.
#[derive(Clone)]
pub(super) struct Answer {
    pub number: u64,
    pub at: Instant,
    pub pixels: Arc<Buffer>,
}

/// What the filter and the thread share.
pub(super) struct Link {
    jobs: Mailbox<Job>,
    last_number: AtomicU64,
    state: Mutex<State>,
    answered: Condvar,
    pub is_used: AtomicBool,
    pub pool: BufferPool,
}

#[derive(Default)]
struct State {
    answer: Option<Answer>,
    trouble: Option<Trouble>,
    /// How long an answer takes, averaged over about four; `None` until that is known.
    took: Option<Duration>,
    closing: bool,
}

/// What became of the last attempt.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    /// For the window.
    pub sentence: String,
    /// It is not tried again by itself.
    pub given_up: bool,
}

/// What the filter wants to know of a link, at one moment.
pub(super) struct Outlook {
    pub trouble: Option<Trouble>,
    pub took: Option<Duration>,
    /// The number of the newest answer.
    pub newest: u64,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            jobs: Mailbox::default(),
            last_number: AtomicU64::new(0),
            state: Mutex::default(),
            answered: Condvar::new(),
            is_used: AtomicBool::new(true),
            pool: BufferPool::default(),
        }
    }
}

impl Link {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that no frame of this link had before.
    pub(super) fn next_number(&self) -> u64 {
        self.last_number.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(super) fn send(&self, mut job: Job) {
        self.jobs.update(|slot| {
            if let Some(replaced) = slot.take() {
                job.forget |= replaced.forget;
                job.retry |= replaced.retry;
            }
            *slot = Some(job);
        });
    }

    pub(super) fn outlook(&self) -> Outlook {
        let state = self.state();
        let newest = state.answer.as_ref().map_or(0, |answer| answer.number);
        Outlook { trouble: state.trouble.clone(), took: state.took, newest }
    }

    /// The newest answer, after waiting up to `patience` for the one to frame `number`.
    pub(super) fn answer(&self, number: u64, patience: Duration) -> Option<Answer> {
        let is_there = |state: &State| state.answer.as_ref().is_some_and(|answer| answer.number >= number);
        let deadline = Instant::now() + patience;
        let mut state = self.state();
        while !is_there(&state) && state.trouble.is_none() && !state.closing {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.answered.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.answer.clone()
    }

    /// The newest frame, for the thread that works on it; waits up to `patience` for one.
    pub(super) fn take(&self, patience: Duration) -> Result<Option<Job>, Closed> {
        self.jobs.take(patience)
    }

    /// Ends the thread and what it works with.
    pub(super) fn close(&self) {
        self.state().closing = true;
        self.jobs.close();
        self.answered.notify_all();
    }

    pub(super) fn is_closing(&self) -> bool {
        self.state().closing
    }

    pub(super) fn note_answer(&self, answer: Answer, took: Option<Duration>) {
        let mut state = self.state();
        state.answer = Some(answer);
        state.trouble = None;
        state.took = match (state.took, took) {
            (Some(average), Some(took)) => Some((average * 3 + took) / 4),
            (average, took) => took.or(average),
        };
        drop(state);
        self.answered.notify_all();
    }

    pub(super) fn note_trouble(&self, trouble: Trouble) {
        let mut state = self.state();
        state.trouble = Some(trouble);
        state.took = None;
        drop(state);
        self.answered.notify_all();
    }
}
