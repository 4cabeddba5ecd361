//! What can be captured, what is chosen, and why something else is shown.

use egui::{Align, DragValue, Layout, RichText, ScrollArea, Ui};
use egui_material_icons::MaterialIcon;
use egui_material_icons::icons::{
    ICON_FOLDER_OPEN, ICON_GRID_ON, ICON_IMAGE, ICON_MONITOR, ICON_REFRESH, ICON_SENSORS, ICON_VIDEOCAM, ICON_WARNING,
};

use super::heading;
use crate::app::action::{Action, Edit, FileJob, FilePurpose};
use crate::app::model::Model;
use crate::app::theme::{self, Palette};
use crate::app::widgets::{self, Row};
use crate::capture::CaptureState;
use crate::capture::{SourceId, SourceInfo, SourceKind};
use crate::engine::Command;
use crate::util::sentence;

pub fn sources_ui(ui: &mut Ui, model: &Model, actions: &mut Vec<Action>) {
    ui.horizontal(|ui| {
        heading(ui, "Sources");
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if widgets::icon_button(ui, ICON_REFRESH, "Look for sources again").clicked() {
                actions.push(Action::Ask(Command::RefreshSources));
            }
        });
    });
    ui.add_space(theme::SPACE_XS);
    let footer = 34.0;
    let list = ScrollArea::vertical().id_salt("sources").auto_shrink(false);
    list.max_height((ui.available_height() - footer).max(60.0)).show(ui, |ui| {
        stand_in_ui(ui, model, actions);
        ui.spacing_mut().item_spacing.y = 2.0;
        for (kind, title) in [
            (SourceKind::Screen, "Screens"),
            (SourceKind::Camera, "Cameras"),
            (SourceKind::Image, "Picture"),
            (SourceKind::Published, "From others"),
            (SourceKind::Pattern, "Test pattern"),
        ] {
            group_ui(ui, model, actions, kind, title);
        }
        for note in model.status.sources.notes.iter().filter(|note| kind_of_note(note).is_none()) {
            widgets::note(ui, note);
        }
    });
    ui.with_layout(Layout::bottom_up(Align::Min), |ui| {
        ui.horizontal(|ui| {
            ui.label(RichText::new("Frames a second").color(Palette::of(ui).weak));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let mut fps = model.settings.fps;
                let drag = DragValue::new(&mut fps).range(1..=120).speed(0.25).update_while_editing(false);
                ui.add_sized([48.0, 22.0], drag).accessible_name("Frames a second asked of the source");
                if fps != model.settings.fps {
                    actions.push(Edit::Fps(fps).into());
                }
            });
        });
    });
}

/// Why another source stands in, and the way to try again.
fn stand_in_ui(ui: &mut Ui, model: &Model, actions: &mut Vec<Action>) {
    let CaptureState::StandIn(reason) = &model.status.capture else { return };
    let palette = Palette::of(ui);
    egui::Frame::new().fill(palette.warning_soft).corner_radius(theme::RADIUS_CARD).inner_margin(8).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal_top(|ui| {
            ui.label(widgets::icon_text(ICON_WARNING, theme::ICON_SIZE).color(palette.warning_text));
            ui.vertical(|ui| {
                ui.add(egui::Label::new(RichText::new(sentence(reason)).small().color(palette.warning_text)).wrap());
                if !model.status.source_name.is_empty() {
                    widgets::note(ui, format!("Shown instead: {}", model.status.source_name));
                }
            });
        });
        if ui.button("Try again").clicked() {
            actions.push(Action::Ask(Command::RetrySource));
        }
    });
    ui.add_space(theme::SPACE_S);
}

fn group_ui(ui: &mut Ui, model: &Model, actions: &mut Vec<Action>, kind: SourceKind, title: &str) {
    let palette = Palette::of(ui);
    ui.label(RichText::new(title).small().color(palette.weak));
    let sources = &model.status.sources.sources;
    for source in sources.iter().filter(|source| source.kind == kind) {
        source_ui(ui, model, actions, source);
    }
    let wished = &model.settings.source;
    if kind == wished.kind() && model.chosen_is_missing() {
        let name = wished.to_string();
        let row = Row { icon: icon(kind), title: &name, detail: "not found", selected: true, name: &name };
        widgets::row_button(ui, &row);
    }
    if let (SourceKind::Image, SourceId::Image(path)) = (kind, wished)
        && !sources.iter().any(|source| source.id == *wished)
    {
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let row = Row { icon: ICON_IMAGE, title: &name, detail: "", selected: true, name: &name };
        widgets::row_button(ui, &row).on_hover_text(path.display().to_string());
    }
    if kind == SourceKind::Image {
        let row = Row {
            icon: ICON_FOLDER_OPEN,
            title: "Open image…",
            detail: "",
            selected: false,
            name: "Choose an image as source",
        };
        if widgets::row_button(ui, &row).clicked() {
            actions.push(Action::File(FileJob::Browse(FilePurpose::OpenImage)));
        }
    }
    if kind == SourceKind::Published {
        let accept = model.settings.share.accept;
        if widgets::switch_row(ui, accept, "Let others publish here", "Who may tune, over WHIP.") {
            actions.push(Edit::Accept(!accept).into());
        }
    }
    for note in model.status.sources.notes.iter().filter(|note| kind_of_note(note) == Some(kind)) {
        widgets::note(ui, note);
    }
    ui.add_space(theme::SPACE_S);
}

fn source_ui(ui: &mut Ui, model: &Model, actions: &mut Vec<Action>, source: &SourceInfo) {
    let detail = source.size.map_or_else(String::new, |size| format!("{} × {}", size.width, size.height));
    let selected = model.is_chosen(&source.id);
    let row = Row { icon: icon(source.kind), title: &source.name, detail: &detail, selected, name: &source.name };
    if widgets::row_button(ui, &row).on_hover_text(format!("{} ({})", source.name, source.id)).clicked() && !selected {
        actions.push(Edit::Source(source.id.clone()).into());
    }
}

const fn icon(kind: SourceKind) -> MaterialIcon {
    match kind {
        SourceKind::Screen => ICON_MONITOR,
        SourceKind::Camera => ICON_VIDEOCAM,
        SourceKind::Image => ICON_IMAGE,
        SourceKind::Published => ICON_SENSORS,
        SourceKind::Pattern => ICON_GRID_ON,
    }
}

/// Under which heading a note belongs; notes are sentences such as `No camera found`.
fn kind_of_note(note: &str) -> Option<SourceKind> {
    let note = note.to_ascii_lowercase();
    if note.contains("camera") {
        Some(SourceKind::Camera)
    } else if note.contains("screen") {
        Some(SourceKind::Screen)
    } else {
        None
    }
}
