//! Who controls the desktop: one at a time. Pure.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Whoever did nothing for so long loses the desktop to the next who does something.
const IDLE: Duration = Duration::from_secs(5);
/// More wait in no sensible meeting.
const MOST_ASKING: usize = 16;

/// Who has the desktop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Holder {
    /// The first who does something gets it.
    #[default]
    Nobody,
    Session(u64),
    /// The person at the host took it, and gives it back.
    Host,
}

/// What a viewer may wish about the control of the desktop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatonWish {
    /// Have it, as soon as it is free.
    Ask,
    /// Give it away: to who asked first, or to nobody.
    GiveAway,
}

/// One place, and who waits for it.
#[derive(Debug, Default)]
pub struct Baton {
    holder: Holder,
    /// When the holder did something other than moving.
    acted: Option<Instant>,
    asking: VecDeque<u64>,
}

impl Baton {
    pub fn holder(&self) -> Holder {
        self.holder
    }

    /// Who wants it, the longest waiting first.
    pub fn asking(&self) -> impl Iterator<Item = u64> {
        self.asking.iter().copied()
    }

    /// Whether a session may do something now. The first may, and from then on only that one, until it rests while
    /// another does more than `only_moves`.
    pub fn lets(&mut self, session: u64, only_moves: bool, now: Instant) -> bool {
        match self.holder {
            Holder::Host => return false,
            Holder::Nobody => self.pass_to(session),
            Holder::Session(holder) if holder == session => {}
            Holder::Session(_) => {
                let idle = self.acted.is_none_or(|at| now.saturating_duration_since(at) >= IDLE);
                if only_moves || !idle {
                    return false;
                }
                self.pass_to(session);
            }
        }
        if !only_moves {
            self.acted = Some(now);
        }
        true
    }

    pub fn wish(&mut self, session: u64, wish: BatonWish) {
        match wish {
            BatonWish::Ask if self.holder == Holder::Nobody => self.pass_to(session),
            BatonWish::Ask => {
                let waits = self.asking.contains(&session) || self.holder == Holder::Session(session);
                if !waits && self.asking.len() < MOST_ASKING {
                    self.asking.push_back(session);
                }
            }
            BatonWish::GiveAway => self.leave(session),
        }
    }

    /// The session has it no more, and does not wait for it.
    pub fn leave(&mut self, session: u64) {
        self.asking.retain(|&waiting| waiting != session);
        if self.holder == Holder::Session(session) {
            match self.asking.pop_front() {
                Some(next) => self.pass_to(next),
                None => self.free(),
            }
        }
    }

    /// The person at the host decides who has it.
    pub fn give(&mut self, holder: Holder) {
        match holder {
            Holder::Session(session) => self.pass_to(session),
            Holder::Nobody => self.free(),
            Holder::Host => {
                self.holder = Holder::Host;
                self.acted = None;
            }
        }
    }

    fn pass_to(&mut self, session: u64) {
        self.asking.retain(|&waiting| waiting != session);
        self.holder = Holder::Session(session);
        self.acted = None;
    }

    fn free(&mut self) {
        self.holder = Holder::Nobody;
        self.acted = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_has_it_until_he_rests_and_moving_takes_it_from_nobody() {
        let (mut baton, start) = (Baton::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        assert!(baton.lets(1, false, at(0)));
        assert!(!baton.lets(2, false, at(4_900)));
        assert!(baton.lets(1, true, at(4_950)), "moving is no work");
        assert!(!baton.lets(2, true, at(5_100)));
        assert!(baton.lets(2, false, at(5_100)));
        assert!(!baton.lets(1, false, at(5_200)));
    }

    #[test]
    fn who_only_moved_loses_it_to_who_clicks() {
        let (mut baton, now) = (Baton::default(), Instant::now());
        assert!(baton.lets(1, true, now));
        assert!(!baton.lets(2, true, now));
        assert!(baton.lets(2, false, now));
        assert_eq!(baton.holder(), Holder::Session(2));
    }

    #[test]
    fn it_goes_to_who_asked_first_and_the_host_takes_and_gives() {
        let (mut baton, now) = (Baton::default(), Instant::now());
        baton.wish(1, BatonWish::Ask);
        assert_eq!(baton.holder(), Holder::Session(1));
        for session in [2, 3, 2] {
            baton.wish(session, BatonWish::Ask);
        }
        assert_eq!(baton.asking().collect::<Vec<_>>(), [2, 3]);
        baton.wish(1, BatonWish::GiveAway);
        assert_eq!(baton.holder(), Holder::Session(2));
        baton.give(Holder::Host);
        assert!(!baton.lets(2, false, now) && !baton.lets(3, false, now));
        baton.give(Holder::Session(3));
        assert!(baton.lets(3, false, now));
        baton.leave(3);
        assert_eq!((baton.holder(), baton.asking().count()), (Holder::Nobody, 0));
    }

    #[test]
    fn no_more_wait_than_there_is_room_for() {
        let mut baton = Baton::default();
        for session in 0..1_000 {
            baton.wish(session, BatonWish::Ask);
        }
        assert_eq!(baton.asking().count(), MOST_ASKING);
    }
}
