//! Whether the filters are too slow for the source, and what the window says about it.

use std::time::{Duration, Instant};

use crate::engine::Status;
use crate::filter::{Chain, Entry, Filter, find};
use crate::pipeline::PassReport;

/// How often it is looked at; figures of a shorter time say little.
const LOOK: Duration = Duration::from_millis(500);
/// So many looks in a row have to agree before the window says that filters are slow, or no longer says it.
const LOOKS: [u32; 2] = [3, 6];
/// Filters that show this share of what is captured are fast enough: nobody sees the difference.
const ENOUGH: f32 = 0.92;

/// Follows the figures, so that one slow moment is no news.
#[derive(Debug, Default)]
pub struct Slowness {
    /// When it was last looked at, and how many frames had been dropped by then.
    last: Option<(Instant, u64)>,
    /// Looks in a row that disagree with what is said.
    disagreeing: u32,
    is_slow: bool,
}

impl Slowness {
    pub fn note(&mut self, status: &Status, now: Instant) {
        let dropped = status.frames.dropped;
        let Some((at, before)) = self.last else {
            self.last = Some((now, dropped));
            return;
        };
        if now.saturating_duration_since(at) < LOOK {
            return;
        }
        self.last = Some((now, dropped));
        // Without dropped frames it is a filter's wish that fewer are shown.
        let slow = dropped > before
            && status.filtered_fps < status.captured_fps * ENOUGH
            && status.passes.iter().any(|pass| !pass.took.is_zero());
        self.disagreeing = if slow == self.is_slow { 0 } else { self.disagreeing + 1 };
        if self.disagreeing >= LOOKS[usize::from(self.is_slow)] {
            (self.is_slow, self.disagreeing) = (slow, 0);
        }
    }

    pub fn is_slow(&self) -> bool {
        self.is_slow
    }
}

/// `Filters: 18 of 30 fps, cartoon takes 41 ms`. `names` are those of the items of the chain.
pub fn sentence(status: &Status, chain: &Chain, names: &[String]) -> String {
    let decimals = usize::from(status.filtered_fps < 3.0);
    let mut text = format!("Filters: {:.decimals$} of {:.0} fps", status.filtered_fps, status.captured_fps);
    if let Some(slowest) = status.passes.iter().max_by_key(|pass| pass.took)
        && let [first, others @ ..] = &names_of(slowest, chain, names)[..]
    {
        let verb = if others.is_empty() { "takes" } else { "take" };
        let more = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
        text.push_str(&format!(", {}{more} {verb} {}", inside_sentence(first), duration_text(slowest.took)));
    }
    text
}

/// The names of the items whose work a pass does.
pub fn names_of<'a>(pass: &PassReport, chain: &Chain, names: &'a [String]) -> Vec<&'a str> {
    let items = chain.items().iter().zip(names);
    items.filter(|(item, _)| pass.keys.contains(&item.key)).map(|(_, name)| name.as_str()).collect()
}

/// Milliseconds in as many digits as they deserve.
pub fn duration_text(took: Duration) -> String {
    let ms = took.as_secs_f32() * 1e3;
    match ms {
        ..9.95 => format!("{ms:.1} ms"),
        ..999.5 => format!("{ms:.0} ms"),
        _ => format!("{:.1} s", ms / 1e3),
    }
}

/// Whether processing at half size can be offered: there is a filter for it, and it is not there already.
pub fn half_size_is_possible(chain: &Chain) -> bool {
    let is_scale = |entry: &Entry| matches!(entry, Entry::Filter(filter) if filter.spec().id == "scale");
    let mut running = chain.items().iter().filter(|item| item.enabled);
    let first = running.find(|item| !matches!(item.entry, Entry::Filter(Filter::Redact(_))));
    find("scale").is_some() && !first.is_some_and(|item| is_scale(&item.entry))
}

/// A name in the middle of a sentence; `LUT file` keeps its capitals.
fn inside_sentence(name: &str) -> String {
    let mut letters = name.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => first.to_lowercase().chain(letters).collect(),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::FrameCounts;
    use crate::filter::create;
    use crate::geometry::Size;
    use crate::pipeline::PassKind;

    fn pass(keys: &[u32], ms: u64) -> PassReport {
        PassReport {
            keys: keys.to_vec(),
            kind: PassKind::Neighbourhood,
            size: Size::new(1_920, 1_080),
            took: Duration::from_millis(ms),
            memory: None,
            aside: None,
        }
    }

    fn status(fps: f32, dropped: u64) -> Status {
        Status {
            captured_fps: 30.0,
            filtered_fps: fps,
            frames: FrameCounts { dropped, ..FrameCounts::default() },
            passes: vec![pass(&[1], 41)],
            ..Status::default()
        }
    }

    #[test]
    fn slow_filters_are_told_after_a_while_and_only_if_frames_are_dropped() {
        let start = Instant::now();
        for (fps, drops, expected) in [(18.0, 1, true), (18.0, 0, false), (29.0, 1, false)] {
            let mut slowness = Slowness::default();
            for look in 0..4_u32 {
                assert!(!slowness.is_slow());
                slowness.note(&status(fps, drops * u64::from(look)), start + LOOK * look);
                // Between two looks nothing is counted.
                slowness.note(&status(30.0, 1_000), start + LOOK * look + LOOK / 2);
            }
            assert_eq!(slowness.is_slow(), expected, "{fps} {drops}");
            for look in 4..10 {
                slowness.note(&status(30.0, 3), start + LOOK * look);
            }
            assert!(!slowness.is_slow());
        }
    }

    #[test]
    fn the_sentence_names_the_slowest_pass() {
        let mut chain = Chain::default();
        for id in ["cartoon", "invert", "lut3d"] {
            chain.add(create(id).unwrap());
        }
        let names = ["Cartoon", "Invert", "LUT file"].map(str::to_owned);
        let mut status = status(18.2, 0);
        assert_eq!(sentence(&status, &chain, &names), "Filters: 18 of 30 fps, cartoon takes 41 ms");
        status.passes.push(pass(&[3, 2], 52));
        assert_eq!(sentence(&status, &chain, &names), "Filters: 18 of 30 fps, invert and 1 more take 52 ms");
        status.passes = vec![pass(&[3], 4)];
        assert_eq!(sentence(&status, &chain, &names), "Filters: 18 of 30 fps, LUT file takes 4.0 ms");
        status.passes = vec![pass(&[99], 4)];
        assert_eq!(sentence(&status, &chain, &names), "Filters: 18 of 30 fps");
    }
}
