//! What the window says of the cost of filters.

use std::time::Duration;

use lenscast::engine::FrameCounts;
use lenscast::pipeline::{PassKind, PassReport};

use super::*;

fn pass(keys: &[u32], kind: PassKind, ms: u64, memory: Option<[usize; 2]>) -> PassReport {
    let (keys, took) = (keys.to_vec(), Duration::from_millis(ms));
    PassReport { keys, kind, size: Size::new(1920, 1080), took, memory, aside: None }
}

/// Two colour filters in one pass, and a slow one.
fn slow() -> Status {
    Status {
        captured_fps: 30.0,
        filtered_fps: 18.0,
        passes: vec![
            pass(&[1, 2], PassKind::Points(vec!["matrix"]), 2, None),
            pass(&[3], PassKind::Neighbourhood, 41, Some([12 << 20, 512 << 20])),
        ],
        ..Status::default()
    }
}

#[test]
fn every_card_says_what_it_costs_and_the_passes_are_listed_in_order() {
    let mut window = window(with_filters(&["saturation", "invert", "cartoon"]), slow());
    assert!(window.query_by_label("2.0 ms together with Invert").is_some());
    assert!(window.query_by_label("2.0 ms together with Saturation").is_some());
    assert!(window.query_by_label("12 of 512 MiB").is_some());
    assert!(window.query_by_label("1. Saturation, Invert").is_none());
    let header = window.get_by_label("How it runs");
    header.scroll_to_me();
    window.run();
    window.get_by_label("How it runs").click();
    window.run();
    for text in [
        "1. Saturation, Invert",
        "one walk over the pixels: matrix · 1920 × 1080",
        "2. Cartoon",
        "neighbourhood · 1920 × 1080 · remembers 12 MiB",
        "All together 43 ms",
    ] {
        assert!(window.query_by_label(text).is_some(), "{text}");
    }
}

#[test]
fn filters_that_are_too_slow_are_said_so_with_the_offer_of_half_the_size() {
    let mut window = window(with_filters(&["saturation", "invert", "cartoon"]), slow());
    let sentence = "Filters: 18 of 30 fps, cartoon takes 41 ms";
    assert!(window.query_by_label(sentence).is_none());
    let start = Instant::now();
    for look in 0..5_u32 {
        let frames = FrameCounts { dropped: u64::from(look) * 6, ..FrameCounts::default() };
        let status = Status { frames, ..slow() };
        window.state_mut().model.slowness.note(&status, start + Duration::from_millis(600) * look);
    }
    window.run();
    assert!(window.query_by_label(sentence).is_some());
    window.get_by_label("Process at half size").click();
    window.run();
    assert_eq!(window.state().keys(), [4, 1, 2, 3]);
    assert!(window.query_by_label("Process at half size").is_none(), "once is enough");
    window.get_by_label("Remove Scale").click();
    window.run();
    assert_eq!(window.state().keys(), [1, 2, 3]);
    assert!(window.query_by_label("Process at half size").is_some());
}
