//! Those who wait for the host to let them in: one is shown at a time, three a minute, and no answer is a no. Pure.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::guests::Admission;
use super::secret::Digest;
use crate::publish::roles::Roles;

/// A prompt that nobody answers is answered with no.
pub const ANSWER_TIME: Duration = Duration::from_secs(30);
/// Prompts within a minute; whoever else comes has to wait.
const PROMPTS: usize = 3;
const PROMPTS_IN: Duration = Duration::from_secs(60);
/// Who waits for a prompt so long is refused; so are all beyond so many.
const QUEUE_TIME: Duration = Duration::from_secs(120);
const MOST_WAITING: usize = 8;
/// A page that does not ask any more has been closed.
const ASKED_LAST: Duration = Duration::from_secs(10);
/// An answer can be fetched for so long.
const FETCH_TIME: Duration = Duration::from_secs(15);

/// Who asks, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Visitor {
    pub name: String,
    pub address: IpAddr,
    pub browser: Option<String>,
}

/// What the host is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    pub id: u64,
    pub visitor: Visitor,
    pub wished: Roles,
    pub seconds_left: u64,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Waiting,
    Denied,
    Allowed(Admission),
}

#[derive(Debug)]
struct Request {
    id: u64,
    /// Of the name under which the page asks.
    digest: Digest,
    visitor: Visitor,
    wished: Roles,
    came: Instant,
    polled: Instant,
    shown: Option<Instant>,
    decided: Option<(Instant, Answer)>,
}

/// The queue.
#[derive(Debug, Default)]
pub struct Requests {
    queue: VecDeque<Request>,
    prompts: VecDeque<Instant>,
}

impl Requests {
    /// Joins the queue; false when it is full.
    pub fn join(&mut self, id: u64, name: &str, visitor: Visitor, wished: Roles, now: Instant) -> bool {
        if self.queue.iter().filter(|request| request.decided.is_none()).count() >= MOST_WAITING {
            return false;
        }
        let digest = Digest::of(name.as_bytes());
        let request = Request { id, digest, visitor, wished, came: now, polled: now, shown: None, decided: None };
        self.queue.push_back(request);
        self.tick(now);
        true
    }

    /// What became of the request of this name; `None` where there is none.
    pub fn poll(&mut self, name: &str, now: Instant) -> Option<Answer> {
        let digest = Digest::of(name.as_bytes());
        let request = self.queue.iter_mut().find(|request| request.digest == digest)?;
        request.polled = now;
        Some(request.decided.as_ref().map_or(Answer::Waiting, |(_, answer)| answer.clone()))
    }

    /// Whoever is shown now and has this number; the answer has to follow.
    pub fn shown(&self, id: u64) -> Option<Visitor> {
        let request = self.queue.iter().find(|request| request.id == id && request.is_shown())?;
        Some(request.visitor.clone())
    }

    pub fn decide(&mut self, id: u64, answer: Answer, now: Instant) {
        if let Some(request) = self.queue.iter_mut().find(|request| request.id == id && request.decided.is_none()) {
            request.decided = Some((now, answer));
        }
        self.tick(now);
    }

    /// What the host is asked now.
    pub fn prompt(&self, now: Instant) -> Option<Prompt> {
        let request = self.queue.iter().find(|request| request.is_shown())?;
        let left = request.shown.map(|shown| (shown + ANSWER_TIME).saturating_duration_since(now)).unwrap_or_default();
        Some(Prompt {
            id: request.id,
            visitor: request.visitor.clone(),
            wished: request.wished,
            seconds_left: left.as_secs_f64().ceil() as u64,
        })
    }

    /// Moves on with the time; gives those who were denied because nobody answered.
    pub fn tick(&mut self, now: Instant) -> Vec<Visitor> {
        let age = |at: Instant| now.saturating_duration_since(at);
        self.queue.retain(|request| match &request.decided {
            Some((at, _)) => age(*at) < FETCH_TIME,
            None => age(request.polled) < ASKED_LAST,
        });
        let mut denied = Vec::new();
        for request in self.queue.iter_mut().filter(|request| request.decided.is_none()) {
            let late = match request.shown {
                Some(shown) => age(shown) >= ANSWER_TIME,
                None => age(request.came) >= QUEUE_TIME,
            };
            if late {
                request.decided = Some((now, Answer::Denied));
                denied.push(request.visitor.clone());
            }
        }
        self.prompts.retain(|at| age(*at) < PROMPTS_IN);
        if self.prompts.len() < PROMPTS
            && !self.queue.iter().any(Request::is_shown)
            && let Some(next) = self.queue.iter_mut().find(|request| request.decided.is_none())
        {
            next.shown = Some(now);
            self.prompts.push_back(now);
        }
        denied
    }

    pub fn clear(&mut self) {
        self.queue.clear();
    }

    pub fn waiting(&self) -> usize {
        self.queue.iter().filter(|request| request.decided.is_none()).count()
    }
}

impl Request {
    fn is_shown(&self) -> bool {
        self.shown.is_some() && self.decided.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visitor(name: &str) -> Visitor {
        Visitor { name: name.to_owned(), address: IpAddr::from([192, 0, 2, 1]), browser: None }
    }

    fn names(requests: &Requests, now: Instant) -> Option<String> {
        requests.prompt(now).map(|prompt| prompt.visitor.name)
    }

    #[test]
    fn one_is_shown_at_a_time_and_three_a_minute() {
        let (mut requests, start) = (Requests::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        for (id, name) in ["a", "b", "c", "d"].into_iter().enumerate() {
            assert!(requests.join(id as u64, name, visitor(name), Roles::WATCH, at(0)));
        }
        for name in ["a", "b", "c"] {
            assert_eq!(names(&requests, at(1)).as_deref(), Some(name));
            let id = requests.prompt(at(1)).unwrap().id;
            requests.decide(id, Answer::Denied, at(1));
            assert_eq!(requests.poll(name, at(1)), Some(Answer::Denied));
        }
        assert_eq!(names(&requests, at(2)), None);
        for second in 2..60 {
            assert_eq!(requests.poll("d", at(second)), Some(Answer::Waiting));
            requests.tick(at(second));
        }
        assert_eq!(names(&requests, at(59)), None);
        requests.tick(at(60));
        assert_eq!(names(&requests, at(60)).as_deref(), Some("d"));
    }

    #[test]
    fn no_answer_is_a_no_and_a_closed_page_is_not_asked_about() {
        let (mut requests, start) = (Requests::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        requests.join(1, "a", visitor("a"), Roles::WATCH, at(0));
        for second in 0..30 {
            assert_eq!(requests.poll("a", at(second)), Some(Answer::Waiting));
            assert!(requests.tick(at(second)).is_empty());
        }
        assert_eq!(requests.tick(at(30)), [visitor("a")]);
        assert_eq!(requests.poll("a", at(31)), Some(Answer::Denied));
        requests.join(2, "b", visitor("b"), Roles::WATCH, at(40));
        requests.tick(at(50));
        assert_eq!(
            (requests.poll("a", at(50)), requests.poll("b", at(50)), names(&requests, at(50))),
            (None, None, None)
        );
        assert_eq!(requests.shown(2), None);
    }

    #[test]
    fn the_queue_is_bounded() {
        let (mut requests, now) = (Requests::default(), Instant::now());
        for id in 0..MOST_WAITING {
            assert!(requests.join(id as u64, &id.to_string(), visitor("x"), Roles::WATCH, now));
        }
        assert!(!requests.join(99, "99", visitor("x"), Roles::WATCH, now));
        assert_eq!(requests.poll("99", now), None);
    }
}
