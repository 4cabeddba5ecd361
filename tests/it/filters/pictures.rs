//! The pictures of `docs/filters.md`: one scene before, and the same after each filter. They are drawn here, so a test can
//! say whether they still show what the filters do.

mod scene;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use image::codecs::jpeg::JpegEncoder;
use lenscast::filter::{Click, Color, Files, LiveMark, LivePicture, built_in};
use lenscast::frame::{Captured, Frame, PixelFormat};
use lenscast::geometry::{Point, Size};
use lenscast::pipeline::{LiveText, Stage};
use serde_json::{Value, json};

use super::chain_of;

pub const BEFORE: &str = "before";
const SIZE: Size = Size::new(240, 150);
const QUALITY: u8 = 88;
/// What another version of the JPEG codec may make of the same pixels, in levels on average.
const LIKE: f64 = 1.5;
const FRAME: Duration = Duration::from_millis(40);
const FRAMES: u32 = 26;

/// The parameters that each filter is shown with; what is not named is shown with its defaults.
pub fn shown_with(filter: &str) -> Option<Value> {
    let params = match filter {
        // A lower frame rate does not show in a picture.
        "frame_rate" => return None,
        "brightness_contrast" => json!({ "contrast": 1.6, "brightness": 0.05 }),
        "exposure" => json!({ "stops": 1.2 }),
        "gamma" => json!({ "gamma": 2.2 }),
        "levels" => json!({ "in_black": 0.2, "in_white": 0.7 }),
        "curves" => json!({ "master": "0,0 0.25,0.12 0.75,0.88 1,1", "blue": "0,0.25 1,0.8" }),
        "saturation" => json!({ "saturation": 2.2 }),
        "hue" => json!({ "degrees": 120 }),
        "temperature" => json!({ "kelvin": 3200 }),
        "color_balance" => json!({ "lift": "#5b74a8", "gain": "#c08a58" }),
        "solarize" => json!({ "level": 0.5 }),
        "channel_mixer" => json!({ "red_red": 0.2, "red_green": 0.8, "green_green": 0.4, "green_blue": 0.6 }),
        "multiply_add" => json!({ "multiply": "#ffd0a0", "add": "#201040" }),
        "lut3d" => json!({ "path": beside("look.cube") }),
        "gradient" => json!({ "start": "#2030ff", "end": "#ff8020", "blend": "overlay", "amount": 0.8 }),
        "redact" => json!({ "left": 0.07, "top": 0.42, "width": 0.3, "height": 0.4 }),
        "scanlines" => json!({ "amount": 0.6 }),
        "halftone" => json!({ "amount": 1, "size": 5 }),
        "crop" => json!({ "left": 0.1, "top": 0.2, "right": 0.3 }),
        "pad" => json!({ "aspect": "square", "fill": "#303848" }),
        "scale" => json!({ "percent": 50 }),
        "rotate" => json!({ "degrees": 12, "fill": "#303848" }),
        "flip" => json!({ "horizontal": true }),
        "zoom" => json!({ "factor": 2.2, "x": 0.3, "y": 0.6 }),
        "perspective" => json!({ "top_left_x": 0.2, "top_right_x": 0.8, "fill": "#303848" }),
        "lens" => json!({ "k1": -0.35, "fill": "#303848" }),
        "kaleidoscope" => json!({ "amount": 5 }),
        "wave" => json!({ "amount": 0.05 }),
        "swirl" => json!({ "angle": 200 }),
        "box_blur" => json!({ "radius": 5 }),
        "gaussian_blur" => json!({ "sigma": 4 }),
        "sharpen" => json!({ "amount": 2, "radius": 1.5 }),
        "median" => json!({ "radius": 3 }),
        "bilateral" => json!({ "diameter": 9, "sigma_color": 60, "sigma_space": 5 }),
        "cartoon" => json!({ "edge_offset": 4 }),
        "emboss" => json!({ "amount": 2 }),
        "convolve" => json!({ "kernel": "0 1 0  1 -4 1  0 1 0", "factor": 4, "bias": 0.5 }),
        "morphology" => json!({ "radius": 2 }),
        "pixelate" => json!({ "size": 10 }),
        "oil" => json!({ "radius": 3 }),
        "glow" => json!({ "strength": 1 }),
        "delay" => json!({ "seconds": 0.6 }),
        "trails" => json!({ "decay": 0.9 }),
        "motion" => json!({}),
        "temporal_denoise" => json!({ "strength": 0.9 }),
        "freeze" => json!({ "freeze": true }),
        "chroma_key" => {
            json!({ "color": "#3f8f3a", "similarity": 0.12, "background": "color", "background_color": "#f0e8d8" })
        }
        "color_key" => json!({ "color": "#5a8a3a", "similarity": 0.2 }),
        "luma_key" => json!({ "minimum": 0.3, "minimum_smoothness": 0.1 }),
        "mask" => json!({ "path": beside("mask.png"), "channel": "luma" }),
        "text" => json!({ "text": "Good evening", "size": 0.16, "place": "bottom" }),
        "image" => json!({ "path": beside("small.png"), "size": 0.4 }),
        "picture_in_picture" => json!({ "source": "elsewhere", "size": 0.4 }),
        _ => json!({}),
    };
    Some(params)
}

