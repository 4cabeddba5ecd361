//! The thread that serves one process of a program: hands it frames, takes its answers, and starts it again when it fails.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::backoff::{Backoff, Verdict};
use super::fault::Fault;
use super::link::{Answer, Job, Link, Trouble};
use super::message::Header;
use super::process::{Event, Outgoing, Process};
use super::program::Program;

/// How often the thread looks whether it should end while it waits for an answer.
const LOOK: Duration = Duration::from_millis(50);
/// How long a program may take to end by itself once its input is closed.
const GRACE: Duration = Duration::from_millis(300);

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
        match link.take(patience) {
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
                    self.link.note_answer(Answer { number, at: job.at, pixels: Arc::new(pixels) }, took);
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
