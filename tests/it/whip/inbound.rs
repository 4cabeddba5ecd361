//! Pictures that are published to this computer.

use std::sync::Arc;
use std::time::Instant;

use lenscast::encode::{VideoCodec, VideoConfig, open_codec};
use lenscast::frame::BufferPool;
use lenscast::geometry::Geometry;
use lenscast::receive::{Codec, Unit};

use super::peers::{Script, python};
use crate::support::program::Program;
use crate::support::studio::{Scene, eventually, scene};

/// The quarters of `publisher.py`, from left to right and from top to bottom.
pub const QUARTERS: [[u8; 3]; 4] = [[220, 30, 30], [30, 200, 30], [40, 60, 220], [230, 220, 40]];

/// The size of a snapshot and the colour in the middle of each quarter.
pub fn snapshot(program: &Program) -> ((u32, u32), [[u8; 3]; 4]) {
    let picture = program.snapshot();
    let (width, height) = picture.dimensions();
    let middle = |at: u32| picture.get_pixel(width * (1 + at % 2 * 2) / 4, height * (1 + at / 2 * 2) / 4).0;
    ((width, height), [0, 1, 2, 3].map(middle))
}

/// Whether colours are the same but for what two encoders lose.
pub fn alike(one: &[[u8; 3]; 4], other: &[[u8; 3]; 4]) -> bool {
    one.iter().flatten().zip(other.iter().flatten()).all(|(one, other)| one.abs_diff(*other) <= 16)
}

fn source(program: &Program) -> String {
    program.state()["source"]["id"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn what_is_published_is_shown_whatever_its_publisher_does() {
    let Some(python) = python() else { return };
    let program = Program::serve(None, &["--source", "whip", "--accept-whip"]);
    let url = format!("http://{}/whip", program.address);
    // Nobody is there: the pattern stands in.
    assert_eq!(snapshot(&program).0, (1_280, 720));
    eventually("the state says so", || source(&program) == "pattern");
    // Somebody keeps looking, so that each change is seen as it comes.
    let mut stream = program.stream();
    let reader = std::thread::spawn(move || std::io::copy(&mut stream.reader, &mut std::io::sink()));

    let codecs: &[&str] = if cfg!(feature = "vp8") { &["vp8", "h264"] } else { &["h264"] };
    for codec in codecs {
        let mut publisher = Script::start(&python, "whip/publisher.py", &[&url, &program.secret, codec]);
        publisher.wait_for("published");
        eventually(&format!("the published picture is shown ({codec})"), || {
            let (size, colors) = snapshot(&program);
            size == (320, 240) && alike(&colors, &QUARTERS)
        });
        eventually("the state says so", || source(&program) == "whip");
        publisher.order("size 480 320");
        eventually("the picture changes its size", || {
            let (size, colors) = snapshot(&program);
            size == (480, 320) && alike(&colors, &QUARTERS)
        });
        publisher.order("end");
        assert_eq!(publisher.wait_for("ended"), "200");
        eventually("the pattern stands in again", || snapshot(&program).0 == (1_280, 720));
    }

    // One vanishes without a word, and the next one is let in as soon as that is known.
    let mut vanishing = Script::start(&python, "whip/publisher.py", &[&url, &program.secret, "h264"]);
    vanishing.wait_for("published");
    eventually("its picture is shown", || snapshot(&program).0 == (320, 240));
    vanishing.kill();
    eventually("the pattern stands in for it", || snapshot(&program).0 == (1_280, 720));
    let mut next = Script::start(&python, "whip/publisher.py", &[&url, &program.secret, "h264"]);
    eventually("the next one is let in", || {
        if next.has_ended() {
            next = Script::start(&python, "whip/publisher.py", &[&url, &program.secret, "h264"]);
        }
        next.said("published").is_some()
    });
    eventually("its picture is shown", || alike(&snapshot(&program).1, &QUARTERS));
    drop(program);
    let _ = reader.join();
}

#[test]
fn decoded_pictures_have_the_colours_that_were_encoded() {
    let geometry = Arc::new(Geometry::untouched(1, Scene::Small.size(), None));
    let pool = BufferPool::default();
    for (codec, encoder) in [(Codec::H264, VideoCodec::H264), (Codec::Vp8, VideoCodec::Vp8)] {
        if !Codec::available().contains(&codec) {
            continue;
        }
        let mut encoder = open_codec(encoder, VideoConfig { bitrate_kbps: 4_000, fps: 30 }).unwrap();
        let mut decoder = codec.decoder().unwrap();
        for id in 1..=10 {
            let frame = scene(Scene::Small, id, &geometry);
            let mut data = Vec::new();
            let bits = encoder.encode(&frame, id == 1, &mut data).unwrap();
            let unit = Unit { data, keyframe: bits.keyframe, colors: None, at: Instant::now() };
            let decoded = decoder.decode(&unit, &pool).unwrap().expect("every frame shows something");
            assert_eq!(decoded.size, frame.size);
            let differences = frame.pixels.iter().zip(decoded.pixels.iter()).map(|(one, other)| one.abs_diff(*other));
            let mean = differences.map(f64::from).sum::<f64>() / frame.pixels.len() as f64;
            assert!(mean < 4.0, "{codec:?}: {mean} levels apart");
        }
    }
}

#[test]
fn damaged_frames_are_errors_and_the_next_keyframe_mends_them() {
    let geometry = Arc::new(Geometry::untouched(1, Scene::Small.size(), None));
    let pool = BufferPool::default();
    for (codec, encoder) in [(Codec::H264, VideoCodec::H264), (Codec::Vp8, VideoCodec::Vp8)] {
        if !Codec::available().contains(&codec) {
            continue;
        }
        let mut encoder = open_codec(encoder, VideoConfig { bitrate_kbps: 1_000, fps: 30 }).unwrap();
        let mut decoder = codec.decoder().unwrap();
        let mut state = 12_345_u32;
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state as usize
        };
        for id in 1..=300 {
            let mut data = Vec::new();
            let bits = encoder.encode(&scene(Scene::Small, id, &geometry), id % 10 == 1, &mut data).unwrap();
            // Not the first keyframe: bytes flipped, cut short, or nothing but noise.
            if id > 1 && !data.is_empty() {
                for _ in 0..3 {
                    let at = random() % data.len();
                    data[at] ^= random() as u8;
                }
                data.truncate(1 + random() % (2 * data.len()));
            }
            // Whatever the damaged frames give, it is an answer.
            let unit = Unit { data, keyframe: bits.keyframe, colors: None, at: Instant::now() };
            let _ = decoder.decode(&unit, &pool);
        }
        let mut data = Vec::new();
        let bits = encoder.encode(&scene(Scene::Small, 1, &geometry), true, &mut data).unwrap();
        let unit = Unit { data, keyframe: bits.keyframe, colors: None, at: Instant::now() };
        let mended = (0..3).find_map(|_| decoder.decode(&unit, &pool).ok().flatten());
        assert_eq!(mended.map(|picture| picture.size), Some(Scene::Small.size()), "{codec:?}");
    }
}
