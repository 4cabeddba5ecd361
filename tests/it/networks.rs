//! Bad networks between the host and a real Chromium: what the viewer still sees of the picture. The ordinary run looks at
//! one case of each kind; with `LENSCAST_ROBUSTNESS` set to a file's path it goes through the whole matrix, which takes
//! some minutes, and writes the table there.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::browser::Browser;
use crate::support::impaired::{Bursts, Conditions, Impaired};
use crate::support::player::{open, play_through};
use crate::support::studio::{SECRET, Scene, Studio, eventually};

/// What the user has set; more than any of the links here carries.
const SETTING_KBPS: u32 = 6_000;
const QUEUE: Duration = Duration::from_millis(200);

/// Notes when each frame is shown.
const WATCH: &str = r"
    window.shown = [];
    const note = (now) => { window.shown.push(now); window.video.requestVideoFrameCallback(note); };
    window.video.requestVideoFrameCallback(note);
";
const STATS: &str = r"
    const stats = [...(await window.pc.getStats()).values()];
    const inbound = stats.find((entry) => entry.type === 'inbound-rtp' && entry.kind === 'video') ?? {};
    return { now: performance.now(), shown: window.shown.length, frozen: inbound.totalFreezesDuration ?? 0,
        bytes: inbound.bytesReceived ?? 0, rtx: inbound.retransmittedPacketsReceived ?? 0, pli: inbound.pliCount ?? 0,
        keys: inbound.keyFramesDecoded ?? 0, held: inbound.jitterBufferDelay ?? 0, emitted: inbound.jitterBufferEmittedCount ?? 0 };
";

/// One viewer behind one network.
struct Case {
    studio: Studio,
    browser: Browser,
    network: Impaired,
}

/// What the browser saw over some time.
#[derive(Debug, Clone, Copy)]
struct Seen {
    seconds: f64,
    fps: f64,
    frozen_percent: f64,
    longest_ms: f64,
    kbps: f64,
    rtx: f64,
    keyframes: f64,
    held_ms: f64,
}

impl Case {
    fn start(seed: u64) -> Self {
        let studio = Studio::showing(Scene::Rich, SETTING_KBPS);
        let browser = open(&studio);
        let network = Impaired::start(seed);
        play_through(&browser, &network, "?codec=h264");
        browser.run(WATCH);
        let case = Self { studio, browser, network };
        eventually("the picture plays", || case.number("return window.shown.length") > 30.0);
        case
    }

    fn number(&self, script: &str) -> f64 {
        self.browser.run(script).as_f64().unwrap_or(0.0)
    }

    fn stats(&self) -> Value {
        self.browser.run_async(STATS)
    }

    fn watch(&self, time: Duration) -> Seen {
        let before = self.stats();
        std::thread::sleep(time);
        let after = self.stats();
        let grown = |name: &str| after[name].as_f64().unwrap_or(0.0) - before[name].as_f64().unwrap_or(0.0);
        let seconds = grown("now") / 1e3;
        Seen {
            seconds,
            fps: grown("shown") / seconds,
            frozen_percent: 100.0 * grown("frozen") / seconds,
            longest_ms: self
                .longest_gap_ms(before["now"].as_f64().unwrap_or(0.0), after["now"].as_f64().unwrap_or(0.0)),
            kbps: grown("bytes") * 8.0 / 1e3 / seconds,
            rtx: grown("rtx"),
            keyframes: grown("keys"),
            held_ms: 1e3 * grown("held") / grown("emitted").max(1.0),
        }
    }

    /// The longest time without a new frame between two moments of the page's clock.
    fn longest_gap_ms(&self, from: f64, to: f64) -> f64 {
        self.number(&format!(
            "let at = {from}, longest = 0;
             for (const next of [...window.shown.filter((time) => time > {from} && time < {to}), {to}]) {{
                longest = Math.max(longest, next - at); at = next; }} return longest;"
        ))
    }

