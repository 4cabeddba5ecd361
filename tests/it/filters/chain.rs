//! What a chain and the stage that runs it promise.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lenscast::filter::{Chain, Class, Entry, Filter, all, create};
use lenscast::frame::{Frame, PixelFormat};
use lenscast::geometry::Size;
use lenscast::pipeline::{LiveText, Stage};
use serde_json::json;

use super::{captured, chain_of, noise, randomise, run};
use crate::support::random::Random;

const SIZE: Size = Size::new(64, 48);

fn live() -> LiveText {
    let (clock, date) = ("12:34:56".into(), "2026-03-01".into());
    LiveText { fps: 30.0, viewers: 2, clock, date, ..LiveText::default() }
}

fn random_filter(random: &mut Random, wanted: impl Fn(Class) -> bool) -> Filter {
    let specs: Vec<_> = all().into_iter().filter(|spec| wanted(spec.class)).collect();
    let mut filter = create(specs[random.below(specs.len())].id).unwrap();
    randomise(&mut filter, random);
    filter
}

#[test]
fn a_chain_that_does_nothing_passes_the_captured_buffer_on() {
    let mut unused = chain_of(json!([
        { "filter": "invert", "enabled": false },
        { "filter": "from_the_future", "params": { "x": 1 } },
    ]));
    let may_draw = |id: &str| VISIBLE_BY_DEFAULT.contains(&id) || ["cursor_highlight", "pointers"].contains(&id);
    for spec in all().iter().filter(|spec| !may_draw(spec.id)) {
        unused.add(create(spec.id).unwrap()).unwrap();
    }
    for chain in [Chain::default(), unused] {
        for format in [PixelFormat::Bgrx, PixelFormat::Rgba] {
            let pixels = noise(SIZE, &mut Random::new(1));
            let address = pixels.as_ptr();
            let now = Instant::now();
            let frame = Stage::new().process(captured(SIZE, format, pixels, now), &chain, &live(), now).unwrap();
            assert_eq!((frame.pixels.as_ptr(), frame.format), (address, format));
            assert!(frame.geometry.mappings.is_empty());
        }
    }
}

/// What the catalogue wants to be seen as soon as it is added.
pub const VISIBLE_BY_DEFAULT: &[&str] = &[
    "grayscale",
    "sepia",
    "invert",
    "posterize",
    "threshold",
    "solarize",
    "false_color",
    "vignette",
    "redact",
    "edges",
    "sobel",
    "cartoon",
    "sketch",
    "oil",
    "glow",
    "adaptive_threshold",
    "motion",
    "chroma_key",
    "color_key",
];

#[test]
fn a_default_changes_the_picture_only_where_the_catalogue_says_so() {
    let pixels = noise(SIZE, &mut Random::new(2));
    for spec in all() {
        let frame = run(SIZE, &pixels, &chain_of(json!([{ "filter": spec.id }])));
        let changed = frame.pixels[..] != pixels[..];
        assert_eq!(changed, VISIBLE_BY_DEFAULT.contains(&spec.id), "{}", spec.id);
    }
}

#[test]
fn a_moved_slider_is_in_the_next_frame() {
    let (mut stage, now) = (Stage::new(), Instant::now());
    let pixels = [100, 100, 100, 255].repeat(SIZE.pixels());
    let mut chain = chain_of(json!([{ "filter": "brightness_contrast" }]));
    let mut level = |stage: &mut Stage, brightness: f32| {
        chain.merge_patch(&json!({ "filters": { "1": { "params": { "brightness": brightness } } } })).unwrap();
        let picture = captured(SIZE, PixelFormat::Rgba, pixels.clone(), now);
        stage.process(picture, &chain, &live(), now).unwrap().rgba(3, 3)[0]
    };
    assert_eq!([0.0, 0.2, -0.2, 0.0].map(|brightness| level(&mut stage, brightness)), [100, 151, 49, 100]);
}

