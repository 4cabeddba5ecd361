//! What the pixels did, the pointer undoes: a marker found in the output leads back to where it was drawn.

use std::time::{Duration, Instant};

use lenscast::filter::geometric::{Perspective, Sampling};
use lenscast::filter::{Chain, Color, Filter, ParamValue, create};
use lenscast::frame::{Frame, PixelFormat};
use lenscast::geometry::{Mapping, Output, Point, Size};
use lenscast::pipeline::{LiveText, PassKind, Stage};
use serde_json::{Value, json};

use super::{captured, chain_of, randomise, run};
use crate::support::random::Random;

const GEOMETRIC: [&str; 11] =
    ["crop", "pad", "scale", "rotate", "flip", "zoom", "perspective", "lens", "kaleidoscope", "wave", "swirl"];

/// A black picture with one white pixel.
fn marked(size: Size, (x, y): (usize, usize)) -> Vec<u8> {
    let mut pixels = [0, 0, 0, 255].repeat(size.pixels());
    let at = (y * size.width as usize + x) * 4;
    pixels[at..at + 3].fill(255);
    pixels
}

/// The brightest pixel and how bright it is.
fn brightest(frame: &Frame) -> ((u32, u32), u8) {
    let (at, pixel) = frame.pixels.chunks(4).enumerate().max_by_key(|(_, pixel)| pixel[1]).unwrap();
    ((at as u32 % frame.size.width, at as u32 / frame.size.width), pixel[1])
}

fn middle_of((x, y): (u32, u32)) -> Point<Output> {
    Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5)
}

/// How far in pixels of the source the brightest output pixel leads past the marker; `None` if the marker is not in sight.
fn miss(frame: &Frame, marker: (usize, usize), least: u8) -> Option<f64> {
    let (found, level) = brightest(frame);
    if level < least {
        return None;
    }
    let source = frame.geometry.source_from_output(middle_of(found)).expect("what is seen comes from somewhere");
    Some((source.x - marker.0 as f64 - 0.5).abs().max((source.y - marker.1 as f64 - 0.5).abs()))
}

fn process(size: Size, marker: (usize, usize), chain: &Chain) -> Frame {
    let now = Instant::now();
    let picture = captured(size, PixelFormat::Rgba, marked(size, marker), now);
    Stage::new().process(picture, chain, &LiveText::default(), now).unwrap()
}

#[test]
fn whole_pixel_moves_lead_back_to_the_very_pixel() {
    let size = Size::new(23, 14);
    let exact = [
        json!([{ "filter": "flip", "params": { "horizontal": true } }]),
        json!([{ "filter": "flip", "params": { "vertical": true } }]),
        json!([{ "filter": "flip", "params": { "vertical": true, "horizontal": true } }]),
        json!([{ "filter": "crop", "params": { "left": 0.3, "top": 0.2, "right": 0.1, "bottom": 0.25 } }]),
        json!([{ "filter": "rotate", "params": { "degrees": 90, "expand": true } }]),
        json!([{ "filter": "rotate", "params": { "degrees": -90 } }]),
        json!([{ "filter": "rotate", "params": { "degrees": 180 } }]),
        json!([
            { "filter": "rotate", "params": { "degrees": 90 } },
            { "filter": "crop", "params": { "left": 0.4, "bottom": 0.3 } },
            { "filter": "gamma", "params": { "gamma": 2 } },
            { "filter": "flip", "params": { "horizontal": true } },
            { "filter": "rotate", "params": { "degrees": -90, "expand": true } },
        ]),
    ];
    for filters in exact {
        let chain = chain_of(filters.clone());
        let mut seen = 0;
        for y in 0..size.height as usize {
            for x in 0..size.width as usize {
                let frame = process(size, (x, y), &chain);
                let lit = frame.pixels.chunks(4).filter(|pixel| pixel[1] > 0).count();
                let Some(miss) = miss(&frame, (x, y), 255) else {
                    assert_eq!(lit, 0, "{filters}: {x}, {y} is smeared");
                    continue;
                };
                assert_eq!((lit, miss), (1, 0.0), "{filters}: {x}, {y}");
                seen += 1;
            }
        }
        assert!(seen >= size.pixels() / 8, "{filters}: only {seen} pixels were in sight");
    }
}