/// Where a picture lies, from the folder of the page.
pub fn file(name: &str) -> String {
    format!("filters/{name}.jpg")
}

/// A file of the golden pictures.
fn beside(name: &str) -> String {
    format!("tests/it/golden/{name}")
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(file(name))
}

/// The scene of every frame; drawn once, because every filter is shown the same.
fn film() -> Vec<Vec<u8>> {
    (0..FRAMES).map(|number| scene::draw(SIZE, number as f32 / FRAMES as f32, number)).collect()
}

fn captured(film: &[Vec<u8>], number: u32, at: Instant) -> Captured {
    Captured {
        id: u64::from(number),
        size: SIZE,
        format: PixelFormat::Rgba,
        pixels: film[number as usize].clone().into(),
        at,
        desktop_from_source: None,
        pointer: Some(Point::new(150.0, 80.0)),
        pressed: false,
    }
}

/// A second of the scene through one filter; what is shown at its end.
fn after(film: &[Vec<u8>], filter: &str, params: &Value) -> Frame {
    let start = Instant::now();
    let files = Arc::new(Files::new(Box::new(|path, then| {
        then(std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)));
    })));
    let mut stage = Stage::new().with_files(files);
    let chain = chain_of(json!([{ "filter": filter, "params": params }]));
    let elsewhere = Stage::new().process(
        captured(film, 3, start),
        &chain_of(json!([{ "filter": "sepia" }])),
        &LiveText::default(),
        start,
    );
    let source = LivePicture { source: "elsewhere".to_owned(), frame: Arc::new(elsewhere.expect("it is shown")) };
    let mut shown = None;
    for number in 0..FRAMES {
        let now = start + FRAME * number;
        let live = LiveText {
            pointer: Some(Point::new(150.0, 80.0)),
            clicks: vec![Click { at: Point::new(150.0, 80.0), when: start + FRAME * (FRAMES - 8) }],
            marks: vec![LiveMark {
                name: "Ann".into(),
                color: Color::rgb(0xd5, 0x5e, 0x00),
                at: Point::new(150.0, 80.0),
                pressed: Some(start + FRAME * (FRAMES - 8)),
                trail: Vec::new(),
            }],
            pictures: vec![source.clone()],
            ..LiveText::default()
        };
        shown = stage.process(captured(film, number, now), &chain, &live, now).or(shown);
    }
    assert_eq!(stage.report(), [], "{filter}");
    shown.expect("something was shown")
}

/// On squares of two greys, so that what is transparent can be seen.
fn as_jpeg(frame: &Frame) -> Vec<u8> {
    let (width, height) = (frame.size.width, frame.size.height);
    let rgb = image::RgbImage::from_fn(width, height, |x, y| {
        let [r, g, b, a] = frame.rgba(x, y);
        let square = if (x / 8 + y / 8) % 2 == 0 { 150 } else { 190 };
        let over = |level: u8| ((u32::from(level) * u32::from(a) + square * (255 - u32::from(a)) + 127) / 255) as u8;
        image::Rgb([over(r), over(g), over(b)])
    });
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY).encode_image(&rgb).unwrap();
    bytes
}

fn decoded(bytes: &[u8]) -> image::RgbImage {
    image::load_from_memory(bytes).unwrap().to_rgb8()
}

/// Mean difference in levels; infinite when the sizes differ.
fn apart(a: &image::RgbImage, b: &image::RgbImage) -> f64 {
    if a.dimensions() != b.dimensions() {
        return f64::INFINITY;
    }
    let sum: u64 = a.iter().zip(b.iter()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / a.len() as f64
}

#[test]
fn every_filter_has_a_fresh_picture_that_shows_what_it_does() {
    let film = film();
    let before = as_jpeg(&after(&film, "crop", &json!({})));
    let mut pictures = vec![(BEFORE.to_owned(), before.clone())];
    for spec in built_in() {
        let Some(params) = shown_with(spec.id) else { continue };
        let picture = as_jpeg(&after(&film, spec.id, &params));
        let changed = apart(&decoded(&before), &decoded(&picture));
        assert!(changed > 0.5, "{}: nothing can be seen of it with {params}: {changed}", spec.id);
        pictures.push((spec.id.to_owned(), picture));
    }
    let mut stale = Vec::new();
    for (name, fresh) in &pictures {
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::create_dir_all(path(name).parent().unwrap()).unwrap();
            std::fs::write(path(name), fresh).unwrap();
        }
        let kept = std::fs::read(path(name)).unwrap_or_default();
        let like = image::load_from_memory(&kept).map_or(f64::INFINITY, |kept| apart(&kept.to_rgb8(), &decoded(fresh)));
        if like > LIKE {
            stale.push(format!("{name}: {like}"));
        }
    }
    assert!(stale.is_empty(), "stale; run UPDATE_DOCS=1 cargo test --test it filters:: ({})", stale.join(", "));
    let known = |name: &str| pictures.iter().any(|(known, _)| *known == name);
    for entry in std::fs::read_dir(path(BEFORE).parent().unwrap()).unwrap() {
        let name = entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned();
        assert!(known(&name), "docs/filters/{name}.jpg belongs to no filter");
    }
}
