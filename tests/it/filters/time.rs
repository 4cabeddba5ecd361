//! Filters that remember: what they show at which moment, and what they forget.

use std::time::{Duration, Instant};

use lenscast::filter::{Chain, Class, all, create};
use lenscast::frame::{Frame, PixelFormat};
use lenscast::geometry::Size;
use lenscast::pipeline::{LiveText, Stage};
use serde_json::{Value, json};

use super::{captured, chain_of, noise};
use crate::support::random::Random;

const SIZE: Size = Size::new(24, 18);

/// A stage in made-up time.
struct Film {
    stage: Stage,
    chain: Chain,
    now: Instant,
}

impl Film {
    fn new(filters: Value) -> Self {
        Self { stage: Stage::new(), chain: chain_of(filters), now: Instant::now() }
    }

    fn of(filter: &str, params: Value) -> Self {
        Self::new(json!([{ "filter": filter, "params": params }]))
    }

    fn wait(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
    }

    fn picture(&mut self, size: Size, pixels: Vec<u8>) -> Option<Frame> {
        let picture = captured(size, PixelFormat::Rgba, pixels, self.now);
        self.stage.process(picture, &self.chain, &LiveText::default(), self.now)
    }

    /// The first level of what is shown for a picture that is all `level`.
    fn show(&mut self, level: u8) -> u8 {
        let frame = self.picture(SIZE, [level, level, level, 255].repeat(SIZE.pixels()));
        frame.expect("the frame is shown").rgba(0, 0)[0]
    }

    /// The same for the last picture again.
    fn again(&mut self) -> Option<u8> {
        self.stage.again(&self.chain, &LiveText::default(), self.now).map(|frame| frame.rgba(0, 0)[0])
    }

    /// Lets time go on until nothing changes by itself any more; how long that took, and what is shown then.
    fn settle(&mut self) -> (u64, u8) {
        let mut shown = None;
        for step in 0..10_000 {
            if !self.stage.goes_on() {
                return (step * 5, shown.expect("something was shown"));
            }
            self.wait(5);
            shown = self.again().or(shown);
        }
        panic!("it goes on for ever");
    }
}

/// Each time filter with parameters that make it remember.
fn remembering() -> Vec<(&'static str, Value)> {
    vec![
        ("delay", json!({ "seconds": 5.0 })),
        ("trails", json!({ "decay": 0.9 })),
        ("motion", json!({ "threshold": 0.05 })),
        ("motion", json!({ "style": "difference" })),
        ("temporal_denoise", json!({ "strength": 1.0 })),
        ("freeze", json!({ "freeze": true })),
        ("frame_rate", json!({ "fps": 10 })),
    ]
}

#[test]
fn every_time_filter_is_tested_here() {
    for spec in all().iter().filter(|spec| spec.class == Class::Time) {
        assert!(remembering().iter().any(|(id, _)| *id == spec.id), "{}", spec.id);
    }
}

#[test]
fn a_delay_shows_what_was_there_so_long_ago() {
    for (seconds, millis) in [(0.05, 50), (0.5, 500), (3.0, 3_000)] {
        let mut film = Film::of("delay", json!({ "seconds": seconds }));
        for number in 0..200_u64 {
            let shown = film.show(number as u8);
            let wanted = (number * 20).saturating_sub(millis) / 20;
            assert_eq!(u64::from(shown), wanted, "{seconds} seconds, picture {number}");
            film.wait(20);
        }
        assert_eq!(film.settle().1, 199);
    }
}

#[test]
fn the_memory_of_every_time_filter_is_bounded() {
    for size in [Size::new(1, 1), Size::new(17, 9), Size::new(100, 75)] {
        for (id, params) in remembering() {
            let mut film = Film::of(id, params);
            let (mut random, mut most_seen) = (Random::new(7), 0);
            for number in 0..1_000 {
                let pixels =
                    if number % 50 == 0 { noise(size, &mut random) } else { [number as u8; 4].repeat(size.pixels()) };
                film.picture(size, pixels);
                film.wait(3);
                let passes = film.stage.passes();
                let [now, most] = passes[0].memory.expect("it remembers");
                assert!(now <= most && most <= 512 << 20, "{id} on {size}: {now} of {most}");
                most_seen = most_seen.max(now);
            }
            assert!(most_seen > 0 || id == "frame_rate", "{id} says nothing about its memory");
        }
    }
}

