//! The window without a screen: its layout is driven by the names that a screen reader would read.

mod network;
mod params;
mod passes;
mod people;
mod presets;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Instant;

use egui::accesskit::Toggled;
use egui::{Key, Modifiers, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use lenscast::app::action::{Action, FileJob, FilePurpose, apply};
use lenscast::app::dialogs::Files;
use lenscast::app::model::{Model, Overlay};
use lenscast::app::presets::Presets;
use lenscast::app::{theme, ui::root_ui};
use lenscast::capture::{CaptureState, SourceId, SourceInfo, SourceList};
use lenscast::engine::{
    Command, ControlStatus, EncoderStatus, Event, Handle, Rung, ShareState, Status, Transport, ViewerInfo,
};
use lenscast::filter::{Chain, Entry, ParamValue, all, create};
use lenscast::geometry::Size;
use lenscast::settings::{PresetFolder, PreviewRate, Reach, Settings, Store, Theme};

use crate::support::studio::eventually;

/// What stands behind the layout: a store and the far end of the commands, but no engine.
struct Bench {
    handle: Handle,
    commands: Receiver<Command>,
    model: Model,
    presets: Presets,
    /// What is the window's own business, not the engine's.
    left: Vec<Action>,
}

impl Bench {
    fn keys(&self) -> Vec<u32> {
        self.handle.store.get().chain().items().iter().map(|item| item.key).collect()
    }

    fn param(&self, key: u32, id: &str) -> ParamValue {
        let chain = self.handle.store.get().chain();
        match &chain.item(key).expect("the filter is in the chain").entry {
            Entry::Filter(filter) => filter.params().get(id).expect("the parameter exists"),
            Entry::Unknown { .. } => panic!("the filter is unknown"),
        }
    }
}

fn window(settings: Settings, status: Status) -> Harness<'static, Bench> {
    window_of_size(settings, status, [1280.0, 800.0])
}

fn window_of_size(settings: Settings, status: Status, size: [f32; 2]) -> Harness<'static, Bench> {
    window_with_presets(settings, status, size, None)
}

fn window_with_presets(
    settings: Settings,
    status: Status,
    size: [f32; 2],
    folder: Option<PresetFolder>,
) -> Harness<'static, Bench> {
    let (handle, commands) = Handle::new(Arc::new(Store::new(settings)));
    handle.status.publish(Arc::new(status));
    let model = Model::new(handle.store.get(), handle.status.get(), Instant::now());
    let presets = Presets::new(handle.clone(), folder);
    let bench = Bench { handle, commands, model, presets, left: Vec::new() };
    let paint = |ui: &mut egui::Ui, bench: &mut Bench| {
        bench.model.settings = bench.handle.store.get();
        bench.model.status = bench.handle.status.get();
        bench.model.gallery.own = bench.presets.listing();
        for told in bench.presets.take_told() {
            bench.model.toasts.offer(told, bench.model.now);
        }
        let mut actions = Vec::new();
        root_ui(ui, &mut bench.model, &mut actions);
        for action in actions {
            match apply(action, &bench.handle) {
                Some(Action::Preset(job)) => bench.presets.start(job),
                Some(Action::Offer(told)) => bench.model.toasts.offer(*told, bench.model.now),
                other => bench.left.extend(other),
            }
            ui.ctx().request_repaint();
        }
    };
    let builder = Harness::builder().with_size(size).with_context_setup(theme::install);
    builder.build_ui_state(paint, bench)
}

fn with_filters(ids: &[&str]) -> Settings {
    let mut settings = Settings::default();
    for id in ids {
        settings.chain_mut().add(create(id).expect("the filter exists"));
    }
    settings
}

fn found_sources() -> SourceList {
    let source = |id: SourceId, name: &str| SourceInfo {
        kind: id.kind(),
        id,
        name: name.to_owned(),
        size: Some(Size::new(1920, 1080)),
    };
    SourceList {
        sources: vec![
            source(SourceId::Screen(Some("HDMI-1".to_owned())), "HDMI-1"),
            source(SourceId::Pattern, "Moving bars"),
        ],
        notes: vec!["No camera found.".to_owned()],
    }
}

