//! CPU time a frame of every filter, as the pipeline runs it: a pooled buffer is taken, the filter goes from the captured
//! picture into it, and the frame is dropped. Nothing else is copied, because the picture is RGBA.
//!
//! `cargo bench --bench filters` prints a table; a part of a filter's id after `--` chooses filters.
//! `benches/compare.py` runs it with `--json PICTURE WIDTHxHEIGHT`, a file of RGBA bytes, beside OpenCV.

use std::time::{Duration, Instant};

use lenscast::filter::Chain;
use lenscast::frame::{Captured, PixelFormat};
use lenscast::geometry::Size;
use lenscast::pipeline::{LiveText, Stage};
use serde_json::{Map, Value, json};

/// The kernel counts a thread's time at its own ticks, so that only some milliseconds together can be told apart.
const LEAST_SECONDS: f64 = 0.05;
const BATCHES: usize = 7;

fn main() {
    // Cargo itself adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [flag, file, size, rest @ ..] = &arguments[..]
        && flag == "--json"
    {
        let (width, height) = size.split_once('x').expect("a size is WIDTHxHEIGHT");
        let size = Size::new(width.parse().expect("a width"), height.parse().expect("a height"));
        let pixels = std::fs::read(file).expect("the picture can be read");
        let mut measured = Map::new();
        for (name, filters) in chosen(rest) {
            let (cpu, wall) = measure(size, &pixels, &chain(&name, &filters));
            measured.insert(name, json!([cpu, wall]));
        }
        println!("{}", Value::Object(measured));
        return;
    }
    if let [flag, rest @ ..] = &arguments[..]
        && flag == "--from-memory"
    {
        for (name, filters) in chosen(rest) {
            let chain = chain(&name, &filters);
            for size in [Size::new(1920, 1080), Size::new(3840, 2160)] {
                let (cpu, wall) = measure_from_memory(size, &scene(size), &chain);
                println!("{name:<44} {} {cpu:>10.2} {wall:>10.2}", size.width);
            }
        }
        return;
    }
    println!(
        "{:<44} {:>10} {:>10} {:>10} {:>10}",
        "milliseconds a frame, median", "720p CPU", "wall", "1080p CPU", "wall"
    );
    for (name, filters) in chosen(&arguments) {
        let chain = chain(&name, &filters);
        let [small, large] =
            [Size::new(1280, 720), Size::new(1920, 1080)].map(|size| measure(size, &scene(size), &chain));
        println!("{name:<44} {:>10.2} {:>10.2} {:>10.2} {:>10.2}", small.0, small.1, large.0, large.1);
    }
}

/// The cases whose name contains one of `wanted`, or all.
fn chosen(wanted: &[String]) -> impl Iterator<Item = (String, Value)> {
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|part| name.contains(part));
    cases().into_iter().filter(move |(name, _)| is_wanted(name))
}

