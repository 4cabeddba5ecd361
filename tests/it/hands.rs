//! The viewer's hands on the desktop: the keyboard, the caught pointer, who has the control, and who takes it away.

use std::time::{Duration, Instant};

use lenscast::geometry::Size;
use serde_json::{Value, json};

use crate::desktop::{FIRST, deeds, marked, serve};
use crate::support::program::Program;
use crate::support::studio::eventually;
use crate::support::viewing::{LEFT, Viewing, down, to, up};
use crate::support::xserver::{Deed, Desk, XServer};

const RETURN: u32 = 0xff0d;
const CONTROL: u32 = 0xffe3;
const ALT: u32 = 0xffe9;
const SHIFT: u32 = 0xffe1;
const ESCAPE: u32 = 0xff1b;
const ARROW_LEFT: u32 = 0xff51;

/// WebDriver's names of keys that type nothing.
const KEY_CONTROL: &str = "\u{e009}";
const KEY_SHIFT: &str = "\u{e008}";
const KEY_ALT: &str = "\u{e00a}";
const KEY_ENTER: &str = "\u{e006}";
const KEY_LEFT: &str = "\u{e012}";

/// A page that has the pointer and the keys of the shared screen.
fn typing(program: &Program) -> Viewing {
    let viewing = Viewing::open();
    type_with(&viewing, program, "?transport=webrtc");
    viewing
}

fn type_with(viewing: &Viewing, program: &Program, query: &str) {
    viewing.watch(program, query);
    viewing.wait_for_control();
    viewing.wait_for_geometry(program);
    viewing.browser.wait_for("the keyboard's switch", "return !document.getElementById('keyboard').hidden");
    viewing.browser.run("document.getElementById('keyboard').click()");
    assert_eq!(viewing.says("typing"), true);
}

/// Presses and releases, as WebDriver has them.
fn keys(viewing: &Viewing, steps: &[(&str, bool)]) {
    let steps: Vec<Value> = steps
        .iter()
        .map(|(key, down)| json!({ "type": if *down { "keyDown" } else { "keyUp" }, "value": key }))
        .collect();
    viewing.browser.act(&json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": steps }] }));
}

fn taps(viewing: &Viewing, text: &str) {
    let steps: Vec<String> = text.chars().map(String::from).collect();
    keys(viewing, &steps.iter().flat_map(|key| [(key.as_str(), true), (key.as_str(), false)]).collect::<Vec<_>>());
}

/// What was typed, once so many keys went down.
fn typed(desk: &Desk, expected: usize) -> Vec<u32> {
    let mut typed = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(30);
    while typed.len() < expected {
        assert!(Instant::now() < deadline, "{expected} keys were expected and not only {typed:x?}");
        let ours = |symbol: &u32| !matches!(*symbol, CONTROL | SHIFT | ALT | 0xfe03);
        typed.extend(desk.strokes().into_iter().filter(|(_, down)| *down).map(|(symbol, _)| symbol).filter(ours));
    }
    typed
}

fn symbols(text: &str) -> Vec<u32> {
    let symbol = |letter: char| match letter {
        '\n' => RETURN,
        '\u{20}'..='\u{ff}' => u32::from(letter),
        _ => 0x0100_0000 + u32::from(letter),
    };
    text.chars().map(symbol).collect()
}

#[test]
fn what_is_typed_on_the_page_is_typed_on_the_desktop() {
    let (server, desk) = marked();
    desk.take_keys();
    let program = serve(&server, &["--control"]);
    let viewing = Viewing::open();
    for query in ["?transport=webrtc", "?transport=websocket", "?transport=mjpeg"] {
        type_with(&viewing, &program, query);
        // Letters that the host's keyboard has, with and without Shift, and such as no key of it bears.
        taps(&viewing, "aZ7?");
        assert_eq!(typed(&desk, 4), symbols("aZ7?"), "{query}");
        taps(&viewing, "é雪");
        assert_eq!(typed(&desk, 2), symbols("é雪"), "{query}");
        keys(&viewing, &[(KEY_ENTER, true), (KEY_ENTER, false), (KEY_LEFT, true), (KEY_LEFT, false)]);
        assert_eq!(typed(&desk, 2), [RETURN, ARROW_LEFT], "{query}");
        // A shortcut is held as it is held on the page; the last release may still be on its way.
        eventually("nothing is held", || desk.held() == (0, 0));
        desk.strokes();
        keys(&viewing, &[(KEY_CONTROL, true), ("c", true), ("c", false), (KEY_CONTROL, false)]);
        let mut strokes = Vec::new();
        eventually("the shortcut arrives", || {
            strokes.extend(desk.strokes());
            strokes.len() >= 4
        });
        let c = u32::from('c');
        assert_eq!(strokes, [(CONTROL, true), (c, true), (c, false), (CONTROL, false)], "{query}");
        // Text that comes whole, from a phone's keyboard or the clipboard.
        viewing.browser.run(
            "const data = new DataTransfer();
             data.setData('text/plain', 'Pasted: ß\\n');
             const paste = new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true });
             document.getElementById('keys').dispatchEvent(paste)",
        );
        assert_eq!(typed(&desk, 10), symbols("Pasted: ß\n"), "{query}");
        // The keys that give the keyboard back.
        keys(&viewing, &[(KEY_CONTROL, true), (KEY_ALT, true), (KEY_SHIFT, true), (KEY_SHIFT, false)]);
        keys(&viewing, &[(KEY_ALT, false), (KEY_CONTROL, false)]);
        assert_eq!(viewing.says("typing"), false);
        eventually("nothing is held", || desk.held() == (0, 0));
        desk.strokes();
        taps(&viewing, "x");
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(desk.strokes(), [], "{query}: the keys are the page's again");
        viewing.browser.go("about:blank");
        eventually("the host hears that it went", || program.state()["viewers"] == json!([]));
    }
}

