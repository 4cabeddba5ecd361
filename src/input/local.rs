//! What counts as the person at the host taking over; pure.

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

/// What the person at the host did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocalAct {
    /// Used the real mouse or keyboard.
    Active,
    /// Pressed Ctrl, Alt, Shift and Escape: everything has to end.
    Stop,
}

/// So many motions in so short a time are a hand, and not a desk that was bumped.
const MOTIONS: usize = 3;
const MOTION_TIME: Duration = Duration::from_millis(300);
/// X's keycodes, left and right.
const CONTROL: [u32; 2] = [37, 105];
const ALT: [u32; 2] = [64, 108];
const SHIFT: [u32; 2] = [50, 62];
const ESCAPE: u32 = 9;

/// Sees what the real devices do, and says what of it matters.
#[derive(Debug, Default)]
pub struct LocalWatch {
    motions: VecDeque<Instant>,
    down: BTreeSet<u32>,
}

impl LocalWatch {
    pub fn moved(&mut self, now: Instant) -> Option<LocalAct> {
        self.motions.push_back(now);
        while self.motions.front().is_some_and(|&at| now.saturating_duration_since(at) > MOTION_TIME) {
            self.motions.pop_front();
        }
        if self.motions.len() < MOTIONS {
            return None;
        }
        self.motions.pop_front();
        Some(LocalAct::Active)
    }

    pub fn key(&mut self, keycode: u32, down: bool) -> Option<LocalAct> {
        if !down {
            self.down.remove(&keycode);
            return None;
        }
        self.down.insert(keycode);
        let held = |keys: [u32; 2]| keys.iter().any(|key| self.down.contains(key));
        let stop = keycode == ESCAPE && held(CONTROL) && held(ALT) && held(SHIFT);
        Some(if stop { LocalAct::Stop } else { LocalAct::Active })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bump_is_not_a_hand() {
        let (mut watch, start) = (LocalWatch::default(), Instant::now());
        let mut moved = |ms| watch.moved(start + Duration::from_millis(ms));
        assert_eq!([moved(0), moved(10)], [None, None]);
        assert_eq!([moved(900), moved(910)], [None, None]);
        assert_eq!([moved(920), moved(930)], [Some(LocalAct::Active); 2]);
    }

    #[test]
    fn only_the_four_keys_together_stop_everything() {
        let mut watch = LocalWatch::default();
        assert_eq!(watch.key(ESCAPE, true), Some(LocalAct::Active));
        watch.key(ESCAPE, false);
        for key in [CONTROL[1], ALT[0], SHIFT[0]] {
            assert_eq!(watch.key(key, true), Some(LocalAct::Active));
        }
        assert_eq!(watch.key(ESCAPE, true), Some(LocalAct::Stop));
        watch.key(SHIFT[0], false);
        assert_eq!(watch.key(ESCAPE, true), Some(LocalAct::Active));
    }
}
