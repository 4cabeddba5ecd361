//! The viewer page through everything that happens to a connection, and what it offers to see more of the picture.

use serde_json::{Value, json};

use crate::desktop::{FIRST, SECOND, assert_done, click, deeds, marked, serve};
use crate::support::program::Program;
use crate::support::studio::eventually;
use crate::support::viewing::{LEFT, Viewing, down, to, up, whole};
use crate::support::xserver::Deed;

const TRANSPORTS: [&str; 3] = ["webrtc", "websocket", "mjpeg"];

fn pattern(more: &[&str]) -> Program {
    let small = ["--source", "pattern", "--filter", "crop:left=0.5,bottom=0.5"];
    Program::serve(None, &[&small[..], more].concat())
}

fn viewers(program: &Program) -> Vec<Value> {
    program.state()["viewers"].as_array().cloned().unwrap_or_default()
}

/// Has the page believe that nobody sees it, or that somebody does again.
fn hide(viewing: &Viewing, hidden: bool) {
    viewing.browser.run(&format!(
        "Object.defineProperty(document, 'hidden', {{ configurable: true, get: () => {hidden} }});
         document.dispatchEvent(new Event('visibilitychange'));"
    ));
}

#[test]
fn the_page_plays_again_when_the_host_is_back_over_each_transport_and_once() {
    let mut program = pattern(&["--watch", "anyone"]);
    let port = program.address.port().to_string();
    for transport in TRANSPORTS {
        let viewing = Viewing::open();
        viewing.watch(&program, &format!("?transport={transport}"));
        drop(program);
        viewing.browser.wait_for("the end is noticed", "return lenscast.state === 'reconnecting'");
        let shown = "return document.getElementById('status-text').textContent";
        assert_eq!(viewing.browser.run(shown), "Reconnecting…");
        program = Program::serve_on(&port, None, &["--source", "pattern", "--watch", "anyone"]);
        let listening = std::time::Instant::now();
        viewing.browser.wait_for("it plays again", "return lenscast.state === 'live' && lenscast.frames > 3");
        eprintln!("{transport}: playing {:?} after the host listened", listening.elapsed());
        assert_eq!(viewing.says("transport"), *transport);
        eventually("there is one connection", || viewers(&program).len() == 1);
    }
}

#[test]
fn a_hidden_page_stops_and_goes_on_when_it_is_seen_again() {
    let program = pattern(&[]);
    let viewing = Viewing::open();
    for transport in TRANSPORTS {
        viewing.watch(&program, &format!("?transport={transport}"));
        hide(&viewing, true);
        viewing.browser.wait_for("it stops", "return lenscast.state === 'asleep'");
        eventually("nothing is sent any more", || viewers(&program).is_empty());
        hide(&viewing, false);
        viewing.browser.wait_for("it goes on", "return lenscast.state === 'live' && lenscast.frames > 3");
        assert_eq!(viewing.says("transport"), *transport);
        assert_eq!(viewers(&program).len(), 1);
    }
}

#[test]
fn the_network_that_comes_back_is_noticed_at_once() {
    let program = pattern(&["--watch", "anyone"]);
    let port = program.address.port().to_string();
    let viewing = Viewing::open();
    viewing.watch(&program, "?transport=websocket");
    // Long enough without a host for the pauses between two attempts to be at their longest.
    drop(program);
    std::thread::sleep(std::time::Duration::from_secs(6));
    assert_eq!(viewing.says("state"), "reconnecting");
    let program = Program::serve_on(&port, None, &["--source", "pattern", "--watch", "anyone"]);
    viewing.browser.run("dispatchEvent(new Event('online'))");
    viewing.browser.wait_for("it plays again", "return lenscast.state === 'live'");
    assert_eq!(viewers(&program).len(), 1);
}