#[test]
fn who_may_type_and_nothing_else_types_and_clicks_nothing() {
    let (server, desk) = marked();
    desk.take_keys();
    let mut program = serve(&server, &["--control"]);
    let mut add = std::process::Command::new(env!("CARGO_BIN_EXE_lenscast"));
    add.args(["token", "add", "Typist", "--role", "type"]).env("LENSCAST_CONFIG_DIR", program.folder.path());
    let printed = String::from_utf8(add.output().expect("it was built").stdout).expect("it is text");
    let standing = program.secret.clone();
    let token = printed.split_whitespace().max_by_key(|word| word.len()).expect("it prints the token").to_owned();
    program.secret.clone_from(&token);
    eventually("the running program notices", || program.ask("GET", "/state", "", "").status == 200);
    let viewing = Viewing::open();
    for query in ["?transport=webrtc", "?transport=websocket", "?transport=mjpeg"] {
        program.secret.clone_from(&token);
        viewing.watch(&program, query);
        viewing.browser.wait_for("the keyboard's switch", "return !document.getElementById('keyboard').hidden");
        assert_eq!(viewing.says("controlling"), false, "{query}");
        assert_eq!(viewing.browser.run("return document.getElementById('control').hidden"), true, "{query}");
        viewing.wait_for_geometry(&program);
        viewing.browser.run("document.getElementById('keyboard').click()");
        desk.seen();
        taps(&viewing, "aZ?");
        assert_eq!(typed(&desk, 3), symbols("aZ?"), "{query}");
        // A click on the picture is none on the desktop, and the keys go on.
        let (mark, _) = viewing.find(FIRST.0);
        viewing.mouse(&[to(mark), down(LEFT), up(LEFT)]);
        viewing.wheel(mark, 0, 100);
        assert_eq!(viewing.says("typing"), true, "{query}");
        taps(&viewing, "b");
        assert_eq!(typed(&desk, 1), symbols("b"), "{query}");
        // By hand neither, whatever a page would send.
        let epoch = program.state()["geometry"]["epoch"].clone();
        let press = json!({ "kind": "down", "x": 0.5, "y": 0.5, "button": "left", "epoch": epoch, "seq": 9, "t": 1.0 });
        program.point("by hand", &press).assert_problem(403);
        assert!(desk.held() == (0, 0) && desk.seen().iter().all(|seen| seen.deed == Deed::Move), "{query}");
        viewing.browser.go("about:blank");
        program.secret.clone_from(&standing);
        eventually("the host hears that it went", || program.state()["viewers"] == json!([]));
    }
}