/// Everything there is to show, at once.
fn full() -> (Settings, Status) {
    let text = r#"{"version":1,"filters":[{"filter":"brightness_contrast"},{"filter":"crop"},{"filter":"from_the_future"},
        {"filter":"grayscale","enabled":false},{"filter":"crop"},{"filter":"rotate"},{"filter":"text"}]}"#;
    let mut settings = Settings::default();
    *settings.chain_mut() = Chain::from_json(text).expect("the chain is valid");
    settings.share.on = true;
    settings.share.control = true;
    let viewer = |id, transport, codec| ViewerInfo {
        id,
        name: Some("Chrome on Linux".to_owned()),
        address: [192, 168, 1, id as u8].into(),
        transport,
        codec,
        sent: 10,
        skipped: 1,
        rung: None,
        pinned: None,
        kbps: 1234.0,
        fps: Some(29.9),
        delay_ms: Some(38.0),
        estimate_kbps: None,
        loss_percent: Some(2.0),
        round_trip_ms: None,
        controls: id == 7,
        guest: None,
    };
    let encoder =
        EncoderStatus { codec: "h264", viewers: 1, encoded: 9, keyframes: 1, ms: 9.0, kbps: 900.0, gives_way: None };
    let status = Status {
        sources: found_sources(),
        capture: CaptureState::StandIn("The screen is gone. Plug it in again.".to_owned()),
        source_name: "Moving bars".to_owned(),
        source_size: Some(Size::new(1920, 1080)),
        filter_errors: vec![(2, "there is nothing left of the picture".to_owned())],
        share: ShareState::On {
            links: vec!["http://192.168.1.2:8080/#k=0123456789abcdef".to_owned()],
            address: [192, 168, 1, 2].into(),
            port: 8080,
        },
        viewers: vec![viewer(7, Transport::Webrtc, "h264"), viewer(8, Transport::Mjpeg, "jpeg")],
        encoders: vec![encoder],
        ..Status::default()
    };
    (settings, status)
}

/// Clicks so many times within one frame: between two frames of a test is too long for a double click.
fn click(window: &mut Harness<'static, Bench>, pos: egui::Pos2, button: egui::PointerButton, times: usize) {
    window.hover_at(pos);
    window.step();
    for pressed in [true, false].repeat(times) {
        let event = egui::Event::PointerButton { pos, button, pressed, modifiers: Modifiers::NONE };
        window.input_mut().events.push(event);
    }
    window.run();
}

#[test]
fn a_filter_is_found_by_typing_and_added_with_enter() {
    let mut window = window(Settings::default(), Status::default());
    window.get_by_label("Add filter").click();
    window.run();
    window.get_by_label("Search filters").type_text("cro");
    window.run();
    assert!(window.query_by_label("Add Greyscale").is_none());
    window.key_press(Key::Enter);
    window.run();
    assert!(window.query_by_label("Enable Crop").is_some());
    assert_eq!(window.state().keys(), [1]);
}

#[test]
fn every_filter_of_the_registry_can_be_added_from_the_list_and_shows_all_its_parameters() {
    for spec in all() {
        let mut window = window_of_size(Settings::default(), Status::default(), [1280.0, 2000.0]);
        window.get_by_label("Add filter").click();
        window.run();
        window.get_by_label("Search filters").type_text(spec.label);
        window.run();
        window.get_by_label(&format!("Add {}", spec.label)).click();
        window.run();
        assert_eq!(window.state().keys(), [1], "{}", spec.id);
        for param in spec.params {
            assert!(window.query_by_label(&format!("{}: {}", spec.label, param.label)).is_some(), "{}", param.id);
        }
        window.check_accessibility();
    }
}

#[test]
fn a_dragged_slider_arrives_in_the_store_and_a_double_click_takes_it_back() {
    let mut window = window(with_filters(&["brightness_contrast"]), Status::default());
    let slider = window.get_by_label("Brightness and contrast: Brightness").rect();
    window.drag_at(slider.center());
    window.run();
    window.hover_at(slider.center() + vec2(slider.width() / 4.0, 0.0));
    window.run();
    window.drop_at(slider.center() + vec2(slider.width() / 4.0, 0.0));
    window.run();
    let ParamValue::Float(dragged) = window.state().param(1, "brightness") else { panic!("not a number") };
    assert!((0.4..=0.7).contains(&dragged), "{dragged}");
    // Not in the middle, where a single click would give the default as well.
    click(&mut window, slider.left_center() + vec2(20.0, 0.0), egui::PointerButton::Primary, 2);
    assert_eq!(window.state().param(1, "brightness"), ParamValue::Float(0.0));
}

