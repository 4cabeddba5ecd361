//! Where viewers point who may point. Pure: it is told the time.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::filter::{Color, LiveMark};
use crate::geometry::{Point, Source};

/// A pointer that rests for so long is not drawn until it moves again.
const SHOWN_FOR: Duration = Duration::from_secs(3);
const TRAIL_FOR: Duration = Duration::from_millis(700);
const LONGEST_TRAIL: usize = 48;
const LONGEST_NAME: usize = 24;
/// There are never more viewers.
const MOST_MARKS: usize = 32;
/// Eight colours that people with any kind of colour vision can tell apart; of Okabe and Ito, "Color Universal Design".
const COLORS: [Color; 8] = [
    Color::rgb(0xd5, 0x5e, 0x00),
    Color::rgb(0x00, 0x72, 0xb2),
    Color::rgb(0x00, 0x9e, 0x73),
    Color::rgb(0xcc, 0x79, 0xa7),
    Color::rgb(0xe6, 0x9f, 0x00),
    Color::rgb(0x56, 0xb4, 0xe9),
    Color::rgb(0xf0, 0xe4, 0x42),
    Color::rgb(0x20, 0x20, 0x20),
];

/// The pointers by their sessions.
#[derive(Debug, Default)]
pub struct Marks(Mutex<BTreeMap<u64, Mark>>);

#[derive(Debug)]
struct Mark {
    name: Arc<str>,
    color: usize,
    at: Option<Point<Source>>,
    moved: Instant,
    down: bool,
    pressed: Option<Instant>,
    trail: VecDeque<(Point<Source>, Instant)>,
}

impl Marks {
    /// A session points here, or nowhere on the picture any more; `down` while it presses. True when it was not to be
    /// seen before.
    pub fn note(&self, session: u64, name: &str, at: Option<Point<Source>>, down: bool, now: Instant) -> bool {
        let mut marks = self.lock();
        if !marks.contains_key(&session) {
            if marks.len() >= MOST_MARKS {
                return false;
            }
            let taken = |color: &usize| marks.values().any(|mark| mark.color == *color);
            let color = (0..COLORS.len()).find(|color| !taken(color)).unwrap_or(marks.len() % COLORS.len());
            let name: String = name.chars().filter(|letter| !letter.is_control()).take(LONGEST_NAME).collect();
            let (name, trail) = (Arc::from(name), VecDeque::new());
            marks.insert(session, Mark { name, color, at: None, moved: now, down: false, pressed: None, trail });
        }
        let Some(mark) = marks.get_mut(&session) else { return false };
        let was_hidden = mark.at.is_none() || now.saturating_duration_since(mark.moved) >= SHOWN_FOR;
        if down && !mark.down {
            mark.pressed = Some(now);
        }
        if let (true, Some(at)) = (down, at) {
            mark.trail.push_back((at, now));
        }
        while mark.trail.len() > LONGEST_TRAIL {
            mark.trail.pop_front();
        }
        mark.down = down;
        mark.at = at;
        mark.moved = now;
        was_hidden
    }

    /// The session points no more.
    pub fn leave(&self, session: u64) {
        self.lock().remove(&session);
    }

    /// Whether anybody has pointed and is still there.
    pub fn any(&self) -> bool {
        !self.lock().is_empty()
    }

    /// What is to be drawn now.
    pub fn list(&self, now: Instant) -> Vec<LiveMark> {
        let age = |at: Instant| now.saturating_duration_since(at);
        let shown = |mark: &mut Mark| {
            mark.trail.retain(|(_, when)| age(*when) < TRAIL_FOR);
            let at = mark.at.filter(|_| age(mark.moved) < SHOWN_FOR)?;
            let pressed = mark.pressed.filter(|when| age(*when) < TRAIL_FOR);
            let trail = mark.trail.iter().copied().collect();
            Some(LiveMark { name: Arc::clone(&mark.name), color: COLORS[mark.color], at, pressed, trail })
        };
        self.lock().values_mut().filter_map(shown).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Mark>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_colour_until_it_leaves_and_is_hidden_while_it_rests() {
        let (marks, start) = (Marks::default(), Instant::now());
        let at = Some(Point::new(3.0, 4.0));
        for session in 0..8 {
            marks.note(session, "Ann\u{7}", at, false, start);
        }
        let colors = |now| marks.list(now).iter().map(|mark| mark.color.to_string()).collect::<Vec<_>>();
        let mut different = colors(start);
        different.sort();
        different.dedup();
        assert_eq!(different.len(), 8);
        let second = colors(start)[1].clone();
        marks.leave(1);
        marks.note(9, "Bob", at, false, start);
        assert_eq!(colors(start).last(), Some(&second));
        assert_eq!(&*marks.list(start)[0].name, "Ann");
        assert!(marks.list(start + SHOWN_FOR).is_empty() && marks.any());
        marks.note(9, "Bob", None, false, start + SHOWN_FOR);
        assert!(marks.list(start + SHOWN_FOR).is_empty());
    }

    #[test]
    fn a_press_leaves_a_trail_that_is_bounded_and_goes() {
        let (marks, start) = (Marks::default(), Instant::now());
        for step in 0..500_u32 {
            let at = Some(Point::new(f64::from(step), 0.0));
            marks.note(1, "", at, true, start + Duration::from_millis(1) * step);
        }
        let shown = marks.list(start + Duration::from_millis(500));
        assert_eq!((shown[0].trail.len(), shown[0].pressed), (LONGEST_TRAIL, Some(start)));
        assert!(marks.list(start + Duration::from_secs(2))[0].trail.is_empty());
    }

    #[test]
    fn a_crowd_is_not_remembered() {
        let marks = Marks::default();
        for session in 0..1_000 {
            marks.note(session, "", None, false, Instant::now());
        }
        assert_eq!(marks.lock().len(), MOST_MARKS);
    }
}
