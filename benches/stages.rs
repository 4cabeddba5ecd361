//! CPU time a picture of every stage but the filters: capture on X11, JPEG, and the video encoders.
//! Run it with `cargo bench --bench stages`. The capture runs in an X server of its own (Xvfb) and counts the server's
//! time too, because both ways of reading the screen make it work.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lenscast::capture::{SourceId, open};
use lenscast::encode::{VideoCodec, VideoConfig, encode_jpeg, open_codec};
use lenscast::frame::{BufferPool, Frame, FrameTimes, PixelFormat};
use lenscast::geometry::{Geometry, Size};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{ChangeGCAux, ConnectionExt, CreateGCAux, Rectangle};
use x11rb::wrapper::ConnectionExt as _;

const SIZES: [Size; 2] = [Size::new(1280, 720), Size::new(1920, 1080)];
const PICTURES: u32 = 150;

fn main() {
    println!("{:<28} {:>12} {:>12}", "CPU milliseconds a picture", "720p", "1080p");
    row("JPEG, quality 80", |size| {
        let frames = frames(size);
        cpu_a_picture(|number| {
            encode_jpeg(&frames[number as usize % frames.len()], 80).map(|jpeg| jpeg.len()).unwrap_or_default();
        })
    });
    for (name, codec) in [("H.264, 8 Mbit/s", VideoCodec::H264), ("VP8, 8 Mbit/s", VideoCodec::Vp8)] {
        row(name, |size| {
            let frames = frames(size);
            let config = VideoConfig { bitrate_kbps: 8_000, fps: 30 };
            let mut encoder = open_codec(codec, config).unwrap_or_else(|error| panic!("{name}: {error}"));
            let mut data = Vec::new();
            cpu_a_picture(|number| {
                data.clear();
                let frame = &frames[number as usize % frames.len()];
                encoder.encode(frame, number == 0, &mut data).unwrap_or_else(|error| panic!("{name}: {error}"));
            })
        });
    }
    row("screen, this program", |size| capture(size, &Way::Ours));
    row("screen, xcap", |size| capture(size, &Way::Xcap));
}

fn row(name: &str, mut measure: impl FnMut(Size) -> f64) {
    let [small, large] = SIZES.map(|size| {
        // Three runs, the median: the machine is shared.
        let mut runs = [measure(size), measure(size), measure(size)];
        runs.sort_by(f64::total_cmp);
        runs[1]
    });
    println!("{name:<28} {small:>12.2} {large:>12.2}");
}

/// CPU time of this process, in milliseconds a call.
fn cpu_a_picture(mut run: impl FnMut(u32)) -> f64 {
    run(0);
    let before = cpu_ms("self");
    for number in 1..=PICTURES {
        run(number);
    }
    (cpu_ms("self") - before) / f64::from(PICTURES)
}

/// User and system time of a process, in milliseconds; the kernel counts in hundredths of a second.
fn cpu_ms(process: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let ticks =
        |field: usize| after_name.split(' ').nth(field).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) * 10.0
}

/// Ten pictures of a page of text-like lines that scrolls, with a moving smooth part.
fn frames(size: Size) -> Vec<Frame> {
    (0..10).map(|number| frame(size, number)).collect()
}

fn frame(size: Size, number: u32) -> Frame {
    let mut pixels = vec![0; size.pixels() * 4];
    for (index, pixel) in pixels.chunks_exact_mut(4).enumerate() {
        let (x, y) = (index as u32 % size.width, index as u32 / size.width + number * 3);
        let letter = (x / 3 * 7 + y / 3 * 13).wrapping_mul(2_654_435_761) >> 29 == 0 && y % 20 < 12;
        let smooth = ((x + number * 5) / 8 % 256) as u8;
        let value = if x < size.width / 2 { if letter { 30 } else { 235 } } else { smooth };
        pixel.copy_from_slice(&[value, value, value / 2 + 60, 255]);
    }
    let captured = Instant::now();
    Frame {
        id: u64::from(number),
        size,
        format: PixelFormat::Bgrx,
        pixels: Arc::new(pixels.into()),
        times: FrameTimes { captured, filtered: Some(captured) },
        geometry: Arc::new(Geometry::untouched(1, size, None)),
    }
}

enum Way {
    Ours,
    Xcap,
}

/// CPU time of one picture of a changed screen, this process and the X server together, without the painting.
fn capture(size: Size, way: &Way) -> f64 {
    let Some(server) = XServer::start(size) else {
        eprintln!("Xvfb is missing; the capture is not measured");
        return f64::NAN;
    };
    let painting = server.run(|_| {});
    let taking = match way {
        Way::Ours => {
            let mut screen = server
                .with_display(|| open(&SourceId::Screen(None), 1_000, &Arc::default()))
                .expect("the screen opens");
            let pool = BufferPool::default();
            server.run(|_| {
                let taken = screen.next(Duration::from_secs(5), &pool).expect("the screen is read");
                assert_eq!(taken.map(|picture| picture.size), Some(size));
            })
        }
        Way::Xcap => server.with_display(|| {
            let monitors = xcap::Monitor::all().expect("xcap lists the monitors");
            server.run(|_| {
                let picture = monitors[0].capture_image().expect("xcap reads the screen");
                assert_eq!(picture.width(), size.width);
            })
        }),
    };
    taking - painting
}

/// An X server of this benchmark's own.
struct XServer {
    process: Child,
    display: String,
}

impl XServer {
    fn start(size: Size) -> Option<Self> {
        let screen = format!("{}x{}x24", size.width, size.height);
        let mut process = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", &screen, "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut number = String::new();
        BufReader::new(process.stdout.take()?).read_line(&mut number).ok()?;
        Some(Self { process, display: format!(":{}", number.trim()) })
    }

    /// Sources choose the display by the environment, so this runs before any other thread does.
    fn with_display<T>(&self, run: impl FnOnce() -> T) -> T {
        environment::set("DISPLAY", &self.display);
        run()
    }

    /// Paints the whole screen anew before each call of `take`; CPU milliseconds a picture of both processes.
    fn run(&self, mut take: impl FnMut(u32)) -> f64 {
        let (connection, screen) = x11rb::connect(Some(&self.display)).expect("the X server answers");
        let root = &connection.setup().roots[screen];
        let (window, width, height) = (root.root, root.width_in_pixels, root.height_in_pixels);
        let context = connection.generate_id().expect("an id is free");
        connection.create_gc(context, window, &CreateGCAux::new()).expect("the request is sent");
        let server = self.process.id().to_string();
        let before = cpu_ms("self") + cpu_ms(&server);
        for number in 0..PICTURES {
            let color = ChangeGCAux::new().foreground(number.wrapping_mul(0x0001_0305) & 0x00FF_FFFF);
            connection.change_gc(context, &color).expect("the request is sent");
            let whole = Rectangle { x: 0, y: 0, width, height };
            connection.poly_fill_rectangle(window, context, &[whole]).expect("the request is sent");
            connection.sync().expect("the X server answers");
            take(number);
        }
        (cpu_ms("self") + cpu_ms(&server) - before) / f64::from(PICTURES)
    }
}

impl Drop for XServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Changing the environment is unsafe where other threads may read it.
mod environment {
    #[expect(unsafe_code, reason = "the benchmark has one thread when it does this")]
    pub fn set(name: &str, value: &str) {
        // SAFETY: no other thread of this process runs yet.
        unsafe { std::env::set_var(name, value) };
    }
}
