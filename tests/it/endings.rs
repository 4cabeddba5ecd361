//! A button that a viewer holds comes up however it ends. Each ending once; `LENSCAST_ENDINGS=50` does it fifty times each
//! and prints how long it took, and how long a press takes from the page to the X server.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::desktop::FIRST;
use crate::hands::with_real_devices;
use crate::support::program::Program;
use crate::support::studio::eventually;
use crate::support::viewing::{LEFT, Viewing, down, to, up};
use crate::support::xserver::{Desk, XServer};

const LEFT_HELD: u16 = 0x100;
const STOP_KEY: [u32; 4] = [0xffe3, 0xffe9, 0xffe1, 0xff1b];

struct Scene {
    _outer: XServer,
    hand: Desk,
    inner: XServer,
    desk: Desk,
}

impl Scene {
    fn new() -> Self {
        let (outer, hand, inner, desk) = with_real_devices();
        // Over the nested desktop, which has the keys then.
        hand.drag_pointer(50, 50);
        Self { _outer: outer, hand, inner, desk }
    }

    fn serve(&self) -> Program {
        Program::serve(Some(self.inner.display()), &["--source", "screen", "--control"])
    }

    fn is_held(&self) -> bool {
        self.desk.held().0 & LEFT_HELD != 0
    }

    /// A page that holds the left button, and how long the press took from the page's event to the server's.
    fn hold(&self, viewing: &Viewing, program: &Program, query: &str) -> Duration {
        viewing.watch(program, query);
        viewing.wait_for_control();
        viewing.wait_for_geometry(program);
        let (mark, _) = viewing.find(FIRST.0);
        viewing.browser.run(
            "addEventListener('pointerdown', (event) => (window.pressedAt = performance.timeOrigin + event.timeStamp), true)",
        );
        // The person at the host rests, or the press would be refused.
        viewing.browser.wait_for("the host's rest", "return !lenscast.host.local");
        viewing.mouse(&[to(mark)]);
        let done = AtomicBool::new(false);
        let arrived = std::thread::scope(|scope| {
            let watcher = scope.spawn(|| {
                let deadline = Instant::now() + Duration::from_secs(30);
                while !self.is_held() {
                    assert!(Instant::now() < deadline, "the press never came");
                    std::thread::sleep(Duration::from_micros(200));
                }
                done.store(true, Ordering::Relaxed);
                SystemTime::now()
            });
            viewing.mouse(&[down(LEFT)]);
            watcher.join().expect("the watcher saw it")
        });
        assert!(done.load(Ordering::Relaxed));
        let pressed = viewing.browser.run("return window.pressedAt").as_f64().expect("the page saw its own press");
        after(pressed, arrived)
    }

    /// How long it took from now until the button came up.
    fn until_released(&self, since: Instant) -> Duration {
        let deadline = since + Duration::from_secs(30);
        while self.is_held() {
            assert!(Instant::now() < deadline, "the button never comes up");
            std::thread::sleep(Duration::from_micros(200));
        }
        since.elapsed()
    }
}

/// How long after a moment of the page's clock, which is this computer's, something was.
fn after(page_ms: f64, then: SystemTime) -> Duration {
    let then = then.duration_since(UNIX_EPOCH).expect("the clock is right").as_secs_f64() * 1e3;
    Duration::from_secs_f64(((then - page_ms) / 1e3).max(0.0))
}

fn times() -> usize {
    std::env::var("LENSCAST_ENDINGS").ok().and_then(|times| times.parse().ok()).unwrap_or(1)
}

/// The median and the longest.
fn told(name: &str, mut all: Vec<Duration>) {
    all.sort();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let (median, longest) = (all[all.len() / 2], all[all.len() - 1]);
    println!("{name}: {} times, median {:.1} ms, longest {:.1} ms", all.len(), ms(median), ms(longest));
}