#[test]
fn a_still_picture_is_filtered_again_when_the_chain_changes() {
    let (mut stage, start) = (Stage::new(), Instant::now());
    let invert = chain_of(json!([{ "filter": "invert" }]));
    assert!(stage.again(&invert, &live(), start).is_none());
    let pixels = noise(SIZE, &mut Random::new(3));
    let first = stage
        .process(captured(SIZE, PixelFormat::Rgba, pixels.clone(), start), &Chain::default(), &live(), start)
        .unwrap();
    let later = start + Duration::from_secs(1);
    let again = stage.again(&invert, &live(), later).unwrap();
    assert_eq!(again.rgba(5, 5)[0], 255 - first.rgba(5, 5)[0]);
    assert_eq!(again.times.captured, later);
    assert!(again.id > first.id);
    let next = stage.process(captured(SIZE, PixelFormat::Rgba, pixels, later), &invert, &live(), later).unwrap();
    assert!(next.id > again.id);
    stage.forget();
    assert!(stage.again(&invert, &live(), later).is_none());
}

#[test]
fn a_geometry_is_kept_until_it_changes() {
    let (mut stage, now) = (Stage::new(), Instant::now());
    let mut process = |chain: &Chain| {
        let picture = captured(SIZE, PixelFormat::Rgba, vec![0; SIZE.pixels() * 4], now);
        stage.process(picture, chain, &live(), now).unwrap().geometry
    };
    let plain = process(&Chain::default());
    assert_eq!(plain.epoch, 1);
    assert!(Arc::ptr_eq(&plain, &process(&chain_of(json!([{ "filter": "invert" }])))));
    let mirrored = chain_of(json!([{ "filter": "flip", "params": { "horizontal": true } }]));
    let flipped = process(&mirrored);
    assert_eq!(flipped.epoch, 2);
    assert!(Arc::ptr_eq(&flipped, &process(&mirrored)));
    assert_eq!(process(&Chain::default()).epoch, 3);
}

#[test]
fn bgrx_and_rgba_give_the_same_picture() {
    for seed in 0..120 {
        let mut random = Random::new(seed);
        let mut chain = Chain::default();
        for _ in 0..1 + random.below(3) {
            chain.add(random_filter(&mut random, |_| true)).unwrap();
        }
        let mut rgba = noise(SIZE, &mut random);
        rgba.chunks_exact_mut(4).for_each(|pixel| pixel[3] = 255);
        let bgrx: Vec<u8> = rgba.chunks_exact(4).flat_map(|pixel| [pixel[2], pixel[1], pixel[0], 0]).collect();
        let now = Instant::now();
        let [one, other] = [(PixelFormat::Rgba, rgba), (PixelFormat::Bgrx, bgrx)].map(|(format, pixels)| {
            Stage::new().process(captured(SIZE, format, pixels, now), &chain, &live(), now).unwrap()
        });
        assert_eq!(one.size, other.size);
        let colors = |frame: &Frame| {
            let places = (0..frame.size.height).flat_map(|y| (0..frame.size.width).map(move |x| (x, y)));
            places.map(|(x, y)| frame.rgba(x, y)).collect::<Vec<_>>()
        };
        assert!(colors(&one) == colors(&other), "seed {seed}: {}", chain.to_json());
    }
}

#[test]
fn fused_filters_give_what_they_give_one_after_another() {
    for seed in 0..200 {
        let mut random = Random::new(seed);
        // Neighbouring movements are one resampling by design, which is better than two and so not the same.
        let filters: Vec<Filter> = (0..2 + random.below(4))
            .map(|_| random_filter(&mut random, |class| !matches!(class, Class::Geometric | Class::Place)))
            .collect();
        let pixels = noise(SIZE, &mut random);
        let mut whole = Chain::default();
        let mut stepwise = pixels.clone();
        for filter in filters {
            whole.add(filter.clone()).unwrap();
            let mut single = Chain::default();
            single.add(filter).unwrap();
            stepwise = run(SIZE, &stepwise, &single).pixels.to_vec();
        }
        assert!(run(SIZE, &pixels, &whole).pixels[..] == stepwise[..], "seed {seed}: {}", whole.to_json());
    }
}

#[test]
fn colour_filters_keep_alpha() {
    for seed in 0..100 {
        let mut random = Random::new(seed);
        let mut chain = Chain::default();
        chain.add(random_filter(&mut random, |class| class == Class::Point)).unwrap();
        let pixels = noise(SIZE, &mut random);
        let frame = run(SIZE, &pixels, &chain);
        let alpha = |pixels: &[u8]| pixels.chunks(4).map(|pixel| pixel[3]).collect::<Vec<_>>();
        assert_eq!(alpha(&frame.pixels), alpha(&pixels), "seed {seed}");
    }
}

