//! What an event means on the desktop. Pure: it is told the time, and keeps who holds what.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::event::{Button, InputEvent, KeyEvent, PointerEvent, PointerKind};
use super::freshness::Freshness;
use super::injector::Action;
use super::keys::{Key, KeyCode};
use crate::geometry::{Desktop, Geometry, GeometryHistory, Point, Source};

/// Notches that one scroll event may turn at most.
const MOST_NOTCHES: f32 = 20.0;
/// Sessions that are remembered; there are never more viewers.
const MOST_SESSIONS: usize = 256;
/// Nobody has more fingers, and a session that loses releases can't fill the table.
const MOST_KEYS: usize = 16;
/// Characters of one text that are typed.
const MOST_CHARACTERS: usize = 4_096;
/// A motion without a place moves by no more than this many pictures.
const MOST_MOTION: f64 = 1.0;

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
    /// What is down on the viewer's keyboard, and what was pressed here for it.
    keys: Vec<(KeyCode, Key)>,
    /// Sequence number of the last event that was not a move, and of the last move.
    last_act: Option<u64>,
    last_move: Option<u64>,
    /// Parts of wheel notches that were not turned yet.
    wheel: (f32, f32),
    /// Parts of pixels that were not moved yet.
    motion: (f64, f64),
    freshness: Freshness,
}

impl Session {
    fn holds_something(&self) -> bool {
        !self.held.is_empty() || !self.keys.is_empty()
    }

    fn release(&mut self, actions: &mut Vec<Action>) {
        actions.extend(self.held.drain(..).map(Action::Release));
        // Modifiers went down first and come up last.
        actions.extend(self.keys.drain(..).rev().map(|(_, key)| Action::KeyUp(key)));
    }
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
    pub fn handle(&mut self, id: u64, event: &InputEvent, now: Instant, actions: &mut Vec<Action>) -> Verdict {
        if !self.sessions.contains_key(&id) && self.sessions.len() >= MOST_SESSIONS {
            // The oldest session that holds nothing has nothing to lose but parts of wheel notches.
            let idle = self.sessions.iter().find(|(_, session)| !session.holds_something()).map(|(&idle, _)| idle);
            let Some(idle) = idle else { return Verdict::Refused };
            self.sessions.remove(&idle);
        }
        let session = self.sessions.entry(id).or_default();
        if !session.freshness.is_fresh(event.time(), now) && !event.lets_go() {
            return Verdict::Refused;
        }
        match event {
            InputEvent::Pointer(event) => self.point(id, event, now, actions),
            InputEvent::Key(event) => self.key(id, event, actions),
            InputEvent::Text(text) => {
                let typed = text.chars().take(MOST_CHARACTERS).filter(|&character| can_be_typed(character));
                actions.extend(typed.map(Action::Type));
                Verdict::Done
            }
        }
    }

