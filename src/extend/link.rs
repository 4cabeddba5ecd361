//! A program at work for one filter of a chain: a thread that hands it the newest frame, takes its answer, and starts it
//! again when it fails. The filter itself never waits for more than it chooses to.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::backoff::{Backoff, Verdict};
use super::fault::Fault;
use super::message::Header;
use super::process::{Event, Outgoing, Process};
use super::program::Program;
use crate::frame::{Buffer, BufferPool};
use crate::geometry::Size;
use crate::util::Mailbox;

/// How often the thread looks whether it should end while it waits for an answer.
const LOOK: Duration = Duration::from_millis(50);
/// How long a program may take to end by itself once its input is closed.
const GRACE: Duration = Duration::from_millis(300);

/// A frame for the program. The newest wins; what it replaces hands its marks on.
pub(super) struct Job {
    pub number: u64,
    pub size: Size,
    pub pixels: Arc<Buffer>,
    pub params: Arc<str>,
    /// When the frame was, on the pipeline's clock.
    pub at: Instant,
    /// What the program remembers is of another picture.
    pub forget: bool,
    /// The user changed something: also a program that was left out is tried again.
    pub retry: bool,
}

/// A picture that the program made.
pub(super) struct Answer {
    pub number: u64,
    pub at: Instant,
    pub pixels: Buffer,
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
    /// How long an answer takes, averaged over about four; `None` until two came from this process, because before the
    /// first it loads what it needs.
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

    /// Shows the newest answer to `look`, after waiting up to `patience` for the one to frame `number`.
    pub(super) fn with_answer<R>(&self, number: u64, patience: Duration, look: impl FnOnce(Option<&Answer>) -> R) -> R {
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
        look(state.answer.as_ref())
    }

    /// Ends the thread and the program.
    pub(super) fn close(&self) {
        self.state().closing = true;
        self.jobs.close();
        self.answered.notify_all();
    }

    fn is_closing(&self) -> bool {
        self.state().closing
    }

    fn note_answer(&self, answer: Answer, took: Option<Duration>) {
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

    fn note_trouble(&self, trouble: Trouble) {
        let mut state = self.state();
        state.trouble = Some(trouble);
        state.took = None;
        drop(state);
        self.answered.notify_all();
    }
}

/// The thread's own things.
struct Owner<'a> {
    link: &'a Link,
    program: &'a Program,
    process: Option<Process>,
    /// It has answered at least once: what it had to load is loaded.
    has_answered: bool,
    backoff: Backoff,
    /// Not before this is it started again; `None` when there is nothing to wait for.
    resting_until: Option<Instant>,
    given_up: bool,
}

/// Serves a link until it is closed, or until nobody has used it for a while.
pub(super) fn serve(link: &Link, program: &Program) {
    let mut owner = Owner {
        link,
        program,
        process: None,
        has_answered: false,
        backoff: Backoff::default(),
        resting_until: None,
        given_up: false,
    };
    let mut held: Option<Job> = None;
    loop {
        let rest = owner.resting_until.map(|until| until.saturating_duration_since(Instant::now()));
        let patience = if held.is_some() && !owner.given_up { rest.unwrap_or_default() } else { program.limits.idle };
        match link.jobs.take(patience) {
            Err(_) => break,
            Ok(Some(job)) => held = Some(merged(held, job)),
            Ok(None) if (held.is_none() || owner.given_up) && program.let_go(link) => break,
            Ok(None) => {}
        }
        let Some(mut job) = held.take() else { continue };
        if owner.given_up && std::mem::take(&mut job.retry) {
            owner.start_afresh();
        }
        let is_resting = owner.resting_until.is_some_and(|until| Instant::now() < until);
        if owner.given_up || is_resting {
            held = Some(job);
            continue;
        }
        owner.resting_until = None;
        if let Err(fault) = owner.exchange(&job) {
            owner.fail(&fault);
            held = Some(job);
        }
        if link.is_closing() {
            break;
        }
    }
    if let Some(process) = owner.process {
        process.end(GRACE);
    }
}

fn merged(older: Option<Job>, mut job: Job) -> Job {
    if let Some(older) = older {
        job.forget |= older.forget;
        job.retry |= older.retry;
    }
    job
}

impl Owner<'_> {
    /// One frame to the program and its answer back.
    fn exchange(&mut self, job: &Job) -> Result<(), Fault> {
        let limits = &self.program.limits;
        let process = match &mut self.process {
            Some(process) => process,
            empty => {
                let mut process = Process::start(&self.program.path, self.program.spec.id)?;
                if process.declaration(limits.declaration)? != self.program.declared {
                    return Err(Fault::Changed);
                }
                self.has_answered = false;
                empty.insert(process)
            }
        };
        let started = Instant::now();
        let flags = if job.forget { Header::FORGET } else { 0 };
        let params = u32::try_from(job.params.len()).unwrap_or(u32::MAX);
        process.send(Outgoing {
            header: Header { number: job.number, size: job.size, params, flags },
            params: Arc::clone(&job.params),
            pixels: Arc::clone(&job.pixels),
        });
        let patience = if self.has_answered { limits.answer } else { limits.first_answer };
        loop {
            match process.next(LOOK) {
                Some(Event::Answer { number, pixels }) => {
                    let took = self.has_answered.then(|| started.elapsed());
                    self.has_answered = true;
                    self.link.note_answer(Answer { number, at: job.at, pixels }, took);
                    return Ok(());
                }
                Some(Event::Broke(fault)) => return Err(fault),
                Some(Event::Declared(_)) => return Err(Fault::Unasked),
                Some(Event::Closed) => return Err(process.ended()),
                None if self.link.is_closing() => return Ok(()),
                None if started.elapsed() >= patience => return Err(Fault::Hung(patience)),
                None => {}
            }
        }
    }

    /// Ends what is left of the program, says why, and decides when it is tried again.
    fn fail(&mut self, fault: &Fault) {
        self.process = None;
        let verdict = match fault {
            // It would only declare the same again.
            Fault::Changed => Verdict::GiveUp,
            _ => self.backoff.failed(self.program.limits.pause, Instant::now()),
        };
        let name = self.program.spec.label;
        let (sentence, given_up) = match verdict {
            Verdict::Again(pause) => {
                self.resting_until = Some(Instant::now() + pause);
                (format!("it {fault}; it is started again in {} s", pause.as_secs_f32()), false)
            }
            Verdict::GiveUp => {
                let how = "the picture is shown without it; change it or turn it off and on to try again";
                (format!("it {fault}, and was given up; {how}"), true)
            }
        };
        self.given_up = given_up;
        tracing::warn!("the filter {name} ({}): {sentence}", self.program.path.display());
        self.link.note_trouble(Trouble { sentence, given_up });
    }

    fn start_afresh(&mut self) {
        self.given_up = false;
        self.resting_until = None;
        self.backoff.forget();
    }
}