#[test]
fn a_filter_that_cant_be_prepared_is_left_out_and_reported() {
    let wide = Size::new(16_000, 4);
    let mut chain = chain_of(json!([
        { "filter": "invert" },
        { "filter": "rotate", "params": { "degrees": 45, "expand": true } },
    ]));
    let (mut stage, now) = (Stage::new(), Instant::now());
    let picture = || captured(wide, PixelFormat::Rgba, vec![0; wide.pixels() * 4], now);
    let frame = stage.process(picture(), &chain, &live(), now).unwrap();
    assert_eq!((frame.size, frame.rgba(0, 0)), (wide, [255, 255, 255, 0]));
    let [(key, reason)] = stage.report() else { panic!("{:?}", stage.report()) };
    assert_eq!(chain.item(*key).map(|item| matches!(item.entry, Entry::Filter(Filter::Rotate(_)))), Some(true));
    assert!(reason.contains("too large"), "{reason}");
    chain.remove(*key);
    stage.process(picture(), &chain, &live(), now).unwrap();
    assert!(stage.report().is_empty());
}

#[test]
fn nothing_of_a_hidden_region_shows_whatever_else_is_in_the_chain() {
    for seed in 0..150 {
        let mut random = Random::new(seed);
        let mut chain = Chain::default();
        for _ in 0..random.below(4) {
            chain.add(random_filter(&mut random, |class| class != Class::Place)).unwrap();
        }
        let hide = create("redact").unwrap();
        let key = chain.add(hide).unwrap();
        let place = random.below(4);
        chain.move_to(key, place);
        let pixels = noise(SIZE, &mut random);
        let mut other = pixels.clone();
        for y in 12..36 {
            for value in &mut other[(y * 64 + 16) * 4..(y * 64 + 48) * 4] {
                *value = random.next() as u8;
            }
        }
        let [one, other] = [pixels, other].map(|pixels| run(SIZE, &pixels, &chain));
        assert!(one.pixels[..] == other.pixels[..], "seed {seed}: {}", chain.to_json());
    }
}

#[test]
fn a_blurred_region_keeps_to_itself() {
    for style in ["pixelate", "blur"] {
        for strength in [0.0, 0.5, 1.0] {
            let chain = chain_of(json!([{ "filter": "redact", "params": { "style": style, "strength": strength } }]));
            let pixels = noise(SIZE, &mut Random::new(4));
            let frame = run(SIZE, &pixels, &chain);
            let mut farthest = 0;
            for (at, (now, before)) in frame.pixels.chunks(4).zip(pixels.chunks(4)).enumerate() {
                let (x, y) = (at % 64, at / 64);
                if (16..48).contains(&x) && (12..36).contains(&y) {
                    farthest = farthest.max(now[0].abs_diff(128));
                } else {
                    assert_eq!(now, before, "{style} {strength}: {x}, {y}");
                }
            }
            assert!(farthest < 60, "{style} {strength}: noise still has {farthest} levels");
        }
    }
}

#[test]
fn a_source_that_changes_its_size_is_blank_until_the_hidden_region_is_checked() {
    let (mut stage, now) = (Stage::new(), Instant::now());
    let mut chain = chain_of(json!([{ "filter": "redact" }, { "filter": "invert" }]));
    let other = Size::new(32, 80);
    let show = |stage: &mut Stage, size: Size, chain: &Chain| {
        let picture = captured(size, PixelFormat::Bgrx, vec![90; size.pixels() * 4], now);
        stage.process(picture, chain, &live(), now).unwrap()
    };
    let is_blank = |frame: &Frame| frame.pixels.chunks(4).all(|pixel| pixel == [0, 0, 0, 255]);
    assert!(!is_blank(&show(&mut stage, SIZE, &chain)));
    for _ in 0..2 {
        let blank = show(&mut stage, other, &chain);
        assert!(is_blank(&blank));
        assert_eq!((blank.size, blank.geometry.desktop_from_source), (other, None));
        assert_eq!(stage.report().len(), 1);
    }
    chain.merge_patch(&json!({ "filters": { "2": { "params": { "amount": 0.9 } } } })).unwrap();
    assert!(is_blank(&show(&mut stage, other, &chain)), "another filter's slider is no look at the region");
    assert!(is_blank(&stage.again(&chain, &live(), now).unwrap()));
    chain.merge_patch(&json!({ "filters": { "1": { "params": { "left": 0.3 } } } })).unwrap();
    assert!(!is_blank(&show(&mut stage, other, &chain)));
    assert!(stage.report().is_empty());
}

