//! The last minute of each viewer, for the small plots beside the figures. No threads, no I/O.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::model::HISTORY_SECONDS;
use crate::engine::ViewerInfo;

/// What is kept of a viewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trace {
    Bitrate,
    Delay,
    RoundTrip,
    Loss,
}

const TRACES: usize = 4;

/// One figure of each kind a second; what was unknown then is `None`.
#[derive(Debug, Default)]
pub struct ViewerHistory {
    viewers: BTreeMap<u64, VecDeque<[Option<f32>; TRACES]>>,
    last: Option<Instant>,
}

impl ViewerHistory {
    /// Notes the figures of all viewers, at most once a second; who is gone is forgotten.
    pub fn note(&mut self, viewers: &[ViewerInfo], now: Instant) {
        if self.last.is_some_and(|last| now.saturating_duration_since(last) < Duration::from_secs(1)) {
            return;
        }
        self.last = Some(now);
        self.viewers.retain(|id, _| viewers.iter().any(|viewer| viewer.id == *id));
        for viewer in viewers {
            let past = self.viewers.entry(viewer.id).or_default();
            if past.len() >= HISTORY_SECONDS {
                past.pop_front();
            }
            past.push_back([Some(viewer.kbps), viewer.delay_ms, viewer.round_trip_ms, viewer.loss_percent]);
        }
    }

    /// The figures of one viewer, oldest first.
    pub fn figures(&self, viewer: u64, trace: Trace) -> Vec<Option<f32>> {
        let past = self.viewers.get(&viewer).into_iter().flatten();
        past.map(|figures| figures[trace as usize]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Transport;

    fn viewer(id: u64, delay_ms: Option<f32>) -> ViewerInfo {
        ViewerInfo {
            id,
            name: None,
            address: [127, 0, 0, 1].into(),
            transport: Transport::Websocket,
            rung: None,
            pinned: None,
            codec: "jpeg",
            sent: 0,
            skipped: 0,
            kbps: 10.0,
            fps: None,
            delay_ms,
            estimate_kbps: None,
            loss_percent: None,
            round_trip_ms: None,
            controls: false,
            guest: None,
        }
    }

    #[test]
    fn a_minute_is_kept_of_each_viewer_for_as_long_as_it_watches() {
        let start = Instant::now();
        let mut history = ViewerHistory::default();
        for half in 0..200u64 {
            let delay = (half % 4 < 2).then_some(half as f32);
            history.note(&[viewer(1, delay), viewer(2, None)], start + Duration::from_millis(500 * half));
        }
        let delays = history.figures(1, Trace::Delay);
        assert_eq!(delays.len(), HISTORY_SECONDS);
        assert!(delays.iter().any(Option::is_some) && delays.iter().any(Option::is_none));
        assert_eq!(history.figures(2, Trace::Bitrate).last(), Some(&Some(10.0)));
        history.note(&[viewer(2, None)], start + Duration::from_secs(300));
        assert!(history.figures(1, Trace::Delay).is_empty());
    }
}