#[test]
fn a_new_size_and_a_new_source_begin_anew() {
    let other = Size::new(31, 7);
    for (id, params) in remembering().into_iter().filter(|(id, _)| *id != "frame_rate") {
        let fresh = |size: Size| {
            let mut film = Film::of(id, params.clone());
            film.picture(size, [90, 90, 90, 255].repeat(size.pixels())).expect("the first is shown").pixels.to_vec()
        };
        for size in [SIZE, other] {
            let mut film = Film::of(id, params.clone());
            film.show(200);
            film.wait(100);
            film.show(20);
            film.wait(100);
            if size == SIZE {
                film.stage.forget();
            }
            let frame = film.picture(size, [90, 90, 90, 255].repeat(size.pixels())).expect("it is shown");
            assert!(frame.pixels[..] == fresh(size)[..], "{id} remembers what was before {size}");
        }
    }
}

#[test]
fn another_filters_slider_keeps_the_memory_and_a_hidden_region_drops_it() {
    for (id, params) in remembering().into_iter().filter(|(id, _)| *id != "frame_rate") {
        let film = |film: &mut Film| {
            film.show(200);
            film.wait(100);
            film.show(100);
            film.wait(30);
        };
        let filters = json!([{ "filter": "invert", "params": { "amount": 0.0 } }, { "filter": id, "params": params },
            { "filter": "gamma", "params": { "gamma": 1.0 } }]);
        let mut steady = Film::new(filters.clone());
        film(&mut steady);
        let wanted = steady.show(101);

        let mut moved = Film::new(filters.clone());
        film(&mut moved);
        // Too little to change a level, but another chain.
        let patch = json!({ "filters": { "3": { "params": { "gamma": 1.000_01 } } } });
        moved.chain.merge_patch(&patch).unwrap();
        assert_eq!(moved.show(101), wanted, "{id} forgets when another slider moves");

        let mut hidden = Film::new(filters);
        film(&mut hidden);
        let mut redact = create("redact").unwrap();
        for (param, value) in [("left", 0.9), ("top", 0.9), ("width", 0.1), ("height", 0.1)] {
            redact.params_mut().set(param, &lenscast::filter::ParamValue::Float(value)).unwrap();
        }
        hidden.chain.add(redact).unwrap();
        let mut fresh = Film::of(id, params);
        let first = fresh.show(101);
        assert_eq!(hidden.show(101), first, "{id} remembers what was before the region was hidden");
        assert_ne!(wanted, first, "{id} would pass this test without any memory");
    }
}

#[test]
fn its_own_slider_keeps_the_memory() {
    let mut film = Film::of("delay", json!({ "seconds": 1.0 }));
    for number in 0..100_u8 {
        film.show(number);
        film.wait(20);
    }
    film.chain.merge_patch(&json!({ "filters": { "1": { "params": { "seconds": 0.5 } } } })).unwrap();
    assert_eq!(film.show(100), 75);
    film.chain.merge_patch(&json!({ "filters": { "1": { "params": { "seconds": 2.0 } } } })).unwrap();
    film.wait(20);
    assert_eq!(film.show(101), 75, "what was forgotten does not come back");
}

#[test]
fn trails_fade_by_time_and_come_to_an_end() {
    let fade = |steps: u64| {
        let mut film = Film::of("trails", json!({ "decay": 0.8 }));
        film.show(250);
        let mut shown = 0;
        for _ in 0..steps {
            film.wait(120 / steps);
            shown = film.show(50);
        }
        assert!(film.stage.goes_on());
        let (took, end) = film.settle();
        assert!(end == 50 && took < 2_000, "{end} after {took} ms");
        shown
    };
    // 200 levels times 0.8 to the power of 3.6.
    let wanted = 50.0 + 200.0 * 0.8_f64.powf(3.6);
    for steps in [1, 4, 24, 120] {
        let shown = fade(steps);
        assert!((f64::from(shown) - wanted).abs() <= 2.0, "{shown} instead of {wanted} in {steps} steps");
    }
}

