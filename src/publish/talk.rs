//! What a host and a page say to each other, whatever carries it: every message gets at most one answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Shared;
use super::protocol::{HostMessage, PageMessage, Quality, ViewerState, parse_message};
use super::roles::{Role, Roles, needed};
use super::viewers::{Measured, Viewer};
use crate::input::InputEvent;

/// How often [`Talk::on_tick`] has to be called.
pub const TICK: Duration = Duration::from_millis(250);
const STATE_GAP: Duration = Duration::from_millis(900);
const COMPLAINT_GAP: Duration = Duration::from_secs(1);
/// A page that holds a button has to be heard within this time.
const HELD_TIME: Duration = Duration::from_secs(1);
/// A page that says nothing for so long, not even a ping, keeps nobody from controlling the desktop.
const GONE_TIME: Duration = Duration::from_secs(4);
/// What is promised of a browser that is killed while it holds a button: silence is looked for at every tick.
const RELEASED_WITHIN: Duration = Duration::from_millis(1_500);
const _: () = assert!(HELD_TIME.as_millis() + TICK.as_millis() < RELEASED_WITHIN.as_millis());
/// Messages a second, sustained and in a burst.
const MESSAGES: f64 = 250.0;
const MESSAGES_BURST: f64 = 500.0;

/// One page's side of the conversation. What it holds is released when this is dropped.
pub struct Talk {
    shared: Arc<Shared>,
    viewer: Arc<Viewer>,
    state: Option<(ViewerState, Instant)>,
    complained: Option<Instant>,
    heard: Instant,
    holds: bool,
    /// Something was done, so that the control of the desktop may be this page's.
    acted: bool,
    /// Its pointer may be drawn.
    points: bool,
    allowance: Allowance,
    unknown: bool,
}

/// What a message asks of whoever sends the frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    Quality(Quality),
    Ack { frame: u64 },
}

impl Talk {
    /// What the viewer may do is looked up at every message.
    pub fn new(shared: Arc<Shared>, viewer: Arc<Viewer>, now: Instant) -> Self {
        Self {
            shared,
            viewer,
            state: None,
            complained: None,
            heard: now,
            holds: false,
            acted: false,
            points: false,
            allowance: Allowance::new(now),
            unknown: false,
        }
    }

    /// Carries out a message: what to answer, and what it wishes of the frames.
    pub fn on_message(&mut self, bytes: &[u8], now: Instant) -> (Option<HostMessage>, Option<Wish>) {
        self.heard = now;
        let message = parse_message(bytes);
        // These two only ever make things better, so that no flood may keep them out.
        let always = matches!(&message, Ok(PageMessage::Ack { .. }))
            || matches!(&message, Ok(PageMessage::Input(event)) if event.lets_go());
        if !self.allowance.take(now) && !always {
            return (self.complain("Too many messages; some were left out.", now), None);
        }
        if let Ok(message) = &message
            && let Some(role) = needed(message)
            && !self.roles().has(role)
        {
            return (self.complain(refusal(role), now), None);
        }
        let answer = match message {
            Ok(PageMessage::Ping { t0 }) => {
                let t1_us = self.shared.host.clock_us(now);
                Some(HostMessage::Pong { t0, t1_us, t2_us: self.shared.host.clock_us(Instant::now()) })
            }
            Ok(PageMessage::Report(report)) => {
                self.viewer.note_measured(Measured { delay_ms: report.delay_ms, fps: report.fps });
                None
            }
            Ok(PageMessage::Input(event)) => self.on_input(event, now),
            Ok(PageMessage::Point(point)) => {
                let name = self.shared.door.name(&self.viewer.pass).or_else(|| self.viewer.name()).unwrap_or_default();
                self.points = true;
                self.shared.host.point(self.viewer.id, &name, point);
                None
            }
            Ok(PageMessage::Control(wish)) => {
                self.shared.host.wish_control(self.viewer.id, wish);
                None
            }
            Ok(PageMessage::Quality(quality)) => return (None, Some(Wish::Quality(quality))),
            Ok(PageMessage::Ack { frame }) => return (None, Some(Wish::Ack { frame })),
            Ok(PageMessage::Unknown) if self.unknown => None,
            Ok(PageMessage::Unknown) => {
                self.unknown = true;
                self.complain("This host does not know a message of this page and left it out.", now)
            }
            Err(error) => {
                tracing::debug!("viewer {} sent a malformed message: {error}", self.viewer.id);
                let message = format!("A message was not understood: {error}.");
                self.at_times(now).then_some(HostMessage::Error { message })
            }
        };
        (answer, None)
    }