#[test]
fn every_geometric_filter_leads_back_to_the_marker() {
    let class = |id: &&&str| lenscast::filter::find(id).map(|spec| spec.class.label()) == Some("Geometry");
    assert_eq!(GEOMETRIC.iter().filter(class).count(), GEOMETRIC.len());
    let all = lenscast::filter::all().into_iter().filter(|spec| spec.class.label() == "Geometry").count();
    assert_eq!(all, GEOMETRIC.len(), "a new geometric filter belongs into this test");
    for (seed, id) in GEOMETRIC.iter().cycle().take(550).enumerate() {
        lead_back(seed as u64, &[id]);
    }
}

#[test]
fn random_chains_lead_back_to_the_marker() {
    let mut seen = 0;
    for seed in 1_000..1_700 {
        let mut random = Random::new(seed);
        let ids: Vec<&str> = (0..2 + random.below(3)).map(|_| GEOMETRIC[random.below(GEOMETRIC.len())]).collect();
        seen += u32::from(lead_back(seed, &ids));
    }
    assert!(seen >= 200, "the marker was in sight only {seen} times");
}

/// Corners that are not so far from their places that the marker is hardly ever in sight.
fn mildly(keystone: &mut Perspective, random: &mut Random) {
    let mut near = |place: f32| place + (random.unit() as f32 - 0.5) * 0.7;
    *keystone = Perspective {
        top_left_x: near(0.0),
        top_left_y: near(0.0),
        top_right_x: near(1.0),
        top_right_y: near(0.0),
        bottom_right_x: near(1.0),
        bottom_right_y: near(1.0),
        bottom_left_x: near(0.0),
        bottom_left_y: near(1.0),
        fill: Color::BLACK,
    };
}

/// Whether the marker was in sight; panics if it leads elsewhere.
fn lead_back(seed: u64, ids: &[&str]) -> bool {
    let mut random = Random::new(seed);
    let size = Size::new(40 + random.below(30) as u32, 30 + random.below(30) as u32);
    let mut chain = Chain::default();
    for id in ids {
        let mut filter = create(id).unwrap();
        randomise(&mut filter, &mut random);
        match &mut filter {
            // A bright fill would be taken for the marker, and a huge cut leaves nothing to see.
            Filter::Rotate(rotate) => rotate.fill = Color::BLACK,
            Filter::Pad(pad) => pad.fill = Color::BLACK,
            Filter::Perspective(keystone) => mildly(keystone, &mut random),
            Filter::LensCorrection(lens) => lens.fill = Color::BLACK,
            Filter::Scale(scale) => {
                // In a much smaller picture the one pixel is seldom seen.
                scale.percent = scale.percent.max(50.0);
                (scale.width, scale.height) = (scale.width / 100 * 90, scale.height / 100 * 70);
                if scale.sampling == Sampling::Nearest {
                    // As in OpenCV, it takes the upper left of the pixels that are as near.
                    scale.sampling = Sampling::Area;
                }
            }
            Filter::Crop(crop) => {
                for side in [&mut crop.left, &mut crop.top, &mut crop.right, &mut crop.bottom] {
                    *side *= 0.4;
                }
            }
            Filter::Zoom(zoom) => zoom.factor = zoom.factor.min(3.0),
            _ => {}
        }
        if ids.len() > 1 {
            // Where a picture is bent so much that neighbours come from far apart, a second resampling mixes those, and
            // there is no place that a pixel of it comes from.
            match &mut filter {
                Filter::Swirl(swirl) => (swirl.angle, swirl.amount) = (swirl.angle / 24.0, 0.9),
                Filter::Wave(wave) => (wave.amount, wave.frequency) = (wave.amount / 5.0, wave.frequency.min(2.5)),
                Filter::LensCorrection(lens) => (lens.k1, lens.k2) = (lens.k1 / 4.0, lens.k2 / 4.0),
                _ => {}
            }
        }
        chain.add(filter).unwrap();
        if random.one_in(4) {
            // Between neighbours it makes two resamplings out of one.
            let mut split = create("brightness_contrast").unwrap();
            split.params_mut().set("brightness", &ParamValue::Float(0.004)).unwrap();
            chain.add(split).unwrap();
        }
    }
    let marker = (
        (size.width as f64 * (0.3 + 0.4 * random.unit())) as usize,
        (size.height as f64 * (0.3 + 0.4 * random.unit())) as usize,
    );
    let frame = process(size, marker, &chain);
    assert_eq!(frame.geometry.output, frame.size, "seed {seed}");
    let Some(miss) = miss(&frame, marker, 60) else { return false };
    // What is resampled twice is mixed twice, where a bent picture shrinks from further apart.
    let is_affine = |mapping: &Mapping| mapping.input_from_output.affine().is_some();
    let allowed = if frame.geometry.mappings.iter().all(is_affine) || ids.len() == 1 { 1.0 } else { 2.0 };
    assert!(miss <= allowed, "seed {seed}: {ids:?} on {size} misses the marker {marker:?} by {miss} pixels");
    true
}

