//! The real window on a real X server: it shows what it shares, and obeys the keyboard.

use std::process::{Child, Command, Stdio};

use image::{Rgb, RgbImage};
use lenscast::app::theme;
use lenscast::geometry::Size;
use serde_json::json;

use crate::support::program::{Folder, Program};
use crate::support::studio::eventually;
use crate::support::xserver::XServer;

/// Four flat quarters in colours that nothing else in the window has: upper left, upper right, lower left, lower right.
const QUARTERS: [[u8; 3]; 4] = [[250, 20, 200], [20, 240, 60], [20, 60, 250], [250, 220, 20]];
const PICTURE: (u32, u32) = (400, 300);

/// A window manager; it ends when this is dropped.
struct Manager(Child);

impl Manager {
    fn start(server: &XServer) -> Self {
        let mut command = Command::new("openbox");
        command.env("DISPLAY", server.display()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().expect("openbox is installed (scripts/setup.sh installs it)"))
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn picture() -> RgbImage {
    let (width, height) = PICTURE;
    RgbImage::from_fn(width, height, |x, y| {
        let quarter = usize::from(x >= width / 2) + 2 * usize::from(y >= height / 2);
        Rgb(QUARTERS[quarter])
    })
}

/// Left, top, right and bottom of everything in this colour, without the last two.
fn bounds(screen: &RgbImage, color: [u8; 3]) -> Option<[u32; 4]> {
    let mut found: Option<[u32; 4]> = None;
    for (x, y, pixel) in screen.enumerate_pixels() {
        if pixel.0.iter().zip(color).all(|(channel, wanted)| channel.abs_diff(wanted) <= 4) {
            let [left, top, right, bottom] = found.unwrap_or([x, y, x + 1, y + 1]);
            found = Some([left.min(x), top.min(y), right.max(x + 1), bottom.max(y + 1)]);
        }
    }
    found
}

#[test]
fn the_preview_shows_the_shared_picture_undistorted_in_the_middle_of_its_place() {
    let server = XServer::start(Size::new(1_400, 900));
    let _manager = Manager::start(&server);
    let desk = server.desk();
    let folder = Folder::new();
    let path = folder.path().join("quarters.png");
    picture().save(&path).expect("the folder is the test's own");
    let mut program =
        Program::window(server.display(), json!({ "source": format!("image:{}", path.display()), "theme": "dark" }));

    let mut quarters = [[0; 4]; 4];
    eventually("all four quarters are in the window", || {
        assert!(program.runs(), "the window did not open");
        let screen = desk.screenshot();
        let seen: Vec<_> = QUARTERS.iter().filter_map(|color| bounds(&screen, *color)).collect();
        seen.try_into().map(|seen| quarters = seen).is_ok()
    });
    let [upper_left, upper_right, lower_left, lower_right] = quarters;
    let near = |a: u32, b: u32| a.abs_diff(b) <= 3;
    let [left, top] = [upper_left[0], upper_left[1]];
    let [right, bottom] = [lower_right[2], lower_right[3]];
    let [middle_x, middle_y] = [(left + right) / 2, (top + bottom) / 2];
    for (quarter, expected) in [
        (upper_left, [left, top, middle_x, middle_y]),
        (upper_right, [middle_x, top, right, middle_y]),
        (lower_left, [left, middle_y, middle_x, bottom]),
        (lower_right, [middle_x, middle_y, right, bottom]),
    ] {
        assert!(quarter.iter().zip(expected).all(|(&seen, expected)| near(seen, expected)), "{quarters:?}");
    }
    let (width, height) = (right - left, bottom - top);
    assert!(near(width * PICTURE.1 / PICTURE.0, height), "{width}x{height} is another shape than the picture's");
    // Between the panels at its sides, which are of known widths, it has the same room left and right.
    let screen = desk.screenshot();
    let video = [0x0D, 0x0F, 0x12];
    let place = bounds(&screen, video).expect("around the picture is the colour of the empty preview");
    assert!(near(left - place[0], place[2] - right), "{place:?} around {left} to {right}");
    let panels = (theme::SOURCES_WIDTH + theme::FILTERS_WIDTH) as u32;
    assert!(place[2] - place[0] + panels <= 1_290, "{place:?}");

    // Nothing is shared before it is asked for; then viewers get the same picture.
    assert!(std::net::TcpStream::connect(program.address).is_err());
    desk.press_with_ctrl('b');
    eventually("it is shared", || std::net::TcpStream::connect(program.address).is_ok());
    let shared = program.snapshot();
    assert_eq!(shared.dimensions(), PICTURE);
    for (quarter, color) in QUARTERS.iter().enumerate() {
        let (x, y) = (quarter as u32 % 2 * PICTURE.0 / 2, quarter as u32 / 2 * PICTURE.1 / 2);
        let seen = shared.get_pixel(x + PICTURE.0 / 4, y + PICTURE.1 / 4).0;
        assert!(seen.iter().zip(color).all(|(a, b)| a.abs_diff(*b) <= 8), "{seen:?} instead of {color:?}");
    }
    let state = program.state();
    assert_eq!((&state["source"]["name"], &state["control"]), (&json!("quarters.png"), &json!(false)));

    desk.press_with_ctrl('q');
    assert_eq!(program.ended().code(), Some(0));
    let saved = std::fs::read_to_string(program.folder.path().join("settings.json")).expect("the settings are saved");
    assert!(saved.contains("quarters.png") && !saved.contains("secret"), "{saved}");
}

#[test]
fn viewers_of_the_screen_see_everything_on_it_but_our_own_window() {
    const COVER: [u8; 3] = [0x26, 0x28, 0x2b];
    const ABOVE: [u8; 3] = [250, 20, 200];
    let server = XServer::start(Size::new(1_400, 900));
    let _manager = Manager::start(&server);
    let desk = server.desk();
    let mut program = Program::window(server.display(), json!({ "source": "screen", "theme": "light" }));
    let panel = theme::Palette::for_theme(false).panel.to_array();
    let panel = [panel[0], panel[1], panel[2]];
    eventually("the window is there", || {
        assert!(program.runs(), "the window did not open");
        bounds(&desk.screenshot(), panel)
            .is_some_and(|[left, top, right, bottom]| (right - left) * (bottom - top) > 500_000)
    });
    // The cursor is drawn over everything.
    desk.move_pointer(1_398, 898);
    let window = bounds(&desk.screenshot(), panel).expect("it is there");
    desk.press_with_ctrl('b');
    eventually("it is shared", || std::net::TcpStream::connect(program.address).is_ok());
    let inside = |picture: &RgbImage, [left, top, right, bottom]: [u32; 4]| {
        let mut pixels = (top..bottom).flat_map(|y| (left..right).map(move |x| (x, y)));
        pixels.all(|(x, y)| picture.get_pixel(x, y).0.iter().zip(COVER).all(|(a, b)| a.abs_diff(b) <= 6))
    };
    // The first picture may be of before the window had its place.
    eventually("the window is covered", || inside(&program.snapshot(), window));

    // What lies over the window is shown again, and nothing beside it.
    let [left, top, ..] = window;
    let (x, y) = (left + 200, top + 200);
    desk.put((x as i16, y as i16, 160, 120), ABOVE);
    eventually("what lies over the window is seen", || {
        let seen = program.snapshot().get_pixel(x + 80, y + 60).0;
        seen.iter().zip(ABOVE).all(|(a, b)| a.abs_diff(b) <= 12)
    });
    let picture = program.snapshot();
    // Colours run over the sixteen pixels of a JPEG's block.
    assert!(inside(&picture, [left, top, x - 16, window[3]]) && inside(&picture, [x + 176, top, window[2], window[3]]));
}

/// Bounds of the one wide thing of this colour in the lower half, where the buttons are; above is the word LIVE.
fn button(screen: &RgbImage, color: [u8; 3]) -> Option<[u32; 4]> {
    let above = screen.height() / 2;
    let lower = image::imageops::crop_imm(screen, 0, above, screen.width(), above).to_image();
    let [left, top, right, bottom] = bounds(&lower, color)?;
    ((right - left) > 100 && (bottom - top) < 80).then_some([left, top + above, right, bottom + above])
}

#[test]
fn a_guest_who_may_click_can_not_click_the_window_that_let_him_in() {
    let server = XServer::start(Size::new(1_400, 900));
    let _manager = Manager::start(&server);
    let desk = server.desk();
    let mut program = Program::window(server.display(), json!({ "source": "screen", "theme": "dark" }));
    let live = theme::Palette::for_theme(true).live.to_array();
    let live = [live[0], live[1], live[2]];
    let panel = theme::Palette::for_theme(true).panel.to_array();
    let panel = [panel[0], panel[1], panel[2]];
    eventually("the window is there", || {
        assert!(program.runs(), "the window did not open");
        bounds(&desk.screenshot(), panel)
            .is_some_and(|[left, top, right, bottom]| (right - left) * (bottom - top) > 500_000)
    });
    desk.press_with_ctrl('b');
    let mut stop = [0; 4];
    eventually("the button to stop sharing is there", || {
        button(&desk.screenshot(), live).map(|found| stop = found).is_some()
    });
    eventually("it is shared", || std::net::TcpStream::connect(program.address).is_ok());
    // The guest comes with a token that may click, and the host's own hand allows control.
    let mut add = Command::new(env!("CARGO_BIN_EXE_lenscast"));
    add.args(["token", "add", "Guest", "--role", "click"]).env("LENSCAST_CONFIG_DIR", program.folder.path());
    let printed = String::from_utf8(add.output().expect("it was built").stdout).expect("it is text");
    program.secret = printed.split_whitespace().max_by_key(|word| word.len()).expect("it prints it").to_owned();
    let [left, top, right, bottom] = stop;
    let mut row = bottom + 64;
    eventually("control is allowed", || {
        assert!(row < 900, "the switch is somewhere below the button");
        desk.move_pointer(left as i16 + 14, row as i16);
        desk.click();
        row += 8;
        std::thread::sleep(std::time::Duration::from_millis(300));
        program.state()["control"] == true
    });
    let aim = ((left + right) / 2, (top + bottom) / 2);
    let at = |program: &Program, kind: &str, seq: u64, (x, y): (u32, u32)| {
        let epoch = program.state()["geometry"]["epoch"].clone();
        let event = json!({ "kind": kind, "x": (f64::from(x) + 0.5) / 1_400.0, "y": (f64::from(y) + 0.5) / 900.0,
            "button": "left", "epoch": epoch, "seq": seq, "t": seq });
        assert_eq!(program.point("guest", &event).status, 204);
    };
    // Beside the window the guest's hand moves and clicks.
    let before = program.count("/pointer/injected");
    at(&program, "move", 1, (1_395, 895));
    eventually("it is done", || desk.pointer() == (1_395, 895) && program.count("/pointer/injected") > before);
    // On the window it may go, and does nothing: neither on the button nor anywhere else on it.
    let mut seq = 2;
    for place in [aim, (left + 14, row - 8), (700, 450), (200, 300)] {
        let refused = program.count("/pointer/refused");
        for kind in ["down", "up"] {
            at(&program, kind, seq, place);
            seq += 1;
        }
        eventually("it is refused", || program.count("/pointer/refused") > refused);
        assert_eq!(desk.held(), (0, 0), "{place:?}");
    }
    std::thread::sleep(std::time::Duration::from_millis(500));
    let state = program.state();
    assert_eq!((&state["control"], &state["source"]["id"]), (&json!(true), &json!("screen")));
    // The same place, by the host's own hand: the button is still where it was aimed at.
    desk.move_pointer(aim.0 as i16, aim.1 as i16);
    desk.click();
    eventually("sharing ends", || std::net::TcpStream::connect(program.address).is_err());
}
