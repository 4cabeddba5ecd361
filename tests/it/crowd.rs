//! Many viewers at once, and many one after the other: a picture is encoded once for all, and nothing stays of who left.
//!
//! For the figures of docs/performance.md and docs/robustness.md: `LENSCAST_TEST_BINARY=target/release/lenscast
//! LENSCAST_CROWD=32 LENSCAST_CHURN=1000 cargo test --test it -- crowd --nocapture`.

use std::time::{Duration, Instant};

use image::imageops::FilterType;
use image::{Rgb, RgbImage};
use tokio::runtime::Runtime;

use crate::support::light::Light;
use crate::support::program::{Folder, Program};
use crate::support::random::Random;
use crate::support::studio::eventually;
use crate::support::viewing::Viewing;

/// A number from the environment, for figures, or the one that does for an ordinary run.
fn many(variable: &str, ordinarily: usize) -> usize {
    std::env::var(variable).ok().and_then(|number| number.parse().ok()).unwrap_or(ordinarily)
}

/// What the program uses: seconds of CPU so far, MiB of memory (its share of what is shared), descriptors.
#[derive(Debug, Clone, Copy)]
struct Used {
    cpu: f64,
    memory: f64,
    descriptors: usize,
}

fn used(program: &Program) -> Used {
    let folder = format!("/proc/{}", program.id());
    let read = |file: &str| std::fs::read_to_string(format!("{folder}/{file}")).expect("the program runs");
    // Its name, in parentheses, may have spaces.
    let stat = read("stat");
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks: f64 = fields[11..13].iter().map(|ticks| ticks.parse::<f64>().expect("ticks are numbers")).sum();
    let rollup = read("smaps_rollup");
    let share =
        rollup.lines().find_map(|line| line.strip_prefix("Pss:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    Used {
        cpu: ticks / 100.0,
        memory: share.expect("the kernel says so") / 1024.0,
        descriptors: std::fs::read_dir(format!("{folder}/fd")).expect("the program runs").count(),
    }
}

/// So much in it that, once it turns, the encoder needs all of its bitrate.
fn busy_picture() -> RgbImage {
    let mut random = Random::new(5);
    let small = RgbImage::from_fn(320, 180, |_, _| Rgb([random.below(256) as u8, random.below(256) as u8, 128]));
    image::imageops::resize(&small, 1_280, 720, FilterType::Triangle)
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("threads can be started")
}

/// Pictures that all encoders together have made.
fn encoded(program: &Program) -> u64 {
    let encoders = program.state()["encoders"].as_array().cloned().unwrap_or_default();
    encoders.iter().filter_map(|encoder| encoder["encoded"].as_u64()).sum()
}

fn viewers(program: &Program) -> usize {
    program.state()["viewers"].as_array().expect("it is a list").len()
}

#[test]
fn each_picture_is_encoded_once_for_a_crowd_and_the_browser_among_them_loses_none() {
    let crowd = many("LENSCAST_CROWD", 6);
    let fps = if crowd > 6 { "30" } else { "10" };
    let folder = Folder::new();
    let picture = folder.path().join("busy.png");
    busy_picture().save(&picture).expect("the folder is the test's own");
    let source = format!("image:{}", picture.display());
    let program = Program::serve(
        None,
        &["--source", &source, "--filter", "rotate:spin=20", "--fps", fps, "--bitrate", "4000", "--viewers", "64"],
    );
    let viewing = Viewing::open();
    viewing.watch(&program, "?transport=webrtc&codec=h264");
    eventually("the browser shows pictures", || viewing.says("frames").as_u64() > Some(5));
    let runtime = runtime();
    let seconds = if crowd > 6 { 20 } else { 3 };
    let measure = || {
        let (before, start) = (used(&program), Instant::now());
        std::thread::sleep(Duration::from_secs(seconds));
        let after = used(&program);
        ((after.cpu - before.cpu) / start.elapsed().as_secs_f64() * 100.0, after.memory)
    };
    let (alone_cpu, alone_memory) = measure();
    let mut lights = Vec::new();
    for _ in 0..crowd {
        lights.push(runtime.block_on(Light::watch(program.address, &program.secret, "?codec=h264")));
    }
    for (number, light) in lights.iter().enumerate() {
        assert!(runtime.block_on(light.sees(5)), "viewer {number} sees pictures");
    }
    let shown = || viewing.says("frames").as_u64().unwrap_or(0);
    let counted =
        |lights: &[Light]| (lights.iter().map(Light::frames).min(), lights.iter().map(Light::bytes).sum::<u64>());
    let (pictures, frames, showed) = (encoded(&program), counted(&lights), shown());
    let (cpu, memory) = measure();
    let made = encoded(&program) - pictures;
    let (showed, (least, bytes)) = (shown() - showed, counted(&lights));
    let least = least.expect("there are viewers") - frames.0.expect("there are viewers");
    let rate = (bytes - frames.1) as f64 * 8.0 / 1e6 / seconds as f64 / crowd as f64;
    println!(
        "{crowd} viewers at {fps} a second, {rate:.1} Mbit/s each: {made} pictures encoded, the least that a viewer got \
         {least}, Chromium showed {showed}; CPU {alone_cpu:.1} % of a core before, {cpu:.1} % with them, {:.2} % each; memory \
         {alone_memory:.1} MiB before, {memory:.1} MiB with them, {:.2} MiB each",
        (cpu - alone_cpu) / crowd as f64,
        (memory - alone_memory) / crowd as f64,
    );
    // Not once a viewer, by far: no more than there were pictures.
    let most = seconds * fps.parse::<u64>().expect("it is a number") * 3 / 2;
    assert!(made <= most, "{made} pictures encoded");
    assert!(least > 0 && made > 0 && showed > 0);
    runtime.block_on(async {
        for light in lights {
            light.leave().await;
        }
    });
    eventually("only the browser is left", || viewers(&program) == 1);
}

#[test]
fn who_comes_and_goes_leaves_no_memory_and_no_descriptor_behind() {
    let visits = many("LENSCAST_CHURN", 12);
    // A thousand in ten minutes.
    let pause = Duration::from_millis(if visits > 12 { 600 } else { 150 });
    let program = Program::serve(None, &["--source", "pattern", "--viewers", "64", "--watch", "anyone"]);
    let runtime = runtime();
    let visit = |number: usize| {
        let (address, secret) = (program.address, program.secret.clone());
        async move {
            let light = Light::watch(address, &secret, "").await;
            assert!(light.sees(3).await, "visitor {number} sees pictures");
            // Some say goodbye, some are just gone.
            if number.is_multiple_of(3) { light.vanish().await } else { light.leave().await }
        }
    };
    let empty = || viewers(&program) == 0;
    // What is made once and kept is there before it counts.
    for number in 0..6 {
        runtime.block_on(visit(number));
    }
    eventually("everybody is gone", empty);
    let before = used(&program);
    let start = Instant::now();
    let mut visits_on = Vec::new();
    for number in 0..visits {
        visits_on.push(runtime.spawn(visit(number)));
        std::thread::sleep(pause);
    }
    for visit in visits_on {
        runtime.block_on(visit).expect("each visitor saw pictures");
    }
    eventually("everybody is gone", empty);
    let after = used(&program);
    println!("{visits} visits in {:.0} s: before {before:?}, after {after:?}", start.elapsed().as_secs_f64());
    eventually("no descriptor stays", || used(&program).descriptors <= before.descriptors);
}
