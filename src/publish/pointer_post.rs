//! Pointer sessions over plain HTTP, where there is no connection whose end would say that the viewer left.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::admit::{Pass, Visitor};
use super::roles::{Role, Roles};
use super::viewers::CONTROLS_FOR;
use crate::input::InputEvent;

/// More sessions than this at once are refused.
const MOST_SESSIONS: usize = 64;
/// Something held is released this long after its session's last request.
const HELD_FOR: Duration = Duration::from_secs(1);
/// A session that holds nothing is forgotten after this.
const KEPT_FOR: Duration = Duration::from_secs(30);

/// The sessions by the names that pages made up; pure, it is told the time.
#[derive(Debug, Default)]
pub struct PointerSessions {
    sessions: Mutex<HashMap<String, Session>>,
}

#[derive(Debug)]
struct Session {
    id: u64,
    /// By which right; another one makes another session of the same name.
    pass: Pass,
    /// What it could do with the desktop when that was looked at last.
    roles: Roles,
    visitor: Visitor,
    last: Instant,
    /// When something was done last, and not only said that the page is still there.
    acted: Option<Instant>,
    holds: bool,
}

/// Whose request it is.
#[derive(Debug, Clone)]
pub struct Poster {
    pub pass: Pass,
    pub roles: Roles,
    pub visitor: Visitor,
}

/// All places are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

impl PointerSessions {
    /// Notes a request and gives the session's number, made with `new_id` for a session not seen before.
    ///
    /// # Errors
    /// [`Full`] while too many others are under way.
    pub fn note(
        &self,
        (name, poster): (&str, Poster),
        events: &[InputEvent],
        new_id: impl FnOnce() -> u64,
        now: Instant,
    ) -> Result<u64, Full> {
        let mut sessions = self.lock();
        // Names are made up by pages: somebody else's is none of theirs.
        let Poster { pass, roles, visitor } = poster;
        let key = format!("{pass:?} {name}");
        let name = key.as_str();
        if !sessions.contains_key(name) {
            if sessions.len() >= MOST_SESSIONS {
                // A place that nobody used for a while and that holds nothing can go early.
                let idle =
                    sessions.iter().filter(|(_, session)| !session.holds).min_by_key(|(_, session)| session.last);
                let idle = idle.filter(|(_, session)| now.saturating_duration_since(session.last) > HELD_FOR);
                let idle = idle.map(|(name, _)| name.clone()).ok_or(Full)?;
                sessions.remove(&idle);
            }
            let session = Session { id: new_id(), pass, roles, visitor, last: now, acted: None, holds: false };
            sessions.insert(name.to_owned(), session);
        }
        let session = sessions.get_mut(name).ok_or(Full)?;
        session.last = now;
        // What was taken since it was looked at last is still to be noticed, or what it holds would stay down.
        session.roles = roles.iter().fold(session.roles, Roles::with);
        if !events.is_empty() {
            session.acted = Some(now);
        }
        for event in events {
            if event.holds() {
                session.holds = true;
            } else if event.releases_all() {
                session.holds = false;
            }
            // After one came up another may still be down; releasing once too often harms nobody.
        }
        Ok(session.id)
    }

    /// The sessions whose pages fell silent while they held something; each is named once.
    pub fn silent(&self, now: Instant) -> Vec<u64> {
        let mut silent = Vec::new();
        self.lock().retain(|_, session| {
            let age = now.saturating_duration_since(session.last);
            if session.holds && age >= HELD_FOR {
                session.holds = false;
                silent.push(session.id);
            }
            age < KEPT_FOR
        });
        silent
    }

    /// The sessions that lost a right to click or to type, and end with it; each is named once.
    pub fn revoked(&self, roles: impl Fn(&Pass) -> Roles) -> Vec<u64> {
        let mut revoked = Vec::new();
        self.lock().retain(|_, session| {
            let now = roles(&session.pass);
            let lost = [Role::Click, Role::Type].into_iter().any(|role| session.roles.has(role) && !now.has(role));
            session.roles = now;
            let stays = now.may_act() && !lost;
            if !stays {
                revoked.push(session.id);
            }
            stays
        });
        revoked
    }

    /// Who did something with the desktop just now.
    pub fn controlling(&self, now: Instant) -> Vec<(u64, Visitor)> {
        let acts =
            |session: &&Session| session.acted.is_some_and(|at| now.saturating_duration_since(at) < CONTROLS_FOR);
        self.lock().values().filter(acts).map(|session| (session.id, session.visitor.clone())).collect()
    }

    /// Whether there is any.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Every session, which ends with this.
    pub fn drain(&self) -> Vec<u64> {
        self.lock().drain().map(|(_, session)| session.id).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Button, PointerEvent, PointerKind};

    fn poster() -> Poster {
        let visitor = Visitor { name: "Anna".to_owned(), address: [192, 0, 2, 1].into(), browser: None };
        Poster { pass: Pass::Anyone, roles: Roles::ALL, visitor }
    }

    fn event(kind: PointerKind) -> InputEvent {
        InputEvent::Pointer(PointerEvent { kind, position: Some((0.5, 0.5)), epoch: None, seq: 0, time: None })
    }

    #[test]
    fn what_is_held_is_released_a_second_after_the_last_request() {
        let (sessions, start) = (PointerSessions::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        let down = [event(PointerKind::Down(Button::Left))];
        assert_eq!(sessions.note(("a", poster()), &down, || 7, at(0)), Ok(7));
        assert_eq!(sessions.note(("a", poster()), &[], || 8, at(900)), Ok(7));
        assert!(sessions.silent(at(1800)).is_empty());
        assert_eq!(sessions.silent(at(1900)), [7]);
        assert!(sessions.silent(at(2000)).is_empty());
    }

    #[test]
    fn the_table_is_bounded_and_idle_sessions_give_way() {
        let (sessions, start) = (PointerSessions::default(), Instant::now());
        for name in 0..MOST_SESSIONS {
            sessions.note((&name.to_string(), poster()), &[], || 1, start).expect("there is a place");
        }
        assert_eq!(sessions.note(("one more", poster()), &[], || 2, start), Err(Full));
        assert_eq!(sessions.note(("one more", poster()), &[], || 2, start + Duration::from_secs(2)), Ok(2));
    }

    #[test]
    fn a_session_ends_with_the_first_right_that_is_taken_from_it() {
        let (sessions, now) = (PointerSessions::default(), Instant::now());
        let note = |name, roles| sessions.note((name, Poster { roles, ..poster() }), &[], || 5, now);
        let typing = Roles::WATCH.with(Role::Type);
        note("types", typing).expect("there is a place");
        assert!(sessions.revoked(|_| typing).is_empty());
        // What it never had is no loss; what it had is, though it may still do something else.
        note("types", typing.with(Role::Click)).expect("there is a place");
        assert_eq!(sessions.revoked(|_| typing), [5]);
        note("types", typing).expect("there is a place");
        assert_eq!(sessions.revoked(|_| Roles::WATCH), [5]);
        assert!(sessions.is_empty());
    }

    #[test]
    fn who_only_says_that_it_is_still_there_does_not_control() {
        let (sessions, start) = (PointerSessions::default(), Instant::now());
        sessions.note(("a", poster()), &[], || 7, start).expect("there is a place");
        assert!(sessions.controlling(start).is_empty());
        sessions.note(("a", poster()), &[event(PointerKind::Move)], || 8, start).expect("there is a place");
        assert_eq!(sessions.controlling(start), [(7, poster().visitor)]);
        assert!(sessions.controlling(start + CONTROLS_FOR).is_empty());
    }
}
