//! The menus, and at the right end what the engine does at the moment.

use egui::{Align, Button, KeyboardShortcut, Layout, MenuBar, RichText, Ui, containers::menu::MenuButton};

use crate::app::action::{Action, Edit, FileJob, FilePurpose};
use crate::app::model::{Model, Overlay};
use crate::app::theme::Palette;
use crate::app::ui;
use crate::app::widgets;
use crate::engine::ShareState;
use crate::settings::{PreviewRate, Theme};

pub fn top_bar_ui(ui: &mut Ui, model: &mut Model, actions: &mut Vec<Action>) {
    let palette = Palette::of(ui);
    MenuBar::new().ui(ui, |ui| {
        ui.set_min_height(crate::app::theme::TOP_BAR_HEIGHT);
        menu(ui, "File", |ui| file_menu(ui, model, actions));
        menu(ui, "View", |ui| view_menu(ui, model, actions));
        menu(ui, "Help", |ui| help_menu(ui, model));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            match &model.status.share {
                ShareState::On { .. } => {
                    let name = "The picture is shared";
                    widgets::pill(ui, "LIVE", palette.live, palette.on_fill).on_hover_text(name);
                }
                ShareState::Failed(reason) => {
                    widgets::pill(ui, "NOT SHARED", palette.warning_soft, palette.warning_text).on_hover_text(reason);
                }
                ShareState::Off => {
                    widgets::pill(ui, "OFF", palette.control, palette.weak).on_hover_text("Nothing is shared");
                }
            }
            let status = &model.status;
            for (text, what) in [
                (
                    format!("{} dropped", status.frames.dropped),
                    "Frames that were replaced by newer ones since the start",
                ),
                (format!("{:.1} ms", status.filter_ms), "Time that the filters took for the last frame"),
                (format!("{:.1} fps", status.filtered_fps), "Processed frames a second"),
            ] {
                ui.label(RichText::new(text).small().color(palette.weak)).on_hover_text(what);
            }
        });
    });
}

fn menu(ui: &mut Ui, name: &str, content: impl FnOnce(&mut Ui)) {
    MenuButton::new(name).ui(ui, |ui| {
        ui.set_min_width(210.0);
        content(ui);
    });
}

fn entry(ui: &mut Ui, name: &str, shortcut: Option<&KeyboardShortcut>) -> bool {
    let mut button = Button::new(name);
    if let Some(shortcut) = shortcut {
        button = button.shortcut_text(ui.ctx().format_shortcut(shortcut));
    }
    ui.add(button).accessible_name(name).clicked()
}

fn file_menu(ui: &mut Ui, model: &mut Model, actions: &mut Vec<Action>) {
    let mut ask = |ui: &mut Ui, name: &str, shortcut: &KeyboardShortcut, purpose| {
        if entry(ui, name, Some(shortcut)) {
            actions.push(Action::File(FileJob::Browse(purpose)));
        }
    };
    ask(ui, "Open image…", &ui::OPEN_IMAGE, FilePurpose::OpenImage);
    if entry(ui, "Open by path…", None) {
        model.overlay = Some(Overlay::Path { purpose: FilePurpose::OpenAny, text: String::new(), reason: None });
    }
    ui.separator();
    ask(ui, "Load chain…", &ui::LOAD_CHAIN, FilePurpose::LoadChain);
    ask(ui, "Save chain…", &ui::SAVE_CHAIN, FilePurpose::SaveChain);
    ui.separator();
    ask(ui, "Save snapshot…", &ui::SAVE_SNAPSHOT, FilePurpose::SaveSnapshot);
    ui.separator();
    if entry(ui, "Quit", Some(&ui::QUIT)) {
        actions.push(Action::Quit);
    }
}

fn view_menu(ui: &mut Ui, model: &Model, actions: &mut Vec<Action>) {
    let palette = Palette::of(ui);
    ui.label(RichText::new("Theme").small().color(palette.weak));
    for (theme, name) in [(Theme::System, "Like the system"), (Theme::Dark, "Dark"), (Theme::Light, "Light")] {
        if ui.radio(model.settings.theme == theme, name).clicked() {
            actions.push(Edit::Theme(theme).into());
        }
    }
    ui.separator();
    ui.label(RichText::new("Preview, pictures a second").small().color(palette.weak));
    for (rate, name) in [
        (PreviewRate::Thirty, if model.software_rendering { "30 (15 without a graphics card)" } else { "30" }),
        (PreviewRate::Fifteen, "15"),
        (PreviewRate::Five, "5"),
        (PreviewRate::Off, "Off"),
    ] {
        let response = ui.radio(model.settings.preview == rate, name);
        if response.accessible_name(format!("Preview rate {name}")).clicked() {
            actions.push(Edit::Preview(rate).into());
        }
    }
}

fn help_menu(ui: &mut Ui, model: &mut Model) {
    if entry(ui, "Keyboard shortcuts", Some(&ui::SHORTCUTS)) {
        model.overlay = Some(Overlay::Shortcuts);
    }
    if entry(ui, "About Lenscast", None) {
        model.overlay = Some(Overlay::About);
    }
}