#[test]
fn trails_of_full_length_do_not_stand_still() {
    let mut film = Film::of("trails", json!({ "decay": 1.0 }));
    film.show(255);
    film.wait(10);
    film.show(0);
    let (took, end) = film.settle();
    assert!(end == 0 && took > 3_000, "{end} after {took} ms");
}

#[test]
fn motion_shows_what_moved_and_fades() {
    let mut film = Film::of("motion", json!({ "style": "difference", "threshold": 0.1 }));
    assert_eq!(film.show(100), 0);
    film.wait(30);
    assert_eq!(film.show(120), 0, "20 levels are below the threshold");
    film.wait(30);
    assert_eq!(film.show(220), 100);
    let (took, end) = film.settle();
    assert!(end == 0 && (100..600).contains(&took), "{end} after {took} ms");

    let mut film = Film::of("motion", json!({ "threshold": 0.1 }));
    let still = film.show(200);
    assert_eq!(still, 70);
    film.wait(30);
    assert_eq!(film.show(100), 100, "what moves has its colour");
    film.settle();
    assert_eq!(film.again(), Some(35));
}

#[test]
fn denoising_calms_noise_and_lets_movement_through() {
    let mut film = Film::of("temporal_denoise", json!({ "strength": 0.8 }));
    let mut random = Random::new(5);
    let (mut before, mut after) = (0, 0);
    for number in 0..60 {
        let noisy: Vec<u8> = (0..SIZE.pixels()).flat_map(|_| [94 + random.below(13) as u8, 100, 100, 255]).collect();
        let squares =
            |pixels: &[u8]| -> u32 { pixels.chunks(4).map(|pixel| u32::from(pixel[0].abs_diff(100)).pow(2)).sum() };
        let noise = squares(&noisy);
        let calm = squares(&film.picture(SIZE, noisy).unwrap().pixels);
        if number > 20 {
            (before, after) = (before + noise, after + calm);
        }
        film.wait(33);
    }
    assert!(after * 4 < before, "the noise goes from {before} to {after}");
    assert_eq!(film.show(220), 220, "a movement shows at once");
    assert!(!film.stage.goes_on());
}

#[test]
fn a_frozen_picture_stays_until_it_is_let_go() {
    let mut film = Film::of("freeze", json!({}));
    assert_eq!(film.show(10), 10);
    film.chain.merge_patch(&json!({ "filters": { "1": { "params": { "freeze": true } } } })).unwrap();
    assert_eq!([film.show(20), film.show(30), film.again().unwrap()], [20, 20, 20]);
    film.chain.merge_patch(&json!({ "filters": { "1": { "params": { "freeze": false } } } })).unwrap();
    assert_eq!(film.show(40), 40);
}

#[test]
fn a_frame_rate_is_kept_on_average_and_never_exceeded() {
    for (fps, millis, wanted) in [(30, 16, 30), (30, 33, 30), (10, 7, 10), (1, 100, 1), (60, 100, 10), (25, 15, 25)] {
        let mut film = Film::of("frame_rate", json!({ "fps": fps }));
        let mut shown = 0;
        for number in 0..10_000 / millis {
            let pixels = [number as u8; 4].repeat(SIZE.pixels());
            shown += u64::from(film.picture(SIZE, pixels).is_some());
            film.wait(millis);
        }
        assert!(shown.abs_diff(wanted * 10) <= wanted + 1, "{shown} in ten seconds of {fps} from one each {millis} ms");
        assert!(shown <= fps * 10 + 1);
    }
}

#[test]
fn the_last_picture_of_a_movement_is_shown_in_the_end() {
    let mut film = Film::of("frame_rate", json!({ "fps": 5 }));
    film.show(1);
    for number in 2..=8 {
        film.wait(15);
        let pixels = [number, number, number, 255].repeat(SIZE.pixels());
        assert!(film.picture(SIZE, pixels).is_none());
    }
    assert!(film.stage.goes_on());
    let (took, end) = film.settle();
    assert_eq!(end, 8);
    assert!(took <= 100, "{took} ms");
    film.wait(1_000);
    assert_eq!(film.show(9), 9, "after a pause at once");
}