    fn estimate_kbps(&self) -> f64 {
        let viewers = self.studio.server.publisher.viewers();
        f64::from(viewers.first().and_then(|viewer| viewer.estimate_kbps).unwrap_or(0.0))
    }

    /// How many seconds until what the host sends passes a limit, and stays beyond it for two seconds.
    fn time_until(&self, is_there: impl Fn(f64) -> bool, at_most: Duration) -> Option<f64> {
        let begun = Instant::now();
        let mut samples = vec![(begun, self.network.bytes())];
        let mut since: Option<Instant> = None;
        while begun.elapsed() < at_most + Duration::from_secs(2) {
            std::thread::sleep(Duration::from_millis(100));
            let now = Instant::now();
            samples.push((now, self.network.bytes()));
            let (then, bytes) = samples[samples.len().saturating_sub(6)];
            let kbps = (samples[samples.len() - 1].1 - bytes) as f64 * 8.0 / 1e3 / (now - then).as_secs_f64();
            since = if is_there(kbps) { since.or(Some(now)) } else { None };
            if since.is_some_and(|since| now - since > Duration::from_secs(2)) {
                break;
            }
        }
        since.map(|since| (since - begun).as_secs_f64())
    }

    /// How many seconds until the picture has no gap of a freeze's length for two seconds; `None` within ten.
    fn steady_after(&self) -> Option<f64> {
        let begun = self.number("return performance.now()");
        std::thread::sleep(Duration::from_secs(10));
        let gaps = self.number(&format!(
            "let end = {begun}; const times = window.shown.filter((time) => time > {begun});
             [{begun}, ...times].forEach((time, index, all) => {{ if (all[index + 1] - time > 183) end = all[index + 1]; }});
             return times.length > 100 ? (end - {begun}) / 1000 : -1;"
        ));
        (0.0..8.0).contains(&gaps).then_some(gaps)
    }