#[test]
fn a_held_button_comes_up_at_every_end_of_a_page() {
    let scene = Scene::new();
    let program = scene.serve();
    let mut pressed = Vec::new();
    let (mut closed, mut gone) = (Vec::new(), Vec::new());
    let (mut stopped, mut killed) = (Vec::new(), Vec::new());
    for _ in 0..times() {
        let viewing = Viewing::open();
        // The driver takes its time before the page hears of its end, which is what counts; this runs before the page's own.
        viewing.browser.before_each_page(
            "addEventListener('pagehide', () => {
               if (location.protocol === 'http:') localStorage.setItem('gone', performance.timeOrigin + performance.now());
             }, { capture: true, once: true })",
        );
        pressed.push(scene.hold(&viewing, &program, "?transport=webrtc"));
        let since = Instant::now();
        viewing.browser.go("about:blank");
        closed.push(scene.until_released(since));
        let released = SystemTime::now();
        // The driver's own mouse is still down.
        viewing.mouse(&[up(LEFT)]);
        viewing.browser.go(&format!("http://{}/", program.address));
        let hidden = viewing.browser.run("return Number(localStorage.getItem('gone'))");
        gone.push(after(hidden.as_f64().filter(|at| *at > 0.0).expect("the page saw its end"), released));

        // As if the network were gone: the page says nothing more, and nobody says why.
        pressed.push(scene.hold(&viewing, &program, "?transport=webrtc"));
        let since = Instant::now();
        viewing.browser.signal("STOP");
        stopped.push(scene.until_released(since));
        viewing.browser.signal("CONT");
        viewing.mouse(&[up(LEFT)]);

        pressed.push(scene.hold(&viewing, &program, "?transport=webrtc"));
        let since = Instant::now();
        viewing.browser.kill();
        killed.push(scene.until_released(since));
        eventually("the session of the killed browser ends", || {
            program.state()["viewers"].as_array().is_some_and(Vec::is_empty)
        });
    }
    told("a press, from the page's event to the X server's", pressed);
    told("the tab is closed, from the driver's command", closed);
    told("the tab is closed, from the page's own last event", gone);
    told("the page falls silent", stopped);
    told("the browser is killed", killed);
}

#[test]
fn a_held_button_comes_up_at_every_end_of_the_program() {
    let scene = Scene::new();
    let (mut revoked, mut asked, mut killed, mut key) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut unwritten = Vec::new();
    let viewing = Viewing::open();
    for _ in 0..times() {
        let mut program = scene.serve();
        // Whoever comes in with a token has its rights, until it is removed.
        let token = |arguments: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_lenscast"));
            command.arg("token").args(arguments).env("LENSCAST_CONFIG_DIR", program.folder.path());
            String::from_utf8(command.output().expect("it was built").stdout).expect("it is text")
        };
        let printed = token(&["add", "Hand", "--role", "click"]);
        let secret = printed.split_whitespace().max_by_key(|word| word.len()).expect("it prints the token").to_owned();
        let standing = std::mem::replace(&mut program.secret, secret);
        scene.hold(&viewing, &program, "?transport=webrtc");
        program.secret = standing;
        let removed = Instant::now();
        let mut command = Command::new(env!("CARGO_BIN_EXE_lenscast"));
        command.args(["token", "remove", "Hand"]).env("LENSCAST_CONFIG_DIR", program.folder.path());
        assert!(command.status().expect("it was built").success());
        revoked.push(scene.until_released(removed));
        // The command starts a process before it changes anything.
        let released = SystemTime::now();
        let written = std::fs::metadata(program.folder.path().join("access.json")).and_then(|about| about.modified());
        unwritten.push(released.duration_since(written.expect("the file is there")).unwrap_or_default());
        viewing.mouse(&[up(LEFT)]);

        scene.hold(&viewing, &program, "?transport=webrtc");
        let since = Instant::now();
        program.signal("TERM");
        asked.push(scene.until_released(since));
        program.ended();
        viewing.mouse(&[up(LEFT)]);

        let mut program = scene.serve();
        scene.hold(&viewing, &program, "?transport=webrtc");
        let since = Instant::now();
        program.signal("KILL");
        killed.push(scene.until_released(since));
        program.ended();
        viewing.mouse(&[up(LEFT)]);

        let program = scene.serve();
        scene.hold(&viewing, &program, "?transport=webrtc");
        let since = Instant::now();
        scene.hand.chord(&STOP_KEY);
        key.push(scene.until_released(since));
        viewing.mouse(&[up(LEFT)]);
    }
    told("the right is taken, by another process, from its start", revoked);
    told("the right is taken, by another process, from its change of the file", unwritten);
    told("SIGTERM", asked);
    told("SIGKILL", killed);
    told("the stop key", key);
}
