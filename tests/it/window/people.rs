//! Letting people in from the window: the question about each of them, their rights, codes, tokens and the log.

use std::time::Duration;

use lenscast::app::panels::TokenForm;
use lenscast::engine::{DoorView, GuestInfo, NewToken, Prompt, Role, Roles, TokenInfo, Verdict, Visitor};
use lenscast::settings::Entry as Way;

use super::*;

fn anna() -> Visitor {
    Visitor { name: "Anna".to_owned(), address: [192, 0, 2, 7].into(), browser: Some("Firefox on Linux".to_owned()) }
}

/// Somebody is in, somebody asks, and there is everything that lets people in.
fn busy() -> DoorView {
    let guest = GuestInfo { id: 3, visitor: anna(), roles: Roles::WATCH, remembered: false };
    let asking = Visitor { name: "Bert".to_owned(), ..anna() };
    let token = TokenInfo {
        name: "VLC".to_owned(),
        roles: Roles::WATCH,
        made: "2026-11-21".to_owned(),
        origins: vec!["http://dash.local:8123".to_owned()],
    };
    DoorView {
        code: Some(("12345678".to_owned(), 200)),
        invitation: Some(("t0".to_owned(), 100)),
        prompt: Some(Prompt { id: 9, visitor: asking, wished: Roles::WATCH.with(Role::Click), seconds_left: 24 }),
        waiting: 2,
        guests: vec![guest],
        tokens: vec![token],
        fingerprint: "AB:CD".to_owned(),
        ..DoorView::default()
    }
}

fn shared(door: DoorView) -> (Settings, Status) {
    let (mut settings, mut status) = full();
    settings.share.control = false;
    status.door = Arc::new(door);
    (settings, status)
}

fn opened(door: DoorView) -> Harness<'static, Bench> {
    let (settings, status) = shared(DoorView { prompt: None, ..door });
    let mut window = window_of_size(settings, status, [1280.0, 1000.0]);
    window.get_by_label("Let someone in").click();
    window.run();
    window
}

fn asked(window: &Harness<'static, Bench>) -> Vec<Command> {
    window.state().commands.try_iter().collect()
}

fn press(window: &mut Harness<'static, Bench>, label: &str) {
    let control = window.get_by_label(label);
    control.scroll_to_me();
    window.run();
    window.get_by_label(label).click();
    window.run();
}

#[test]
fn whoever_asks_is_shown_in_full_and_the_answer_goes_to_the_engine() {
    for (button, verdict) in [
        ("Allow watching", Verdict::Allow { roles: Roles::WATCH, remember: false }),
        ("Allow clicking", Verdict::Allow { roles: Roles::WATCH.with(Role::Click), remember: false }),
        ("Deny", Verdict::Deny),
    ] {
        let (settings, status) = shared(busy());
        let mut window = window(settings, status);
        window.run_steps(2);
        for text in ["Bert asks to come in", "192.0.2.7", "Firefox on Linux", "watch, click"] {
            assert!(window.query_by_label(text).is_some(), "{text}");
        }
        assert!(window.query_by_label_contains("within 24 s is a no. One more waits.").is_some());
        // A click meant for something else that came a moment too late.
        window.get_by_label(button).click();
        window.run_steps(2);
        assert!(asked(&window).is_empty());
        window.state_mut().model.now += Duration::from_secs(1);
        window.run_steps(2);
        window.get_by_label(button).click();
        window.run_steps(2);
        assert_eq!(asked(&window), [Command::Answer { request: 9, verdict }]);
        // Whoever may click needs the host's own switch, too.
        assert_eq!(window.state().handle.store.get().share.control, button == "Allow clicking");
    }
}

#[test]
fn the_device_is_remembered_only_where_that_was_switched_on_for_this_one() {
    let (settings, status) = shared(busy());
    let mut window = window(settings, status.clone());
    window.run_steps(2);
    window.state_mut().model.now += Duration::from_secs(1);
    window.get_by_label("Remember this device").click();
    window.run_steps(2);
    window.get_by_label("Allow watching").click();
    window.run_steps(2);
    let remember = |command: &Command| matches!(command, Command::Answer { verdict: Verdict::Allow { remember, .. }, .. } if *remember);
    assert!(asked(&window).iter().all(remember));
    // The next one begins without it.
    let mut next = busy();
    next.prompt.as_mut().expect("it is there").id = 10;
    window.state().handle.status.publish(Arc::new(Status { door: Arc::new(next), ..status }));
    window.run_steps(2);
    window.state_mut().model.now += Duration::from_secs(1);
    window.run_steps(2);
    window.get_by_label("Allow watching").click();
    window.run_steps(2);
    let answers = asked(&window);
    assert!(answers.len() == 1 && !remember(&answers[0]), "{answers:?}");
}

#[test]
fn escape_lets_nobody_in_and_sends_nobody_away() {
    let (settings, status) = shared(busy());
    let mut window = window(settings, status);
    window.run_steps(2);
    window.state_mut().model.now += Duration::from_secs(1);
    for key in [Key::Escape, Key::Enter, Key::Space] {
        window.key_press(key);
        window.run_steps(2);
    }
    assert!(asked(&window).is_empty());
    assert!(window.query_by_label("Bert asks to come in").is_some());
    // By keyboard alone, on purpose.
    window.get_by_label("Deny").focus();
    window.run_steps(2);
    window.key_press(Key::Enter);
    window.run_steps(2);
    assert_eq!(asked(&window), [Command::Answer { request: 9, verdict: Verdict::Deny }]);
}