fn chain(name: &str, filters: &Value) -> Chain {
    Chain::from_value(&json!({ "version": 1, "filters": filters })).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn cases() -> Vec<(String, Value)> {
    let one =
        |filter: &str, params: Value| (format!("{filter} {params}"), json!([{ "filter": filter, "params": params }]));
    vec![
        ("nothing".to_owned(), json!([])),
        one("brightness_contrast", json!({ "contrast": 1.2 })),
        one("gamma", json!({ "gamma": 2.2 })),
        one("saturation", json!({ "saturation": 1.5 })),
        one("saturation", json!({ "vibrance": 0.5 })),
        one("hue", json!({ "degrees": 30 })),
        one("grayscale", json!({})),
        one("invert", json!({})),
        one("threshold", json!({})),
        one("vignette", json!({})),
        one("gradient", json!({ "amount": 0.5, "blend": "overlay" })),
        one("scanlines", json!({ "amount": 0.5 })),
        one("halftone", json!({ "amount": 1 })),
        one("redact", json!({})),
        one("redact", json!({ "style": "blur" })),
        one("crop", json!({ "left": 0.1, "top": 0.1 })),
        one("rotate", json!({ "degrees": 90, "expand": true })),
        one("rotate", json!({ "degrees": 30 })),
        one("flip", json!({ "horizontal": true })),
        one("flip", json!({ "vertical": true })),
        one("zoom", json!({ "factor": 2 })),
        one("pad", json!({ "aspect": "square" })),
        one("scale", json!({ "percent": 50 })),
        one("scale", json!({ "percent": 50, "sampling": "nearest" })),
        one("scale", json!({ "percent": 50, "sampling": "bicubic" })),
        one("scale", json!({ "percent": 150, "sampling": "lanczos" })),
        one("scale", json!({ "percent": 50, "sampling": "area" })),
        one("perspective", json!({ "top_left_x": 0.2 })),
        one("lens", json!({ "k1": -0.2 })),
        one("kaleidoscope", json!({ "amount": 5 })),
        one("wave", json!({ "amount": 0.05 })),
        one("swirl", json!({ "angle": 200 })),
        one("box_blur", json!({ "radius": 10 })),
        one("box_blur", json!({ "radius": 2 })),
        one("gaussian_blur", json!({ "sigma": 0.8 })),
        one("gaussian_blur", json!({ "sigma": 2 })),
        one("gaussian_blur", json!({ "sigma": 5.9 })),
        one("gaussian_blur", json!({ "sigma": 20 })),
        one("sharpen", json!({ "amount": 1, "radius": 1 })),
        one("median", json!({ "radius": 1 })),
        one("median", json!({ "radius": 2 })),
        one("median", json!({ "radius": 3 })),
        one("median", json!({ "radius": 4 })),
        one("bilateral", json!({ "diameter": 9, "sigma_color": 25, "sigma_space": 5 })),
        one("edges", json!({})),
        one("pixelate", json!({ "size": 16 })),
        one("cartoon", json!({})),
        one("sobel", json!({})),
        one("emboss", json!({ "amount": 1 })),
        one("convolve", json!({ "kernel": "1 ".repeat(25), "factor": 0.04 })),
        one("morphology", json!({ "radius": 1 })),
        one("morphology", json!({ "operation": "close", "radius": 16 })),
        one("adaptive_threshold", json!({})),
        one("sketch", json!({})),
        one("oil", json!({})),
        one("glow", json!({})),
        one("trails", json!({ "decay": 0.9 })),
        one("motion", json!({})),
        one("temporal_denoise", json!({ "strength": 0.8 })),
        one("chroma_key", json!({})),
        one("chroma_key", json!({ "background": "blurred" })),
        one("color_key", json!({})),
        one("luma_key", json!({ "minimum": 0.2, "minimum_smoothness": 0.1 })),
        one("text", json!({ "text": "{clock}" })),
        ("a lens that spins".to_owned(), spinning("lens", json!({ "k1": -0.2 }))),
        ("a kaleidoscope that spins".to_owned(), spinning("kaleidoscope", json!({ "amount": 5 }))),
        ("chain of eight colour filters".to_owned(), eight_colours()),
    ]
}

/// A bent picture whose positions change with every frame.
fn spinning(filter: &str, params: Value) -> Value {
    json!([{ "filter": filter, "params": params }, { "filter": "rotate", "params": { "spin": 30 } }])
}

/// Eight different colour filters, as somebody would line them up.
fn eight_colours() -> Value {
    let filters = [
        ("brightness_contrast", json!({ "contrast": 1.2 })),
        ("gamma", json!({ "gamma": 1.2 })),
        ("saturation", json!({ "saturation": 1.5 })),
        ("hue", json!({ "degrees": 30 })),
        ("invert", json!({})),
        ("brightness_contrast", json!({ "brightness": 0.05 })),
        ("saturation", json!({ "saturation": 0.8 })),
        ("gamma", json!({ "gamma": 0.9 })),
    ];
    filters.into_iter().map(|(filter, params)| json!({ "filter": filter, "params": params })).collect()
}

/// CPU and wall milliseconds of a frame in the median batch.
fn measure(size: Size, pixels: &[u8], chain: &Chain) -> (f64, f64) {
    let (mut stage, live) = (Stage::new(), LiveText { clock: "12:34:56".to_owned(), ..LiveText::default() });
    let start = Instant::now();
    let picture = Captured {
        id: 1,
        size,
        format: PixelFormat::Rgba,
        pixels: pixels.to_vec().into(),
        at: start,
        desktop_from_source: None,
        pointer: None,
        pressed: false,
    };
    drop(stage.process(picture, chain, &live, start));
    let (mut cpu, mut wall, mut now) = (Vec::new(), Vec::new(), start);
    for _ in 0..BATCHES {
        let (started, busy) = (Instant::now(), cpu_ms());
        let mut frames = 0.0;
        while frames < 3.0 || started.elapsed().as_secs_f64() < LEAST_SECONDS {
            std::hint::black_box(stage.again(chain, &live, now));
            frames += 1.0;
            now += Duration::from_millis(33);
        }
        let took = started.elapsed().as_secs_f64() * 1e3;
        wall.push(took / frames);
        cpu.push(match (busy, cpu_ms()) {
            (Some(before), Some(after)) => (after - before) / frames,
            _ => took / frames,
        });
    }
    (median(cpu), median(wall))
}

/// The same where each picture is another one that has left the caches.
fn measure_from_memory(size: Size, pixels: &[u8], chain: &Chain) -> (f64, f64) {
    let (mut stage, live) = (Stage::new(), LiveText { clock: "12:34:56".to_owned(), ..LiveText::default() });
    let start = Instant::now();
    let mut now = start;
    let count = (256 << 20) / (size.pixels() * 4);
    let (mut cpu, mut wall) = (Vec::new(), Vec::new());
    let mut kept = std::collections::VecDeque::new();
    for batch in 0..BATCHES + 1 {
        let pictures: Vec<Captured> = (0..count)
            .map(|id| Captured {
                id: (batch * count + id) as u64 + 1,
                size,
                format: PixelFormat::Rgba,
                pixels: pixels.to_vec().into(),
                at: start,
                desktop_from_source: None,
                pointer: None,
                pressed: false,
            })
            .collect();
        let (started, busy) = (Instant::now(), cpu_ms());
        for picture in pictures {
            kept.push_back(stage.process(picture, chain, &live, now));
            if kept.len() > 4 {
                kept.pop_front();
            }
            now += Duration::from_millis(33);
        }
        let took = started.elapsed().as_secs_f64() * 1e3;
        if batch > 0 {
            wall.push(took / count as f64);
            cpu.push((cpu_ms().unwrap() - busy.unwrap()) / count as f64);
        }
    }
    (median(cpu), median(wall))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A picture with flat areas, gradients and noise, so that no filter gets away with a special case.
fn scene(size: Size) -> Vec<u8> {
    let mut state = 1_u32;
    let mut pixels = Vec::with_capacity(size.pixels() * 4);
    for y in 0..size.height {
        for x in 0..size.width {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = if (x / 200 + y / 150) % 3 == 0 { (state >> 24) as u8 } else { 0 };
            let flat = if (x / 90 + y / 70) % 2 == 0 { 200 } else { 40 };
            pixels.extend([(x / 8) as u8 ^ noise, flat, (y / 5) as u8, 255]);
        }
    }
    pixels
}

/// CPU time of all threads so far, from Linux's scheduler, which counts nanoseconds where `stat` counts hundredths.
fn cpu_ms() -> Option<f64> {
    let tasks = std::fs::read_dir("/proc/self/task").ok()?;
    let mut nanoseconds = 0.0;
    for task in tasks {
        let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        nanoseconds += text.split_whitespace().next()?.parse::<f64>().ok()?;
    }
    Some(nanoseconds / 1e6)
}
