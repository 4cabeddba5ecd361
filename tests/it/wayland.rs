//! The pointer and keyboard on a Wayland desktop: how it is asked, what reaches it, and how that ends.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lenscast::geometry::{Affine, Geometry, Point, Size};
use lenscast::input::{
    Action, Button, InjectError, Injector, InputEvent, InputHub, Key, KeyCode, KeyEvent, Place, PointerEvent,
    PointerKind, WaylandInjector,
};
use serde_json::json;
use zbus::zvariant::OwnedValue;

use crate::support::portal::{Bus, Desktop, Done, Manner, Says};
use crate::support::program::{Folder, Program, command};
use crate::support::studio::eventually;

const LEFT: u32 = 0x110;
const RIGHT: u32 = 0x111;
const SHIFT: u32 = 42;
const CONTROL: u32 = 29;
const ALT_GR: u32 = 100;
const A: u32 = 30;
const E: u32 = 18;

fn place(desktop: &Desktop, folder: Option<&Folder>) -> Place {
    let folder = folder.map(|folder| folder.path().to_owned());
    Place { bus: Some(desktop.bus.address.clone()), folder }
}

/// An injector that was allowed.
fn allowed(desktop: &Desktop) -> WaylandInjector {
    let mut injector = WaylandInjector::open(place(desktop, None));
    eventually("it is allowed", || injector.ready().is_ok());
    injector
}

/// Why it can't be had, once that is known.
fn denied(injector: &mut WaylandInjector) -> String {
    let mut reason = None;
    eventually("it is denied", || {
        reason = match injector.ready() {
            Err(InjectError::Denied(reason)) => Some(reason),
            _ => None,
        };
        reason.is_some()
    });
    reason.unwrap()
}

fn at(x: f64, y: f64) -> Action {
    Action::MoveTo(Point::new(x, y))
}

fn key(name: &str) -> Key {
    Key::At(KeyCode::named(name).unwrap())
}

fn text(value: Option<OwnedValue>) -> Option<String> {
    value.map(|value| String::try_from(value).unwrap())
}

/// A hub as the program has it, over a picture of the second screen.
fn hub(place: Place) -> Arc<InputHub> {
    let hub = InputHub::start(Box::new(move || Ok(Box::new(WaylandInjector::open(place.clone())))));
    let second_screen = Affine::translation(1920.0, 100.0);
    let geometry = Geometry::untouched(1, Size::new(1280, 720), Some(second_screen));
    hub.note_geometry(&Arc::new(geometry), Instant::now());
    hub
}