#[test]
fn rights_are_given_and_taken_one_by_one_and_a_guest_is_removed() {
    let mut window = opened(busy());
    press(&mut window, "Anna (3) may click");
    assert_eq!(asked(&window), [Command::SetRole { guest: 3, role: Role::Click, given: true }]);
    assert!(window.state().handle.store.get().share.control);
    press(&mut window, "Anna (3) may tune");
    assert_eq!(asked(&window), [Command::SetRole { guest: 3, role: Role::Tune, given: true }]);
    assert!(window.state().handle.store.get().share.tune);
    press(&mut window, "Remove Anna (3)");
    assert_eq!(asked(&window), [Command::RemoveGuest { guest: 3 }]);
}

#[test]
fn a_guest_is_called_something_else_by_typing_over_its_name() {
    let type_over = |window: &mut Harness<'static, Bench>, text: &str, end: Key| {
        window.get_by_label("Name of Anna (3)").scroll_to_me();
        window.run();
        window.get_by_label("Name of Anna (3)").focus();
        window.run();
        window.key_press_modifiers(Modifiers::COMMAND, Key::A);
        window.run();
        window.get_by_label("Name of Anna (3)").type_text(text);
        window.run();
        assert!(asked(window).is_empty(), "nothing is said before it is done");
        window.key_press(end);
        window.run();
    };
    let mut window = opened(busy());
    type_over(&mut window, "Aunt Anna", Key::Enter);
    assert_eq!(asked(&window), [Command::RenameGuest { guest: 3, name: "Aunt Anna".to_owned() }]);
    // The name that is shown is the engine's, and no name at all is none.
    for (text, end) in [("Nobody", Key::Escape), ("  ", Key::Enter), ("Anna", Key::Enter)] {
        let mut window = opened(busy());
        type_over(&mut window, text, end);
        assert!(asked(&window).is_empty(), "{text}");
    }
}

#[test]
fn links_and_codes_are_shown_and_renewed_and_the_way_in_is_chosen() {
    let mut window = opened(busy());
    assert!(window.query_by_label("1234 5678").is_some());
    assert!(window.query_by_label("for 3:20").is_some());
    press(&mut window, "New link");
    press(&mut window, "New code");
    assert_eq!(asked(&window), [Command::Invite, Command::RenewCode]);
    window.get_by_label("Copy the link to hand out").click();
    window.run();
    assert_eq!(window.state().handle.store.get().share.entry, Way::Approve);
    window.get_by_role_and_label(egui::accesskit::Role::ComboBox, "Who comes in").click();
    window.run();
    window.get_by_label("Whoever has the standing link").click();
    window.run();
    assert_eq!(window.state().handle.store.get().share.entry, Way::Link);
}

#[test]
fn a_token_is_made_shown_once_and_removed() {
    let mut window = opened(busy());
    let name = window.get_by_label("Name of the token");
    name.scroll_to_me();
    window.run();
    for (field, text) in
        [("Name of the token", "Home Assistant"), ("Page that may show the picture", "http://ha.local:8123")]
    {
        window.get_by_label(field).focus();
        window.run();
        window.get_by_label(field).type_text(text);
        window.run();
    }
    press(&mut window, "Make token");
    let (name, origins) = ("Home Assistant".to_owned(), vec!["http://ha.local:8123".to_owned()]);
    assert_eq!(asked(&window), [Command::AddToken { name, roles: Roles::WATCH, origins }]);
    assert_eq!(window.state().model.overlay, Some(Overlay::People(TokenForm::default())));
    press(&mut window, "Remove token VLC");
    assert_eq!(asked(&window), [Command::RemoveToken { name: "VLC".to_owned() }]);
    let made = NewToken { name: "Home Assistant".to_owned(), secret: "5ecre7".to_owned() };
    let mut window = opened(DoorView { new_token: Some(made), ..busy() });
    assert!(window.query_by_label("5ecre7").is_some());
    press(&mut window, "Hide the token");
    assert_eq!(asked(&window), [Command::HideNewToken]);
}

#[test]
fn the_log_is_read_and_exported_and_the_fingerprint_is_there() {
    let door = {
        let door = lenscast::publish::Door::default();
        let token = door.invite(Instant::now()).expect("there are random numbers");
        let policy = lenscast::publish::AccessPolicy { ask: false, ..Default::default() };
        let credential = lenscast::publish::Credential::Token(token);
        door.enter(&credential, anna(), Roles::WATCH, &policy, Instant::now());
        door.view(Instant::now())
    };
    let mut window = opened(DoorView { log: door.log, ..busy() });
    assert!(window.query_by_label_contains("Anna (Firefox on Linux, 192.0.2.7) came in: watch").is_some());
    assert!(window.query_by_label("AB:CD").is_some());
    press(&mut window, "Export log…");
    assert_eq!(window.state().left, [Action::File(FileJob::Browse(FilePurpose::ExportLog))]);
}

#[test]
fn every_control_about_people_has_a_name_of_its_own() {
    let mut window = opened(busy());
    check_names(&window);
    window.get_by_label("Close people").click();
    window.run();
    assert_eq!(window.state().model.overlay, None);
    let (settings, status) = shared(busy());
    let mut window = window_of_size(settings, status, [1280.0, 1600.0]);
    window.run_steps(2);
    check_names(&window);
}
