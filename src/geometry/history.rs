//! The geometries of the last two seconds, so that a click aimed at an older frame still lands where it was aimed.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Geometry;

/// How long a replaced geometry still answers.
const KEPT: Duration = Duration::from_secs(2);
/// A dragged slider makes a new geometry with every frame; two seconds of 60 a second fit.
const MOST: usize = 128;

/// Bounded; the newest always stays.
#[derive(Debug, Default)]
pub struct GeometryHistory {
    /// Oldest first, with the time it was replaced (`None` for the newest).
    entries: VecDeque<(Arc<Geometry>, Option<Instant>)>,
}

impl GeometryHistory {
    /// Notes the geometry of the newest frame; does nothing if it is the one already noted.
    pub fn note(&mut self, geometry: &Arc<Geometry>, now: Instant) {
        if let Some((newest, replaced)) = self.entries.back_mut() {
            if newest.epoch == geometry.epoch {
                return;
            }
            *replaced = Some(now);
        }
        self.entries.push_back((Arc::clone(geometry), None));
        while self.entries.len() > MOST {
            self.entries.pop_front();
        }
    }

    pub fn find(&self, epoch: u32, now: Instant) -> Option<Arc<Geometry>> {
        let fresh = |replaced: &Option<Instant>| replaced.is_none_or(|at| now.saturating_duration_since(at) <= KEPT);
        let (geometry, _) = self.entries.iter().rev().find(|(known, at)| known.epoch == epoch && fresh(at))?;
        Some(Arc::clone(geometry))
    }

    pub fn newest(&self) -> Option<Arc<Geometry>> {
        self.entries.back().map(|(geometry, _)| Arc::clone(geometry))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Size;
    use super::*;

    #[test]
    fn a_replaced_geometry_answers_for_two_seconds_and_the_newest_for_ever() {
        let start = Instant::now();
        let mut history = GeometryHistory::default();
        for epoch in 1..=2 {
            history.note(&Arc::new(Geometry::untouched(epoch, Size::new(4, 4), None)), start);
        }
        assert!(history.find(1, start + Duration::from_secs(2)).is_some());
        assert!(history.find(1, start + Duration::from_secs(3)).is_none());
        assert!(history.find(2, start + Duration::from_secs(3_600)).is_some());
        assert!(history.find(3, start).is_none());
    }
}
