//! What is drawn on top, what is seen through, and which files are refused.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lenscast::filter::{Chain, Click, Color, Files, LiveMark, LivePicture};
use lenscast::frame::{Frame, FrameTimes, PixelFormat};
use lenscast::geometry::{Geometry, Output, Point, Size};
use lenscast::pipeline::{LiveText, Stage, over_black};
use serde_json::{Value, json};

use super::{captured, chain_of};

const SIZE: Size = Size::new(120, 90);
const GROUND: [u8; 4] = [10, 20, 30, 255];

fn show(chain: &Chain, live: &LiveText, now: Instant) -> (Frame, Stage) {
    let mut stage = Stage::new();
    let picture = captured(SIZE, PixelFormat::Rgba, GROUND.repeat(SIZE.pixels()), now);
    let frame = stage.process(picture, chain, live, now).expect("the frame is shown");
    (frame, stage)
}

/// The middle of the smallest rectangle around everything that differs from the ground.
fn middle_of_what_is_drawn(frame: &Frame) -> Option<(f64, f64)> {
    let places = (0..frame.size.height).flat_map(|y| (0..frame.size.width).map(move |x| (x, y)));
    let drawn: Vec<_> = places.filter(|(x, y)| frame.rgba(*x, *y) != GROUND).collect();
    let (xs, ys) = (drawn.iter().map(|place| place.0), drawn.iter().map(|place| place.1));
    let middle = |least: Option<u32>, most: Option<u32>| Some(f64::from(least? + most? + 1) / 2.0);
    Some((middle(xs.clone().min(), xs.max())?, middle(ys.clone().min(), ys.max())?))
}

#[test]
fn the_ring_is_where_the_pointer_is_after_every_move_before_it() {
    let ring = json!({ "filter": "cursor_highlight", "params": { "size": 12, "color": "#ffffff" } });
    let moves = [
        json!([]),
        json!([{ "filter": "flip", "params": { "horizontal": true } }]),
        json!([{ "filter": "crop", "params": { "left": 0.25, "top": 0.1 } }]),
        json!([{ "filter": "rotate", "params": { "degrees": 90, "expand": true } }, { "filter": "invert", "params": { "amount": 0 } }]),
        json!([{ "filter": "zoom", "params": { "factor": 1.5 } }, { "filter": "flip", "params": { "vertical": true } }]),
    ];
    for before in moves {
        let mut filters = before.as_array().cloned().unwrap_or_default();
        filters.push(ring.clone());
        let live = LiveText { pointer: Some(Point::new(70.5, 40.5)), ..LiveText::default() };
        let (frame, stage) = show(&chain_of(Value::Array(filters)), &live, Instant::now());
        assert!(stage.shows_live_text());
        let (x, y) = middle_of_what_is_drawn(&frame).expect("a ring is drawn");
        let source = frame.geometry.source_from_output(Point::<Output>::new(x, y)).expect("it is on the picture");
        let miss = (source.x - 70.5).abs().max((source.y - 40.5).abs());
        assert!(miss <= 1.0, "{before}: the ring misses the pointer by {miss}");
    }
}

#[test]
fn a_ring_beyond_the_edge_is_cut_off_and_no_pointer_draws_nothing() {
    let chain = chain_of(json!([{ "filter": "cursor_highlight", "params": { "size": 40 } }]));
    for (x, y) in [(0.0, 0.0), (119.9, 89.9), (-10.0, 45.0), (60.0, 105.0), (1e12, -1e12), (f64::NAN, 3.0)] {
        let live = LiveText { pointer: Some(Point::new(x, y)), ..LiveText::default() };
        let (frame, _) = show(&chain, &live, Instant::now());
        assert_eq!(middle_of_what_is_drawn(&frame).is_some(), x.abs() < 1e6, "{x}, {y}");
    }
    assert_eq!(middle_of_what_is_drawn(&show(&chain, &LiveText::default(), Instant::now()).0), None);
}

#[test]
fn a_click_sends_a_wave_that_ends() {
    let chain = chain_of(json!([{ "filter": "cursor_highlight", "params": { "size": 20 } }]));
    let start = Instant::now();
    let click = Click { at: Point::new(60.0, 45.0), when: start };
    let live = LiveText { clicks: vec![click], ..LiveText::default() };
    let (first, mut stage) = show(&chain, &live, start);
    let mut widths = Vec::new();
    let width = |frame: &Frame| (0..120).filter(|x| frame.rgba(*x, 45) != GROUND).count();
    widths.push(width(&first));
    let mut now = start;
    while stage.goes_on() {
        now += Duration::from_millis(100);
        assert!(now < start + Duration::from_secs(2), "the wave never ends");
        let frame = stage.again(&chain, &live, now).unwrap();
        widths.push(width(&frame));
    }
    assert!(widths[0] > 0 && widths.len() > 4 && widths.last() == Some(&0), "{widths:?}");
    let quiet = chain_of(json!([{ "filter": "cursor_highlight", "params": { "ripple": false } }]));
    assert_eq!(middle_of_what_is_drawn(&show(&quiet, &live, start).0), None);
}

