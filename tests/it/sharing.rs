//! Many viewers of the real program: they share the work, do not hold each other up, and leave nothing behind.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use crate::support::program::{Program, frame_number, settled};
use crate::support::studio::eventually;
use crate::support::viewing::Viewing;

/// Ten of these are decoded by one browser on a small machine.
const SMALL: [&str; 6] = ["--source", "pattern", "--fps", "15", "--filter", "crop:left=0.75,bottom=0.6"];

/// What a page that does nothing by itself needs to watch several times at once.
const WATCHERS: &str = "window.watchers = [];
    window.watch = async (many, url, secret) => {
      await Promise.all(Array.from({ length: many }, async () => {
        const pc = new RTCPeerConnection(), video = document.createElement('video');
        const watcher = { pc, place: null };
        watchers.push(watcher);
        video.muted = true;
        pc.addTransceiver('video', { direction: 'recvonly' });
        pc.ontrack = ({ track }) => { video.srcObject = new MediaStream([track]); video.play(); };
        await pc.setLocalDescription();
        const headers = { Authorization: `Bearer ${secret}`, 'Content-Type': 'application/sdp' };
        const answer = await fetch(`${url}/whep?codec=h264`, { method: 'POST', body: pc.localDescription.sdp, headers });
        if (answer.status !== 201) throw new Error(`${answer.status}: ${await answer.text()}`);
        watcher.place = answer.headers.get('Location');
        await pc.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
      }));
    };
    window.decoded = () => Promise.all(watchers.map(async ({ pc }) =>
      [...(await pc.getStats()).values()].find((one) => one.type === 'inbound-rtp')?.framesDecoded ?? 0));
    window.leave = async (url, secret, politely) => {
      for (const { pc, place } of watchers.splice(0)) {
        if (politely) {
          await fetch(new URL(place, url), { method: 'DELETE', headers: { Authorization: `Bearer ${secret}` } });
        }
        pc.close();
      }
    };";

struct Watchers<'a> {
    viewing: &'a Viewing,
    program: &'a Program,
}

impl Watchers<'_> {
    fn watch(&self, many: usize) {
        self.call(&format!("await watch({many}, {})", self.arguments()));
    }

    fn leave(&self, politely: bool) {
        self.call(&format!("await leave({}, {politely})", self.arguments()));
    }

    /// Frames each of them has decoded.
    fn decoded(&self) -> Vec<u64> {
        let counts = self.call("return await decoded()");
        counts.as_array().expect("a list").iter().map(|count| count.as_u64().expect("a count")).collect()
    }

    fn arguments(&self) -> String {
        format!("'http://{}', '{}'", self.program.address, self.program.secret)
    }

    fn call(&self, script: &str) -> Value {
        let value = self.viewing.browser.run_async(script);
        assert!(value.get("error").is_none(), "{script}: {value}");
        value
    }
}

