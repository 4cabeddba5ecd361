//! What a filter does whose work is done elsewhere: hands the frame on, and shows the newest answer that is fresh enough.
//! Where there is none the picture stays as it came in.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::link::{Job, Link};
use crate::filter::kernel::Moment;
use crate::frame::{BYTES_PER_PIXEL, Buffer};
use crate::geometry::Size;

/// What is now slow and now not is said to be slow this often in the log.
const LOG_EVERY: Duration = Duration::from_secs(30);
/// Pictures under way at most: sent, waiting, being made, and answered.
const MOST_PICTURES: usize = 4;

/// On which terms a filter's work is done elsewhere.
pub(super) struct Terms<'a> {
    /// For the log.
    pub name: &'a str,
    /// One line of JSON.
    pub params: &'a Arc<str>,
    /// Also a picture that stands still is sent again and again.
    pub animated: bool,
    /// How long the answer to this very frame is waited for, if answers have been that fast lately.
    pub wait: Duration,
    /// What takes longer for a picture is bypassed.
    pub slow: Duration,
    /// Bytes of an answer.
    pub answer_bytes: usize,
}

/// What the filter remembers from frame to frame.
pub(super) struct Aside {
    size: Size,
    /// The last frame that was sent.
    sent: Option<Sent>,
    /// Answers to earlier frames are of another picture.
    first: u64,
    is_first: bool,
    /// The newest answer that was there at the last frame, and since when no newer one came although one was due.
    newest: u64,
    waiting_since: Option<Instant>,
    complaint: Option<String>,
    /// How long an answer takes.
    took: Option<Duration>,
    /// What is shown is as good as it will get.
    is_settled: bool,
    last_logged: Option<Instant>,
}

struct Sent {
    number: u64,
    pixels: Arc<Buffer>,
}

impl Aside {
    pub(super) fn new(size: Size) -> Self {
        Self {
            size,
            sent: None,
            first: 0,
            is_first: true,
            newest: 0,
            waiting_since: None,
            complaint: None,
            took: None,
            is_settled: false,
            last_logged: None,
        }
    }

    /// Sends the frame, and gives the answer to show, if there is one.
    pub(super) fn run(&mut self, link: &Link, pixels: &[u8], moment: Moment, terms: &Terms<'_>) -> Option<Arc<Buffer>> {
        let before = link.outlook();
        let all_answered = self.sent.as_ref().is_none_or(|sent| sent.number <= before.newest);
        if all_answered || before.newest > self.newest {
            self.waiting_since = Some(moment.now);
        }
        self.newest = before.newest;
        self.took = before.took;
        self.send(link, pixels, moment, terms);
        let sent = self.sent.as_ref()?.number;
        let waited = self.waiting_since.map_or(Duration::ZERO, |since| moment.now.saturating_duration_since(since));
        // Until it is known how fast it is, it counts as neither fast nor slow.
        let is_fast = before.took.is_some_and(|took| took <= terms.wait);
        let is_slow = before.took.is_some_and(|took| took.max(waited / 2) > terms.slow);
        // An answer is shown until the next should be there, which is at most twice as old.
        let stale = terms.slow * 9 / 4;
        let answer = link.answer(sent, if is_fast { terms.wait } else { Duration::ZERO }).filter(|answer| {
            let is_ours = answer.number >= self.first && answer.pixels.len() == terms.answer_bytes;
            let age = moment.now.saturating_duration_since(answer.at);
            // The answer to the very frame that is shown is right however long it took.
            is_ours && (answer.number == sent || (!is_slow && age <= stale))
        });
        let trouble = link.outlook().trouble;
        let is_newest = answer.as_ref().is_some_and(|answer| answer.number == sent);
        self.is_settled = is_newest || trouble.as_ref().is_some_and(|trouble| trouble.given_up);
        let slowness = before.took.filter(|_| is_slow && answer.is_none()).map(|took| too_slow(took.max(waited)));
        self.log_slowness(slowness.as_deref(), terms.name, moment.now);
        self.complaint = trouble.map(|trouble| trouble.sentence).or(slowness);
        answer.map(|answer| answer.pixels)
    }

    /// Sends the frame, unless it is the last one again.
    fn send(&mut self, link: &Link, pixels: &[u8], moment: Moment, terms: &Terms<'_>) {
        let is_again = |sent: &Sent| !moment.is_new && !terms.animated && sent.pixels[..] == *pixels;
        if self.sent.as_ref().is_some_and(is_again) {
            return;
        }
        let mut copy = link.pool.take(pixels.len());
        copy.copy_from_slice(pixels);
        let (number, copy) = (link.next_number(), Arc::new(copy));
        if self.first == 0 {
            self.first = number;
        }
        link.send(Job {
            number,
            size: self.size,
            pixels: Arc::clone(&copy),
            params: Arc::clone(terms.params),
            at: moment.now,
            forget: self.first == number,
            retry: std::mem::take(&mut self.is_first),
        });
        self.sent = Some(Sent { number, pixels: copy });
    }

    fn log_slowness(&mut self, slowness: Option<&str>, name: &str, now: Instant) {
        let is_due = self.last_logged.is_none_or(|last| now.saturating_duration_since(last) >= LOG_EVERY);
        if let (Some(slowness), true) = (slowness, is_due) {
            tracing::warn!("the filter {name}: {slowness}");
            self.last_logged = Some(now);
        }
    }

    /// Goes on with the same link. Other parameters make another picture of the same frame, so it is sent again then.
    pub(super) fn go_on_from(&mut self, older: Self, same_params: bool) {
        *self = Self { is_first: true, is_settled: false, sent: older.sent.filter(|_| same_params), ..older };
    }

    /// Works on nothing any more.
    pub(super) fn complain(&mut self, complaint: &str) {
        self.complaint = Some(complaint.to_owned());
    }

    pub(super) fn complaint(&self) -> Option<String> {
        self.complaint.clone()
    }

    pub(super) fn took(&self) -> Option<Duration> {
        self.took
    }

    pub(super) fn is_settled(&self) -> bool {
        self.is_settled
    }

    /// Bytes that are kept now, and at most.
    pub(super) fn memory(&self) -> [usize; 2] {
        let picture = self.size.pixels() * BYTES_PER_PIXEL;
        [if self.sent.is_some() { 2 * picture } else { 0 }, MOST_PICTURES * picture]
    }
}

fn too_slow(took: Duration) -> String {
    format!("it is too slow ({:.1} s a picture), so the picture is shown without it", took.as_secs_f32())
}