/// A picture whose red tells the column and whose green tells the row. Transparent is only what fills.
fn telling(size: Size) -> Vec<u8> {
    let places = (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y)));
    places.flat_map(|(x, y)| [x as u8, y as u8, 0, 255]).collect()
}

#[test]
fn every_pixel_shows_what_a_click_on_it_hits() {
    let size = Size::new(151, 97);
    let clear: Color = "#00000000".parse().unwrap();
    for (seed, id) in GEOMETRIC.iter().cycle().take(330).enumerate() {
        let mut random = Random::new(seed as u64);
        let mut filter = create(id).unwrap();
        randomise(&mut filter, &mut random);
        if filter.params().get("fill").is_some() {
            filter.params_mut().set("fill", &ParamValue::Color(clear)).unwrap();
        }
        let mut chain = Chain::default();
        chain.add(filter).unwrap();
        let frame = run(size, &telling(size), &chain);
        let Size { width, height } = frame.size;
        // A pixel of a smaller picture stands for several; of the nearest ones it takes any.
        let coarse = f64::from(size.width) / f64::from(width);
        let allowed = coarse.max(f64::from(size.height) / f64::from(height)).max(1.0) / 2.0 + 0.6;
        for y in 0..height {
            for x in 0..width {
                let ([red, green, _, alpha], shown) = (frame.rgba(x, y), middle_of((x, y)));
                let Some(source) = frame.geometry.source_from_output(shown) else {
                    assert_eq!(alpha, 0, "seed {seed}: {x}, {y} of {}", chain.to_json());
                    continue;
                };
                assert_eq!(alpha, 255, "seed {seed}: {x}, {y} of {}", chain.to_json());
                // A value belongs to the middle of its pixel.
                let (across, down) = (f64::from(red) + 0.5 - source.x, f64::from(green) + 0.5 - source.y);
                let far = across.abs().max(down.abs());
                assert!(far <= allowed, "seed {seed}: {x}, {y} is {far} pixels off with {}", chain.to_json());
            }
        }
    }
}