#[test]
fn arrow_keys_move_a_slider_by_its_step() {
    let mut window = window(with_filters(&["crop"]), Status::default());
    window.get_by_label("Crop: Left").focus();
    window.run();
    window.key_press(Key::ArrowRight);
    window.run();
    let ParamValue::Float(left) = window.state().param(1, "left") else { panic!("not a number") };
    assert!(left > 0.0 && left < 0.05, "{left}");
}

#[test]
fn what_a_remote_client_changes_shows_in_the_next_frame() {
    let mut window = window(with_filters(&["crop"]), Status::default());
    window.state().handle.store.edit(|settings| {
        let filter = settings.chain_mut().filter_mut(1).expect("the filter is there");
        filter.params_mut().set("left", &ParamValue::Float(0.5)).expect("the value fits");
    });
    window.run();
    let slider = window.get_by_label("Crop: Left");
    assert_eq!(slider.accesskit_node().numeric_value(), Some(0.5));
    assert_eq!(window.get_by_label("Crop: Left (number)").value().as_deref(), Some("50%"));
}

#[test]
fn a_filter_is_switched_off_and_on_again() {
    let mut window = window(with_filters(&["crop"]), Status::default());
    for expected in [false, true] {
        window.get_by_label("Enable Crop").click();
        window.run();
        assert_eq!(window.state().handle.store.get().chain().items()[0].enabled, expected);
        let toggled = if expected { Toggled::True } else { Toggled::False };
        assert_eq!(window.get_by_label("Enable Crop").accesskit_node().toggled(), Some(toggled));
    }
}

#[test]
fn filters_are_reordered_by_the_menu() {
    let mut window = window(with_filters(&["crop", "grayscale", "invert"]), Status::default());
    window.get_by_label("More about Crop").click();
    window.run();
    assert!(window.get_by_label("Move Crop up").accesskit_node().is_disabled());
    window.get_by_label("Move Crop down").click();
    window.run();
    assert_eq!(window.state().keys(), [2, 1, 3]);
    window.get_by_label("More about Invert").click();
    window.run();
    window.get_by_label("Move Invert up").click();
    window.run();
    assert_eq!(window.state().keys(), [2, 3, 1]);
}

#[test]
fn filters_are_reordered_by_dragging_the_handle() {
    let mut window = window(with_filters(&["grayscale", "invert", "threshold"]), Status::default());
    // The handle is left of the switch and has no name of its own: the menu is the way for the keyboard.
    let beside =
        |window: &Harness<'_, Bench>, name: &str| window.get_by_label(name).rect().left_center() - vec2(14.0, 0.0);
    let from = beside(&window, "Enable Greyscale");
    let to = beside(&window, "Enable Threshold") + vec2(0.0, 30.0);
    window.hover_at(from);
    window.step();
    window.drag_at(from);
    window.step();
    // A drag begins while the pointer is still on the handle.
    window.hover_at(from + vec2(0.0, 4.0));
    window.step();
    for step in 1..=12u8 {
        window.hover_at(from + (to - from) * (f32::from(step) / 12.0));
        window.step();
    }
    window.run_steps(3);
    window.drop_at(to);
    window.run();
    assert_eq!(window.state().keys(), [2, 3, 1]);
}

#[test]
fn a_filter_is_removed_collapsed_and_reset() {
    let mut window = window(with_filters(&["crop", "grayscale"]), Status::default());
    window.get_by_label("Remove Greyscale").click();
    window.run();
    assert_eq!(window.state().keys(), [1]);
    window.get_by_label("Collapse Crop").click();
    window.run();
    assert!(window.query_by_label("Crop: Left").is_none());
    window.get_by_label("Expand Crop").click();
    window.run();
    window.get_by_label("Crop: Left").set_value_accesskit(0.25);
    window.run();
    assert_eq!(window.state().param(1, "left"), ParamValue::Float(0.25));
    window.get_by_label("More about Crop").click();
    window.run();
    window.get_by_label("Reset Crop").click();
    window.run();
    assert_eq!(window.state().param(1, "left"), ParamValue::Float(0.0));
}

#[test]
fn a_choice_is_made_from_its_list() {
    let mut window = window(with_filters(&["grayscale"]), Status::default());
    window.get_by_label("Greyscale: Method").click();
    window.run();
    window.get_by_label("Average").click();
    window.run();
    assert_eq!(window.state().param(1, "method"), ParamValue::Text("average".to_owned()));
}

