//! The X screen, there and back: its pixels as viewers get them, and their clicks on it.

use image::RgbImage;
use lenscast::geometry::Size;
use serde_json::{Value, json};

use crate::support::program::Program;
use crate::support::studio::eventually;
use crate::support::viewing::{LEFT, MIDDLE, Place, RIGHT, Viewing, down, to, up, whole};
use crate::support::xserver::{Deed, Desk, Rgb, Seen, XServer};

const SCREEN: Size = Size::new(800, 600);
pub const GROUND: Rgb = [40, 40, 40];
/// Two squares to aim at, near the middle so that every chain here shows them.
pub const FIRST: (Rgb, (i16, i16)) = ([255, 0, 255], (300, 250));
pub const SECOND: (Rgb, (i16, i16)) = ([0, 255, 0], (450, 380));
const SIDE: u16 = 16;

/// An X screen with two marks, given by their colour and middle.
pub fn marked() -> (XServer, Desk) {
    let server = XServer::start(SCREEN);
    let desk = server.desk().cover(GROUND);
    for (color, (x, y)) in [FIRST, SECOND] {
        desk.paint((x - SIDE as i16 / 2, y - SIDE as i16 / 2, SIDE, SIDE), color);
    }
    (server, desk)
}

/// A monitor's name, where its upper left corner is, and its size.
pub type Monitor = (&'static str, (i16, i16), Size);

/// One of the usual density and one of twice as much, side by side, as far as X knows of such things.
pub fn two_monitors() -> (XServer, [Monitor; 2]) {
    let server = XServer::start(Size::new(1_400, 600));
    for (name, place, output) in [("usual", "800/211x600/159+0+0", "screen"), ("dense", "600/79x500/66+800+50", "none")]
    {
        let set = std::process::Command::new("xrandr")
            .args(["-d", server.display(), "--setmonitor", name, place, output])
            .status();
        assert!(set.expect("xrandr is installed").success(), "{name}");
    }
    (server, [("usual", (0, 0), Size::new(800, 600)), ("dense", (800, 50), Size::new(600, 500))])
}

pub fn serve(server: &XServer, more: &[&str]) -> Program {
    Program::serve(Some(server.display()), &[&["--source", "screen"], more].concat())
}

/// Crops, turns, mirrors and enlarges.
fn twisted() -> Value {
    json!({ "filters": {
        "a": { "filter": "crop", "params": { "left": 0.1, "top": 0.1, "right": 0.1, "bottom": 0.1 } },
        "b": { "filter": "rotate", "params": { "degrees": 90, "expand": true } },
        "c": { "filter": "flip", "params": { "horizontal": true } },
        "d": { "filter": "zoom", "params": { "factor": 1.5 } } } })
}

/// Waits for as many presses and releases as are expected, and leaves the moves out.
pub fn deeds(desk: &Desk, expected: usize) -> Vec<Seen> {
    let mut deeds = Vec::new();
    eventually("everything that was done arrives", || {
        deeds.extend(desk.seen().into_iter().filter(|seen| seen.deed != Deed::Move));
        deeds.len() >= expected
    });
    deeds
}

/// Checks what was done, and that it was done where it was aimed: within a pixel and what a CSS pixel leaves open.
pub fn assert_done(seen: &[Seen], expected: &[(Deed, (i16, i16))], css_per_pixel: f64) {
    let done: Vec<Deed> = seen.iter().map(|seen| seen.deed).collect();
    assert_eq!(done, expected.iter().map(|(deed, _)| *deed).collect::<Vec<_>>(), "{seen:?}");
    let tolerance = 1.0 + 0.5 / css_per_pixel.min(1.0);
    for (seen, (_, aim)) in seen.iter().zip(expected) {
        let off = [seen.at.0 - aim.0, seen.at.1 - aim.1].map(|off| f64::from(off).abs());
        assert!(
            off.iter().all(|off| *off <= tolerance),
            "{seen:?} was aimed at {aim:?}, {tolerance} pixels are allowed"
        );
    }
}

pub fn click(button: u8, place: Place) -> [Value; 3] {
    [to(place), down(button), up(button)]
}

/// Everything a mouse can do, on the marks as the page shows them.
fn use_the_mouse(viewing: &Viewing, desk: &Desk, zoomed: f64) {
    let ((first, scale), (second, _)) = (viewing.find(FIRST.0), viewing.find(SECOND.0));
    let scale = scale * zoomed;
    desk.seen();
    let (a, b) = (FIRST.1, SECOND.1);
    for (button, number) in [(LEFT, 1), (MIDDLE, 2), (RIGHT, 3)] {
        for (place, aim) in [(first, a), (second, b)] {
            viewing.mouse(&click(button, place));
            assert_done(&deeds(desk, 2), &[(Deed::Press(number), aim), (Deed::Release(number), aim)], scale);
        }
    }
    viewing.mouse(&[to(first), down(LEFT), up(LEFT), down(LEFT), up(LEFT)]);
    let once = [(Deed::Press(1), a), (Deed::Release(1), a)];
    assert_done(&deeds(desk, 4), &[once, once].concat(), scale);

    viewing.mouse(&[to(first), down(LEFT), to(second), up(LEFT)]);
    assert_done(&deeds(desk, 2), &[(Deed::Press(1), a), (Deed::Release(1), b)], scale);

    for ((dx, dy), number) in [((0, 100), 5), ((0, -100), 4), ((100, 0), 7), ((-100, 0), 6)] {
        viewing.wheel(second, dx, dy);
        assert_done(&deeds(desk, 2), &[(Deed::Press(number), b), (Deed::Release(number), b)], scale);
    }
}

#[test]
fn the_mouse_does_on_the_screen_what_it_does_on_the_page_whatever_the_filters_do() {
    let (server, desk) = marked();
    let program = serve(&server, &["--control"]);
    let viewing = Viewing::open();
    viewing.watch(&program, "?transport=webrtc");
    viewing.wait_for_control();
    viewing.wait_for_geometry(&program);
    use_the_mouse(&viewing, &desk, 1.0);
    // Unfiltered, the very pixel can be told: the one that the point on the page belongs to.
    for fraction in [(0.251, 0.333), (0.777, 0.123), (0.01, 0.01), (0.99, 0.5)] {
        let place = viewing.at_fraction(fraction.0, fraction.1);
        let ((left, top), (right, bottom)) = (viewing.at_fraction(0.0, 0.0), viewing.at_fraction(1.0, 1.0));
        let (x, y) = whole(place);
        let pixel = |at: i64, from: f64, to: f64, length: u32| {
            ((at as f64 - from) / (to - from) * f64::from(length)).floor() as i16
        };
        viewing.mouse(&click(LEFT, place));
        let aim = (pixel(x, left, right, SCREEN.width), pixel(y, top, bottom, SCREEN.height));
        assert_eq!(deeds(&desk, 2)[0], Seen { deed: Deed::Press(1), at: aim });
    }

    program.patch_chain(&twisted());
    viewing.browser.wait_for("the turned picture", "return lenscast.width === 480 && lenscast.height === 640");
    viewing.wait_for_geometry(&program);
    use_the_mouse(&viewing, &desk, 1.5);

    // The same over a WebSocket, and over MJPEG, where the pointer goes by requests of its own.
    for query in ["?transport=websocket", "?transport=mjpeg"] {
        viewing.watch(&program, query);
        viewing.wait_for_control();
        viewing.wait_for_geometry(&program);
        use_the_mouse(&viewing, &desk, 1.5);
    }
}

#[test]
fn a_click_beside_the_picture_or_on_its_padding_does_nothing() {
    let (server, desk) = marked();
    let program = serve(&server, &["--control", "--filter", "rotate:degrees=30"]);
    let viewing = Viewing::open();
    viewing.watch(&program, "?transport=webrtc");
    viewing.wait_for_control();
    viewing.wait_for_geometry(&program);
    desk.seen();
    let refused = program.count("/pointer/refused");
    for beside in [(-0.05, 0.5), (1.05, 0.5)] {
        viewing.mouse(&click(LEFT, viewing.at_fraction(beside.0, beside.1)));
    }
    for padding in [(0.02, 0.02), (0.98, 0.98)] {
        let place = viewing.at_fraction(padding.0, padding.1);
        viewing.mouse(&click(LEFT, place));
        viewing.wheel(place, 0, 100);
    }
    eventually("what went to the padding was refused", || program.count("/pointer/refused") >= refused + 4);
    // The first thing that is done at all is the click on the mark, after all of those.
    let (mark, scale) = viewing.find(FIRST.0);
    viewing.mouse(&click(RIGHT, mark));
    assert_done(&deeds(&desk, 2), &[(Deed::Press(3), FIRST.1), (Deed::Release(3), FIRST.1)], scale);
}

#[test]
fn closing_the_tab_releases_what_it_holds() {
    let (server, desk) = marked();
    let program = serve(&server, &["--control"]);
    for query in ["?transport=webrtc", "?transport=websocket", "?transport=mjpeg"] {
        let viewing = Viewing::open();
        viewing.watch(&program, query);
        viewing.wait_for_control();
        let (mark, scale) = viewing.find(FIRST.0);
        viewing.mouse(&[to(mark), down(LEFT)]);
        assert_done(&deeds(&desk, 1), &[(Deed::Press(1), FIRST.1)], scale);
        // Held on while the page lives, though nothing moves.
        std::thread::sleep(std::time::Duration::from_millis(1_500));
        assert!(desk.seen().iter().all(|seen| seen.deed == Deed::Move), "{query}: it was let go too early");
        drop(viewing);
        assert_eq!(deeds(&desk, 1)[0].deed, Deed::Release(1), "{query}");
    }
}

#[test]
fn a_browser_that_is_killed_lets_go_of_what_it_holds_long_before_its_connection_is_given_up() {
    let (server, desk) = marked();
    let program = serve(&server, &["--control"]);
    let viewing = Viewing::open();
    viewing.watch(&program, "?transport=webrtc");
    viewing.wait_for_control();
    let (mark, scale) = viewing.find(FIRST.0);
    viewing.mouse(&[to(mark), down(LEFT)]);
    assert_done(&deeds(&desk, 1), &[(Deed::Press(1), FIRST.1)], scale);
    let killed = std::time::Instant::now();
    viewing.browser.kill();
    assert_eq!(deeds(&desk, 1)[0].deed, Deed::Release(1));
    eprintln!("let go {:?} after it was killed", killed.elapsed());
    // It was the silence that was noticed: the connection may still come back from a change of network.
    assert_eq!(program.state()["viewers"].as_array().map(Vec::len), Some(1));
    eventually("the session ends by itself", || program.state()["viewers"] == json!([]));
    assert!(desk.seen().is_empty(), "nothing is done for one who is gone");
}

#[test]
fn without_permission_nothing_arrives() {
    let (server, desk) = marked();
    let program = serve(&server, &[]);
    let viewing = Viewing::open();
    viewing.watch(&program, "?transport=webrtc");
    viewing.browser.wait_for("what the host allows", "return lenscast.host !== null");
    assert_eq!(viewing.says("controlling"), false);
    let (mark, _) = viewing.find(FIRST.0);
    viewing.mouse(&click(LEFT, mark));
    viewing.wheel(mark, 0, 100);
    let epoch = program.state()["geometry"]["epoch"].clone();
    let event = json!({ "kind": "down", "x": 0.5, "y": 0.5, "button": "left", "epoch": epoch, "seq": 0, "t": 1.0 });
    program.point("a", &event).assert_problem(403);
    assert_eq!(program.count("/pointer/injected"), 0);
    assert_eq!(desk.seen(), []);
}

/// The mean colour of a square's inside, away from the JPEG's ringing at its edge.
fn color_at(picture: &RgbImage, (x, y): (i16, i16), side: u16) -> Rgb {
    let (from, reach) = ((x as u32, y as u32), u32::from(side) / 2 - 3);
    let mut sum = [0_u32; 3];
    for at_y in from.1 - reach..from.1 + reach {
        for at_x in from.0 - reach..from.0 + reach {
            let pixel = picture.get_pixel(at_x, at_y);
            (0..3).for_each(|channel| sum[channel] += u32::from(pixel[channel]));
        }
    }
    sum.map(|channel| (channel / (4 * reach * reach)) as u8)
}

fn is_near(color: Rgb, expected: Rgb) -> bool {
    color.iter().zip(expected).all(|(channel, expected)| channel.abs_diff(expected) <= 12)
}

#[test]
fn the_screen_arrives_with_its_colours_in_their_places_and_with_its_cursor() {
    let (server, desk) = marked();
    let squares: [(Rgb, (i16, i16)); 4] =
        [([200, 30, 60], (32, 32)), ([20, 90, 220], (768, 32)), ([240, 240, 10], (32, 568)), ([250; 3], (768, 568))];
    for (color, (x, y)) in squares {
        desk.paint((x - 32, y - 32, 64, 64), color);
    }
    desk.show_cursor(32, [0, 200, 255]);
    desk.move_pointer(600, 200);
    let program = serve(&server, &["--quality", "95"]);
    let picture = program.snapshot();
    assert_eq!(picture.dimensions(), (SCREEN.width, SCREEN.height));
    for (color, place) in squares {
        let seen = color_at(&picture, place, 64);
        assert!(is_near(seen, color), "{seen:?} instead of {color:?} at {place:?}");
    }
    // The cursor's point is its upper left corner.
    let cursor = color_at(&picture, (616, 216), 32);
    assert!(is_near(cursor, [0, 200, 255]), "{cursor:?}");
    assert!(is_near(color_at(&picture, (584, 184), 32), GROUND));

    // It moves although nothing else changes on the screen.
    let _watcher = program.stream();
    desk.move_pointer(100, 400);
    eventually("the cursor moves", || {
        let picture = program.snapshot();
        is_near(color_at(&picture, (116, 416), 32), [0, 200, 255])
            && is_near(color_at(&picture, (616, 216), 32), GROUND)
    });
}

#[test]
fn a_slider_moved_over_the_network_changes_the_picture() {
    let (server, _desk) = marked();
    let program = serve(&server, &["--filter", "rotate:degrees=0", "--filter", "brightness_contrast"]);
    let _watcher = program.stream();
    let (place, turned) = (FIRST.1, (SCREEN.width as i16 - FIRST.1.0, SCREEN.height as i16 - FIRST.1.1));
    assert!(is_near(color_at(&program.snapshot(), place, SIDE), FIRST.0));
    let chain = program.patch_chain(&json!({ "filters": { "1": { "params": { "degrees": 180 } } } }));
    assert_eq!(chain["filters"]["1"]["params"]["degrees"], 180.0);
    eventually("the picture is turned", || {
        let picture = program.snapshot();
        is_near(color_at(&picture, turned, SIDE), FIRST.0) && is_near(color_at(&picture, place, SIDE), GROUND)
    });
    program.patch_chain(&json!({ "filters": { "2": { "params": { "brightness": 0.5 } } } }));
    eventually("the ground is brighter", || {
        is_near(color_at(&program.snapshot(), place, SIDE), GROUND.map(|channel| channel + 128))
    });
    program.patch_chain(&json!({ "filters": { "1": null, "2": null } }));
    eventually("all is as it was", || is_near(color_at(&program.snapshot(), place, SIDE), FIRST.0));
}

#[test]
fn a_resized_screen_goes_on_in_its_new_size() {
    let (server, desk) = marked();
    let program = serve(&server, &["--control"]);
    let mut stream = program.stream();
    stream.part();
    assert_eq!(program.snapshot().dimensions(), (SCREEN.width, SCREEN.height));
    for size in [Size::new(640, 400), Size::new(720, 480)] {
        server.resize(size);
        eventually("the new size is shared", || {
            stream.part();
            program.snapshot().dimensions() == (size.width, size.height)
        });
        assert!(is_near(color_at(&program.snapshot(), FIRST.1, SIDE), FIRST.0));
        eventually("it is still the screen", || program.state()["source"]["id"] == "screen");
    }
    // And clicks are mapped through the new one.
    desk.seen();
    let epoch = program.state()["geometry"]["epoch"].clone();
    let event = json!({ "kind": "down", "x": 0.5, "y": 0.5, "button": "left", "epoch": epoch, "seq": 0, "t": 1.0 });
    assert_eq!(program.point("a", &event).status, 204);
    assert_eq!(deeds(&desk, 1)[0], Seen { deed: Deed::Press(1), at: (360, 240) });
}

#[test]
fn each_monitor_of_a_desktop_gets_its_own_clicks() {
    let (server, _) = two_monitors();
    let desk = server.desk().cover(GROUND);
    let marks: [(&str, Rgb, (i16, i16)); 2] = [("usual", FIRST.0, (500, 420)), ("dense", SECOND.0, (1_150, 310))];
    for (_, color, (x, y)) in marks {
        desk.paint((x - 8, y - 8, SIDE, SIDE), color);
    }
    let viewing = Viewing::open();
    for (name, color, aim) in marks {
        let source = format!("screen:{name}");
        let program = Program::serve(
            Some(server.display()),
            &[
                "--source",
                &source,
                "--control",
                "--filter",
                "rotate:degrees=90,expand=true",
                "--filter",
                "zoom:factor=1.3",
            ],
        );
        viewing.watch(&program, "?transport=webrtc");
        viewing.wait_for_control();
        viewing.wait_for_geometry(&program);
        let (place, scale) = viewing.find(color);
        desk.seen();
        viewing.mouse(&click(LEFT, place));
        assert_done(&deeds(&desk, 2), &[(Deed::Press(1), aim), (Deed::Release(1), aim)], scale);
    }
}
