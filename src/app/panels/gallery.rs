//! The presets: a card each, with the live picture as it would look.

use egui::{
    Align, Align2, Button, Color32, Key, Label, Layout, Modifiers, Popup, Rect, RichText, Role, ScrollArea, Sense,
    Stroke, StrokeKind, TextStyle, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};
use egui_material_icons::icons::{
    ICON_ADD, ICON_ARROW_BACK, ICON_CHECK, ICON_FILE_OPEN, ICON_IMAGE, ICON_MORE_VERT, ICON_WARNING,
};

use super::heading;
use crate::app::action::{Action, FileJob, FilePurpose, PresetJob};
use crate::app::model::{Gallery, Model, Overlay};
use crate::app::presets::PresetId;
use crate::app::theme::{self, Palette};
use crate::app::widgets;
use crate::settings::presets::{Preset, built_in, is_applied};

const NAME_HEIGHT: f32 = 26.0;
/// Height of a thumbnail's place as a share of its width.
const SHAPE: f32 = 9.0 / 16.0;

/// What a card shows.
struct Card<'a> {
    id: PresetId,
    preset: &'a Preset,
    /// Unique among all presets.
    name: String,
    is_applied: bool,
}

pub fn gallery_ui(ui: &mut Ui, model: &mut Model, actions: &mut Vec<Action>) {
    let palette = Palette::of(ui);
    let chain = model.settings.chain();
    let gallery = model.gallery.clone();
    ui.horizontal(|ui| {
        let back = widgets::icon_button(ui, ICON_ARROW_BACK, "Back to the filters").clicked();
        let free = model.overlay.is_none() && !Popup::is_any_open(ui.ctx());
        if back || free && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
            model.gallery.is_open = false;
        }
        heading(ui, "Presets");
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if widgets::icon_button(ui, ICON_FILE_OPEN, "Import preset…").clicked() {
                actions.push(Action::File(FileJob::Browse(FilePurpose::ImportPreset)));
            }
            let button = Button::new((
                widgets::icon_text(ICON_ADD, theme::ICON_SIZE).color(palette.on_fill),
                RichText::new("Save current…").color(palette.on_fill),
            ));
            let button = ui.add_enabled(!chain.is_empty(), button.fill(palette.accent).gap(4.0));
            let button =
                button.accessible_name("Save current as preset").on_hover_text("Keeps the filters you have now");
            if button.on_disabled_hover_text("There are no filters to keep").clicked() {
                model.overlay = Some(Overlay::PresetName { file: None, text: String::new() });
            }
        });
    });
    widgets::note(
        ui,
        "A preset replaces the filters of this source. Hidden regions stay, and Undo brings the rest back.",
    );
    ui.add_space(theme::SPACE_XS);
    ScrollArea::vertical().id_salt("presets").auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing = vec2(theme::SPACE_S, theme::SPACE_S);
        section_ui(ui, "Your own");
        let own: Vec<Card<'_>> = gallery
            .own
            .presets
            .iter()
            .map(|own| Card {
                id: PresetId::Own(own.file.clone()),
                preset: &own.preset,
                name: name_of_own(&own.preset.name),
                is_applied: is_applied(&own.preset.chain, &chain),
            })
            .collect();
        if own.is_empty() {
            widgets::note(ui, "None yet. Save the filters you have, or drop a preset's file on the window.");
        }
        grid_ui(ui, model, &gallery, &own, actions);
        for damaged in &gallery.own.damaged {
            damaged_ui(ui, &damaged.file, &damaged.reason);
        }
        ui.add_space(theme::SPACE_XS);
        section_ui(ui, "Built in");
        let built_in: Vec<Card<'_>> = built_in()
            .iter()
            .map(|built_in| Card {
                id: PresetId::BuiltIn(built_in.id),
                preset: &built_in.preset,
                name: built_in.preset.name.clone(),
                is_applied: is_applied(&built_in.preset.chain, &chain),
            })
            .collect();
        grid_ui(ui, model, &gallery, &built_in, actions);
    });
}

/// The user's may have the name of a built-in one.
fn name_of_own(name: &str) -> String {
    let taken = built_in().iter().any(|built_in| built_in.preset.name == name);
    if taken { format!("{name} (your own)") } else { name.to_owned() }
}

fn section_ui(ui: &mut Ui, title: &str) {
    ui.label(RichText::new(title).small().color(Palette::of(ui).weak));
}

fn damaged_ui(ui: &mut Ui, file: &str, reason: &str) {
    let palette = Palette::of(ui);
    ui.horizontal_top(|ui| {
        ui.label(widgets::icon_text(ICON_WARNING, 14.0).color(palette.warning_text));
        let text = format!("{file} can't be used and was left as it is: {reason}");
        ui.add(Label::new(RichText::new(text).small().color(palette.warning_text)).wrap());
    });
}