#[test]
fn another_layout_of_the_host_types_the_same_characters() {
    let (server, desk) = marked();
    let set = std::process::Command::new("setxkbmap").args(["-display", server.display(), "de"]).status();
    assert!(set.expect("setxkbmap is installed").success());
    desk.take_keys();
    let program = serve(&server, &["--control"]);
    let viewing = typing(&program);
    taps(&viewing, "zyäÖ@-");
    assert_eq!(typed(&desk, 6), symbols("zyäÖ@-"));
    eventually("nothing is held", || desk.held() == (0, 0));
    // By place the key counts, and not what the viewer's keyboard has on it: where an American types z is German y.
    viewing.browser.run("document.getElementById('layout').value = 'place'");
    desk.strokes();
    taps(&viewing, "z");
    assert_eq!(typed(&desk, 1), symbols("y"));
}

#[test]
fn a_program_that_is_killed_leaves_nothing_pressed() {
    let (server, desk) = marked();
    desk.take_keys();
    let mut program = serve(&server, &["--control"]);
    let viewing = typing(&program);
    let (mark, _) = viewing.find(FIRST.0);
    keys(&viewing, &[(KEY_CONTROL, true), ("s", true)]);
    viewing.mouse(&[to(mark), down(LEFT)]);
    eventually("a button and two keys are down", || desk.held().0 & 0x100 != 0 && desk.held().1 == 2);
    program.signal("KILL");
    program.ended();
    eventually("the guard lets go", || desk.held() == (0, 0));
}

#[test]
fn the_caught_pointer_moves_by_as_much_and_clicks_where_it_is() {
    let (server, desk) = marked();
    let program = serve(&server, &["--control", "--filter", "rotate:degrees=90,expand=true"]);
    let viewing = Viewing::open();
    viewing.watch(&program, "?transport=webrtc");
    viewing.wait_for_control();
    viewing.wait_for_geometry(&program);
    desk.move_pointer(400, 300);
    // Headless browsers catch no pointer, so the page's own messages are made here.
    let send = |event: Value| assert_eq!(program.point("a", &event).status, 204);
    let epoch = program.state()["geometry"]["epoch"].clone();
    // The picture stands on its side, 600 wide and 800 high: to its right is the lower end of the desktop.
    send(json!({ "kind": "move_by", "dx": 0.1, "dy": 0.05, "epoch": epoch, "seq": 0, "t": 1.0 }));
    eventually("the pointer has moved", || desk.pointer() != (400, 300));
    assert_eq!(desk.pointer(), (360, 360));
    desk.seen();
    send(json!({ "kind": "down", "here": true, "button": "left", "epoch": epoch, "seq": 1, "t": 2.0 }));
    let pressed = deeds(&desk, 1)[0];
    assert_eq!((pressed.deed, pressed.at), (Deed::Press(1), (360, 360)));
    // Of a picture that nobody knows nothing is done, here as anywhere.
    send(json!({ "kind": "down", "here": true, "button": "right", "epoch": 99_999, "seq": 2, "t": 3.0 }));
    send(json!({ "kind": "up", "button": "left", "epoch": epoch, "seq": 3, "t": 4.0 }));
    assert_eq!(deeds(&desk, 1)[0].deed, Deed::Release(1));
}

/// A desktop with real devices: those of a window on another one.
pub fn with_real_devices() -> (XServer, Desk, XServer, Desk) {
    let outer = XServer::start(Size::new(900, 700));
    let inner = XServer::inside(&outer, Size::new(800, 600));
    let (hand, desk) = (outer.desk(), inner.desk().cover([40, 40, 40]));
    desk.paint((292, 242, 16, 16), FIRST.0);
    (outer, hand, inner, desk)
}

