//! Players and publishers that nobody here wrote: what they show is what is shared, and the other way round.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::program::{Folder, Program};
use crate::support::python::python_with;
use crate::support::studio::eventually;
use crate::whip::inbound::{QUARTERS, alike, snapshot};
use crate::whip::outbound::{colors_of, serve_quarters};
use crate::whip::peers::Script;

/// What the scripts with GStreamer import.
const GSTREAMER: &str = "gi, numpy";

fn codecs() -> &'static [&'static str] {
    if cfg!(feature = "vp8") { &["h264", "vp8"] } else { &["h264"] }
}

/// Runs a player to its end, checks ten pictures that it got, and gives what it said after them.
fn play(python: &Path, player: &str, arguments: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/players").join(player);
    let output = Command::new(python).arg("-B").arg(script).args(arguments).stdin(Stdio::null()).output();
    let output = output.expect("Python was there a moment ago");
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{player} {arguments:?}: {}\n{said}{errors}", output.status);
    let frames: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("frame ")).collect();
    assert_eq!(frames.len(), 10, "{said}");
    for frame in frames {
        let colors = frame.strip_prefix("320 240 ").unwrap_or_else(|| panic!("{player} got another size: {frame}"));
        assert!(alike(&colors_of(colors), &QUARTERS), "{player} {arguments:?} got other colours: {frame}");
    }
    said.lines().filter(|line| !line.starts_with("frame ")).collect()
}

fn nobody_watches(program: &Program) -> bool {
    program.state()["viewers"] == serde_json::json!([])
}

#[test]
fn opencv_reads_the_stream_with_the_password_in_its_url() {
    let Some(python) = python_with("cv2") else { return };
    let folder = Folder::new();
    let program = serve_quarters(&folder, &[]);
    let url = format!("http://any:{}@{}/stream", program.secret, program.address);
    assert_eq!(play(&python, "opencv_stream.py", &[&url]), "");
    eventually("the viewer is gone", || nobody_watches(&program));
}

#[test]
fn aiortc_plays_each_codec_over_whep_and_says_goodbye() {
    let Some(python) = python_with("aiortc, av, numpy") else { return };
    plays_each_codec(&python, "aiortc_whep.py");
}

#[test]
fn gstreamer_plays_each_codec_over_whep_and_says_goodbye() {
    let Some(python) = python_with(GSTREAMER) else { return };
    plays_each_codec(&python, "gstreamer_whep.py");
}

fn plays_each_codec(python: &Path, player: &str) {
    let folder = Folder::new();
    let program = serve_quarters(&folder, &[]);
    let url = format!("http://{}/whep", program.address);
    for codec in codecs() {
        assert_eq!(play(python, player, &[&url, &program.secret, codec]), "deleted 200");
        eventually("the viewer is gone", || nobody_watches(&program));
    }
}

#[test]
fn what_gstreamer_publishes_over_whip_is_shown() {
    let Some(python) = python_with(GSTREAMER) else { return };
    let program = Program::serve(None, &["--source", "whip", "--accept-whip"]);
    let url = format!("http://{}/whip", program.address);
    let colors = [[40, 60, 220], [220, 30, 30], [30, 160, 60]];
    let kinds = ["named", "unnamed", "sounding"];
    for ((codec, kind), color) in
        codecs().iter().flat_map(|codec| kinds.map(|kind| (codec, kind))).zip(colors.iter().cycle())
    {
        let [red, green, blue] = color;
        let hex = format!("{red:02x}{green:02x}{blue:02x}");
        let arguments = [&url, &program.secret, *codec, &hex, kind];
        let mut publisher = Script::start(&python, "players/gstreamer_whip.py", &arguments);
        publisher.wait_for("published");
        eventually(&format!("the published colour is shown ({codec}, {kind})"), || {
            let (size, colors) = snapshot(&program);
            size == (320, 240) && alike(&colors, &[*color; 4])
        });
        publisher.order("end");
        assert_eq!(publisher.wait_for("ended"), "200");
        eventually("the pattern stands in again", || snapshot(&program).0 == (1_280, 720));
    }
}
