//! The picture, published to a server elsewhere.

use image::{Rgb, RgbImage};

use super::inbound::{QUARTERS, alike, snapshot};
use super::peers::{Script, python};
use crate::support::program::{Folder, Program};
use crate::support::studio::eventually;

/// Four coloured quarters as a picture file, with a clock so that there is always something to send.
pub fn serve_quarters(folder: &Folder, more: &[&str]) -> Program {
    let path = folder.path().join("quarters.png");
    let at = |x, y| Rgb(QUARTERS[(x / 160 + y / 120 * 2) as usize]);
    RgbImage::from_fn(320, 240, at).save(&path).expect("the folder can be written to");
    let source = format!("image:{}", path.display());
    let mut arguments = vec!["--source", &source, "--filter", "text:text={clock},size=0.06"];
    arguments.extend(more);
    Program::serve(None, &arguments)
}

fn publishing(program: &Program) -> (String, String) {
    let publishing = &program.state()["publishing"];
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    (text(&publishing["state"]["state"]), text(&publishing["text"]))
}

/// The colours that the server saw last.
fn seen(server: &Script) -> Option<[[u8; 3]; 4]> {
    server.said("frame 320 240 ").map(|line| colors_of(&line))
}

/// Four colours as the scripts print them.
pub fn colors_of(line: &str) -> [[u8; 3]; 4] {
    let mut colors = line.split(' ').map(|color| {
        let mut parts = color.split(',').map(|part| part.parse().expect("a number"));
        [(); 3].map(|()| parts.next().expect("three parts"))
    });
    [(); 4].map(|()| colors.next().expect("four colours"))
}

#[test]
fn what_one_computer_publishes_another_one_shows() {
    let other = Program::serve(None, &["--source", "whip", "--accept-whip"]);
    let folder = Folder::new();
    let url = format!("http://{}/whip", other.address);
    let mut program = serve_quarters(&folder, &["--whip", &url, "--whip-token", &other.secret]);
    eventually("its picture arrives", || {
        let (size, colors) = snapshot(&other);
        size == (320, 240) && alike(&colors, &QUARTERS)
    });
    let (state, text) = publishing(&program);
    assert_eq!(state, "connected");
    assert!(text.starts_with(&format!("Publishing to {}: connected, ", other.address)), "{text}");
    program.signal("TERM");
    assert!(program.ended().success());
    // It said goodbye: nobody has to find out by waiting.
    eventually("the pattern stands in", || snapshot(&other).0 == (1_280, 720));
}

#[test]
fn a_server_that_nobody_here_wrote_gets_the_picture_and_is_found_again() {
    let Some(python) = python() else { return };
    let folder = Folder::new();
    let mut server = Script::start(&python, "whip/server.py", &["0", "t0k3n"]);
    let port = server.wait_for("listening");
    let url = format!("http://127.0.0.1:{port}/elsewhere");
    let mut program = serve_quarters(&folder, &["--whip", &url, "--whip-token", "t0k3n"]);
    eventually("the server sees the colours", || seen(&server).is_some_and(|colors| alike(&colors, &QUARTERS)));
    assert!(server.said("redirected").is_some());

    server.kill();
    eventually("the loss is noticed", || publishing(&program).0 == "waiting");
    let server = Script::start(&python, "whip/server.py", &[&port, "t0k3n"]);
    eventually("the new server sees the colours", || seen(&server).is_some_and(|colors| alike(&colors, &QUARTERS)));
    assert_eq!(publishing(&program).0, "connected");

    program.signal("TERM");
    assert!(program.ended().success());
    assert!(server.said("deleted").is_some(), "it said goodbye");
}

#[test]
fn a_wrong_token_is_said_so_and_not_tried_again() {
    let other = Program::serve(None, &["--source", "whip", "--accept-whip"]);
    let folder = Folder::new();
    let url = format!("http://{}/whip", other.address);
    let program = serve_quarters(&folder, &["--whip", &url, "--whip-token", "wrong"]);
    eventually("it is refused", || publishing(&program).0 == "refused");
    let expected = format!("Publishing to {}: it refused the token (401); check it", other.address);
    assert_eq!(publishing(&program).1, expected);
    assert!(!program.complaints().contains("wrong"), "the token is in no log");
}