    fn point(&mut self, id: u64, event: &PointerEvent, now: Instant, actions: &mut Vec<Action>) -> Verdict {
        let target = self.locate(event, now);
        // Outer `None`: nowhere on the desktop. Inner `None`: where the pointer is, of a page that has caught it.
        let aim = match event.position {
            Some(_) => target.map(Some),
            None => event.epoch.and_then(|epoch| self.history.find(epoch, now)).map(|_| None),
        };
        let motion = match event.kind {
            PointerKind::MoveBy { dx, dy } => self.pixels_by(event.epoch, dx, dy, now),
            _ => None,
        };
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
            PointerKind::MoveBy { .. } => {
                let Some((dx, dy)) = motion else { return Verdict::Refused };
                let whole = |part: &mut f64, more: f64| {
                    *part += more;
                    let whole = part.trunc();
                    *part -= whole;
                    whole as i32
                };
                let (dx, dy) = (whole(&mut session.motion.0, dx), whole(&mut session.motion.1, dy));
                if (dx, dy) != (0, 0) {
                    actions.push(Action::MoveBy { dx, dy });
                }
            }
            PointerKind::Down(button) => {
                let Some(aim) = aim.filter(|_| !blocked) else { return Verdict::Refused };
                actions.extend(aim.map(Action::MoveTo));
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
                let Some(aim) = aim.filter(|_| dx.is_finite() && dy.is_finite()) else { return Verdict::Refused };
                let notches = |part: &mut f32, more: f32| {
                    *part += more.clamp(-MOST_NOTCHES, MOST_NOTCHES);
                    let whole = part.trunc();
                    *part -= whole;
                    whole as i32
                };
                let (dx, dy) = (notches(&mut session.wheel.0, dx), notches(&mut session.wheel.1, dy));
                actions.extend(aim.map(Action::MoveTo));
                if (dx, dy) != (0, 0) {
                    actions.push(Action::Scroll { dx, dy });
                }
            }
            PointerKind::Release => session.release(actions),
        }
        session.last_act = Some(session.last_act.unwrap_or(0).max(event.seq));
        Verdict::Done
    }

    /// Where on the captured picture a place of the shown one comes from; the same rules as for a press.
    pub fn source_at(&self, epoch: u32, (x, y): (f64, f64), now: Instant) -> Option<Point<Source>> {
        self.history.find(epoch, now)?.source_from_fraction(x, y)
    }

    /// Ends a session: everything it holds is released.
    pub fn end(&mut self, id: u64, actions: &mut Vec<Action>) {
        if let Some(mut session) = self.sessions.remove(&id) {
            session.release(actions);
        }
    }

    /// Releases what a session holds; it may go on.
    pub fn release(&mut self, id: u64, actions: &mut Vec<Action>) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.release(actions);
        }
    }

    /// Releases everything of everybody.
    pub fn release_all(&mut self, actions: &mut Vec<Action>) {
        for session in self.sessions.values_mut() {
            session.release(actions);
        }
    }

    /// The session that holds a button or a key now.
    pub fn holder(&self) -> Option<u64> {
        self.sessions.iter().find(|(_, session)| session.holds_something()).map(|(&id, _)| id)
    }

    /// A character is typed, unless a modifier makes a command of it; everything else goes down and comes up as it does
    /// on the viewer's keyboard.
    fn key(&mut self, id: u64, event: &KeyEvent, actions: &mut Vec<Action>) -> Verdict {
        let Some(session) = self.sessions.get_mut(&id) else { return Verdict::Refused };
        let held = session.keys.iter().position(|(code, _)| *code == event.code);
        if !event.down {
            if let Some(place) = held {
                let (_, key) = session.keys.remove(place);
                actions.push(Action::KeyUp(key));
            }
            return Verdict::Done;
        }
        let command = session.keys.iter().any(|(code, _)| code.makes_commands());
        let key = match event.character.filter(|&character| can_be_typed(character)) {
            Some(character) if !command => {
                actions.push(Action::Type(character));
                return Verdict::Done;
            }
            // Shift is down already where it belongs to the command.
            Some(character) => Key::Bearing(character.to_lowercase().next().unwrap_or(character)),
            None => Key::At(event.code),
        };
        // The host's own keyboard repeats what is held.
        if held.is_none() {
            if session.keys.len() >= MOST_KEYS {
                return Verdict::Refused;
            }
            session.keys.push((event.code, key));
            actions.push(Action::KeyDown(key));
        }
        Verdict::Done
    }

    /// How far on the desktop a motion over the shown picture is; measured in its middle or, where that is padding, near
    /// a corner.
    fn pixels_by(&self, epoch: Option<u32>, dx: f64, dy: f64, now: Instant) -> Option<(f64, f64)> {
        if !(dx.is_finite() && dy.is_finite()) {
            return None;
        }
        const STEP: f64 = 1e-3;
        const PROBES: [(f64, f64); 5] = [(0.5, 0.5), (0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)];
        let geometry = self.history.find(epoch?, now)?;
        let (middle, right, below) = PROBES.iter().find_map(|&(x, y)| {
            let at = |x, y| geometry.desktop_from_fraction(x, y);
            Some((at(x, y)?, at(x + STEP, y)?, at(x, y + STEP)?))
        })?;
        let (dx, dy) = (dx.clamp(-MOST_MOTION, MOST_MOTION) / STEP, dy.clamp(-MOST_MOTION, MOST_MOTION) / STEP);
        let x = (right.x - middle.x) * dx + (below.x - middle.x) * dy;
        let y = (right.y - middle.y) * dx + (below.y - middle.y) * dy;
        Some((x, y))
    }

    fn locate(&self, event: &PointerEvent, now: Instant) -> Option<Point<Desktop>> {
        let (x, y) = event.position?;
        let geometry = self.history.find(event.epoch?, now)?;
        geometry.desktop_from_fraction(x, y)
    }
}