#[test]
fn a_viewer_chooses_the_size_and_the_others_keep_theirs() {
    let program = pattern(&[]);
    let viewing = Viewing::open();
    viewing.watch(&program, "?transport=websocket");
    let choose = "const s = document.getElementById('quality'); s.dispatchEvent(new Event('change'))";
    for (rung, width) in [("half", 320), ("quarter", 160), ("full", 640)] {
        viewing.browser.run(&choose.replace("s.dispatch", &format!("s.value = '{rung}'; s.dispatch")));
        viewing.browser.wait_for("the size", &format!("return lenscast.width === {width}"));
        eventually("the host knows it", || viewers(&program)[0]["rung"] == rung);
        assert_eq!(program.snapshot().width(), 640, "a snapshot is whole");
    }
}

#[test]
fn every_leg_of_the_delay_is_shown_and_the_connection_is_described() {
    let program = pattern(&[]);
    let viewing = Viewing::open();
    for (transport, legs, facts) in [
        (
            "webrtc",
            &[
                "Capture to filter",
                "Filter to encode",
                "Encode to sent",
                "Network",
                "Jitter buffer",
                "Decode",
                "Display",
            ][..],
            &["Codec", "Bitrate", "Round trip", "Packets lost", "Jitter buffer", "Path"][..],
        ),
        (
            "websocket",
            &["Capture to filter", "Filter to encode", "Encode to sent", "Network", "Decode", "Display"],
            &["Codec", "Bitrate", "Round trip", "Frames too late"],
        ),
        ("mjpeg", &["Host and network", "Decode", "Display"], &["Codec", "Bitrate"]),
    ] {
        viewing.watch(&program, &format!("?transport={transport}"));
        viewing.browser.run("document.getElementById('details-button').click()");
        let rows = |list: &str| {
            format!(
                "Object.fromEntries([...document.querySelectorAll('#{list} > div')].map((row) => [...row.children].map((cell) => cell.textContent)))"
            )
        };
        viewing.browser.wait_for(
            "every leg has a number",
            &format!("const rows = Object.entries({}); return rows.length === {} && rows.every(([, ms]) => /\\d ms$/.test(ms))", rows("legs"), legs.len()),
        );
        let shown = viewing.browser.run(&format!("return {}", rows("legs")));
        assert!(legs.iter().all(|leg| shown[leg].is_string()), "{transport}: {shown}");
        viewing.browser.wait_for(
            &format!("the facts of {transport}"),
            &format!("const rows = {}; return {facts:?}.every((fact) => fact in rows)", rows("facts")),
        );
        assert!(viewing.says("delayMs").is_number(), "{transport}: the whole is known where its parts are");
    }
}

#[test]
fn a_click_on_a_zoomed_and_moved_picture_lands_where_it_is_seen() {
    let (server, desk) = marked();
    let program = serve(&server, &["--control"]);
    let viewing = Viewing::open();
    for transport in TRANSPORTS {
        viewing.watch(&program, &format!("?transport={transport}"));
        viewing.wait_for_control();
        viewing.wait_for_geometry(&program);
        // Ctrl and the wheel at one of the marks: the other one moves away and grows.
        let ((x, y), _) = viewing.find(FIRST.0);
        viewing.browser.run(&format!(
            "for (let i = 0; i < 4; i++) document.getElementById('stage').dispatchEvent(new WheelEvent('wheel',
               {{ deltaY: -100, ctrlKey: true, clientX: {x}, clientY: {y}, bubbles: true, cancelable: true }}));"
        ));
        let zoom = viewing.says("zoom").as_f64().expect("a number");
        assert!(zoom > 1.6, "{zoom}");
        desk.seen();
        for (color, aim) in [FIRST, SECOND] {
            let (place, scale) = viewing.find(color);
            viewing.mouse(&click(LEFT, place));
            assert_done(&deeds(&desk, 2), &[(Deed::Press(1), aim), (Deed::Release(1), aim)], scale);
        }
        // Dragging with Ctrl moves the picture and is not the host's.
        let ((x, y), _) = viewing.find(FIRST.0);
        let (x, y) = whole((x, y));
        viewing.browser.act(&json!({ "actions": [
            { "type": "key", "id": "keys", "actions": [{ "type": "keyDown", "value": "\u{e009}" }] },
        ] }));
        viewing.mouse(&[to((x as f64, y as f64)), down(LEFT), to((x as f64 - 90.0, y as f64 - 60.0)), up(LEFT)]);
        viewing.browser.act(&json!({ "actions": [
            { "type": "key", "id": "keys", "actions": [{ "type": "keyUp", "value": "\u{e009}" }] },
        ] }));
        let (moved, scale) = viewing.find(FIRST.0);
        assert!((moved.0 - (x as f64 - 90.0)).abs() < 3.0 && (moved.1 - (y as f64 - 60.0)).abs() < 3.0, "{moved:?}");
        viewing.mouse(&click(LEFT, moved));
        assert_done(&deeds(&desk, 2), &[(Deed::Press(1), FIRST.1), (Deed::Release(1), FIRST.1)], scale);
        // Pixel by pixel, and back to everything.
        viewing.browser.run("document.getElementById('actual').click()");
        let (place, scale) = viewing.find(FIRST.0);
        assert!((scale - 1.0).abs() < 0.01, "{scale}");
        viewing.mouse(&click(LEFT, place));
        assert_done(&deeds(&desk, 2), &[(Deed::Press(1), FIRST.1), (Deed::Release(1), FIRST.1)], scale);
        viewing.browser.run("document.getElementById('zoom').click()");
        assert_eq!(viewing.says("zoom"), 1);
    }
}