#[test]
fn a_source_is_chosen_and_has_a_chain_of_its_own() {
    let status = Status { sources: found_sources(), ..Status::default() };
    let mut window = window(with_filters(&["crop"]), status);
    window.get_by_label("Moving bars").click();
    window.run();
    assert_eq!(window.state().handle.store.get().source, SourceId::Pattern);
    assert!(window.query_by_label("Enable Crop").is_none());
    assert!(window.query_by_label("No filters yet").is_some());
}

#[test]
fn the_window_says_why_another_source_stands_in_and_tries_again() {
    let (settings, status) = full();
    let mut window = window(settings, status);
    assert!(window.query_by_label("The screen is gone. Plug it in again.").is_some());
    assert!(window.query_by_label("No camera found.").is_some());
    window.get_by_label("Try again").click();
    window.get_by_label("Look for sources again").click();
    window.run();
    let asked: Vec<_> = window.state().commands.try_iter().collect();
    assert_eq!(asked, [Command::RetrySource, Command::RefreshSources]);
}

#[test]
fn sharing_starts_and_stops_and_takes_control_with_it() {
    let mut window = window(Settings::default(), Status::default());
    assert!(window.get_by_label("Allow control").accesskit_node().is_disabled());
    window.get_by_label("Share").click();
    window.run();
    assert!(window.state().handle.store.get().share.on);
    window.get_by_label("Allow control").click();
    window.run();
    assert!(window.state().handle.store.get().share.control);
    window.get_by_label("Stop sharing").click();
    window.run();
    let share = window.state().handle.store.get().share.clone();
    assert!(!share.on && !share.control);
    assert_eq!(window.state().commands.try_recv(), Ok(Command::StopControl));
}

#[test]
fn control_has_a_banner_and_two_ways_out() {
    for way in ["button", "key"] {
        let (settings, status) = full();
        let mut window = window(settings, status);
        if way == "button" {
            window.get_by_label("Stop control").click();
        } else {
            window.key_press(Key::F8);
        }
        window.run();
        assert!(!window.state().handle.store.get().share.control, "{way}");
        assert!(window.query_by_label("Stop control").is_none(), "{way}");
        assert_eq!(window.state().commands.try_recv(), Ok(Command::StopControl), "{way}");
    }
}

#[test]
fn the_host_takes_the_control_and_gives_it() {
    let (settings, mut status) = full();
    let (first, second) = (status.viewers[0].clone(), status.viewers[1].clone());
    status.control.holder = Some(first.id);
    status.control.busy = true;
    status.control.asking = vec![second.id];
    let mut window = window(settings.clone(), status.clone());
    window.get_by_label("Take control").click();
    window.run();
    assert_eq!(window.state().commands.try_recv(), Ok(Command::TakeControl));
    window.get_by_label_contains("Give control to").click();
    window.run();
    assert_eq!(window.state().commands.try_recv(), Ok(Command::GiveControl { viewer: Some(second.id) }));

    status.control = ControlStatus { allowed: true, taken: true, ..ControlStatus::default() };
    let mut window = self::window(settings, status);
    window.get_by_label("Let viewers control").click();
    window.run();
    assert_eq!(window.state().commands.try_recv(), Ok(Command::GiveControl { viewer: None }));
}

#[test]
fn a_desktop_that_said_no_is_asked_again_and_one_that_asks_is_not() {
    let (settings, mut status) = full();
    let no = "it was refused in the desktop's dialog".to_owned();
    status.control = ControlStatus { allowed: true, unavailable: Some(no), ..ControlStatus::default() };
    let mut window = window(settings.clone(), status.clone());
    window.get_by_label_contains("it was refused in the desktop's dialog");
    window.get_by_label("Ask again").click();
    window.run();
    assert_eq!(window.state().commands.try_recv(), Ok(Command::AskDesktop));

    status.control.asking_desktop = true;
    let window = self::window(settings, status);
    window.get_by_label_contains("answer its dialog");
    assert!(window.query_by_label("Ask again").is_none());
}

#[test]
fn who_may_watch_and_from_where_is_settings() {
    let mut window = window(Settings::default(), Status::default());
    window.get_by_label("Anyone may watch").click();
    window.run();
    window.get_by_label("Who can reach it").click();
    window.run();
    window.get_by_label("This computer only").click();
    window.run();
    let share = window.state().handle.store.get().share.clone();
    assert!(share.watch_anyone);
    assert_eq!(share.reach, Reach::Loopback);
}