/// Text, and the few control characters that a keyboard has.
fn can_be_typed(character: char) -> bool {
    !character.is_control() || matches!(character, '\n' | '\r' | '\t')
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
            let event = PointerEvent { kind, position: Some(at), epoch: Some(1), seq: self.seq, time: None };
            self.handle(session, InputEvent::Pointer(event))
        }

        fn handle(&mut self, session: u64, event: InputEvent) -> (Verdict, Vec<Action>) {
            let mut actions = Vec::new();
            let verdict = self.mapper.handle(session, &event, self.now, &mut actions);
            (verdict, actions)
        }

        fn key(&mut self, name: &str, character: Option<char>, down: bool) -> Vec<Action> {
            let code = KeyCode::named(name).expect(name);
            self.handle(1, InputEvent::Key(KeyEvent { code, character, down, time: None })).1
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
        let at = |epoch| {
            let kind = PointerKind::Move;
            InputEvent::Pointer(PointerEvent {
                kind,
                position: Some((0.1, 0.1)),
                epoch: Some(epoch),
                seq: 1,
                time: None,
            })
        };
        assert_eq!(bench.mapper.handle(1, &at(9), bench.now, &mut Vec::new()), Verdict::Refused);
        let later = bench.now + Duration::from_secs(60);
        assert_eq!(bench.mapper.handle(1, &at(1), later, &mut Vec::new()), Verdict::Done);
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

    #[test]
    fn characters_are_typed_and_commands_are_held() {
        let mut bench = Bench::new();
        let at = |name| Key::At(KeyCode::named(name).unwrap());
        assert_eq!(bench.key("KeyA", Some('a'), true), [Action::Type('a')]);
        assert_eq!(bench.key("KeyA", None, false), []);
        // With Shift a letter is still a letter.
        assert_eq!(bench.key("ShiftLeft", None, true), [Action::KeyDown(at("ShiftLeft"))]);
        assert_eq!(bench.key("KeyA", Some('A'), true), [Action::Type('A')]);
        assert_eq!(bench.key("ShiftLeft", None, false), [Action::KeyUp(at("ShiftLeft"))]);
        // With Ctrl it is a command, of the key that bears it here.
        bench.key("ControlLeft", None, true);
        assert_eq!(bench.key("KeyC", Some('C'), true), [Action::KeyDown(Key::Bearing('c'))]);
        assert_eq!(bench.key("KeyC", Some('C'), true), [], "the host repeats by itself");
        assert_eq!(bench.key("KeyC", None, false), [Action::KeyUp(Key::Bearing('c'))]);
        let mut actions = Vec::new();
        bench.mapper.release(1, &mut actions);
        assert_eq!(actions, [Action::KeyUp(at("ControlLeft"))]);
    }

    #[test]
    fn text_is_typed_without_what_no_keyboard_has() {
        let mut bench = Bench::new();
        let (_, actions) = bench.handle(1, InputEvent::Text("é\u{7}\n".to_owned()));
        assert_eq!(actions, [Action::Type('é'), Action::Type('\n')]);
        let long = InputEvent::Text("x".repeat(100_000));
        assert_eq!(bench.handle(1, long).1.len(), MOST_CHARACTERS);
    }

    #[test]
    fn no_session_holds_more_keys_than_it_has_fingers() {
        let mut bench = Bench::new();
        for number in 1..=12 {
            bench.key(&format!("F{number}"), None, true);
            bench.key(&format!("F{}", number + 12), None, true);
        }
        let mut actions = Vec::new();
        bench.mapper.end(1, &mut actions);
        assert_eq!(actions.len(), MOST_KEYS);
    }

    #[test]
    fn a_motion_without_a_place_follows_the_chain_and_loses_no_part_of_a_pixel() {
        let mut bench = Bench::new();
        // The shown picture is as wide as the desktop and half as high, at half the size.
        let third = PointerKind::MoveBy { dx: 0.003, dy: 0.0 };
        let total: i32 = (0..10)
            .flat_map(|_| bench.event(1, third, (0.0, 0.0)).1)
            .map(|action| if let Action::MoveBy { dx, dy: 0 } = action { dx } else { panic!("{action:?}") })
            .sum();
        assert!((5..=6).contains(&total), "{total}");
        let wild = PointerKind::MoveBy { dx: f64::NAN, dy: 0.0 };
        assert_eq!(bench.event(1, wild, (0.0, 0.0)).0, Verdict::Refused);
    }

    #[test]
    fn what_comes_late_is_left_out_and_a_release_is_not() {
        let mut bench = Bench::new();
        let start = bench.now;
        let mut send = |kind, time, after| {
            let event = PointerEvent { kind, position: Some((0.1, 0.1)), epoch: Some(1), seq: 0, time: Some(time) };
            let now = start + Duration::from_millis(after);
            let mut actions = Vec::new();
            bench.mapper.handle(1, &InputEvent::Pointer(event), now, &mut actions);
            actions.len()
        };
        assert_eq!(send(PointerKind::Down(Button::Left), 1_000.0, 0), 2);
        assert_eq!(send(PointerKind::Down(Button::Right), 1_100.0, 700), 0, "600 ms on its way");
        assert_eq!(send(PointerKind::Up(Button::Left), 1_100.0, 900), 2);
    }
}
