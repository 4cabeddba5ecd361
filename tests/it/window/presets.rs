//! The gallery of presets: applied, taken back, saved, renamed, deleted, imported and exported.

use lenscast::filter::ChainItem;
use lenscast::frame::{Captured, PixelFormat};
use lenscast::pipeline::{LiveText, Stage};
use lenscast::settings::presets::{Preset, built_in};

use super::*;
use crate::support::random::Random;

fn gallery(settings: Settings, folder: &Path) -> Harness<'static, Bench> {
    let presets = Some(PresetFolder::inside(folder));
    let mut window = window_with_presets(settings, Status::default(), [1280.0, 1500.0], presets);
    window.state().presets.refresh();
    window.get_by_label("Presets").click();
    window.run();
    window
}

fn ids(window: &Harness<'static, Bench>) -> Vec<String> {
    let id = |item: &ChainItem| match &item.entry {
        Entry::Filter(filter) => filter.spec().id.to_owned(),
        Entry::Unknown { id, .. } => id.clone(),
    };
    window.state().handle.store.get().chain().items().iter().map(id).collect()
}

/// Repaints until a control of this name is there, or is gone.
fn wait_for(window: &mut Harness<'static, Bench>, name: &str, there: bool) {
    eventually(name, || {
        window.run();
        window.query_by_label(name).is_some() == there
    });
}

fn own_names(window: &Harness<'static, Bench>) -> Vec<String> {
    window.state().presets.listing().presets.iter().map(|own| own.preset.name.clone()).collect()
}