#[test]
fn a_broken_picture_is_blank() {
    let (mut stage, now) = (Stage::new(), Instant::now());
    for chain in [Chain::default(), chain_of(json!([{ "filter": "redact" }, { "filter": "edges" }]))] {
        for bytes in [0, SIZE.pixels() * 4 - 1, SIZE.pixels() * 4 + 1] {
            let frame =
                stage.process(captured(SIZE, PixelFormat::Rgba, vec![7; bytes], now), &chain, &live(), now).unwrap();
            assert!(frame.pixels.chunks(4).all(|pixel| pixel == [0, 0, 0, 255]));
            assert_eq!(frame.pixels.len(), SIZE.pixels() * 4);
        }
    }
    let nothing = Size::new(0, 7);
    let frame =
        stage.process(captured(nothing, PixelFormat::Rgba, Vec::new(), now), &Chain::default(), &live(), now).unwrap();
    assert!(frame.pixels.is_empty());
}

#[test]
fn a_slider_does_not_make_a_spinning_picture_jump() {
    let (mut stage, start) = (Stage::new(), Instant::now());
    let spinning = |spin: f32| chain_of(json!([{ "filter": "rotate", "params": { "spin": spin } }]));
    let picture = captured(SIZE, PixelFormat::Rgba, vec![0; SIZE.pixels() * 4], start);
    stage.process(picture, &spinning(30.0), &live(), start).unwrap();
    let before = stage.again(&spinning(30.0), &live(), start + Duration::from_secs(100)).unwrap();
    let after = stage.again(&spinning(31.0), &live(), start + Duration::from_secs(100)).unwrap();
    assert!(before.geometry.same_shape(&after.geometry));
    assert!(stage.goes_on());
}

#[test]
fn a_steady_stream_uses_its_buffers_again() {
    let chain = chain_of(json!([
        { "filter": "redact", "params": { "style": "blur" } },
        { "filter": "invert" },
        { "filter": "crop", "params": { "left": 0.5, "top": 0.6 } },
        { "filter": "gaussian_blur", "params": { "sigma": 9 } },
        { "filter": "rotate", "params": { "spin": 90, "expand": true } },
        { "filter": "text", "params": { "text": "{clock}" } },
    ]));
    let (mut stage, mut now) = (Stage::new(), Instant::now());
    let picture = captured(SIZE, PixelFormat::Bgrx, vec![50; SIZE.pixels() * 4], now);
    stage.process(picture, &chain, &live(), now).unwrap();
    let mut addresses = BTreeSet::new();
    for _ in 0..20 {
        now += Duration::from_millis(33);
        addresses.insert(stage.again(&chain, &live(), now).unwrap().pixels.as_ptr() as usize);
    }
    assert_eq!(addresses.len(), 1);
}

#[test]
fn a_text_shows_live_values_in_its_corner() {
    let size = Size::new(320, 180);
    let pixels = [40, 80, 120, 255].repeat(size.pixels());
    let (mut stage, now) = (Stage::new(), Instant::now());
    let chain = chain_of(json!([
        { "filter": "text", "params": { "text": "{clock}", "size": 0.25, "place": "bottom_right", "color": "#ffee00" } },
    ]));
    let first = stage.process(captured(size, PixelFormat::Rgba, pixels, now), &chain, &live(), now).unwrap();
    let count = |color: [u8; 4]| first.pixels.chunks(4).filter(|pixel| *pixel == color).count();
    assert!(count([255, 238, 0, 255]) > 50 && count([0, 0, 0, 255]) > 50, "letters and their outline");
    for (at, pixel) in first.pixels.chunks(4).enumerate() {
        let (x, y) = (at % 320, at / 320);
        assert!(pixel == [40, 80, 120, 255] || (x > 120 && y > 110), "{x}, {y}");
    }
    let later = LiveText { clock: "12:34:57".into(), ..live() };
    assert!(stage.shows_live_text());
    assert_ne!(stage.again(&chain, &later, now).unwrap().pixels[..], first.pixels[..]);
    assert_eq!(stage.again(&chain, &live(), now).unwrap().pixels[..], first.pixels[..]);
}
