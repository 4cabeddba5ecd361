//! The layout of the window, and nothing else: it reads the model and collects what the user asks for.

use egui::{Button, CentralPanel, Frame, Id, Key, KeyboardShortcut, Margin, Modal, Modifiers, Panel, RichText, Ui};

use super::action::{Action, Edit, FileJob, FilePurpose, PresetJob};
use super::model::{Model, Overlay, typed_path};
use super::panels;
use super::theme::{self, Palette};
use super::widgets;
use crate::settings::presets::clean_name;

/// Ctrl (Cmd on a Mac) with a letter.
const fn command(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND, key)
}

pub const OPEN_IMAGE: KeyboardShortcut = command(Key::O);
pub const LOAD_CHAIN: KeyboardShortcut = command(Key::L);
pub const SAVE_CHAIN: KeyboardShortcut = command(Key::S);
pub const SAVE_SNAPSHOT: KeyboardShortcut = command(Key::P);
pub const QUIT: KeyboardShortcut = command(Key::Q);
pub const SHARE: KeyboardShortcut = command(Key::B);
pub const STOP_CONTROL: KeyboardShortcut = KeyboardShortcut::new(Modifiers::NONE, Key::F8);
pub const PRESETS: KeyboardShortcut = command(Key::G);
pub const SHORTCUTS: KeyboardShortcut = KeyboardShortcut::new(Modifiers::NONE, Key::F1);

/// The whole window.
pub fn root_ui(ui: &mut Ui, model: &mut Model, actions: &mut Vec<Action>) {
    ui.ctx().set_theme(theme::preference(model.settings.theme));
    shortcuts(ui, model, actions);
    dropped_files(ui, actions);
    let palette = Palette::of(ui);
    let bar = Frame::new().fill(palette.panel).inner_margin(Margin::symmetric(8, 0));
    Panel::top("top bar").exact_size(theme::TOP_BAR_HEIGHT).resizable(false).frame(bar).show(ui, |ui| {
        panels::top_bar_ui(ui, model, actions);
    });
    if model.settings.share.control {
        let banner = Frame::new().fill(palette.live_soft).inner_margin(Margin::symmetric(12, 0));
        Panel::top("control banner").exact_size(theme::BANNER_HEIGHT).resizable(false).frame(banner).show(ui, |ui| {
            panels::control_banner_ui(ui, model, actions);
        });
    }
    let panel = Frame::new().fill(palette.panel).inner_margin(Margin::same(12));
    Panel::bottom("broadcast")
        .exact_size(theme::BROADCAST_HEIGHT)
        .resizable(false)
        .frame(panel.inner_margin(Margin::same(10)))
        .show(ui, |ui| panels::broadcast_ui(ui, model, actions));
    Panel::left("sources").exact_size(theme::SOURCES_WIDTH).resizable(false).frame(panel).show(ui, |ui| {
        panels::sources_ui(ui, model, actions);
    });
    Panel::right("filters").exact_size(theme::FILTERS_WIDTH).resizable(false).frame(panel).show(ui, |ui| {
        if model.gallery.is_open {
            panels::gallery_ui(ui, model, actions);
        } else {
            panels::filters_ui(ui, model, actions);
        }
    });
    CentralPanel::default().frame(Frame::new().fill(palette.video)).show(ui, |ui| {
        panels::preview_ui(ui, model, actions);
    });
    overlay_ui(ui, model, actions);
    prompt_ui(ui, model, actions);
    let banner = if model.settings.share.control { theme::BANNER_HEIGHT } else { 0.0 };
    let now = model.now;
    model.toasts.show(ui, theme::TOP_BAR_HEIGHT + banner, now, actions);
}

fn shortcuts(ui: &Ui, model: &mut Model, actions: &mut Vec<Action>) {
    let pressed = |shortcut: &KeyboardShortcut| ui.input_mut(|input| input.consume_shortcut(shortcut));
    for (shortcut, purpose) in [
        (OPEN_IMAGE, FilePurpose::OpenImage),
        (LOAD_CHAIN, FilePurpose::LoadChain),
        (SAVE_CHAIN, FilePurpose::SaveChain),
        (SAVE_SNAPSHOT, FilePurpose::SaveSnapshot),
    ] {
        if pressed(&shortcut) {
            actions.push(Action::File(FileJob::Browse(purpose)));
        }
    }
    if pressed(&QUIT) {
        actions.push(Action::Quit);
    }
    if pressed(&SHARE) {
        actions.push(Edit::Share(!model.settings.share.on).into());
    }
    if pressed(&STOP_CONTROL) && model.settings.share.control {
        actions.push(Edit::Control(false).into());
    }
    if pressed(&PRESETS) {
        model.gallery.is_open = !model.gallery.is_open;
    }
    if pressed(&SHORTCUTS) {
        model.overlay = Some(Overlay::Shortcuts);
    }
}