#[test]
fn bent_neighbours_are_one_resampling_and_lead_back() {
    let chain = chain_of(json!([
        { "filter": "lens", "params": { "k1": -0.2 } },
        { "filter": "rotate", "params": { "spin": 40, "fill": "#00000000" } },
        { "filter": "wave", "params": { "amount": 0.05 } },
        { "filter": "pad", "params": { "left": 0.2, "fill": "#00000000" } },
        { "filter": "perspective", "params": { "top_left_x": 0.2, "fill": "#00000000" } },
        { "filter": "swirl", "params": { "angle": 60 } },
    ]));
    let (size, mut now) = (Size::new(120, 90), Instant::now());
    let mut stage = Stage::new();
    let picture = captured(size, PixelFormat::Rgba, telling(size), now);
    let mut frame = stage.process(picture, &chain, &LiveText::default(), now).unwrap();
    let kinds: Vec<_> = stage.passes().into_iter().map(|pass| pass.kind).collect();
    assert_eq!(kinds, [PassKind::Resample(6)]);
    for _ in 0..10 {
        for (at, pixel) in frame.pixels.chunks(4).enumerate() {
            let (x, y) = (at as u32 % frame.size.width, at as u32 / frame.size.width);
            let source = frame.geometry.source_from_output(middle_of((x, y)));
            assert_eq!(source.is_none(), pixel[3] == 0, "{x}, {y}");
            let Some(source) = source else { continue };
            let far = (f64::from(pixel[0]) + 0.5 - source.x).abs().max((f64::from(pixel[1]) + 0.5 - source.y).abs());
            assert!(far <= 1.1, "{x}, {y} is {far} pixels off");
        }
        now += Duration::from_millis(130);
        frame = stage.again(&chain, &LiveText::default(), now).unwrap();
    }
}

#[test]
fn on_padding_there_is_nothing_to_click() {
    let chain = chain_of(json!([{ "filter": "pad", "params": { "aspect": "square" } }]));
    let frame = process(Size::new(40, 30), (20, 15), &chain);
    assert_eq!(frame.size, Size::new(40, 40));
    let hit = |x, y| frame.geometry.source_from_output(Point::new(x, y));
    assert_eq!((hit(20.0, 4.9), hit(20.0, 35.1)), (None, None));
    assert_eq!((hit(20.0, 5.0), hit(39.9, 34.9)), (Some(Point::new(20.0, 0.0)), Some(Point::new(39.9, 29.9))));
}

#[test]
fn corners_that_make_no_picture_are_refused_with_a_reason() {
    let chain = chain_of(json!([{ "filter": "perspective", "params": { "top_left_x": 0.8, "top_left_y": 0.8 } }]));
    let (mut stage, now, size) = (Stage::new(), Instant::now(), Size::new(8, 8));
    stage.process(captured(size, PixelFormat::Rgba, telling(size), now), &chain, &LiveText::default(), now).unwrap();
    let [(_, reason)] = stage.report() else { panic!("{:?}", stage.report()) };
    assert!(reason.contains("corners"), "{reason}");
}

#[test]
fn a_zoom_follows_the_pointer_smoothly_and_rests_when_it_is_there() {
    let (size, start) = (Size::new(200, 100), Instant::now());
    // The pointer is followed through what comes before, also through what has no way back.
    for before in ["flip", "lens"] {
        let chain = chain_of(json!([
            { "filter": before, "params": if before == "flip" { json!({ "horizontal": true }) } else { json!({ "k1": 0.01 }) } },
            { "filter": "invert" },
            { "filter": "zoom", "params": { "factor": 4, "follow_pointer": true } },
        ]));
        let mut stage = Stage::new();
        let live = |x: f64, y: f64| LiveText { pointer: Some(Point::new(x, y)), ..LiveText::default() };
        let picture = captured(size, PixelFormat::Rgba, telling(size), start);
        let middle = |frame: &Frame| frame.geometry.source_from_output(Point::new(100.0, 50.0)).unwrap();
        let frame = stage.process(picture, &chain, &LiveText::default(), start).unwrap();
        let at = middle(&frame);
        assert!((at.x - 100.0).abs() < 0.1 && (at.y - 50.0).abs() < 0.1, "{at:?}");
        assert!(stage.follows_pointer() && !stage.goes_on());
        let (mut now, mut last, mut frames) = (start + Duration::from_secs(10), at.x, 0);
        loop {
            let frame = stage.again(&chain, &live(150.0, 20.0), now).unwrap();
            let at = middle(&frame);
            assert!((0.0..20.0).contains(&(at.x - last)), "from {last} to {}", at.x);
            (last, frames) = (at.x, frames + 1);
            now += Duration::from_millis(33);
            if !stage.goes_on() {
                assert!((at.x - 150.0).abs() < 1.0 && (at.y - 20.0).abs() < 1.0, "{at:?}");
                break;
            }
        }
        assert!((5..90).contains(&frames), "{frames} frames");
        // The picture's edge stops it, and a pointer that nobody knows any more leaves it where it is.
        for live in [live(199.0, 1.0), LiveText::default()] {
            now += Duration::from_secs(1);
            stage.again(&chain, &live, now);
            for _ in 0..90 {
                now += Duration::from_millis(33);
                stage.again(&chain, &live, now).unwrap();
            }
            assert!(!stage.goes_on());
            let at = middle(&stage.again(&chain, &live, now).unwrap());
            assert!((at.x - 175.0).abs() < 1.5 && (at.y - 12.5).abs() < 1.0, "{at:?}");
        }
    }
}

