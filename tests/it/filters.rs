//! The filters: what they compute, where they put pixels, and what the chain promises.

mod chain;
mod docs;
mod golden;
mod overlay;
mod pictures;
mod pointer;
mod registry;
mod robust;
mod time;

use std::sync::Arc;
use std::time::Instant;

use lenscast::filter::{Chain, Files, Filter, ParamKind, ParamValue};
use lenscast::frame::{Captured, Frame, PixelFormat};
use lenscast::geometry::{Affine, Geometry, Size};
use lenscast::pipeline::{LiveText, Stage};
use serde_json::{Value, json};

use crate::support::random::Random;

/// A chain of enabled filters with parameters by id.
pub fn chain_of(filters: Value) -> Chain {
    Chain::from_value(&json!({ "version": 1, "filters": filters })).unwrap()
}

fn captured(size: Size, format: PixelFormat, pixels: Vec<u8>, at: Instant) -> Captured {
    let desktop_from_source = Some(Affine::IDENTITY);
    Captured { id: 1, size, format, pixels: pixels.into(), at, desktop_from_source, pointer: None, pressed: false }
}

/// What a chain makes of a picture's geometry.
pub fn blank(size: Size, chain: &Chain) -> Arc<Geometry> {
    run(size, &vec![0; size.pixels() * 4], chain).geometry
}

/// One RGBA picture through a chain on a new stage.
fn run(size: Size, pixels: &[u8], chain: &Chain) -> Frame {
    let now = Instant::now();
    let picture = captured(size, PixelFormat::Rgba, pixels.to_vec(), now);
    Stage::new().process(picture, chain, &LiveText::default(), now).expect("the frame is shown")
}

/// The same with files, which are read at once.
fn run_with_files(size: Size, pixels: &[u8], chain: &Chain) -> Frame {
    let now = Instant::now();
    let picture = captured(size, PixelFormat::Rgba, pixels.to_vec(), now);
    let files = Arc::new(Files::new(Box::new(|path, then| then(std::fs::read(path)))));
    let mut stage = Stage::new().with_files(files);
    let frame = stage.process(picture, chain, &LiveText::default(), now).expect("the frame is shown");
    assert_eq!(stage.report(), [], "{}", chain.to_json());
    frame
}

fn noise(size: Size, random: &mut Random) -> Vec<u8> {
    (0..size.pixels() * 4).map(|_| random.next() as u8).collect()
}

/// Random valid parameters; the ends of a range come often.
fn randomise(filter: &mut Filter, random: &mut Random) {
    for param in filter.spec().params {
        let value = match param.kind {
            ParamKind::Float { min, max, .. } => ParamValue::Float(match random.below(6) {
                0 => min,
                1 => max,
                _ => min + (max - min) * random.unit() as f32,
            }),
            // A side of thousands of pixels would only make the tests slow.
            ParamKind::Int { max: 1024.., .. } => ParamValue::Int(random.below(200) as i32),
            ParamKind::Int { min, max, .. } => ParamValue::Int(match random.below(6) {
                0 => min,
                1 => max,
                _ => min + random.below((max - min) as usize + 1) as i32,
            }),
            ParamKind::Bool { .. } => ParamValue::Bool(random.one_in(2)),
            ParamKind::Choice { options, .. } => ParamValue::Text(options[random.below(options.len())].0.to_owned()),
            ParamKind::Color { .. } => ParamValue::Color(format!("#{:08x}", random.next() as u32).parse().unwrap()),
            ParamKind::Text { .. } => {
                let texts =
                    ["", "{clock}\n{viewers} watch", "Ünï©ode 漢字 \u{1f600}\t{", "a long line, longer than it fits"];
                ParamValue::Text(texts[random.below(texts.len())].to_owned())
            }
            ParamKind::File { .. } => ParamValue::Text(String::new()),
            ParamKind::Curve { .. } => {
                let curves = ["0,0 1,1", "0,1 1,0", "0.2,0 0.5,0.9 0.8,0.1", "0,0.5 0.004,1"];
                ParamValue::Text(curves[random.below(curves.len())].to_owned())
            }
        };
        filter.params_mut().set(param.id, &value).unwrap();
    }
}

/// Pictures of every awkward shape.
const SIZES: [Size; 4] = [Size::new(1, 1), Size::new(3, 5), Size::new(17, 1), Size::new(64, 48)];
