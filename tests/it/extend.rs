//! Filters of other people: in Rust beside ours, and as programs that behave or misbehave.

mod example;
mod faults;
mod installed;
#[cfg(feature = "model")]
mod model;
mod python;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lenscast::extend::{Limits, Program};
use lenscast::filter::{Chain, Custom, Filter, ParamValue};
use lenscast::frame::{Captured, Frame, PixelFormat};
use lenscast::geometry::Size;
use lenscast::pipeline::{LiveText, Stage};

use crate::support::program::{Folder, example};
use crate::support::studio::eventually;

const SIZE: Size = Size::new(64, 32);
const GRAY: [u8; 4] = [40, 40, 40, 255];
const NEGATIVE: [u8; 4] = [215, 215, 215, 255];

/// As the program has them, but in a hurry where it must fail. An answer in time is never cut off.
fn limits() -> Limits {
    Limits { pause: Duration::from_millis(20), ..Limits::default() }
}

/// A stage with one program in its chain.
struct Bench {
    program: Arc<Program>,
    stage: Stage,
    chain: Chain,
    key: u32,
    last_id: u64,
}

impl Bench {
    fn with(path: PathBuf, limits: Limits) -> Self {
        let program = Program::open(path, limits).expect("the program declares itself");
        let mut chain = Chain::default();
        let key = chain.add(Filter::Custom(Custom::new(Box::new(program.filter())))).expect("the chain is empty");
        Self { program, stage: Stage::new(), chain, key, last_id: 0 }
    }

    fn good() -> Self {
        Self::with(example("external_filter"), limits())
    }

    fn set(&mut self, param: &str, value: ParamValue) {
        let filter = self.chain.filter_mut(self.key).expect("it is in the chain");
        filter.params_mut().set(param, &value).expect("there is such a parameter");
    }

    fn behave(&mut self, how: &str) {
        self.set("behaviour", ParamValue::Text(how.to_owned()));
    }

    /// A new grey picture through the chain.
    fn frame(&mut self, size: Size) -> Frame {
        self.frame_of(size, GRAY.repeat(size.pixels()))
    }

    fn frame_of(&mut self, size: Size, pixels: Vec<u8>) -> Frame {
        self.last_id += 1;
        let (pixels, now) = (pixels.into(), Instant::now());
        let captured = Captured {
            id: self.last_id,
            size,
            format: PixelFormat::Rgba,
            pixels,
            at: now,
            desktop_from_source: None,
            pointer: None,
            pressed: false,
        };
        self.stage.process(captured, &self.chain, &LiveText::default(), now).expect("every frame is shown")
    }

    /// The colour of a new picture's frame, which is the same everywhere.
    fn color(&mut self) -> [u8; 4] {
        let frame = self.frame(SIZE);
        let first = [frame.pixels[0], frame.pixels[1], frame.pixels[2], frame.pixels[3]];
        assert!(frame.pixels.as_chunks::<4>().0.iter().all(|pixel| *pixel == first), "a picture is whole");
        first
    }

    fn complaint(&self) -> Option<&str> {
        self.stage.report().first().map(|(_, complaint)| complaint.as_str())
    }

    fn turns_negative(&mut self) {
        eventually("the program's picture is shown", || self.color() == NEGATIVE);
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.program.close(Instant::now() + Duration::from_secs(5));
    }
}

/// Writes a script that can be started.
fn script(folder: &Folder, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("the folder is the test's own");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("the file is the test's own");
    path
}

/// The processes that were started with this word on their command line.
#[cfg(target_os = "linux")]
fn processes_of(path: &Path) -> Vec<String> {
    let path = path.to_str().expect("the folder's name is text").as_bytes();
    let entries = std::fs::read_dir("/proc").expect("Linux has it");
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names
        .filter(|name| {
            let line = std::fs::read(format!("/proc/{name}/cmdline")).unwrap_or_default();
            line.split(|byte| *byte == 0).any(|word| word == path)
        })
        .collect()
}

#[test]
fn the_program_gets_the_picture_and_its_sliders_and_its_answer_is_shown() {
    let mut bench = Bench::good();
    bench.turns_negative();
    assert_eq!(bench.complaint(), None);
    bench.set("amount", ParamValue::Float(0.0));
    eventually("the slider reaches it", || bench.color() == GRAY);
    bench.set("amount", ParamValue::Float(0.5));
    eventually("the slider reaches it again", || bench.color() == [127, 127, 127, 255]);
    assert_eq!(bench.program.processes(), 1, "a slider does not start it anew");
}

#[test]
fn another_size_of_picture_reaches_the_same_process() {
    let mut bench = Bench::good();
    bench.turns_negative();
    for size in [Size::new(1, 1), Size::new(3, 5), Size::new(640, 480)] {
        eventually("the picture of another size is negative", || {
            let frame = bench.frame(size);
            assert_eq!(frame.pixels.len(), size.pixels() * 4);
            frame.pixels[..4] == NEGATIVE
        });
    }
    assert_eq!(bench.program.processes(), 1);
    assert_eq!(bench.complaint(), None);
}

#[test]
fn a_picture_that_stands_still_is_shown_again_until_the_answer_is_there_and_then_rests() {
    let mut bench = Bench::good();
    bench.frame(SIZE);
    eventually("the answer to the last picture is shown", || {
        let frame = bench.stage.again(&bench.chain, &LiveText::default(), Instant::now()).expect("there is a picture");
        frame.pixels[..4] == NEGATIVE
    });
    assert!(!bench.stage.goes_on());
}

#[test]
fn two_of_a_program_in_one_chain_are_two_processes_and_no_more_than_needed() {
    let mut bench = Bench::good();
    let second = Filter::Custom(Custom::new(Box::new(bench.program.filter())));
    let second = bench.chain.add(second).expect("the chain has room");
    // The negative of the negative: at first because neither has answered, in the end because both have.
    eventually("both run", || {
        bench.color();
        bench.program.processes() == 2
    });
    bench.chain.item_mut(second).expect("it is in the chain").enabled = false;
    bench.turns_negative();
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_is_left_of_a_program_and_of_what_it_started() {
    let folder = Folder::new();
    let binary = folder.path().join("filter-of-this-test");
    std::fs::copy(example("external_filter"), &binary).expect("the folder is the test's own");
    // The shell waits for the filter, so that there are two processes, and one of them is not ours to wait for.
    let wrapper = script(&folder, "wrapper", &format!("#!/bin/sh\n'{}'\nexit 0\n", binary.display()));
    let mut bench = Bench::with(wrapper.clone(), limits());
    bench.turns_negative();
    assert_eq!((processes_of(&wrapper).len(), processes_of(&binary).len()), (1, 1));
    bench.behave("hang");
    bench.color();
    bench.program.close(Instant::now() + Duration::from_secs(5));
    eventually("both are gone", || processes_of(&wrapper).is_empty() && processes_of(&binary).is_empty());
    eventually("frames go on without it", || bench.color() == GRAY);
}

#[test]
fn a_program_that_nobody_uses_ends_after_a_while() {
    let mut bench = Bench::with(example("external_filter"), Limits { idle: Duration::from_millis(50), ..limits() });
    bench.turns_negative();
    bench.stage.forget();
    eventually("it has ended", || bench.program.processes() == 0);
    bench.turns_negative();
}