fn dropped_files(ui: &Ui, actions: &mut Vec<Action>) {
    let dropped = ui.input(|input| input.raw.dropped_files.clone());
    if let Some(path) = dropped.into_iter().map(|file| file.path().to_owned()).find(|path| !path.as_os_str().is_empty())
    {
        actions.push(Action::File(FileJob::Use(FilePurpose::OpenAny, path)));
    }
}

fn overlay_ui(ui: &Ui, model: &mut Model, actions: &mut Vec<Action>) {
    let Some(mut overlay) = model.overlay.take() else { return };
    let frame = Frame::popup(ui.style()).inner_margin(Margin::same(20));
    let status = std::sync::Arc::clone(&model.status);
    let width = if matches!(overlay, Overlay::People(_)) { 560.0 } else { 420.0 };
    let modal = Modal::new(Id::unique("overlay")).frame(frame).show(ui.ctx(), |ui| {
        ui.set_width(width);
        match &mut overlay {
            Overlay::About => about_ui(ui),
            Overlay::Shortcuts => shortcuts_ui(ui),
            Overlay::PresetName { file, text } => preset_name_ui(ui, file.as_deref(), text, actions),
            Overlay::People(form) => panels::people_ui(ui, model, form, actions),
            Overlay::Outgoing(typed) => panels::outgoing_ui(ui, &status.outgoing, typed, actions),
            Overlay::Network(form) => panels::network_ui(ui, form, actions),
            Overlay::Path { purpose, text, reason } => path_ui(ui, purpose, text, *reason, actions),
        }
    });
    if !modal.inner && !modal.should_close() {
        model.overlay = Some(overlay);
    }
}

/// Whoever asks to come in is asked about over everything else.
fn prompt_ui(ui: &Ui, model: &mut Model, actions: &mut Vec<Action>) {
    model.note_prompt();
    if model.prompted.is_none() {
        return;
    }
    let frame = Frame::popup(ui.style()).inner_margin(Margin::same(20));
    Modal::new(Id::unique("prompt")).frame(frame).show(ui.ctx(), |ui| {
        ui.set_width(420.0);
        panels::prompt_ui(ui, model, actions);
    });
    if !model.prompt_is_ready() {
        ui.ctx().request_repaint_after(super::model::PROMPT_SEEN);
    }
}

/// Each overlay gives true when it is done.
fn about_ui(ui: &mut Ui) -> bool {
    let palette = Palette::of(ui);
    ui.heading(RichText::new("Lenscast").color(palette.strong));
    ui.label(RichText::new(format!("Version {}", env!("CARGO_PKG_VERSION"))).color(palette.weak));
    ui.add_space(theme::SPACE_S);
    ui.label(
        "Shares a screen or a camera through live filters with any browser, and lets whoever you allow click back.",
    );
    ui.add_space(theme::SPACE_M);
    ui.button("Close").clicked()
}

fn shortcuts_ui(ui: &mut Ui) -> bool {
    let palette = Palette::of(ui);
    ui.heading(RichText::new("Keyboard shortcuts").color(palette.strong));
    ui.add_space(theme::SPACE_S);
    egui::Grid::new("shortcuts").num_columns(2).spacing([24.0, 6.0]).show(ui, |ui| {
        for (shortcut, what) in [
            (OPEN_IMAGE, "Open an image"),
            (LOAD_CHAIN, "Load a filter chain"),
            (SAVE_CHAIN, "Save the filter chain"),
            (SAVE_SNAPSHOT, "Save a snapshot"),
            (PRESETS, "Show or hide the presets"),
            (SHARE, "Start or stop sharing"),
            (STOP_CONTROL, "Stop control, release everything"),
            (QUIT, "Quit"),
            (SHORTCUTS, "Show this list"),
        ] {
            ui.label(RichText::new(ui.ctx().format_shortcut(&shortcut)).monospace().color(palette.strong));
            ui.label(what);
            ui.end_row();
        }
        for (keys, what) in [
            ("Tab", "Next control; Shift+Tab the one before"),
            ("Left, right", "Move a slider by one step"),
            ("Double click", "On a slider or its name: back to the default"),
            ("Drop a file", "A picture becomes the source, a .json the chain or a preset"),
        ] {
            ui.label(RichText::new(keys).monospace().color(palette.strong));
            ui.label(what);
            ui.end_row();
        }
    });
    ui.add_space(theme::SPACE_M);
    ui.button("Close").clicked()
}

