//! CPU time a frame of every filter, to compare with `benches/opencv_filters.py`. Run it with
//! `cargo bench --bench filters`, optionally followed by `--` and a part of a filter's id.

use std::time::Instant;

use lenscast::filter::Chain;
use lenscast::frame::{Captured, PixelFormat};
use lenscast::geometry::Size;
use lenscast::pipeline::{LiveText, Stage};
use serde_json::{Value, json};

const FRAMES: usize = 15;

fn main() {
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    println!(
        "{:<44} {:>10} {:>10} {:>10} {:>10}",
        "milliseconds a frame, median", "720p CPU", "wall", "1080p CPU", "wall"
    );
    for (name, filters) in cases().into_iter().filter(|(name, _)| name.contains(&wanted)) {
        let chain = match Chain::from_value(&json!({ "version": 1, "filters": filters })) {
            Ok(chain) => chain,
            Err(error) => panic!("{name}: {error}"),
        };
        let [small, large] = [Size::new(1280, 720), Size::new(1920, 1080)].map(|size| measure(size, &chain));
        println!("{name:<44} {:>10.2} {:>10.2} {:>10.2} {:>10.2}", small.0, small.1, large.0, large.1);
    }
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
        one("redact", json!({})),
        one("redact", json!({ "style": "blur" })),
        one("crop", json!({ "left": 0.1, "top": 0.1 })),
        one("rotate", json!({ "degrees": 90, "expand": true })),
        one("rotate", json!({ "degrees": 30 })),
        one("flip", json!({ "horizontal": true })),
        one("zoom", json!({ "factor": 2 })),
        one("box_blur", json!({ "radius": 10 })),
        one("gaussian_blur", json!({ "sigma": 2 })),
        one("gaussian_blur", json!({ "sigma": 5.9 })),
        one("gaussian_blur", json!({ "sigma": 20 })),
        one("sharpen", json!({ "amount": 1, "radius": 1 })),
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
        one("text", json!({ "text": "{clock}" })),
        ("chain of eight colour filters".to_owned(), eight_colours()),
    ]
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

/// CPU and wall milliseconds of the median frame.
fn measure(size: Size, chain: &Chain) -> (f64, f64) {
    let (mut stage, live) = (Stage::new(), LiveText { clock: "12:34:56".to_owned(), ..LiveText::default() });
    let start = Instant::now();
    let picture = Captured {
        id: 1,
        size,
        format: PixelFormat::Rgba,
        pixels: scene(size).into(),
        at: start,
        desktop_from_source: None,
    };
    drop(stage.process(picture, chain, &live, start));
    let (mut cpu, mut wall) = (Vec::new(), Vec::new());
    for _ in 0..FRAMES {
        let (started, busy) = (Instant::now(), cpu_ms());
        std::hint::black_box(stage.again(chain, &live, start));
        let took = started.elapsed().as_secs_f64() * 1e3;
        wall.push(took);
        cpu.push(match (busy, cpu_ms()) {
            (Some(before), Some(after)) => after - before,
            _ => took,
        });
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
