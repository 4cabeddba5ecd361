//! What an event means on the desktop. Pure: it is told the time, and keeps who holds what.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::event::{Button, PointerEvent, PointerKind};
use super::injector::Action;
use crate::geometry::{Desktop, Geometry, GeometryHistory, Point};

/// Notches that one scroll event may turn at most.
const MOST_NOTCHES: f32 = 20.0;
/// Sessions that are remembered; there are never more viewers.
const MOST_SESSIONS: usize = 256;

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Done,
    /// Aimed at padding, outside, at an unknown geometry, at a source without a desktop, or too late.
    Refused,
}

#[derive(Debug, Default)]
struct Session {
    held: Vec<Button>,
    /// Sequence number of the last event that was not a move, and of the last move.
    last_act: Option<u64>,
    last_move: Option<u64>,
    /// Parts of wheel notches that were not turned yet.
    wheel: (f32, f32),
}

/// Maps events through the geometry they were aimed at, and knows what is held by whom.
#[derive(Debug, Default)]
pub struct PointerMapper {
    history: GeometryHistory,
    sessions: BTreeMap<u64, Session>,
}

impl PointerMapper {
    /// Notes the geometry of the newest frame.
    pub fn note_geometry(&mut self, geometry: &Arc<Geometry>, now: Instant) {
        self.history.note(geometry, now);
    }

    /// Appends what an event does on the desktop to `actions`. A release is never refused.
    pub fn handle(&mut self, id: u64, event: &PointerEvent, now: Instant, actions: &mut Vec<Action>) -> Verdict {
        let target = self.locate(event, now);
        if !self.sessions.contains_key(&id) && self.sessions.len() >= MOST_SESSIONS {
            // The oldest session that holds nothing has nothing to lose but parts of wheel notches.
            let idle = self.sessions.iter().find(|(_, session)| session.held.is_empty()).map(|(&idle, _)| idle);
            let Some(idle) = idle else { return Verdict::Refused };
            self.sessions.remove(&idle);
        }
        let held_elsewhere =
            |button| self.sessions.iter().any(|(&other, session)| other != id && session.held.contains(&button));
        let blocked = matches!(event.kind, PointerKind::Down(button) if held_elsewhere(button));
        let session = self.sessions.entry(id).or_default();
        match event.kind {
            PointerKind::Move => {
                let late = session.last_act.max(session.last_move).is_some_and(|last| event.seq <= last);
                let Some(at) = target.filter(|_| !late) else { return Verdict::Refused };
                session.last_move = Some(event.seq);
                actions.push(Action::MoveTo(at));
                return Verdict::Done;
            }
            PointerKind::Down(button) => {
                let Some(at) = target.filter(|_| !blocked) else { return Verdict::Refused };
                actions.push(Action::MoveTo(at));
                if !session.held.contains(&button) {
                    session.held.push(button);
                    actions.push(Action::Press(button));
                }
            }
            PointerKind::Up(button) => {
                actions.extend(target.map(Action::MoveTo));
                if let Some(place) = session.held.iter().position(|&held| held == button) {
                    session.held.remove(place);
                    actions.push(Action::Release(button));
                }
            }
            PointerKind::Scroll { dx, dy } => {
                let Some(at) = target.filter(|_| dx.is_finite() && dy.is_finite()) else { return Verdict::Refused };
                let notches = |part: &mut f32, more: f32| {
                    *part += more.clamp(-MOST_NOTCHES, MOST_NOTCHES);
                    let whole = part.trunc();
                    *part -= whole;
                    whole as i32
                };
                let (dx, dy) = (notches(&mut session.wheel.0, dx), notches(&mut session.wheel.1, dy));
                actions.push(Action::MoveTo(at));
                if (dx, dy) != (0, 0) {
                    actions.push(Action::Scroll { dx, dy });
                }
            }
            PointerKind::Release => {
                actions.extend(session.held.drain(..).map(Action::Release));
            }
        }
        session.last_act = Some(session.last_act.unwrap_or(0).max(event.seq));
        Verdict::Done
    }

    /// Ends a session: everything it holds is released.
    pub fn end(&mut self, id: u64, actions: &mut Vec<Action>) {
        if let Some(session) = self.sessions.remove(&id) {
            actions.extend(session.held.into_iter().map(Action::Release));
        }
    }

    /// Releases everything of everybody.
    pub fn release_all(&mut self, actions: &mut Vec<Action>) {
        for session in self.sessions.values_mut() {
            actions.extend(session.held.drain(..).map(Action::Release));
        }
    }

    /// The session that holds a button now.
    pub fn holder(&self) -> Option<u64> {
        self.sessions.iter().find(|(_, session)| !session.held.is_empty()).map(|(&id, _)| id)
    }

