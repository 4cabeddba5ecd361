//! The filter as the pipeline runs it: hands the frame on, and shows the newest answer that is fresh enough. Where there
//! is none the picture stays as it came in.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::link::{Job, Link};
use super::program::{Lease, Program};
use crate::filter::kernel::{Moment, Shown, TimeKernel};
use crate::frame::{BYTES_PER_PIXEL, Buffer};
use crate::geometry::Size;

/// A program that is now slow and now not is said to be slow this often in the log.
const LOG_EVERY: Duration = Duration::from_secs(30);
/// Pictures under way at most: sent, waiting, being read, and answered.
const MOST_PICTURES: usize = 4;

pub(super) struct ProgramKernel {
    program: Arc<Program>,
    size: Size,
    /// One line of JSON.
    params: Arc<str>,
    /// From the first frame on.
    lease: Option<Lease>,
    /// The last frame that was sent.
    sent: Option<Sent>,
    /// Answers to earlier frames are of another picture.
    first: u64,
    is_first: bool,
    /// The newest answer that was there at the last frame, and since when no newer one came although one was due.
    newest: u64,
    waiting_since: Option<Instant>,
    complaint: Option<String>,
    /// What is shown is as good as it will get.
    is_settled: bool,
    last_logged: Option<Instant>,
}

struct Sent {
    number: u64,
    pixels: Arc<Buffer>,
}

impl ProgramKernel {
    pub(super) fn new(program: Arc<Program>, size: Size, params: Arc<str>) -> Self {
        Self {
            program,
            size,
            params,
            lease: None,
            sent: None,
            first: 0,
            is_first: true,
            newest: 0,
            waiting_since: None,
            complaint: None,
            is_settled: false,
            last_logged: None,
        }
    }

    /// Sends the frame, unless it is the last one again.
    fn send(&mut self, link: &Link, pixels: &[u8], moment: Moment) {
        let is_again = |sent: &Sent| !moment.is_new && !self.program.animated && sent.pixels[..] == *pixels;
        if self.sent.as_ref().is_some_and(is_again) {
            return;
        }
        let mut copy = link.pool.take(pixels.len());
        copy.copy_from_slice(pixels);
        let (number, copy) = (link.next_number(), Arc::new(copy));
        if self.first == 0 {
            self.first = number;
        }
        let is_first = std::mem::take(&mut self.is_first);
        link.send(Job {
            number,
            size: self.size,
            pixels: Arc::clone(&copy),
            params: Arc::clone(&self.params),
            at: moment.now,
            forget: self.first == number,
            retry: is_first,
        });
        self.sent = Some(Sent { number, pixels: copy });
    }

    fn run_with(&mut self, link: &Link, pixels: &mut [u8], moment: Moment) {
        let before = link.outlook();
        let all_answered = self.sent.as_ref().is_none_or(|sent| sent.number <= before.newest);
        if all_answered || before.newest > self.newest {
            self.waiting_since = Some(moment.now);
        }
        self.newest = before.newest;
        self.send(link, pixels, moment);
        let Some(sent) = &self.sent else { return };
        let limits = &self.program.limits;
        let waited = self.waiting_since.map_or(Duration::ZERO, |since| moment.now.saturating_duration_since(since));
        // Until it is known how fast it is, it counts as neither fast nor slow.
        let is_fast = before.took.is_some_and(|took| took <= limits.wait);
        let is_slow = before.took.is_some_and(|took| took.max(waited / 2) > limits.slow);
        // An answer is shown until the next should be there, which is at most twice as old.
        let stale = limits.slow * 9 / 4;
        let patience = if is_fast { limits.wait } else { Duration::ZERO };
        let shown = link.with_answer(sent.number, patience, |answer| {
            let answer = answer.filter(|answer| answer.number >= self.first && answer.pixels.len() == pixels.len())?;
            let age = moment.now.saturating_duration_since(answer.at);
            // The answer to the very frame that is shown is right however long it took.
            if answer.number != sent.number && (is_slow || age > stale) {
                return None;
            }
            pixels.copy_from_slice(&answer.pixels);
            Some(answer.number)
        });
        let after = link.outlook();
        self.is_settled = shown == Some(sent.number) || after.trouble.as_ref().is_some_and(|trouble| trouble.given_up);
        let slowness = before.took.filter(|_| is_slow && shown.is_none()).map(|took| too_slow(took.max(waited)));
        self.log_slowness(slowness.as_deref(), moment.now);
        self.complaint = after.trouble.map(|trouble| trouble.sentence).or(slowness);
    }

    fn log_slowness(&mut self, slowness: Option<&str>, now: Instant) {
        let is_due = self.last_logged.is_none_or(|last| now.saturating_duration_since(last) >= LOG_EVERY);
        if let (Some(slowness), true) = (slowness, is_due) {
            tracing::warn!("the filter {}: {slowness}", self.program.spec.label);
            self.last_logged = Some(now);
        }
    }
}

fn too_slow(took: Duration) -> String {
    format!("it is too slow ({:.1} s a picture), so the picture is shown without it", took.as_secs_f32())
}

impl TimeKernel for ProgramKernel {
    fn run(&mut self, pixels: &mut [u8], moment: Moment) -> Shown {
        match self.lease.take().or_else(|| self.program.lease()) {
            Some(lease) => {
                self.run_with(&lease, pixels, moment);
                self.lease = Some(lease);
            }
            None => self.complaint = Some("it runs too often already; remove it elsewhere in the chain".to_owned()),
        }
        Shown::Yes
    }

    fn go_on_from(&mut self, older: Box<dyn Any>) {
        let Ok(mut older) = older.downcast::<Self>() else { return };
        if !Arc::ptr_eq(&older.program, &self.program) {
            return;
        }
        self.lease = older.lease.take();
        self.first = older.first;
        (self.newest, self.waiting_since) = (older.newest, older.waiting_since);
        self.last_logged = older.last_logged;
        // Other parameters make another picture of the same frame.
        if older.params == self.params {
            self.sent = older.sent.take();
        }
    }

    fn goes_on(&self) -> bool {
        self.program.animated || !self.is_settled
    }

    fn memory(&self) -> [usize; 2] {
        let picture = self.size.pixels() * BYTES_PER_PIXEL;
        [if self.sent.is_some() { 2 * picture } else { 0 }, MOST_PICTURES * picture]
    }

    fn complaint(&self) -> Option<String> {
        self.complaint.clone()
    }
}