    /// Nothing comes through for some time; gives how many seconds after that the next frame is shown.
    fn black_hole(&self, time: Duration) -> Option<f64> {
        self.network.both(Conditions::dead());
        std::thread::sleep(time);
        let end = self.number("return performance.now()");
        self.network.both(Conditions::default());
        let first = format!("return window.shown.find((time) => time > {end}) ?? 0");
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            let shown = self.number(&first);
            if shown > 0.0 {
                return Some((shown - end) / 1e3);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        None
    }
}

fn both_ways(conditions: Conditions) -> Conditions {
    Conditions { delay: Duration::from_millis(20), ..conditions }
}

#[test]
fn a_bad_network_costs_quality_and_not_the_picture() {
    if let Ok(path) = std::env::var("LENSCAST_ROBUSTNESS") {
        let only = std::env::var("LENSCAST_ROBUSTNESS_ONLY").unwrap_or_default();
        type Part = (&'static str, fn() -> String);
        let parts: [Part; 3] = [("losses", losses), ("narrow", narrow_links), ("holes", holes)];
        let wanted = parts.iter().filter(|(name, _)| only.is_empty() || only == *name);
        let tables: Vec<String> = wanted.map(|(_, part)| part()).collect();
        std::fs::write(&path, tables.join("\n")).expect("the tables can be written");
        return;
    }
    let case = Case::start(21);
    case.network.both(both_ways(Conditions::losing(0.05)));
    let seen = case.watch(Duration::from_secs(8));
    println!("5 % lost: {seen:.1?}");
    assert!(seen.rtx > 10.0 && seen.fps > 5.0, "{seen:?}");

    case.network.both(Conditions::default());
    case.network.down(Conditions::limited(400, QUEUE));
    eventually("the host sends less than the link carries", || {
        case.time_until(|kbps| kbps < 480.0, Duration::from_secs(10)).is_some()
    });
    case.network.down(Conditions::limited(3_000, QUEUE));
    eventually("the host uses the wider link", || case.estimate_kbps() > 2_000.0);

    let back = case.black_hole(Duration::from_secs(2));
    println!("back after {back:.1?} s");
    assert!(back.is_some(), "the picture never came back");
}

/// A table that is shown while it is made.
#[derive(Default)]
struct Table(String);

impl Table {
    fn line(&mut self, text: &str) {
        println!("{text}");
        writeln!(self.0, "{text}").expect("a string takes everything");
    }
}

/// How many runs, each with another seed, a case of losses gets: one gap more or less is a per cent of a short run.
const RUNS: u64 = 3;

/// Losses, alone and in bursts, and jitter, as a table of the mean of some runs.
fn losses() -> String {
    let mut table = Table::default();
    table.line("| Lost, each way, 20 ms delay | frames a second | frozen | longest gap | kbit/s | sent again | keyframes | held by the player | after the losses |");
    table.line("|---|---|---|---|---|---|---|---|---|");
    let independent = [0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.3]
        .map(|loss| (format!("{:.0} %", loss * 100.0), Conditions::losing(loss)));
    let bursts = Conditions { bursts: Some(Bursts { begin: 0.005, packets: 6.0 }), ..Conditions::default() };
    let jitter = Conditions { jitter: Duration::from_millis(30), reorder: 0.01, ..Conditions::default() };
    let more = [("3 % in bursts of 6".to_owned(), bursts), ("none; 30 ms jitter, 1 % reordered".to_owned(), jitter)];
    for (name, conditions) in independent.into_iter().chain(more) {
        let runs: Vec<(Seen, Option<f64>)> = (0..RUNS)
            .map(|run| {
                let case = Case::start(31 + 10 * run);
                case.network.both(both_ways(conditions));
                case.watch(Duration::from_secs(2));
                let seen = case.watch(Duration::from_secs(15));
                assert!(seen.seconds > 10.0);
                case.network.both(both_ways(Conditions::default()));
                (seen, case.steady_after())
            })
            .collect();
        let mean = |of: fn(&Seen) -> f64| runs.iter().map(|(seen, _)| of(seen)).sum::<f64>() / RUNS as f64;
        let longest = runs.iter().map(|(seen, _)| seen.longest_ms).fold(0.0, f64::max);
        let frozen: Vec<String> = runs.iter().map(|(seen, _)| format!("{:.1}", seen.frozen_percent)).collect();
        let steady = runs.iter().map(|(_, steady)| *steady).collect::<Option<Vec<f64>>>();
        let steady =
            steady.map_or("never".to_owned(), |times| format!("{:.1} s", times.into_iter().fold(0.0, f64::max)));
        table.line(&format!(
            "| {name} | {:.1} | {:.1} % ({}) | {longest:.0} ms | {:.0} | {:.0} | {:.0} | {:.0} ms | {steady} |",
            mean(|seen| seen.fps),
            mean(|seen| seen.frozen_percent),
            frozen.join(", "),
            mean(|seen| seen.kbps),
            mean(|seen| seen.rtx),
            mean(|seen| seen.keyframes),
            mean(|seen| seen.held_ms)
        ));
    }
    table.0
}

/// Times in which nothing comes through, as a table.
fn holes() -> String {
    let mut table = Table::default();
    table.line("| Nothing comes through for | picture back after | longest gap |");
    table.line("|---|---|---|");
    for (name, ms) in [("0.5 s", 500), ("2 s", 2_000), ("10 s", 10_000)] {
        let case = Case::start(51);
        std::thread::sleep(Duration::from_secs(3));
        let before = case.number("return performance.now()");
        let back = case.black_hole(Duration::from_millis(ms));
        std::thread::sleep(Duration::from_secs(3));
        let longest = case.longest_gap_ms(before, case.number("return performance.now()"));
        let back = back.map_or("never".to_owned(), |time| format!("{time:.2} s"));
        table.line(&format!("| {name} | {back} | {longest:.0} ms |"));
    }
    table.line("");
    table.line("| Nothing comes through over UDP for | the page says meanwhile | picture back after |");
    table.line("|---|---|---|");
    for seconds in [25, 60] {
        let (back, said) = page_hole(Duration::from_secs(seconds));
        let back = back.map_or("never".to_owned(), |time| format!("{time:.1} s"));
        table.line(&format!("| {seconds} s | {said} | {back} |"));
    }
    table.0
}

/// The viewer page behind a hole that is longer than a connection lives, with HTTP beside it: how many seconds after the end
/// the picture is back, and what the page said meanwhile.
fn page_hole(time: Duration) -> (Option<f64>, String) {
    const FRAMES: &str = "return window.lenscast?.state === 'live' ? lenscast.frames : 0";
    let studio = Studio::showing(Scene::Rich, SETTING_KBPS);
    let publisher = &studio.server.publisher;
    let (browser, network) = (Browser::open(&[]), Impaired::start(71));
    let own = SocketAddr::from(([127, 0, 0, 1], publisher.udp().port));
    network.connect(own);
    browser.go(&studio.server.url(&format!("/?transport=webrtc#s={SECRET}")));
    let frames = || browser.run(FRAMES).as_f64().unwrap_or(0.0);
    eventually("the page plays", || frames() > 10.0);
    // What comes from now on goes through the relay; all media has the one port.
    browser.run(&format!(
        "const set = RTCPeerConnection.prototype.setRemoteDescription;
         RTCPeerConnection.prototype.setRemoteDescription = function ({{ type, sdp }}) {{
            return set.call(this, {{ type, sdp: sdp.replaceAll(' 127.0.0.1 {} ', ' 127.0.0.1 {} ') }});
         }};",
        own.port(),
        network.address().port()
    ));
    publisher.disconnect(publisher.viewers()[0].id);
    eventually("the page plays through the relay", || network.taken() > 200 && frames() > 30.0);

    network.both(Conditions::dead());
    std::thread::sleep(time);
    let said = browser.run("return lenscast.state").as_str().unwrap_or_default().to_owned();
    network.both(Conditions::default());
    let end = Instant::now();
    let before = network.taken();
    let mut seen = frames();
    while end.elapsed() < Duration::from_secs(30) {
        let now = frames();
        // A new session counts from the beginning.
        if now != seen && now > 0.0 && network.taken() > before {
            return (Some(end.elapsed().as_secs_f64()), said);
        }
        seen = now;
        std::thread::sleep(Duration::from_millis(50));
    }
    (None, said)
}

/// Links that become narrow and wide again, as a table.
fn narrow_links() -> String {
    let mut table =
        "\n| Link | until what is sent fits | frozen | longest gap | kbit/s afterwards | size |\n".to_owned();
    table += "|---|---|---|---|---|---|\n";
    let case = Case::start(41);
    let mut turn = |name: &str, kbps: u32, fits: &dyn Fn(f64) -> bool| {
        case.network.down(Conditions::limited(kbps, QUEUE));
        let time = case.time_until(fits, Duration::from_secs(20));
        let seen = case.watch(Duration::from_secs(12));
        let time = time.map_or("never in 20 s".to_owned(), |time| format!("{time:.1} s"));
        let size = case.studio.server.publisher.viewers().first().and_then(|viewer| viewer.rung).unwrap_or("–");
        let line = format!(
            "| {name} | {time} | {:.1} % | {:.0} ms | {:.0} | {size} |",
            seen.frozen_percent, seen.longest_ms, seen.kbps
        );
        println!("{line}");
        table += &line;
        table.push('\n');
    };
    turn("3 Mbit/s", 3_000, &|kbps| (2_400.0..3_300.0).contains(&kbps));
    turn("then 400 kbit/s", 400, &|kbps| kbps < 440.0);
    turn("then 3 Mbit/s again (over 80 %)", 3_000, &|kbps| kbps > 2_400.0);
    table
}
