//! What the pixels did, the pointer undoes: a marker found in the output leads back to where it was drawn.

use std::time::{Duration, Instant};

use lenscast::filter::geometric::Perspective;
use lenscast::filter::{Chain, Color, Filter, ParamValue, create};
use lenscast::frame::{Frame, PixelFormat};
use lenscast::geometry::{Output, Point, Size};
use lenscast::pipeline::{LiveText, Stage};
use serde_json::{Value, json};

use super::{captured, chain_of, randomise};
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
            Filter::Scale(scale) => scale.percent = scale.percent.max(50.0),
            Filter::Crop(crop) => {
                for side in [&mut crop.left, &mut crop.top, &mut crop.right, &mut crop.bottom] {
                    *side *= 0.4;
                }
            }
            Filter::Zoom(zoom) => zoom.factor = zoom.factor.min(3.0),
            _ => {}
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
    assert!(miss <= 1.0, "seed {seed}: {ids:?} on {size} misses the marker {marker:?} by {miss} pixels");
    true
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
