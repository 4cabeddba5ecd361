//! Filters that show what does not come from the picture: another source, and what the pointer does on the real screen.

use image::RgbImage;
use lenscast::geometry::Size;

use crate::support::program::Program;
use crate::support::studio::eventually;
use crate::support::viewing::{LEFT, Viewing, down, to, up};
use crate::support::xserver::{Rgb, XServer};

const SCREEN: Size = Size::new(400, 300);
const GROUND: Rgb = [40, 40, 40];

fn is_ground(pixel: Rgb) -> bool {
    pixel.iter().zip(GROUND).all(|(found, wanted)| found.abs_diff(wanted) <= 8)
}

/// The next picture of a stream.
fn next(stream: &mut crate::support::wire::Stream) -> RgbImage {
    image::load_from_memory(&stream.part().1).expect("a part is a JPEG").into_rgb8()
}

#[test]
fn another_source_lies_over_the_screen_in_its_corner_and_moves() {
    let server = XServer::start(SCREEN);
    let _desk = server.desk().cover(GROUND);
    let inset = "picture_in_picture:source=pattern,size=0.5,place=top_left,border=0,round=0";
    let program = Program::serve(Some(server.display()), &["--source", "screen", "--filter", inset]);
    let mut stream = program.stream();
    // A margin, then half of the height in the pattern's shape of 16:9.
    let inside = |picture: &RgbImage| {
        let part = (0..10).flat_map(|x| (0..10).map(move |y| (20 + x * 20, 20 + y * 12)));
        part.map(|(x, y)| picture.get_pixel(x, y).0).collect::<Vec<_>>()
    };
    let mut shown = Vec::new();
    eventually("the pattern is shown", || {
        let picture = next(&mut stream);
        shown = inside(&picture);
        assert!(is_ground(picture.get_pixel(395, 295).0), "the rest of the screen stays");
        shown.iter().filter(|pixel| is_ground(**pixel)).count() < 30
    });
    eventually("it moves over a screen that stands still", || inside(&next(&mut stream)) != shown);
    let chain = program.ask("GET", "/api/v1/chain", "", "").json();
    let key = chain["order"][0].as_str().expect("there is one filter").to_owned();
    program.patch_chain(&serde_json::json!({ "filters": { key: null } }));
    eventually("it goes with its filter", || inside(&next(&mut stream)).iter().all(|pixel| is_ground(*pixel)));
}

#[test]
fn a_click_on_the_real_screen_sends_a_wave_around_the_pointer() {
    let server = XServer::start(SCREEN);
    let desk = server.desk().cover(GROUND);
    let program =
        Program::serve(Some(server.display()), &["--source", "screen", "--filter", "cursor_highlight:size=40"]);
    let mut stream = program.stream();
    // A JPEG carries colour a few pixels further, but pales it.
    let colored = |picture: &RgbImage, least: f64, most: f64| {
        let far = |x: u32, y: u32| (f64::from(x) - 150.0).hypot(f64::from(y) - 120.0);
        let yellow = |pixel: Rgb| i32::from(pixel[0]) - i32::from(pixel[2]) > 60;
        picture.enumerate_pixels().filter(|(x, y, p)| (least..most).contains(&far(*x, *y)) && yellow(p.0)).count()
    };
    desk.move_pointer(150, 120);
    eventually("the ring is where the pointer is", || {
        let picture = next(&mut stream);
        colored(&picture, 16.0, 24.0) > 50 && colored(&picture, 26.0, 300.0) == 0
    });
    desk.click();
    eventually("a wave goes out", || colored(&next(&mut stream), 27.0, 300.0) > 20);
    eventually("and is gone", || colored(&next(&mut stream), 26.0, 300.0) == 0);
}

#[test]
fn who_may_point_is_seen_in_the_picture_and_clicks_on_nothing() {
    let server = XServer::start(SCREEN);
    let desk = server.desk().cover(GROUND);
    let program = Program::serve(
        Some(server.display()),
        &["--source", "screen", "--filter", "flip:horizontal=true", "--filter", "zoom:factor=1.5"],
    );
    let viewing = Viewing::open();
    for query in ["?transport=webrtc", "?transport=websocket"] {
        viewing.watch(&program, query);
        viewing.browser.wait_for("being allowed to point", "return lenscast.pointing && lenscast.epoch !== null");
        let mut stream = program.stream();
        // Where the first colour of the pointers is, in fractions of the picture.
        let pointer = |picture: &RgbImage| {
            let orange = |p: Rgb| i32::from(p[0]) - i32::from(p[2]) > 110;
            let found: Vec<_> = picture.enumerate_pixels().filter(|(.., pixel)| orange(pixel.0)).collect();
            let size = (f64::from(picture.width()), f64::from(picture.height()));
            let left = found.iter().map(|(x, ..)| *x).min()?;
            let middle = found.iter().filter(|(x, ..)| *x == left).map(|(_, y, _)| f64::from(*y)).sum::<f64>()
                / found.iter().filter(|(x, ..)| *x == left).count() as f64;
            (found.len() > 60).then_some((f64::from(left) / size.0, middle / size.1))
        };
        for (x, y) in [(0.25, 0.5), (0.6, 0.3)] {
            viewing.mouse(&[to(viewing.at_fraction(x, y))]);
            let mut seen = None;
            eventually("the pointer is where the viewer's mouse is", || {
                seen = pointer(&next(&mut stream));
                // Its left edge is half its width, 11 of 400 pixels, beside its middle.
                seen.is_some_and(|(left, middle)| (left + 11.0 / 400.0 - x).abs() < 0.015 && (middle - y).abs() < 0.02)
            });
        }
        viewing.mouse(&[down(LEFT), up(LEFT)]);
        eventually("a pointer that rests goes", || pointer(&next(&mut stream)).is_none());
        assert_eq!(program.count("/pointer/injected"), 0);
        assert_eq!(desk.seen(), []);
        viewing.browser.go("about:blank");
    }
}
