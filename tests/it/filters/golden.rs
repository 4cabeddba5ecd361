//! Every filter against pictures that OpenCV or a formula made (`tests/it/golden/make.py`).

use std::path::PathBuf;

use lenscast::filter::ParamKind;
use lenscast::geometry::Size;
use serde_json::{Value, json};

use super::{chain_of, run_with_files};

struct Picture {
    size: Size,
    rgba: Vec<u8>,
}

fn load(name: &str) -> Picture {
    let path = golden().join(format!("{name}.png"));
    let image = image::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).to_rgba8();
    Picture { size: Size::new(image.width(), image.height()), rgba: image.into_raw() }
}

fn golden() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden")
}

fn cases() -> Vec<Value> {
    let text = std::fs::read_to_string(golden().join("cases.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// A case's parameters; files lie beside the pictures.
fn params_of(case: &Value) -> Value {
    let mut params = case["params"].clone();
    for param in lenscast::filter::find(case["filter"].as_str().unwrap()).unwrap().params {
        if let (ParamKind::File { .. }, Some(name)) = (param.kind, case["params"][param.id].as_str()) {
            params[param.id] = golden().join(name).to_str().unwrap().into();
        }
    }
    params
}

#[test]
fn every_filter_agrees_with_its_reference() {
    let mut failures = Vec::new();
    for case in cases() {
        let [filter, input, expected] = ["filter", "input", "expected"].map(|key| case[key].as_str().unwrap());
        let source = load(input);
        let wanted = load(expected);
        let chain = chain_of(json!([{ "filter": filter, "params": params_of(&case) }]));
        let frame = run_with_files(source.size, &source.rgba, &chain);
        assert_eq!(frame.size, wanted.size, "{expected}: the size");
        let verdict = match case["tolerance"].as_str() {
            None => farthest(&frame.pixels, &wanted, case["margin"].as_u64().unwrap() as u32, &case["tolerance"]),
            Some("edges") => share_of_equal_pixels(&frame.pixels, &wanted),
            Some("ssim") => similarity(&frame.pixels, &wanted),
            Some(other) => panic!("{expected}: unknown measure {other}"),
        };
        println!("{expected} {} {}: {}", case["params"], input, verdict.clone().unwrap_or_else(|error| error));
        if let Err(error) = verdict {
            failures.push(format!("{expected} {}: {error}", case["params"]));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

const TIME: &str = "one picture says nothing; it has tests in made-up time";
/// Filters without a golden picture, and why.
const LOOKED_AT: &[(&str, &str)] = &[
    ("text", "letters are drawn by a library, and no other draws them alike"),
    ("sketch", "a matter of taste"),
    ("oil", "a matter of taste"),
    ("glow", "a matter of taste"),
    ("picture_in_picture", "it shows what other sources give; it has tests of its own"),
    ("pointers", "it shows what viewers do; it has tests of its own"),
    ("cursor_highlight", "it shows what the pointer does; it has tests of its own"),
    ("delay", TIME),
    ("trails", TIME),
    ("motion", TIME),
    ("temporal_denoise", TIME),
    ("freeze", TIME),
    ("frame_rate", TIME),
];

#[test]
fn every_filter_but_a_few_has_a_reference() {
    let cases = cases();
    let is_looked_at = |id: &str| LOOKED_AT.iter().any(|(looked_at, _)| *looked_at == id);
    for spec in lenscast::filter::built_in().iter().filter(|spec| !is_looked_at(spec.id)) {
        assert!(cases.iter().any(|case| case["filter"] == spec.id), "{} has no golden picture", spec.id);
    }
}

/// The picture of `make.py`'s `full_size`.
fn full_size() -> Picture {
    let size = Size::new(1919, 1079);
    let mut rgba = Vec::with_capacity(size.pixels() * 4);
    for y in 0..size.height {
        for x in 0..size.width {
            let red = (x * 3 + y) ^ ((x * y) >> 4);
            let green = (x / 37 + y / 23) * 71;
            let blue = y * 255 / 1078 + ((x * x + y * y) >> 9);
            rgba.extend([red as u8, green as u8, blue as u8, 255]);
        }
    }
    Picture { size, rgba }
}

/// The places of `make.py`'s `points`.
fn points(width: u64, height: u64, margin: u64) -> Vec<(u32, u32)> {
    let (right, bottom) = (width - 1 - margin, height - 1 - margin);
    let mut chosen = vec![(margin, margin), (right, margin), (margin, bottom), (right, bottom)];
    let mut state = 1_u64;
    for number in 0..196 {
        let mut place = [width, height].map(|length| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            margin + (state >> 33) % (length - 2 * margin)
        });
        if number % 4 == 0 {
            let side = number / 4 % 2;
            place[side] = [margin, [right, bottom][side]][number / 8 % 2];
        }
        chosen.push((place[0], place[1]));
    }
    chosen.into_iter().map(|(x, y)| (x as u32, y as u32)).collect()
}

#[test]
fn every_filter_agrees_with_its_reference_on_an_odd_full_size() {
    let text = std::fs::read_to_string(golden().join("full_size.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert!(cases.len() > 45, "{} cases", cases.len());
    let source = full_size();
    let mut failures = Vec::new();
    for case in cases {
        let filter = case["filter"].as_str().unwrap();
        let chain = chain_of(json!([{ "filter": filter, "params": params_of(&case) }]));
        let frame = run_with_files(source.size, &source.rgba, &chain);
        let [width, height] = [0, 1].map(|side| case["size"][side].as_u64().unwrap());
        assert_eq!((u64::from(frame.size.width), u64::from(frame.size.height)), (width, height), "{filter}: the size");
        let bytes = case["pixels"].as_str().unwrap().as_bytes();
        let wanted = bytes.chunks(8).map(|hex| u32::from_str_radix(std::str::from_utf8(hex).unwrap(), 16).unwrap());
        let (mut farthest, mut equal, mut sum, mut count) = (0, 0, 0, 0);
        for ((x, y), wanted) in points(width, height, case["margin"].as_u64().unwrap()).into_iter().zip(wanted) {
            let found = frame.rgba(x, y);
            let apart = found.iter().zip(wanted.to_be_bytes()).map(|(a, b)| u32::from(a.abs_diff(b)));
            let apart = apart.max().unwrap_or(0);
            farthest = farthest.max(apart);
            equal += u32::from(apart == 0);
            sum += apart;
            count += 1;
        }
        assert_eq!(count, 200, "{filter}");
        let agrees = match case["tolerance"].as_str() {
            None => u64::from(farthest) <= case["tolerance"].as_u64().unwrap(),
            Some("edges") => equal * 100 >= count * 99,
            // Few pixels say nothing of structure, but they are all alike where it is.
            _ => sum <= count * 2,
        };
        println!("{filter}: {farthest} levels at most, {equal} of {count} equal, {sum} levels in all");
        if !agrees {
            failures
                .push(format!("{filter}: {farthest} levels at most, {equal} of {count} equal, {sum} levels in all"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn farthest(pixels: &[u8], wanted: &Picture, margin: u32, tolerance: &Value) -> Result<String, String> {
    let Size { width, height } = wanted.size;
    let mut worst = (0, 0, 0);
    for y in margin..height - margin {
        for x in margin..width - margin {
            let at = (y * width + x) as usize * 4;
            let differences = pixels[at..at + 4].iter().zip(&wanted.rgba[at..at + 4]).map(|(a, b)| a.abs_diff(*b));
            let difference = differences.max().unwrap_or(0);
            if difference > worst.0 {
                worst = (difference, x, y);
            }
        }
    }
    let (levels, x, y) = worst;
    let text = format!("{levels} levels away at {x}, {y} (allowed {tolerance})");
    if u64::from(levels) <= tolerance.as_u64().unwrap() { Ok(text) } else { Err(text) }
}

fn share_of_equal_pixels(pixels: &[u8], wanted: &Picture) -> Result<String, String> {
    let equal = pixels.chunks(4).zip(wanted.rgba.chunks(4)).filter(|(a, b)| a == b).count();
    let share = equal as f64 / wanted.size.pixels() as f64;
    let text = format!("{:.2} % of the pixels are equal", share * 100.0);
    if share >= 0.99 { Ok(text) } else { Err(text) }
}

/// Mean structural similarity of the luma over windows of 8 x 8.
fn similarity(pixels: &[u8], wanted: &Picture) -> Result<String, String> {
    let gray = |pixels: &[u8]| -> Vec<f64> {
        let luma = |p: &[u8]| 0.299 * f64::from(p[0]) + 0.587 * f64::from(p[1]) + 0.114 * f64::from(p[2]);
        pixels.chunks(4).map(luma).collect()
    };
    let (ours, theirs) = (gray(pixels), gray(&wanted.rgba));
    let (width, height) = (wanted.size.width as usize, wanted.size.height as usize);
    let (mut sum, mut windows) = (0.0, 0.0);
    for top in 0..=height - 8 {
        for left in 0..=width - 8 {
            let at = |index: usize| (top + index / 8) * width + left + index % 8;
            let mean = |values: &[f64]| (0..64).map(|index| values[at(index)]).sum::<f64>() / 64.0;
            let (a, b) = (mean(&ours), mean(&theirs));
            let spread = |one: &[f64], one_mean: f64, other: &[f64], other_mean: f64| {
                (0..64).map(|index| (one[at(index)] - one_mean) * (other[at(index)] - other_mean)).sum::<f64>() / 63.0
            };
            let (c1, c2) = ((0.01_f64 * 255.0).powi(2), (0.03_f64 * 255.0).powi(2));
            let together = spread(&ours, a, &theirs, b);
            let apart = spread(&ours, a, &ours, a) + spread(&theirs, b, &theirs, b);
            sum += (2.0 * a * b + c1) * (2.0 * together + c2) / ((a * a + b * b + c1) * (apart + c2));
            windows += 1.0;
        }
    }
    let text = format!("structural similarity {:.4}", sum / windows);
    if sum / windows >= 0.95 { Ok(text) } else { Err(text) }
}
