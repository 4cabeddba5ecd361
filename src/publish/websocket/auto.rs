//! Which size suits a viewer who leaves it to the host: pure, by how long frames take to arrive.

use std::time::{Duration, Instant};

use crate::encode::Rung;

/// Frames that take longer than this to arrive and be drawn are too large for the way or for the viewer.
const SLOW: Duration = Duration::from_millis(250);
/// So many in a row, because a single one says nothing.
const SLOW_IN_A_ROW: u32 = 4;
/// Frames that arrive within this leave room for larger ones.
const QUICK: Duration = Duration::from_millis(60);
/// A larger size is tried after so long without a slower frame; twice as long each time it was in vain.
const FIRST_PATIENCE: Duration = Duration::from_secs(8);
const LONGEST_PATIENCE: Duration = Duration::from_secs(120);
/// A larger size that fails within this time was in vain.
const IN_VAIN: Duration = Duration::from_secs(6);

/// One viewer's size.
#[derive(Debug)]
pub struct Auto {
    rung: Rung,
    slow: u32,
    quick_since: Option<Instant>,
    grown: Option<Instant>,
    patience: Duration,
}

impl Auto {
    pub fn new(now: Instant) -> Self {
        Self { rung: Rung::Full, slow: 0, quick_since: Some(now), grown: None, patience: FIRST_PATIENCE }
    }

    pub fn rung(&self) -> Rung {
        self.rung
    }

    /// A frame was acknowledged so long after it was sent.
    pub fn on_arrival(&mut self, time: Duration, now: Instant) {
        self.slow = if time > SLOW { self.slow + 1 } else { 0 };
        if time > QUICK {
            self.quick_since = None;
        }
        let quick_since = *self.quick_since.get_or_insert(now);
        if self.slow >= SLOW_IN_A_ROW && self.rung != Rung::Quarter {
            let vain = self.grown.is_some_and(|at| now.saturating_duration_since(at) < IN_VAIN);
            self.patience = if vain { (self.patience * 2).min(LONGEST_PATIENCE) } else { self.patience };
            self.rung = if self.rung == Rung::Full { Rung::Half } else { Rung::Quarter };
            (self.slow, self.quick_since) = (0, None);
        } else if self.rung != Rung::Full && now.saturating_duration_since(quick_since) >= self.patience {
            self.rung = if self.rung == Rung::Quarter { Rung::Half } else { Rung::Full };
            (self.grown, self.quick_since) = (Some(now), None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn slow_arrivals_make_it_smaller_and_quick_ones_larger_again() {
        let start = Instant::now();
        let mut auto = Auto::new(start);
        let mut rungs = Vec::new();
        for tenth in 0..400u32 {
            let time = if tenth < 20 { 400 * MS } else { 20 * MS };
            auto.on_arrival(time, start + tenth * 100 * MS);
            if rungs.last() != Some(&auto.rung()) {
                rungs.push(auto.rung());
            }
        }
        assert_eq!(rungs, [Rung::Full, Rung::Half, Rung::Quarter, Rung::Half, Rung::Full]);
    }

    #[test]
    fn a_size_that_fails_again_and_again_is_tried_ever_less_often() {
        let start = Instant::now();
        let mut auto = Auto::new(start);
        let mut grown = 0;
        for tenth in 0..6_000u32 {
            let before = auto.rung();
            let time = if before == Rung::Full { 400 * MS } else { 20 * MS };
            auto.on_arrival(time, start + tenth * 100 * MS);
            grown += u32::from(before != Rung::Full && auto.rung() == Rung::Full);
        }
        assert!((3..=9).contains(&grown), "{grown} times in ten minutes");
    }
}