#[test]
fn two_fingers_zoom_and_one_moves_what_is_only_watched() {
    let program = pattern(&[]);
    let viewing = Viewing::open();
    viewing.watch(&program, "?transport=websocket");
    let finger = |id: &str, steps: &[(i64, i64)]| {
        let place = |(x, y): (i64, i64), duration: u64| json!({ "type": "pointerMove", "duration": duration, "origin": "viewport", "x": x, "y": y });
        let mut actions = vec![place(steps[0], 0), json!({ "type": "pointerDown", "button": 0 })];
        actions.extend(steps[1..].iter().map(|&step| place(step, 100)));
        actions.push(json!({ "type": "pointerUp", "button": 0 }));
        json!({ "type": "pointer", "id": id, "parameters": { "pointerType": "touch" }, "actions": actions })
    };
    let apart =
        [finger("a", &[(600, 400), (560, 400), (500, 400)]), finger("b", &[(680, 400), (720, 400), (780, 400)])];
    viewing.browser.act(&json!({ "actions": apart }));
    let zoom = viewing.says("zoom").as_f64().expect("a number");
    assert!((2.5..=4.5).contains(&zoom), "fingers 80 and then 280 pixels apart: {zoom}");
    let before = viewing.at_fraction(0.5, 0.5);
    viewing.browser.act(&json!({ "actions": [finger("a", &[(600, 400), (630, 420), (700, 440)])] }));
    let after = viewing.at_fraction(0.5, 0.5);
    assert!(after.0 - before.0 > 50.0 && after.1 - before.1 > 15.0, "{before:?}, then {after:?}");
    assert_eq!(viewing.says("controlling"), false);
}

#[test]
fn every_control_of_the_page_can_be_reached_by_keyboard_and_has_a_name() {
    let program = pattern(&["--tune", "--control"]);
    let viewing = Viewing::open();
    viewing.watch(&program, "");
    viewing.browser.run("document.getElementById('details-button').click()");
    let nameless = viewing.browser.run(
        "return [...document.querySelectorAll('button, select, input')].filter((control) => control.checkVisibility())
           .filter((control) => control.tabIndex < 0 || !(control.ariaLabel || control.labels?.[0]?.textContent || control.textContent).trim())
           .map((control) => control.outerHTML)",
    );
    assert_eq!(nameless, json!([]));
    // Keys zoom, and Escape closes the drawer and gives the focus back.
    viewing.browser.run("for (const key of ['+', '+']) dispatchEvent(new KeyboardEvent('keydown', { key }))");
    assert!(viewing.says("zoom").as_f64().is_some_and(|zoom| zoom > 1.5));
    viewing.browser.run("document.getElementById('details-close').focus()");
    viewing
        .browser
        .run("document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }))");
    assert_eq!(viewing.browser.run("return document.activeElement.id"), "details-button");
}