#[test]
fn a_viewer_is_disconnected_and_the_link_is_copied_whole() {
    let (settings, status) = full();
    let mut window = window(settings, status);
    for figure in ["1234 kbit/s", "38 ms delay", "2 % lost", "– ms round trip"] {
        window.get_by_label(&format!("Chrome on Linux, 192.168.1.8: {figure}"));
    }
    window.get_by_label("Disconnect Chrome on Linux, 192.168.1.8").click();
    window.run();
    assert_eq!(window.state().commands.try_recv(), Ok(Command::Disconnect { viewer: 8 }));
    window.get_by_label("Size for Chrome on Linux, 192.168.1.7").click();
    window.run();
    window.get_by_label("Half size for Chrome on Linux, 192.168.1.7").click();
    window.run();
    let pinned = Command::Pin { viewer: 7, rung: Some(Rung::Half) };
    assert_eq!(window.state().commands.try_recv(), Ok(pinned));
    window.get_by_label("Copy link").click();
    window.step();
    window.step();
    assert!(window.query_by_label_contains("#k=").is_none(), "the secret is not written on the screen");
    assert!(matches!(window.state().left.as_slice(), [Action::Tell(Event::Info(_))]));
}

#[test]
fn broken_and_unknown_filters_say_what_is_wrong() {
    let (settings, status) = full();
    let window = window(settings, status);
    assert!(window.query_by_label("Bypassed: there is nothing left of the picture").is_some());
    assert!(window.query_by_label_contains("Unavailable").is_some());
}

#[test]
fn shortcuts_do_what_the_menus_do() {
    let mut window = window(Settings::default(), Status::default());
    window.key_press_modifiers(Modifiers::COMMAND, Key::O);
    window.run();
    window.key_press_modifiers(Modifiers::COMMAND, Key::S);
    window.run();
    let browse = |purpose| Action::File(FileJob::Browse(purpose));
    assert_eq!(window.state().left, [browse(FilePurpose::OpenImage), browse(FilePurpose::SaveChain)]);
    window.key_press(Key::F1);
    window.run();
    assert_eq!(window.state().model.overlay, Some(Overlay::Shortcuts));
    window.get_by_label("Close").click();
    window.run();
    assert_eq!(window.state().model.overlay, None);
}

#[test]
fn a_typed_path_is_used_where_there_is_no_dialog() {
    let mut window = window(Settings::default(), Status::default());
    let reason = Some("There is no dialog here.");
    window.state_mut().model.overlay =
        Some(Overlay::Path { purpose: FilePurpose::OpenImage, text: String::new(), reason });
    window.run();
    assert!(window.get_by_label("Open").accesskit_node().is_disabled());
    window.get_by_label("Path").type_text("/tmp/slide.png");
    window.run();
    window.get_by_label("Open").click();
    window.run();
    let job = FileJob::Use(FilePurpose::OpenImage, "/tmp/slide.png".into());
    assert_eq!(window.state().left, [Action::File(job)]);
    assert_eq!(window.state().model.overlay, None);
}

#[test]
fn theme_and_preview_rate_are_chosen_in_the_view_menu() {
    let mut window = window(Settings::default(), Status::default());
    window.get_by_label("View").click();
    window.run();
    window.get_by_label("Light").click();
    window.run();
    assert_eq!(window.state().handle.store.get().theme, Theme::Light);
    if window.query_by_label("Preview rate Off").is_none() {
        window.get_by_label("View").click();
        window.run();
    }
    window.get_by_label("Preview rate Off").click();
    window.run();
    assert_eq!(window.state().handle.store.get().preview, PreviewRate::Off);
    assert!(window.query_by_label("Turn the preview on").is_some());
}

#[test]
fn every_control_has_a_name_of_its_own_in_both_themes() {
    for theme in [Theme::Dark, Theme::Light] {
        for (mut settings, status) in [(Settings::default(), Status::default()), full()] {
            settings.theme = theme;
            check_names(&window_of_size(settings, status, [1280.0, 1600.0]));
        }
    }
}