#[test]
fn ten_webrtc_viewers_and_mjpeg_viewers_share_one_encoder_each() {
    let program = Program::serve(None, &SMALL);
    let viewing = Viewing::open();
    viewing.browser.go(&format!("http://{}/viewer/style.css", program.address));
    viewing.browser.run(WATCHERS);
    let watchers = Watchers { viewing: &viewing, program: &program };
    watchers.watch(10);
    let taken: [Arc<AtomicU64>; 5] = Default::default();
    for taken in &taken {
        let (mut stream, taken) = (program.stream(), Arc::clone(taken));
        // It ends with its test, which alone holds the other end of the count.
        std::thread::spawn(move || {
            while Arc::strong_count(&taken) > 1 {
                stream.part();
                taken.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    eventually("every viewer sees something", || watchers.decoded().iter().all(|&count| count > 5));
    // What the program says of itself is up to a tenth of a second old.
    eventually("all are counted", || {
        program.state()["viewers"].as_array().map(Vec::len) == Some(15)
            && program.encoder("h264")["viewers"] == 10
            && program.encoder("jpeg")["viewers"] == 5
    });

    let counts = || {
        let count = |codec| program.encoder(codec)["encoded"].as_u64().expect("a count");
        (count("h264"), count("jpeg"), program.count("/frames/filtered"))
    };
    let (seen, (h264, jpeg, filtered)) = (watchers.decoded(), counts());
    eventually("forty more pictures are taken", || counts().2 >= filtered + 40);
    let (h264_later, jpeg_later, filtered_later) = counts();
    // One or two more than pictures were made: repetitions for whoever has just come or lost something.
    let most = (filtered_later - filtered) * 5 / 4 + 5;
    for grown in [h264_later - h264, jpeg_later - jpeg] {
        assert!(grown >= 10 && grown <= most, "{grown} encoded, at most {most} expected");
    }
    eventually("every viewer sees more", || {
        watchers.decoded().iter().zip(&seen).all(|(now, before)| *now >= before + 20)
    });
    assert!(taken.iter().all(|taken| taken.load(Ordering::Relaxed) >= 20), "{taken:?}");
    drop(taken);
    watchers.leave(true);
    eventually("all are gone", || program.state()["viewers"] == serde_json::json!([]));
}

#[test]
fn a_viewer_that_stops_reading_holds_nobody_up() {
    let program = Program::serve(None, &["--source", "pattern", "--quality", "100"]);
    let mut stalled = program.stream();
    stalled.part();
    let mut reading = program.stream();
    // Far more than any socket holds: at 100 kB and more a picture, one queue for both would end this here.
    let last = frame_number(&reading.part().0) + 150;
    while frame_number(&reading.part().0) < last {}
    // What the stalled one gets at last is new, not a queue from the past.
    let mut old = 0;
    while frame_number(&stalled.part().0) < last {
        old += 1;
        assert!(old < 75, "{old} old pictures waited for it");
    }
    eventually("it is told how much the stalled one missed", || {
        let viewers = program.state()["viewers"].clone();
        let skipped = |index: usize| viewers[index]["skipped"].as_u64().expect("a count");
        skipped(0) > 50 && skipped(1) < skipped(0)
    });
}

/// Threads and open files of a process, which a viewer that left something behind would add to.
#[cfg(target_os = "linux")]
fn kept(program: &Program) -> (u64, u64) {
    let count = |folder: &str| {
        let entries = std::fs::read_dir(format!("/proc/{}/{folder}", program.id()));
        entries.expect("the program runs").count() as u64
    };
    (count("task"), count("fd"))
}

#[test]
fn viewers_come_and_go_and_leave_nothing_behind() {
    let program = Program::serve(None, &SMALL);
    let captured = || program.count("/frames/captured");
    let encoded = || {
        let count = |codec| program.encoder(codec)["encoded"].as_u64().expect("a count");
        count("h264") + count("jpeg")
    };
    assert_eq!((captured(), encoded()), (0, 0), "nothing runs before anybody watches");
    let viewing = Viewing::open();
    viewing.browser.go(&format!("http://{}/viewer/style.css", program.address));
    viewing.browser.run(WATCHERS);
    let watchers = Watchers { viewing: &viewing, program: &program };
    let visit = |politely: bool| {
        let mut streams = [program.stream(), program.stream(), program.stream()];
        streams.iter_mut().for_each(|stream| drop(stream.part()));
        watchers.watch(3);
        eventually("all see something", || watchers.decoded().iter().all(|&count| count > 0));
        drop(streams);
        watchers.leave(politely);
        eventually("nobody is left", || program.state()["viewers"] == serde_json::json!([]));
    };
    // What is made once and kept is there after the first visit.
    visit(true);
    settled("capture", captured);
    let before = kept(&program);
    // Thirty viewers; every other time without a goodbye.
    for round in 0..5 {
        visit(round % 2 == 0);
    }
    let (captured_then, encoded_then) = (settled("capture", captured), settled("the encoders", encoded));
    assert!(captured_then > 0 && encoded_then > 0);
    // A connection that was closed without a goodbye takes its sockets with it once its end is noticed.
    eventually("threads and sockets are back at what they were", || {
        let now = kept(&program);
        now.0 <= before.0 && now.1 <= before.1
    });
    assert_eq!((captured(), encoded()), (captured_then, encoded_then), "nothing runs when nobody watches");
    // And it all comes back for the next viewer.
    drop(program.stream().part());
    eventually("a new viewer gets new pictures", || captured() > captured_then);
}

#[test]
fn ffmpeg_reads_the_programs_stream_with_the_password_in_its_url() {
    let program = Program::serve(None, &SMALL);
    let url = program.greeting.iter().find_map(|line| line.strip_prefix("MJPEG for other programs: "));
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i", url.expect("the stream's address is printed"), "-frames:v", "10"])
        .args(["-f", "rawvideo", "-pix_fmt", "gray", "-"])
        .stdin(Stdio::null())
        .output()
        .expect("ffmpeg is installed (scripts/setup.sh installs it)");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.stdout.len(), 10 * 320 * 288);
    eventually("the viewer is gone", || program.state()["viewers"] == serde_json::json!([]));
}