fn pointer(kind: PointerKind, seq: u64) -> InputEvent {
    InputEvent::Pointer(PointerEvent { kind, position: Some((0.5, 0.5)), epoch: Some(1), seq, time: None })
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

#[test]
fn clicks_the_wheel_and_keys_arrive_where_they_were_meant_on_any_screen() {
    let desktop = Desktop::start(Manner::default());
    let mut injector = allowed(&desktop);
    for action in [
        at(2000.5, 300.25),
        Action::Press(Button::Right),
        Action::Release(Button::Right),
        Action::Scroll { dx: -1, dy: 3 },
        at(10.0, 20.0),
        Action::MoveBy { dx: -5, dy: 7 },
        Action::Press(Button::Left),
        Action::Release(Button::Left),
        Action::KeyDown(key("ControlLeft")),
        Action::KeyDown(Key::Bearing('a')),
        Action::KeyUp(Key::Bearing('a')),
        Action::KeyUp(key("ControlLeft")),
    ] {
        injector.inject(action).unwrap();
    }
    desktop.expect(&[
        Done::At(2000.5, 300.25),
        Done::Button(RIGHT, true),
        Done::Button(RIGHT, false),
        Done::Wheel(-120, 360),
        Done::At(10.0, 20.0),
        Done::By(-5.0, 7.0),
        Done::Button(LEFT, true),
        Done::Button(LEFT, false),
        Done::Key(CONTROL, true),
        Done::Key(A, true),
        Done::Key(A, false),
        Done::Key(CONTROL, false),
    ]);
    // The pointer and the keyboard were asked for, and every screen.
    assert_eq!(u32::try_from(desktop.option("SelectDevices", "types").unwrap()), Ok(3));
    assert_eq!(u32::try_from(desktop.option("SelectSources", "types").unwrap()), Ok(1));
    assert_eq!(bool::try_from(desktop.option("SelectSources", "multiple").unwrap()), Ok(true));
}

#[test]
fn a_place_on_a_screen_that_was_not_shared_is_not_clicked_on() {
    let desktop = Desktop::start(Manner::default());
    let mut injector = allowed(&desktop);
    let Err(InjectError::Denied(advice)) = injector.inject(at(2000.0, 50.0)) else { panic!("there is no screen") };
    assert!(advice.contains("choose every screen"), "{advice}");
    injector.inject(at(2000.0, 150.0)).unwrap();
    desktop.expect(&[Done::At(2000.0, 150.0)]);
}

#[test]
fn characters_are_typed_by_the_desktops_keymap_and_modifiers_are_as_before() {
    let desktop = Desktop::start(Manner { takes_text: true, ..Manner::default() });
    let mut injector = allowed(&desktop);
    let typed = |code| [Done::Key(code, true), Done::Key(code, false)];
    let with = |held, code| [vec![Done::Key(held, true)], typed(code).to_vec(), vec![Done::Key(held, false)]].concat();
    for character in ['a', 'A', '€', '雪'] {
        injector.inject(Action::Type(character)).unwrap();
    }
    let text = vec![Done::Text("雪".to_owned())];
    desktop.expect(&[typed(A).to_vec(), with(SHIFT, A), with(ALT_GR, E), text].concat());
    // A shift key that a viewer holds is let go for a small letter and held again.
    for action in [Action::KeyDown(key("ShiftLeft")), Action::Type('a'), Action::Type('A')] {
        injector.inject(action).unwrap();
    }
    let small = [vec![Done::Key(SHIFT, false)], typed(A).to_vec(), vec![Done::Key(SHIFT, true)]].concat();
    desktop.expect(&[vec![Done::Key(SHIFT, true)], small, typed(A).to_vec()].concat());
}

#[test]
fn a_character_that_no_key_has_is_left_out_and_the_rest_is_typed() {
    let desktop = Desktop::start(Manner::default());
    let hub = hub(place(&desktop, None));
    hub.allow(true);
    hub.open();
    eventually("it is allowed", || desktop.count("ConnectToEIS") == 1 && !hub.stats().asking);
    hub.event(1, InputEvent::Text("a雪e".to_owned()), Instant::now());
    desktop.expect(&[Done::Key(A, true), Done::Key(A, false), Done::Key(E, true), Done::Key(E, false)]);
    assert_eq!(hub.stats().unavailable, None);
    hub.stop(soon());
}

#[test]
fn everything_that_is_held_comes_up_when_control_ends_and_the_desktop_is_given_back() {
    let desktop = Desktop::start(Manner::default());
    let hub = hub(place(&desktop, None));
    hub.allow(true);
    hub.open();
    eventually("it is allowed", || desktop.count("ConnectToEIS") == 1 && !hub.stats().asking);
    let now = Instant::now();
    let held = KeyEvent { code: KeyCode::named("ShiftLeft").unwrap(), character: None, down: true, time: None };
    hub.event(1, pointer(PointerKind::Down(Button::Left), 1), now);
    hub.event(1, InputEvent::Key(held), now);
    desktop.expect(&[Done::At(2560.0, 460.0), Done::Button(LEFT, true), Done::Key(SHIFT, true)]);
    hub.allow(false);
    desktop.expect(&[Done::Button(LEFT, false), Done::Key(SHIFT, false), Done::Gone]);
    eventually("the session is closed", || desktop.sessions_closed() == 1);
    hub.stop(soon());
}

#[test]
fn a_no_is_said_and_not_asked_about_again_until_somebody_wants_to() {
    let desktop = Desktop::start(Manner { says: Says::No, ..Manner::default() });
    let hub = hub(place(&desktop, None));
    hub.allow(true);
    hub.open();
    eventually("it is refused", || hub.stats().unavailable.is_some_and(|reason| reason.contains("refused")));
    for seq in 0..20 {
        hub.event(1, pointer(PointerKind::Move, seq), Instant::now());
    }
    hub.settle(soon());
    assert_eq!((desktop.count("Start"), hub.stats().injected), (1, 0));
    desktop.set(Says::Yes);
    hub.open();
    eventually("it is allowed", || desktop.count("ConnectToEIS") == 1 && hub.stats().unavailable.is_none());
    hub.event(1, pointer(PointerKind::Move, 30), Instant::now());
    desktop.expect(&[Done::At(2560.0, 460.0)]);
    hub.stop(soon());
}

#[test]
fn while_the_person_is_asked_nothing_waits_and_whoever_gives_up_takes_the_question_back() {
    let desktop = Desktop::start(Manner { says: Says::Nothing, ..Manner::default() });
    let hub = hub(place(&desktop, None));
    hub.allow(true);
    hub.open();
    eventually("it asks", || desktop.count("Start") == 1 && hub.stats().asking);
    hub.event(1, pointer(PointerKind::Down(Button::Left), 1), Instant::now());
    hub.settle(soon());
    // Nothing went down, so nobody holds anything.
    assert_eq!((hub.stats().refused, hub.stats().holder), (1, None));
    hub.allow(false);
    eventually("the question is taken back", || desktop.sessions_closed() == 1);
    eventually("nothing is asked", || !hub.stats().asking && hub.stats().unavailable.is_none());
    // Minutes later it is allowed again, and somebody says yes.
    hub.allow(true);
    hub.open();
    eventually("it asks again", || desktop.count("Start") == 2 && hub.stats().asking);
    desktop.answer(Says::Yes);
    eventually("it is allowed", || desktop.count("ConnectToEIS") == 1 && !hub.stats().asking);
    hub.event(1, pointer(PointerKind::Down(Button::Left), 2), Instant::now());
    desktop.expect(&[Done::At(2560.0, 460.0), Done::Button(LEFT, true)]);
    hub.stop(soon());
}

#[test]
fn a_desktop_that_ends_the_session_ends_the_control_at_once() {
    let desktop = Desktop::start(Manner::default());
    let hub = hub(place(&desktop, None));
    hub.allow(true);
    hub.open();
    eventually("it is allowed", || desktop.count("ConnectToEIS") == 1 && !hub.stats().asking);
    hub.event(1, pointer(PointerKind::Down(Button::Left), 1), Instant::now());
    desktop.expect(&[Done::At(2560.0, 460.0), Done::Button(LEFT, true)]);
    desktop.end_session();
    eventually("it is said", || hub.stats().unavailable.is_some_and(|reason| reason.contains("ended")));
    desktop.expect(&[Done::Gone]);
    hub.event(1, pointer(PointerKind::Move, 2), Instant::now());
    hub.settle(soon());
    assert_eq!((desktop.done(), desktop.count("Start")), (Vec::new(), 1));
    hub.stop(soon());
}

#[test]
fn a_compositor_that_hangs_up_ends_it_too() {
    let desktop = Desktop::start(Manner::default());
    let mut injector = allowed(&desktop);
    desktop.hang_up();
    assert!(denied(&mut injector).contains("ended"));
    eventually("the portal's session is closed", || desktop.sessions_closed() == 1);
}

#[test]
fn devices_that_pause_or_are_replaced_are_followed() {
    let desktop = Desktop::start(Manner::default());
    let mut injector = allowed(&desktop);
    injector.inject(at(5.0, 5.0)).unwrap();
    injector.inject(Action::Press(Button::Left)).unwrap();
    desktop.expect(&[Done::At(5.0, 5.0), Done::Button(LEFT, true)]);
    desktop.pause();
    eventually("the pointer is away", || injector.inject(at(6.0, 6.0)).is_err());
    desktop.done();
    // The compositor let the button go itself.
    injector.inject(Action::Release(Button::Left)).unwrap();
    desktop.resume();
    eventually("it is back", || injector.inject(at(7.0, 7.0)).is_ok());
    eventually("it moves", || desktop.done().contains(&Done::At(7.0, 7.0)));
    desktop.replace_pointer();
    eventually("the new one is used", || {
        let clicked = injector.inject(at(8.0, 8.0)).and_then(|()| injector.inject(Action::Press(Button::Left)));
        let _ = clicked.and_then(|()| injector.inject(Action::Release(Button::Left)));
        let done = desktop.done();
        done.contains(&Done::At(8.0, 8.0)) && done.contains(&Done::Button(LEFT, true))
    });
}

#[test]
fn the_token_is_kept_privately_and_shown_the_next_time() {
    let desktop = Desktop::start(Manner::default());
    let folder = Folder::new();
    let file = folder.path().join("desktop-permission.json");
    for (shown, given) in [(None, "token-1"), (Some("token-1"), "token-2"), (Some("token-2"), "token-3")] {
        let mut injector = WaylandInjector::open(place(&desktop, Some(&folder)));
        eventually("it is allowed", || injector.ready().is_ok());
        assert_eq!(text(desktop.option("SelectDevices", "restore_token")).as_deref(), shown);
        assert_eq!(u32::try_from(desktop.option("SelectDevices", "persist_mode").unwrap()), Ok(2));
        assert!(std::fs::read_to_string(&file).unwrap().contains(given));
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // Whoever says no is not surprised by an old yes.
    desktop.set(Says::No);
    denied(&mut WaylandInjector::open(place(&desktop, Some(&folder))));
    assert!(!file.exists());
}

#[test]
fn each_reason_says_what_to_do() {
    let bus = Bus::start();
    let mut reasons = vec![(Place { bus: Some(bus.address.clone()), folder: None }, "install xdg-desktop-portal")];
    reasons.push((Place { bus: Some("unix:path=/nowhere".to_owned()), folder: None }, "from within the desktop"));
    let old = Desktop::start(Manner { has_remote_desktop: false, ..Manner::default() });
    reasons.push((place(&old, None), "log in to GNOME, KDE Plasma or an X11 session"));
    let neither = Desktop::start(Manner { says: Says::Neither, ..Manner::default() });
    reasons.push((place(&neither, None), "ask again and allow them"));
    for (place, advice) in reasons {
        let reason = denied(&mut WaylandInjector::open(place));
        assert!(reason.contains(advice), "{reason}");
    }
}

#[test]
fn a_portal_without_libei_is_told_itself() {
    let desktop = Desktop::start(Manner { version: 1, ..Manner::default() });
    let mut injector = allowed(&desktop);
    for action in [
        at(2000.5, 300.25),
        Action::Press(Button::Left),
        Action::Release(Button::Left),
        Action::MoveBy { dx: 1, dy: -2 },
        Action::Scroll { dx: 0, dy: -1 },
        Action::KeyDown(key("ControlLeft")),
        Action::KeyUp(key("ControlLeft")),
        Action::Type('€'),
    ] {
        injector.inject(action).unwrap();
    }
    assert!(injector.inject(at(2000.0, 50.0)).is_err());
    let told = |what: &str| Done::Notified(what.to_owned());
    desktop.expect(&[
        told("at 41 80.5 200.25"),
        told("button 0x110 1"),
        told("button 0x110 0"),
        told("by 1 -2"),
        told("axis 0 -1"),
        told("key 29 1"),
        told("key 29 0"),
        told("symbol 0x20ac 1"),
        told("symbol 0x20ac 0"),
    ]);
    // It knows neither tokens nor how long a permission holds.
    assert!(desktop.option("SelectDevices", "persist_mode").is_none());
    assert_eq!(desktop.count("ConnectToEIS"), 0);
    desktop.end_session();
    assert!(denied(&mut injector).contains("ended"));
}

#[test]
fn the_program_asks_when_it_starts_and_its_viewers_type_on_the_desktop() {
    let desktop = Desktop::start(Manner { says: Says::Nothing, ..Manner::default() });
    let folder = Folder::new();
    let mut serve = command(&folder, None, &["serve", "--port", "0", "--source", "pattern", "--control"]);
    serve.env("DBUS_SESSION_BUS_ADDRESS", &desktop.bus.address).env("WAYLAND_DISPLAY", "wayland-of-a-test");
    serve.env_remove("XDG_SESSION_TYPE");
    let mut program = Program::begin(folder, serve);
    // It serves while the dialog is open.
    eventually("it asks", || desktop.count("Start") == 1);
    let post = |event: &serde_json::Value| assert_eq!(program.point("a", event).status, 204);
    post(&json!({ "kind": "text", "text": "e" }));
    eventually("that is refused", || program.count("/pointer/refused") == 1);
    desktop.answer(Says::Yes);
    eventually("letters arrive", || {
        post(&json!({ "kind": "text", "text": "a" }));
        desktop.done().contains(&Done::Key(A, false))
    });
    post(&json!({ "kind": "key_down", "code": "ControlLeft", "t": 1.0 }));
    eventually("the key is down", || desktop.done().contains(&Done::Key(CONTROL, true)));
    program.signal("TERM");
    assert_eq!(program.ended().code(), Some(0));
    let done = desktop.done();
    assert_eq!(done[..1], [Done::Key(CONTROL, false)], "{done:?}");
    assert!(program.folder.path().join("desktop-permission.json").is_file());
}

#[test]
fn a_program_that_is_killed_loses_its_connection_and_so_lets_go() {
    let desktop = Desktop::start(Manner::default());
    let folder = Folder::new();
    let mut serve = command(&folder, None, &["serve", "--port", "0", "--source", "pattern", "--control"]);
    serve.env("DBUS_SESSION_BUS_ADDRESS", &desktop.bus.address).env("WAYLAND_DISPLAY", "wayland-of-a-test");
    serve.env_remove("XDG_SESSION_TYPE");
    let program = Program::begin(folder, serve);
    eventually("a key is down", || {
        program.point("a", &json!({ "kind": "key_down", "code": "ShiftLeft", "t": 1.0 }));
        desktop.done().contains(&Done::Key(SHIFT, true))
    });
    program.signal("KILL");
    eventually("the connection ends, and with it what was held", || desktop.done().contains(&Done::Gone));
}