/// A frame of another source, all of one colour.
fn other(size: Size, format: PixelFormat, pixel: [u8; 4]) -> LivePicture {
    let times = FrameTimes { captured: Instant::now(), filtered: None };
    let geometry = Arc::new(Geometry::untouched(1, size, None));
    let pixels = Arc::new(pixel.repeat(size.pixels()).into());
    LivePicture { source: "camera:0".into(), frame: Arc::new(Frame { id: 1, size, format, pixels, times, geometry }) }
}

#[test]
fn another_source_is_shown_in_its_corner_with_its_border() {
    let chain = |params: Value| {
        let mut all = json!({ "source": "camera:0", "size": 0.5, "border": 2, "border_color": "#ff0000", "round": 0 });
        all.as_object_mut().unwrap().extend(params.as_object().unwrap().clone());
        chain_of(json!([{ "filter": "picture_in_picture", "params": all }]))
    };
    let now = Instant::now();
    for (format, pixel) in [(PixelFormat::Rgba, [1, 200, 3, 255]), (PixelFormat::Bgrx, [3, 200, 1, 0])] {
        let live = LiveText { pictures: vec![other(Size::new(80, 60), format, pixel)], ..LiveText::default() };
        let (frame, stage) = show(&chain(json!({})), &live, now);
        assert!(stage.shows_live_text());
        // 45 of 90 high and 60 wide, two of border, and two from the edge.
        let count = |wanted: [u8; 4]| frame.pixels.chunks(4).filter(|pixel| *pixel == wanted).count();
        assert_eq!((count([1, 200, 3, 255]), count([255, 0, 0, 255])), (60 * 45, 64 * 49 - 60 * 45));
        assert_eq!([(117, 87), (118, 88), (54, 39), (53, 38)].map(|(x, y)| frame.rgba(x, y)[0]), [255, 10, 255, 10]);
        let (round, _) = show(&chain(json!({ "round": 1, "place": "top_left" })), &live, now);
        assert_eq!([round.rgba(2, 2), round.rgba(34, 20)], [GROUND, [1, 200, 3, 255]]);
    }
    // A wide one gets no wider than the picture, and half of it may lie outside.
    let wide =
        LiveText { pictures: vec![other(Size::new(900, 9), PixelFormat::Rgba, [7, 7, 7, 255])], ..LiveText::default() };
    let (frame, _) = show(&chain(json!({ "size": 1, "border": 0, "place": "free", "x": 1.0, "y": 0.5 })), &wide, now);
    assert_eq!([frame.rgba(59, 45), frame.rgba(60, 45)], [GROUND, [7, 7, 7, 255]]);
    for live in [LiveText::default(), wide] {
        let (frame, _) = show(&chain(json!({ "source": "camera:1" })), &live, now);
        assert_eq!(middle_of_what_is_drawn(&frame), None);
    }
}

#[test]
fn a_transparent_picture_lets_the_ground_through() {
    let live = LiveText { pictures: vec![other(SIZE, PixelFormat::Rgba, [200, 200, 200, 51])], ..LiveText::default() };
    let chain = chain_of(json!([{ "filter": "picture_in_picture",
        "params": { "source": "camera:0", "size": 1, "border": 0, "round": 0 } }]));
    let (frame, _) = show(&chain, &live, Instant::now());
    assert_eq!(frame.rgba(60, 45), [48, 56, 64, 255]);
}

#[test]
fn what_was_keyed_out_is_black_for_viewers() {
    let key = chain_of(json!([{ "filter": "color_key", "params": { "color": "#0a141e" } }]));
    let (mut frame, _) = show(&key, &LiveText::default(), Instant::now());
    assert_eq!(frame.rgba(5, 5), [10, 20, 30, 0]);
    over_black(&mut frame, &key);
    assert_eq!(frame.rgba(5, 5), [0, 0, 0, 255]);
    let turned = chain_of(json!([{ "filter": "rotate", "params": { "degrees": 45, "fill": "#10203040" } }]));
    let (mut frame, _) = show(&turned, &LiveText::default(), Instant::now());
    over_black(&mut frame, &turned);
    assert_eq!(frame.rgba(0, 0), [16, 32, 48, 64], "a colour that somebody chose stays");
}