/// A page that holds the left button on the mark.
fn holding(server: &XServer, desk: &Desk) -> (Program, Viewing) {
    let program = serve(server, &["--control"]);
    let viewing = Viewing::open();
    viewing.watch(&program, "?transport=webrtc");
    viewing.wait_for_control();
    let (mark, _) = viewing.find(FIRST.0);
    viewing.mouse(&[to(mark), down(LEFT)]);
    assert_eq!(deeds(desk, 1)[0].deed, Deed::Press(1));
    (program, viewing)
}

#[test]
fn the_real_mouse_comes_first_and_releases_what_a_viewer_holds() {
    let (_outer, hand, inner, desk) = with_real_devices();
    let (program, viewing) = holding(&inner, &desk);
    for step in 0..6 {
        hand.drag_pointer(500 + 10 * step, 400);
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(deeds(&desk, 1)[0].deed, Deed::Release(1));
    viewing.browser.wait_for("the page hears of it", "return lenscast.host.local");
    viewing.mouse(&[up(LEFT), down(LEFT), up(LEFT)]);
    eventually("it is refused", || program.count("/pointer/refused") > 0);
    assert!(desk.seen().iter().all(|seen| seen.deed == Deed::Move));
    // A few seconds after the last motion viewers may go on.
    viewing.browser.wait_for("the page hears of it", "return !lenscast.host.local");
    let (mark, _) = viewing.find(FIRST.0);
    viewing.mouse(&[to(mark), down(LEFT), up(LEFT)]);
    assert_eq!(deeds(&desk, 2)[0].deed, Deed::Press(1));
}

#[test]
fn the_stop_key_releases_everything_and_ends_every_session() {
    let (_outer, hand, inner, desk) = with_real_devices();
    let (program, _viewing) = holding(&inner, &desk);
    // The nested server has the keys while the pointer is over its window.
    hand.drag_pointer(100, 100);
    let pressed = Instant::now();
    hand.chord(&[CONTROL, ALT, SHIFT, ESCAPE]);
    eventually("it is let go", || desk.held().0 & 0x100 == 0);
    eventually("nobody is served any more", || std::net::TcpStream::connect(program.address).is_err());
    eprintln!("released, and every session ended, {:?} after the stop key", pressed.elapsed());
}

#[test]
fn one_viewer_controls_at_a_time_and_the_next_gets_it_when_that_one_leaves() {
    let (server, desk) = marked();
    let program = serve(&server, &["--control"]);
    let viewing = Viewing::open();
    viewing.watch(&program, "?transport=webrtc");
    viewing.wait_for_control();
    viewing.wait_for_geometry(&program);
    let (mark, _) = viewing.find(FIRST.0);
    viewing.mouse(&[to(mark), down(LEFT), up(LEFT)]);
    deeds(&desk, 2);
    viewing.browser.wait_for("having it", "return lenscast.host.holder === 'you'");

    // Another one, over requests: it is refused until the first gives the control away or rests.
    let epoch = program.state()["geometry"]["epoch"].clone();
    let other = |kind: &str| {
        let event = json!({ "kind": kind, "x": 0.5, "y": 0.5, "button": "left", "epoch": epoch, "seq": 0, "t": 1.0 });
        assert_eq!(program.point("b", &event).status, 204);
    };
    other("down");
    eventually("the other is refused", || program.count("/pointer/refused") > 0);
    assert!(desk.seen().iter().all(|seen| seen.deed == Deed::Move));
    eventually("the first has rested long enough", || {
        other("down");
        desk.held().0 & 0x100 != 0
    });
    other("up");
    viewing.browser.wait_for("hearing of it", "return lenscast.host.holder === 'other'");
    viewing.browser.wait_for(
        "asking for it",
        "const button = document.getElementById('notice-action');
         return !button.hidden && button.textContent === 'Ask for control' && (button.click(), true)",
    );
    eventually("the host hears of it", || {
        program.state()["pointer"]["asking"].as_array().is_some_and(|who| who.len() == 1)
    });
    desk.seen();
    eventually("the first gets it back when the other rests", || {
        viewing.mouse(&[to(mark), down(LEFT), up(LEFT)]);
        desk.seen().iter().any(|seen| seen.deed == Deed::Press(1))
    });
    viewing.browser.wait_for("having it back", "return lenscast.host.holder === 'you'");
}