#[test]
fn a_spinning_picture_leads_back_at_every_moment() {
    let (size, marker) = (Size::new(61, 47), (40, 20));
    for expand in [false, true] {
        let chain = chain_of(json!([{ "filter": "rotate", "params": { "spin": 45, "expand": expand } }]));
        let (mut stage, start) = (Stage::new(), Instant::now());
        let picture = captured(size, PixelFormat::Bgrx, marked(size, marker), start);
        let mut frame = stage.process(picture, &chain, &LiveText::default(), start).unwrap();
        let first = frame.size;
        for tenth in 1..=80 {
            assert_eq!(frame.size, first, "an encoder would have to start anew");
            let miss = miss(&frame, marker, 60).unwrap();
            assert!(miss <= 1.0, "after {tenth} tenths of a second it misses by {miss}");
            let now = start + Duration::from_millis(100 * tenth);
            frame = stage.again(&chain, &LiveText::default(), now).unwrap();
        }
        // Eight seconds of 45 degrees are a full turn.
        let (found, _) = brightest(&frame);
        let offset = (f64::from(first.width - size.width) / 2.0, f64::from(first.height - size.height) / 2.0);
        let at = (f64::from(found.0) - offset.0, f64::from(found.1) - offset.1);
        assert!((at.0 - 40.0).abs() <= 1.0 && (at.1 - 20.0).abs() <= 1.0, "{at:?}");
    }
}

#[test]
fn beside_a_turned_picture_there_is_nothing_to_click() {
    let chain = chain_of(json!([{ "filter": "rotate", "params": { "degrees": 45, "fill": "#10203040" } }]));
    let frame = process(Size::new(40, 30), (20, 15), &chain);
    assert_eq!(frame.rgba(0, 0), [0x10, 0x20, 0x30, 0x40]);
    for y in 0..30 {
        for x in 0..40 {
            let beside = frame.geometry.source_from_output(middle_of((x, y))).is_none();
            assert_eq!(beside, frame.rgba(x, y)[3] == 0x40, "{x}, {y}");
        }
    }
}

#[test]
fn the_parameters_decide_where_things_go() {
    let size = Size::new(20, 10);
    let corner = |filters: Value| brightest(&process(size, (0, 0), &chain_of(filters))).0;
    assert_eq!(corner(json!([{ "filter": "flip", "params": { "horizontal": true } }])), (19, 0));
    assert_eq!(corner(json!([{ "filter": "flip", "params": { "vertical": true } }])), (0, 9));
    // A quarter turn anticlockwise takes the upper left corner to the lower left one.
    assert_eq!(corner(json!([{ "filter": "rotate", "params": { "degrees": 90, "expand": true } }])), (0, 19));
    assert_eq!(corner(json!([{ "filter": "rotate", "params": { "degrees": -90, "expand": true } }])), (9, 0));
}