#[test]
fn a_picture_file_that_cant_be_used_is_reported_and_left_out() {
    let now = Instant::now();
    for (filter, param) in [("image", "path"), ("mask", "path"), ("chroma_key", "image")] {
        for (bytes, wanted) in
            [(&b"not a picture"[..], "no picture"), (&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], "damaged")]
        {
            let files = Files::new(Box::new(move |_, then| then(Ok(bytes.to_vec()))));
            let mut stage = Stage::new().with_files(Arc::new(files));
            let mut params = json!({ param: "/some/where.png" });
            if filter == "chroma_key" {
                params["background"] = "image".into();
            }
            let chain = chain_of(json!([{ "filter": filter, "params": params }]));
            let picture = captured(SIZE, PixelFormat::Rgba, GROUND.repeat(SIZE.pixels()), now);
            let frame = stage.process(picture, &chain, &LiveText::default(), now).unwrap();
            assert_eq!(middle_of_what_is_drawn(&frame), None);
            let [(_, reason)] = stage.report() else { panic!("{filter}: {:?}", stage.report()) };
            assert!(reason.starts_with("/some/where.png: ") && reason.contains(wanted), "{reason}");
        }
    }
}

fn mark(x: f64, y: f64, pressed: Option<Instant>) -> LiveMark {
    let (at, color) = (Point::new(x, y), Color::rgb(200, 0, 0));
    LiveMark { name: "Ann".into(), color, at, pressed, trail: pressed.map(|when| (at, when)).into_iter().collect() }
}

#[test]
fn a_viewers_pointer_is_where_it_was_aimed_after_every_move_before_it() {
    let pointers = json!({ "filter": "pointers", "params": { "size": 12, "names": false } });
    for before in [
        json!([]),
        json!([{ "filter": "crop", "params": { "left": 0.25, "top": 0.1 } }]),
        json!([{ "filter": "rotate", "params": { "degrees": 90, "expand": true } }, { "filter": "zoom", "params": { "factor": 1.5 } }]),
    ] {
        let mut filters = before.as_array().cloned().unwrap_or_default();
        filters.push(pointers.clone());
        let live = LiveText { marks: vec![mark(70.5, 40.5, None)], ..LiveText::default() };
        let (frame, stage) = show(&chain_of(Value::Array(filters)), &live, Instant::now());
        assert!(stage.shows_live_text() && !stage.goes_on());
        let (x, y) = middle_of_what_is_drawn(&frame).expect("a pointer is drawn");
        let source = frame.geometry.source_from_output(Point::<Output>::new(x, y)).expect("it is on the picture");
        let miss = (source.x - 70.5).abs().max((source.y - 40.5).abs());
        assert!(miss <= 1.0, "{before}: the pointer misses its place by {miss}");
        assert_eq!(frame.rgba(x as u32, y as u32)[..3], [200, 0, 0]);
    }
}

#[test]
fn a_name_stands_beside_its_pointer_and_a_press_sends_a_wave_that_ends() {
    let extent = |params: Value, live: &LiveText, now| {
        let chain = chain_of(json!([{ "filter": "pointers", "params": params }]));
        let (frame, stage) = show(&chain, live, now);
        let columns = (0..frame.size.width).filter(|x| (0..frame.size.height).any(|y| frame.rgba(*x, y) != GROUND));
        (columns.count(), stage.goes_on())
    };
    let now = Instant::now();
    let still = LiveText { marks: vec![mark(30.0, 40.0, None)], ..LiveText::default() };
    let (bare, _) = extent(json!({ "size": 12, "names": false }), &still, now);
    let (named, _) = extent(json!({ "size": 12 }), &still, now);
    assert!((12..=14).contains(&bare) && named > bare + 10, "{bare} and {named}");
    let pressed = LiveText { marks: vec![mark(30.0, 40.0, Some(now))], ..LiveText::default() };
    let later = |ms| extent(json!({ "size": 12, "names": false }), &pressed, now + Duration::from_millis(ms));
    assert!(later(250).0 > bare && later(250).1);
    assert_eq!(later(800), (bare, false));
}

#[test]
fn a_pointer_far_outside_and_one_without_a_name_harm_nobody() {
    let chain = chain_of(json!([{ "filter": "pointers" }]));
    for (x, y) in [(1e12, -1e12), (f64::NAN, 3.0), (-9.0, 45.0), (119.9, 89.9)] {
        let mut mark = mark(x, y, Some(Instant::now()));
        if x < 0.0 {
            mark.name = "".into();
        }
        show(&chain, &LiveText { marks: vec![mark], ..LiveText::default() }, Instant::now());
    }
}