fn preset_name_ui(ui: &mut Ui, file: Option<&str>, text: &mut String, actions: &mut Vec<Action>) -> bool {
    let palette = Palette::of(ui);
    let (title, verb) = if file.is_some() { ("Rename preset", "Rename") } else { ("Save preset", "Save") };
    ui.heading(RichText::new(title).color(palette.strong));
    if file.is_none() {
        ui.label(RichText::new("Keeps the filters of this source under a name.").color(palette.weak));
    }
    ui.add_space(theme::SPACE_XS);
    let entered = field_ui(ui, text, "My look", "Preset name");
    ui.add_space(theme::SPACE_S);
    let (confirmed, cancelled) = confirm_ui(ui, verb, clean_name(text).is_some());
    let Some(name) = clean_name(text).filter(|_| confirmed || entered) else { return cancelled };
    let job = match file {
        Some(file) => PresetJob::Rename { file: file.to_owned(), name },
        None => PresetJob::Save { name },
    };
    actions.push(Action::Preset(job));
    true
}

/// The one field of an overlay, which has the focus from the start; true when Enter was pressed in it.
fn field_ui(ui: &mut Ui, text: &mut String, hint: &'static str, name: &str) -> bool {
    let edit = widgets::line_edit(ui, text, hint, name);
    let entered = edit.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    if !edit.has_focus() && !entered && ui.ctx().memory(|memory| memory.focused().is_none()) {
        edit.request_focus();
    }
    entered
}

/// Whether the button that does it, and the one that does not, was pressed.
fn confirm_ui(ui: &mut Ui, verb: &str, possible: bool) -> (bool, bool) {
    let palette = Palette::of(ui);
    ui.horizontal(|ui| {
        let confirm = Button::new(RichText::new(verb).color(palette.on_fill)).fill(palette.accent);
        (ui.add_enabled(possible, confirm).clicked(), ui.button("Cancel").clicked())
    })
    .inner
}

fn path_ui(
    ui: &mut Ui,
    purpose: &FilePurpose,
    text: &mut String,
    reason: Option<&'static str>,
    actions: &mut Vec<Action>,
) -> bool {
    let palette = Palette::of(ui);
    let (title, verb) = match purpose {
        FilePurpose::OpenImage => ("Open image", "Open"),
        FilePurpose::LoadChain => ("Load chain", "Load"),
        FilePurpose::SaveChain => ("Save chain", "Save"),
        FilePurpose::SaveSnapshot => ("Save snapshot", "Save"),
        FilePurpose::ImportPreset => ("Import preset", "Import"),
        FilePurpose::ExportPreset { .. } => ("Export preset", "Export"),
        FilePurpose::FilterFile { .. } => ("Choose file", "Choose"),
        FilePurpose::ExportLog => ("Export log", "Export"),
        FilePurpose::OpenAny => ("Open by path", "Open"),
    };
    ui.heading(RichText::new(title).color(palette.strong));
    ui.label(
        RichText::new(reason.unwrap_or("A picture becomes the source, a .json file the filter chain or a preset."))
            .color(palette.weak),
    );
    ui.add_space(theme::SPACE_XS);
    let entered = field_ui(ui, text, "/home/you/Pictures/slide.png", "Path");
    ui.add_space(theme::SPACE_S);
    let path = typed_path(text);
    let (confirmed, cancelled) = confirm_ui(ui, verb, path.is_some());
    let Some(path) = path.filter(|_| confirmed || entered) else { return cancelled };
    actions.push(Action::File(FileJob::Use(purpose.clone(), path)));
    true
}