/// Every control has a name, and no other has the same.
fn check_names(window: &Harness<'static, Bench>) {
    window.check_accessibility();
    let mut names = std::collections::BTreeMap::new();
    for node in window.root().children_recursive() {
        let node = node.accesskit_node();
        if egui::accessibility::is_input(node.role()) && !node.is_hidden() {
            *names.entry(node.label().unwrap_or_default()).or_insert(0) += 1;
        }
    }
    assert!(names.len() > 8, "the walk found the controls");
    let twice: Vec<_> = names.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

#[test]
fn nothing_is_cut_off_in_the_smallest_window() {
    let (settings, status) = full();
    let window = window_of_size(settings, status, [1000.0, 650.0]);
    for name in [
        "Stop sharing",
        "Copy link",
        "Allow control",
        "Share the sliders",
        "Anyone may watch",
        "QR code of the link",
        "Stop control",
    ] {
        let rect = window.get_by_label(name).rect();
        let screen = egui::Rect::from_min_size(egui::Pos2::ZERO, vec2(1000.0, 650.0));
        assert!(screen.contains_rect(rect), "{name}: {rect:?}");
    }
    let disconnect = window.get_by_label("Disconnect Chrome on Linux, 192.168.1.7").rect();
    assert!(disconnect.right() <= 1000.0 - 12.0, "{disconnect:?}");
}

/// A file as the window system hands it over.
#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| error.to_string())
    }
}

/// Drops a file of this name and content on the window, and does what the window does with it.
fn drop_file(window: &mut Harness<'static, Bench>, folder: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    window.input_mut().dropped_files.push(Arc::new(Dropped(path.clone())));
    window.run();
    let Some(Action::File(job)) = window.state_mut().left.pop() else { panic!("the file was left lying") };
    assert_eq!(window.state().left, [], "a file is used once");
    let bench = window.state();
    Files::new(bench.handle.clone(), bench.presets.clone()).start(job).expect("a known path needs no dialog");
    path
}

/// A folder for the files of one test, which removes it at its end.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("lenscast-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn told(window: &Harness<'static, Bench>) -> Event {
    let mut told = None;
    eventually("what came of it is told", || {
        told = window.state().handle.take_events().pop_front();
        told.is_some()
    });
    told.expect("it was told")
}

#[test]
fn a_dropped_picture_becomes_the_source_and_a_dropped_chain_the_filters() {
    let mut window = window(Settings::default(), Status::default());
    let mut png = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(4, 3).write_to(&mut png, image::ImageFormat::Png).unwrap();
    let folder = folder("dropped");
    let path = drop_file(&mut window, &folder, "a slide.png", png.get_ref());
    let source = SourceId::Image(path);
    eventually("the picture is the source", || window.state().handle.store.get().source == source);

    let chain = br#"{ "version": 1, "filters": [{ "filter": "crop" }, { "filter": "invert" }] }"#;
    drop_file(&mut window, &folder, "MY FILTERS.JSON", chain);
    assert_eq!(told(&window), Event::Info("Loaded 2 filters from MY FILTERS.JSON".to_owned()));
    // It is the picture's chain, and the picture stays.
    assert_eq!(window.state().keys(), [1, 2]);
    assert_eq!(window.state().handle.store.get().source, source);
    window.run();
    window.get_by_label("Invert");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_dropped_chain_that_is_damaged_says_so_and_changes_nothing() {
    let mut window = window(with_filters(&["crop"]), Status::default());
    let before = window.state().handle.store.get();
    let folder = folder("damaged");
    for (name, content, reason) in [
        ("cut off.json", &br#"{ "version": 1, "filters": ["#[..], "this is not JSON"),
        ("list.json", b"[1, 2]", "this is not a filter chain"),
        ("other.json", br#"{ "name": "something else" }"#, "this is not a filter chain"),
        ("later.json", br#"{ "version": 99, "filters": [] }"#, "newer Lenscast (version 99)"),
        ("picture.json", b"\x89PNG\r\n\x1a\n", "can't be read"),
        ("large.json", &[b' '; 300 * 1024], "too large to be a filter chain"),
    ] {
        drop_file(&mut window, &folder, name, content);
        let Event::Error(text) = told(&window) else { panic!("{name} is an error") };
        assert!(text.starts_with(name) && text.contains(reason), "{text}");
        assert!(Arc::ptr_eq(&window.state().handle.store.get(), &before), "{name} changed something");
    }
    std::fs::remove_dir_all(folder).unwrap();
}