#[test]
fn a_preset_replaces_the_chain_keeps_what_hides_a_region_and_is_taken_back() {
    let folder = folder("applied");
    let mut window = gallery(with_filters(&["redact", "crop"]), &folder);
    let before = window.state().handle.store.get();
    assert!(window.query_by_label("Enable Crop").is_none(), "the gallery is in the place of the chain");
    window.get_by_label("Apply Night").click();
    window.run();
    assert_eq!(ids(&window), ["redact", "exposure", "temperature", "saturation"]);
    let after = window.state().handle.store.get();
    assert!(after.chain().keeps_hidden_regions_of(&before.chain()));
    window.get_by_label("Undo: Applied “Night”").click();
    window.run();
    assert_eq!(*window.state().handle.store.get(), *before);
    assert!(window.query_by_label("Undo: Applied “Night”").is_none(), "once is once");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn only_the_last_preset_is_taken_back_and_never_over_later_changes() {
    let folder = folder("later");
    let mut window = gallery(Settings::default(), &folder);
    for name in ["Comic", "Thermal"] {
        window.get_by_label(&format!("Apply {name}")).click();
        window.run();
    }
    assert!(window.query_by_label("Undo: Applied “Comic”").is_none());
    window.state().handle.store.edit(|settings| settings.chain_mut().add(create("hue").unwrap()));
    let changed = window.state().handle.store.get();
    window.get_by_label("Undo: Applied “Thermal”").click();
    window.run();
    assert!(Arc::ptr_eq(&changed, &window.state().handle.store.get()));
    let Event::Warning(text) = told(&window) else { panic!("it is a warning") };
    assert_eq!(text, "The filters have been changed since, so nothing was undone");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn every_source_keeps_the_preset_it_was_given() {
    let folder = folder("sources");
    let mut window = gallery(Settings::default(), &folder);
    window.get_by_label("Apply Night").click();
    window.run();
    window.state().handle.store.edit(|settings| settings.source = SourceId::Pattern);
    window.get_by_label("Apply Thermal").click();
    window.run();
    assert_eq!(ids(&window), ["gaussian_blur", "levels", "false_color"]);
    window.state().handle.store.edit(|settings| settings.source = SourceId::Screen(None));
    assert_eq!(ids(&window), ["exposure", "temperature", "saturation"]);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_filters_are_saved_under_a_name_renamed_deleted_and_brought_back() {
    let folder = folder("own");
    let mut window = gallery(with_filters(&["crop"]), &folder);
    window.get_by_label("Save current as preset").click();
    window.run();
    assert!(window.get_by_label("Save").accesskit_node().is_disabled());
    window.get_by_label("Preset name").type_text("My look");
    window.run();
    window.key_press(Key::Enter);
    window.run();
    wait_for(&mut window, "Apply My look", true);

    window.get_by_label("More about My look").click();
    window.run();
    window.get_by_label("Rename My look").click();
    window.run();
    window.get_by_label("Preset name").type_text("2");
    window.run();
    window.get_by_label("Rename").click();
    wait_for(&mut window, "Apply My look2", true);
    assert_eq!(own_names(&window), ["My look2"]);

    window.get_by_label("More about My look2").click();
    window.run();
    window.get_by_label("Delete My look2").click();
    wait_for(&mut window, "Apply My look2", false);
    wait_for(&mut window, "Undo: Deleted the preset “My look2”", true);
    window.get_by_label("Undo: Deleted the preset “My look2”").click();
    wait_for(&mut window, "Apply My look2", true);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_preset_is_exported_and_imported_again_by_dropping_it() {
    let folder = folder("export");
    let mut window = gallery(with_filters(&["crop"]), &folder);
    window.state().presets.start(lenscast::app::action::PresetJob::Save { name: "Mine".to_owned() });
    wait_for(&mut window, "More about Mine", true);
    window.get_by_label("More about Mine").click();
    window.run();
    window.get_by_label("Export Mine").click();
    window.run();
    let Some(Action::File(FileJob::Browse(purpose))) = window.state_mut().left.pop() else { panic!("no dialog") };
    let bench = window.state();
    let files = Files::new(bench.handle.clone(), bench.presets.clone());
    files.start(FileJob::Use(purpose, folder.join("out"))).unwrap();
    assert!(matches!(told(&window), Event::Info(text) if text.starts_with("Exported the preset as ")));
    let text = std::fs::read(folder.join("out.json")).unwrap();

    let before = window.state().handle.store.get();
    drop_file(&mut window, &folder, "from a friend.json", &text);
    let expected = "Imported the preset “Mine 2”; it is under Presets";
    assert_eq!(told(&window), Event::Info(expected.to_owned()));
    wait_for(&mut window, "Apply Mine 2", true);
    assert!(Arc::ptr_eq(&before, &window.state().handle.store.get()), "an import applies nothing");
    // A bare chain becomes a preset with the name of its file when it is asked for as one.
    let chain = folder.join("Only a chain.json");
    std::fs::write(&chain, r#"{ "version": 1, "filters": [{ "filter": "crop", "params": { "left": 9 } }] }"#).unwrap();
    files.start(FileJob::Use(FilePurpose::ImportPreset, chain)).unwrap();
    let Event::Info(text) = told(&window) else { panic!("it is imported") };
    assert!(text.contains("“Only a chain”") && text.contains("`left` of `crop` was out of range"), "{text}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_damaged_preset_says_so_in_one_sentence_and_nothing_of_the_users_is_lost() {
    let folder = folder("damaged-preset");
    let broken = r#"{ "version": 1, "name": "Broken", "chain": { "version": 1, "filters": [{ "filter": 3 }] } }"#;
    std::fs::create_dir_all(folder.join("presets")).unwrap();
    std::fs::write(folder.join("presets/broken.json"), broken).unwrap();
    let mut window = gallery(with_filters(&["crop"]), &folder);
    let listed = "broken.json can't be used and was left as it is: this is not a filter chain: every filter needs its \
                  `filter` id";
    wait_for(&mut window, listed, true);
    let before = window.state().handle.store.get();
    let deep = format!(r#"{{ "version": 1, "name": "a", "chain": {}{} }}"#, "[".repeat(60), "]".repeat(60));
    for (name, content, reason) in [
        ("types.json", r#"{ "version": 1, "name": 5, "chain": {} }"#, "it needs a `name`"),
        ("chain.json", r#"{ "version": 1, "name": "a", "chain": [] }"#, "this is not a filter chain"),
        (
            "text.json",
            r#"{ "version": 1, "name": "a", "chain": { "version": 1, "filters": [
            { "filter": "crop", "params": { "left": "much" } }] } }"#,
            "`left` takes a number",
        ),
        ("later.json", r#"{ "version": 7, "name": "a", "chain": {} }"#, "newer Lenscast (version 7)"),
        ("deep.json", &deep, "nested too deeply"),
        ("cut off.json", r#"{ "version": 1, "chain": { "#, "this is not JSON"),
        ("large.json", &" ".repeat(300 * 1024), "too large"),
    ] {
        drop_file(&mut window, &folder, name, content.as_bytes());
        let Event::Error(text) = told(&window) else { panic!("{name} is an error") };
        assert!(text.starts_with(name) && text.contains(reason) && !text.contains('\n'), "{text}");
        assert!(Arc::ptr_eq(&window.state().handle.store.get(), &before), "{name} changed something");
    }
    assert_eq!(std::fs::read_dir(folder.join("presets")).unwrap().count(), 1);
    assert_eq!(std::fs::read_to_string(folder.join("presets/broken.json")).unwrap(), broken);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_gallery_is_worked_by_keyboard_alone_and_every_control_has_a_name() {
    for theme in [Theme::Dark, Theme::Light] {
        let folder = folder("keyboard");
        let mut settings = with_filters(&["crop"]);
        settings.theme = theme;
        let presets = Some(PresetFolder::inside(&folder));
        let mut window = window_with_presets(settings, full().1, [1280.0, 1500.0], presets);
        window.key_press_modifiers(Modifiers::COMMAND, Key::G);
        window.run();
        window.state().presets.start(lenscast::app::action::PresetJob::Save { name: "Night".to_owned() });
        wait_for(&mut window, "Apply Night (your own)", true);
        check_names(&window);
        window.get_by_label("Apply Comic").focus();
        window.run();
        window.key_press(Key::Enter);
        window.run();
        assert_eq!(ids(&window), ["cartoon", "saturation", "brightness_contrast"]);
        window.key_press(Key::Escape);
        window.run();
        assert!(window.query_by_label("Enable Cartoon").is_some());
        std::fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn a_system_without_a_folder_says_what_to_do_instead() {
    let mut window = window(with_filters(&["crop"]), Status::default());
    window.state().presets.start(lenscast::app::action::PresetJob::Save { name: "Mine".to_owned() });
    eventually("it is told", || {
        window.run();
        window.state().model.toasts.texts().any(|text| text.contains("save the chain as a file"))
    });
}

#[test]
fn every_built_in_preset_works_and_changes_the_picture() {
    let size = Size::new(320, 180);
    let mut random = Random::new(7);
    // Colours that change slowly and a little noise: there is something in it for every filter.
    let pixels: Vec<u8> = (0..size.pixels())
        .flat_map(|at| {
            let (x, y) = (at % 320, at / 320);
            let mut level = |value: usize| (value % 256) as u8 ^ (random.next() as u8 & 7);
            [level(x), level(y + 40), level(x / 2 + y), 255]
        })
        .collect();
    for preset in built_in() {
        let Preset { name, chain, .. } = &preset.preset;
        for item in chain.items() {
            assert!(matches!(item.entry, Entry::Filter(_)), "{name} has a filter that is not there: {item:?}");
        }
        let captured = Captured {
            id: 1,
            size,
            format: PixelFormat::Rgba,
            pixels: pixels.clone().into(),
            at: Instant::now(),
            desktop_from_source: None,
            pointer: None,
            pressed: false,
        };
        let mut stage = Stage::new();
        let frame = stage.process(captured, chain, &LiveText::default(), Instant::now()).unwrap();
        assert_eq!(stage.report(), [], "{name}");
        assert!(frame.size != size || frame.pixels[..] != pixels[..], "{name} changes nothing");
    }
}