    fn locate(&self, event: &PointerEvent, now: Instant) -> Option<Point<Desktop>> {
        let (x, y) = event.position?;
        let geometry = self.history.find(event.epoch?, now)?;
        geometry.desktop_from_fraction(x, y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::{Affine, Mapping, Size};
    use std::time::Duration;

    struct Bench {
        mapper: PointerMapper,
        now: Instant,
        seq: u64,
    }

    impl Bench {
        /// A 100x50 desktop at (1000, 0), shown at half the size with padding on the right.
        fn new() -> Self {
            let (source, output) = (Size::new(100, 50), Size::new(100, 25));
            let half = Mapping { input: source, output, input_from_output: Affine::scaling(2.0, 2.0).into() };
            let desktop = Some(Affine::translation(1_000.0, 0.0));
            let geometry = Geometry { output, mappings: vec![half], ..Geometry::untouched(1, source, desktop) };
            let now = Instant::now();
            let mut mapper = PointerMapper::default();
            mapper.note_geometry(&Arc::new(geometry), now);
            Self { mapper, now, seq: 0 }
        }

        fn event(&mut self, session: u64, kind: PointerKind, at: (f64, f64)) -> (Verdict, Vec<Action>) {
            self.seq += 1;
            let event = PointerEvent { kind, position: Some(at), epoch: Some(1), seq: self.seq };
            let mut actions = Vec::new();
            let verdict = self.mapper.handle(session, &event, self.now, &mut actions);
            (verdict, actions)
        }
    }

    #[test]
    fn a_press_lands_on_the_desktop_and_its_release_follows() {
        let mut bench = Bench::new();
        let at = Action::MoveTo(Point::new(1_050.0, 25.0));
        let down = bench.event(1, PointerKind::Down(Button::Left), (0.25, 0.5));
        assert_eq!(down, (Verdict::Done, vec![at, Action::Press(Button::Left)]));
        let up = bench.event(1, PointerKind::Up(Button::Left), (0.25, 0.5));
        assert_eq!(up, (Verdict::Done, vec![at, Action::Release(Button::Left)]));
    }

    #[test]
    fn a_press_on_padding_does_nothing_and_a_release_there_still_releases() {
        let mut bench = Bench::new();
        assert_eq!(bench.event(1, PointerKind::Down(Button::Left), (0.9, 0.5)), (Verdict::Refused, vec![]));
        bench.event(1, PointerKind::Down(Button::Left), (0.25, 0.5));
        let up = bench.event(1, PointerKind::Up(Button::Left), (0.9, 0.5));
        assert_eq!(up, (Verdict::Done, vec![Action::Release(Button::Left)]));
    }

    #[test]
    fn an_unknown_epoch_is_refused() {
        let mut bench = Bench::new();
        let event = PointerEvent { kind: PointerKind::Move, position: Some((0.1, 0.1)), epoch: Some(9), seq: 1 };
        assert_eq!(bench.mapper.handle(1, &event, bench.now, &mut Vec::new()), Verdict::Refused);
        let later = bench.now + Duration::from_secs(60);
        let known = PointerEvent { epoch: Some(1), ..event };
        assert_eq!(bench.mapper.handle(1, &known, later, &mut Vec::new()), Verdict::Done);
    }

    #[test]
    fn a_late_move_does_not_follow_a_press() {
        let mut bench = Bench::new();
        bench.event(1, PointerKind::Move, (0.1, 0.1));
        bench.seq = 9;
        bench.event(1, PointerKind::Down(Button::Left), (0.1, 0.1));
        bench.seq = 4;
        assert_eq!(bench.event(1, PointerKind::Move, (0.3, 0.3)).0, Verdict::Refused);
    }

    #[test]
    fn the_end_of_a_session_releases_what_it_holds_and_nothing_of_others() {
        let mut bench = Bench::new();
        bench.event(1, PointerKind::Down(Button::Left), (0.1, 0.1));
        bench.event(2, PointerKind::Down(Button::Right), (0.1, 0.1));
        assert_eq!(bench.event(2, PointerKind::Down(Button::Left), (0.1, 0.1)).0, Verdict::Refused);
        let mut actions = Vec::new();
        bench.mapper.end(1, &mut actions);
        bench.mapper.end(1, &mut actions);
        assert_eq!(actions, [Action::Release(Button::Left)]);
        bench.mapper.release_all(&mut actions);
        assert_eq!(actions.len(), 2);
        assert_eq!(bench.mapper.holder(), None);
    }

    #[test]
    fn many_sessions_that_came_and_went_do_not_lock_out_a_new_one() {
        let mut bench = Bench::new();
        bench.event(1, PointerKind::Down(Button::Left), (0.1, 0.1));
        for session in 2..2_000 {
            assert_eq!(bench.event(session, PointerKind::Move, (0.1, 0.1)).0, Verdict::Done);
        }
        assert!(bench.mapper.sessions.len() <= MOST_SESSIONS);
        assert_eq!(bench.mapper.holder(), Some(1));
    }

    #[test]
    fn parts_of_notches_add_up() {
        let mut bench = Bench::new();
        let half = PointerKind::Scroll { dx: 0.0, dy: 0.5 };
        assert_eq!(bench.event(1, half, (0.1, 0.1)).1.len(), 1);
        let (_, actions) = bench.event(1, half, (0.1, 0.1));
        assert_eq!(actions[1], Action::Scroll { dx: 0, dy: 1 });
        let wild = PointerKind::Scroll { dx: f32::NAN, dy: f32::INFINITY };
        assert_eq!(bench.event(1, wild, (0.1, 0.1)).0, Verdict::Refused);
    }
}