fn grid_ui(ui: &mut Ui, model: &mut Model, gallery: &Gallery, cards: &[Card<'_>], actions: &mut Vec<Action>) {
    let width = ((ui.available_width() - theme::SPACE_S) / 2.0).floor();
    for row in cards.chunks(2) {
        ui.horizontal_top(|ui| {
            for card in row {
                card_ui(ui, model, gallery, card, width, actions);
            }
        });
    }
}

fn card_ui(ui: &mut Ui, model: &mut Model, gallery: &Gallery, card: &Card<'_>, width: f32, actions: &mut Vec<Action>) {
    let palette = Palette::of(ui);
    let picture_height = (width * SHAPE).round();
    let (rect, response) = ui.allocate_exact_size(vec2(width, picture_height + NAME_HEIGHT), Sense::click());
    response.widget_info(|| {
        let name = format!("Apply {}", card.name);
        WidgetInfo::selected(Role::Button, true, card.is_applied, name)
    });
    if response.gained_focus() {
        response.scroll_to_me(None);
    }
    let fill = if response.hovered() { palette.hover } else { palette.card };
    let edge = match (response.has_focus() || card.is_applied, response.hovered()) {
        (true, _) => Stroke::new(1.5, palette.accent),
        (false, true) => Stroke::new(1.0, palette.edge),
        (false, false) => Stroke::new(1.0, palette.line),
    };
    ui.painter().rect(rect, theme::RADIUS_CARD, fill, edge, StrokeKind::Inside);
    let picture = Rect::from_min_size(rect.min, vec2(width, picture_height)).shrink(4.0);
    ui.painter().rect_filled(picture, theme::RADIUS_CONTROL, palette.video);
    thumbnail_ui(ui, gallery, &card.id, picture);
    let is_own = matches!(card.id, PresetId::Own(_));
    let mut right = rect.right() - theme::SPACE_S;
    let middle = rect.bottom() - NAME_HEIGHT / 2.0 - 1.0;
    if is_own {
        right -= theme::ICON_BUTTON.x - theme::SPACE_XS;
    }
    if card.is_applied {
        widgets::paint_icon(ui, ICON_CHECK, pos2(right - 7.0, middle), 15.0, palette.accent);
        right -= 18.0;
    }
    let text = TextStyle::Body.resolve(ui.style());
    let mut job = egui::text::LayoutJob::simple_singleline(card.preset.name.clone(), text, palette.strong);
    job.wrap = egui::text::TextWrapping::truncate_at_width(right - rect.left() - theme::SPACE_S - theme::SPACE_XS);
    let galley = ui.painter().layout_job(job);
    let left = rect.left() + theme::SPACE_S;
    ui.painter().galley(pos2(left, middle - galley.size().y / 2.0), galley, palette.strong);
    if response.clicked() {
        actions.push(Action::Apply(card.preset.name.clone(), card.preset.chain.clone()));
    }
    let about = if card.preset.about.is_empty() { &card.preset.name } else { &card.preset.about };
    response.on_hover_text(about.as_str());
    if let PresetId::Own(file) = &card.id {
        let corner = pos2(rect.right() - theme::ICON_BUTTON.x - 2.0, middle - theme::ICON_BUTTON.y / 2.0);
        let place = Rect::from_min_size(corner, theme::ICON_BUTTON);
        let mut above = ui.new_child(UiBuilder::new().max_rect(place).id_salt(file));
        more_ui(&mut above, model, file, card, actions);
    }
}

/// The picture in the middle of its place; an icon until there is one.
fn thumbnail_ui(ui: &Ui, gallery: &Gallery, id: &PresetId, place: Rect) {
    let palette = Palette::of(ui);
    let Some((texture, [width, height])) = gallery.thumbnails.get(id) else {
        widgets::paint_icon(ui, ICON_IMAGE, place.center(), 24.0, palette.edge);
        return;
    };
    let size = vec2(*width as f32, *height as f32);
    let scale = (place.width() / size.x).min(place.height() / size.y);
    let shown = Align2::CENTER_CENTER.align_size_within_rect(size * scale, place);
    let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    ui.painter().image(*texture, shown, whole, Color32::WHITE);
}

fn more_ui(ui: &mut Ui, model: &mut Model, file: &str, card: &Card<'_>, actions: &mut Vec<Action>) {
    let name = &card.name;
    let more = widgets::icon_button(ui, ICON_MORE_VERT, &format!("More about {name}"));
    Popup::menu(&more).show(|ui| {
        ui.set_min_width(140.0);
        let entry = |ui: &mut Ui, verb: &str, text: &str| {
            ui.add(Button::new(text)).accessible_name(format!("{verb} {name}")).clicked()
        };
        if entry(ui, "Rename", "Rename…") {
            let text = card.preset.name.clone();
            model.overlay = Some(Overlay::PresetName { file: Some(file.to_owned()), text });
        }
        if entry(ui, "Export", "Export…") {
            let purpose = FilePurpose::ExportPreset { file: file.to_owned(), name: card.preset.name.clone() };
            actions.push(Action::File(FileJob::Browse(purpose)));
        }
        if entry(ui, "Delete", "Delete") {
            actions.push(Action::Preset(PresetJob::Delete { file: file.to_owned() }));
        }
    });
}