    /// Somebody else listens from now on, or for the first time: the state is told from the beginning.
    pub fn begin_again(&mut self) {
        self.state = None;
    }

    /// To be called every [`TICK`]: the state, where the page has to hear of it.
    pub fn on_tick(&mut self, now: Instant) -> Option<HostMessage> {
        let silent = now.saturating_duration_since(self.heard) > HELD_TIME;
        let roles = self.roles();
        let gone = now.saturating_duration_since(self.heard) > GONE_TIME;
        if self.holds && (silent || !roles.may_act()) || self.acted && gone {
            self.release();
        }
        if self.points && (gone || !roles.has(Role::Point)) {
            self.points = false;
            self.shared.host.end_point(self.viewer.id);
        }
        // The state may be a moment old; what is taken away is gone at once.
        let state = ViewerState::from_state(&self.shared.state(now), roles, self.viewer.id);
        let due = self
            .state
            .as_ref()
            .is_none_or(|(said, at)| said.differs_much(&state) || now.saturating_duration_since(*at) >= STATE_GAP);
        due.then(|| {
            self.state = Some((state.clone(), now));
            HostMessage::State(state)
        })
    }

    fn on_input(&mut self, event: InputEvent, now: Instant) -> Option<HostMessage> {
        // Whoever may not press has nothing to let go, but for what was held before the right was taken.
        if event.lets_go() && !self.holds && !self.roles().may_act() {
            return None;
        }
        self.acted = true;
        if event.holds() {
            self.holds = true;
        } else if event.releases_all() {
            self.holds = false;
        }
        self.viewer.note_pointer(now);
        self.shared.host.input(self.viewer.id, event);
        None
    }

    /// What this viewer may do at this moment.
    fn roles(&self) -> Roles {
        self.shared.roles(&self.viewer.pass)
    }

    fn release(&mut self) {
        self.holds = false;
        self.acted = false;
        self.shared.host.end_pointer(self.viewer.id);
    }

    fn complain(&mut self, message: &str, now: Instant) -> Option<HostMessage> {
        self.at_times(now).then(|| HostMessage::Warning { message: message.to_owned() })
    }

    /// At most once a second: a page that errs all the time knows after the first.
    fn at_times(&mut self, now: Instant) -> bool {
        let due = self.complained.is_none_or(|at| now.saturating_duration_since(at) >= COMPLAINT_GAP);
        if due {
            self.complained = Some(now);
        }
        due
    }
}

/// What somebody is told who lacks a role.
const fn refusal(role: Role) -> &'static str {
    match role {
        Role::Watch => "The host does not let you watch any more.",
        Role::Point => "The host does not let you point.",
        Role::Click => "The host does not allow you to control it.",
        Role::Type => "The host does not let you type.",
        Role::Tune => "The host does not let you move the sliders.",
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        self.release();
        self.shared.host.end_point(self.viewer.id);
    }
}

/// How many messages a page may still send; pure.
#[derive(Debug)]
struct Allowance {
    left: f64,
    at: Instant,
}

impl Allowance {
    fn new(now: Instant) -> Self {
        Self { left: MESSAGES_BURST, at: now }
    }

    fn take(&mut self, now: Instant) -> bool {
        let earned = now.saturating_duration_since(self.at).as_secs_f64() * MESSAGES;
        self.left = (self.left + earned).min(MESSAGES_BURST);
        self.at = now;
        let allowed = self.left >= 1.0;
        if allowed {
            self.left -= 1.0;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_to_the_sustained_rate() {
        let start = Instant::now();
        let mut allowance = Allowance::new(start);
        let flood = |allowance: &mut Allowance, ms| {
            (0..10_000).filter(|_| allowance.take(start + Duration::from_millis(ms))).count()
        };
        assert_eq!(flood(&mut allowance, 0), 500);
        assert_eq!(flood(&mut allowance, 1_000), 250);
    }
}
