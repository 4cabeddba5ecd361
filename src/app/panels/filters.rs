//! The chain of filters: one card each, in the order in which they run.

use egui::{
    Align, Button, Frame, Id, Key, Layout, Popup, PopupCloseBehavior, RichText, ScrollArea, Sense, Stroke, Ui, vec2,
};
use egui_dnd::{DragAxis, DragDropItem};
use egui_material_icons::icons::{
    ICON_ADD, ICON_CLOSE, ICON_DRAG_INDICATOR, ICON_EXPAND_LESS, ICON_EXPAND_MORE, ICON_MORE_VERT, ICON_TUNE,
    ICON_WARNING,
};

use super::{heading, passes};
use crate::app::action::{Action, Edit, FileJob, FilePurpose};
use crate::app::model::{Model, item_names};
use crate::app::theme::{self, Palette};
use crate::app::widgets::{self, Wish};
use crate::filter::{ChainItem, Class, Entry, Filter, FilterSpec, ParamKind, all};

pub fn filters_ui(ui: &mut Ui, model: &mut Model, actions: &mut Vec<Action>) {
    let palette = Palette::of(ui);
    let chain = model.settings.chain();
    ui.horizontal(|ui| {
        heading(ui, "Filters");
        widgets::pill(ui, &chain.items().len().to_string(), palette.control, palette.text);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let more = widgets::icon_button(ui, ICON_MORE_VERT, "More about the chain");
            Popup::menu(&more).show(|ui| {
                ui.set_min_width(160.0);
                for (name, purpose) in
                    [("Load chain…", FilePurpose::LoadChain), ("Save chain…", FilePurpose::SaveChain)]
                {
                    if ui.button(name).clicked() {
                        actions.push(Action::File(FileJob::Browse(purpose)));
                    }
                }
                if ui.add_enabled(!chain.is_empty(), Button::new("Remove all filters")).clicked() {
                    actions.push(Edit::ClearChain.into());
                }
            });
            add_button_ui(ui, model, actions);
            if ui.button("Presets").on_hover_text("Good chains to begin with, and your own").clicked() {
                model.gallery.is_open = true;
            }
        });
    });
    ui.add_space(theme::SPACE_XS);
    if chain.is_empty() {
        empty_ui(ui, model);
        return;
    }
    let names = item_names(&chain);
    passes::slow_ui(ui, model, &chain, &names, actions);
    ScrollArea::vertical().id_salt("filters").auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = theme::SPACE_S;
        let count = chain.items().len();
        let cost = |item: &ChainItem| passes::cost_text(&model.status.passes, item.key, &chain, &names);
        let cards = chain.items().iter().zip(&names).enumerate();
        let rows: Vec<_> =
            cards.map(|(place, (item, name))| Card { place, count, item, name, cost: cost(item) }).collect();
        let id = ui.make_persistent_id(("chain", model.settings.source.to_string()));
        let moved = egui_dnd::dnd(ui, id).with_drag_axis(DragAxis::Vertical).show(
            rows.into_iter(),
            |ui, card, handle, state| {
                let lifted = state.dragged;
                card_ui(ui, model, actions, &card, lifted, |ui| {
                    handle.ui(ui, |ui| {
                        let (rect, _) = ui.allocate_exact_size(vec2(18.0, theme::ICON_BUTTON.y), Sense::hover());
                        widgets::paint_icon(ui, ICON_DRAG_INDICATOR, rect.center(), theme::ICON_SIZE, palette.weak);
                    });
                });
            },
        );
        if let Some(update) = moved.final_update()
            && let Some(item) = chain.items().get(update.from)
        {
            // The place is counted before the item is taken out of the list.
            let place = if update.to > update.from { update.to - 1 } else { update.to };
            actions.push(Edit::MoveFilter(item.key, place).into());
        }
        passes::how_it_runs_ui(ui, model, &chain, &names);
    });
}

/// One filter with its place in the chain.
struct Card<'a> {
    place: usize,
    count: usize,
    item: &'a ChainItem,
    /// Unique within the chain.
    name: &'a str,
    /// What it costs, in a few words; empty for nothing.
    cost: String,
}

impl DragDropItem for Card<'_> {
    fn id(&self) -> Id {
        Id::unique(("filter card", self.item.key))
    }
}

fn empty_ui(ui: &mut Ui, model: &mut Model) {
    let palette = Palette::of(ui);
    ui.add_space((ui.available_height() * 0.18).min(90.0));
    ui.vertical_centered(|ui| {
        ui.label(widgets::icon_text(ICON_TUNE, 34.0).color(palette.weak));
        ui.label(RichText::new("No filters yet").color(palette.strong));
        ui.set_max_width(250.0);
        ui.add(
            egui::Label::new(
                RichText::new(
                    "The picture is shown and shared as it is captured. Add a filter to change it; filters run from \
                     top to bottom, and every source has its own chain.",
                )
                .color(palette.weak),
            )
            .wrap(),
        );
        ui.add_space(theme::SPACE_S);
        if ui.button("Start from a preset").clicked() {
            model.gallery.is_open = true;
        }
    });
}

/// The button that opens the list of all filters.
fn add_button_ui(ui: &mut Ui, model: &mut Model, actions: &mut Vec<Action>) {
    let palette = Palette::of(ui);
    let button = Button::new((
        widgets::icon_text(ICON_ADD, theme::ICON_SIZE).color(palette.on_fill),
        RichText::new("Add filter").color(palette.on_fill),
    ));
    let button = ui.add(button.fill(palette.accent).gap(4.0)).accessible_name("Add filter");
    if button.clicked() {
        model.filter_search.clear();
    }
    let popup = Popup::menu(&button).close_behavior(PopupCloseBehavior::CloseOnClickOutside).width(300.0);
    popup.show(|ui| {
        if let Some(spec) = choose_filter_ui(ui, &mut model.filter_search, button.clicked()) {
            actions.push(Edit::AddFilter(spec.id).into());
            ui.close();
        }
    });
}

/// The searchable list; gives the filter that was chosen.
fn choose_filter_ui(ui: &mut Ui, search: &mut String, just_opened: bool) -> Option<&'static FilterSpec> {
    let palette = Palette::of(ui);
    ui.set_width(300.0);
    let edit = widgets::line_edit(ui, search, "Search filters", "Search filters");
    if just_opened {
        edit.request_focus();
    }
    let found = found_filters(search);
    if edit.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter)) && !search.trim().is_empty() {
        return found.first().copied();
    }
    let mut chosen = None;
    ScrollArea::vertical().id_salt("all filters").max_height(380.0).auto_shrink([false, true]).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        for class in Class::ALL {
            let mut of_class = found.iter().filter(|spec| spec.class == class).peekable();
            if of_class.peek().is_none() {
                continue;
            }
            ui.add_space(theme::SPACE_XS);
            ui.label(RichText::new(class.label()).small().color(palette.weak));
            for spec in of_class {
                let button = Button::new(spec.label).frame_when_inactive(false).right_text("");
                let button = ui.add_sized([ui.available_width(), theme::CONTROL_HEIGHT], button);
                if button.accessible_name(format!("Add {}", spec.label)).on_hover_text(spec.doc.trim()).clicked() {
                    chosen = Some(*spec);
                }
            }
        }
        if found.is_empty() {
            widgets::note(ui, "No filter has a name like that.");
        }
    });
    chosen
}

/// The filters in whose name or class every word is found; only where there are none, descriptions count as well: there
/// are too many filters whose descriptions speak of the picture.
fn found_filters(search: &str) -> Vec<&'static FilterSpec> {
    let name = |spec: &FilterSpec| format!("{} {} {}", spec.label, spec.id, spec.class.label());
    let by_name: Vec<_> = all().into_iter().filter(|spec| has_words(&name(spec), search)).collect();
    if !by_name.is_empty() {
        return by_name;
    }
    all().into_iter().filter(|spec| has_words(&format!("{} {}", name(spec), spec.doc), search)).collect()
}

fn has_words(text: &str, search: &str) -> bool {
    let text = text.to_lowercase();
    search.to_lowercase().split_whitespace().all(|word| text.contains(word))
}

fn card_ui(
    ui: &mut Ui,
    model: &mut Model,
    actions: &mut Vec<Action>,
    card: &Card<'_>,
    lifted: bool,
    handle_ui: impl FnOnce(&mut Ui),
) {
    let palette = Palette::of(ui);
    let error = model.filter_error(card.item.key).map(str::to_owned);
    let edge = match (&error, lifted) {
        (Some(_), _) => palette.live,
        (None, true) => palette.accent,
        (None, false) => palette.line,
    };
    let mut frame = Frame::new()
        .fill(palette.card)
        .stroke(Stroke::new(1.0, edge))
        .corner_radius(theme::RADIUS_CARD)
        .inner_margin(egui::Margin::symmetric(8, 6));
    if lifted {
        frame = frame.shadow(ui.visuals().popup_shadow);
    }
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = 2.0;
        heading_ui(ui, model, actions, card, handle_ui);
        if let Some(reason) = &error {
            reason_ui(ui, &format!("Bypassed: {reason}"));
        }
        match &card.item.entry {
            Entry::Unknown { .. } => reason_ui(
                ui,
                "Unavailable: this version does not know the filter. It does nothing and is saved unchanged.",
            ),
            Entry::Filter(filter) if !model.is_collapsed(card.item.key) => {
                ui.add_space(2.0);
                params_ui(ui, model, actions, card, filter);
            }
            Entry::Filter(_) => {}
        }
        if !card.cost.is_empty() {
            widgets::note(ui, &card.cost);
        }
    });
}

fn reason_ui(ui: &mut Ui, reason: &str) {
    let palette = Palette::of(ui);
    ui.horizontal_top(|ui| {
        ui.label(widgets::icon_text(ICON_WARNING, 14.0).color(palette.live_text));
        ui.add(egui::Label::new(RichText::new(reason).small().color(palette.live_text)).wrap());
    });
}

fn heading_ui(
    ui: &mut Ui,
    model: &mut Model,
    actions: &mut Vec<Action>,
    card: &Card<'_>,
    handle_ui: impl FnOnce(&mut Ui),
) {
    let palette = Palette::of(ui);
    let Card { place, count, item, name, .. } = *card;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = theme::SPACE_XS;
        handle_ui(ui);
        if widgets::switch(ui, item.enabled, &format!("Enable {name}"), false) {
            actions.push(Edit::EnableFilter(item.key, !item.enabled).into());
        }
        ui.add_space(theme::SPACE_XS);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 0.0;
            if widgets::icon_button(ui, ICON_CLOSE, &format!("Remove {name}")).clicked() {
                actions.push(Edit::RemoveFilter(item.key).into());
            }
            let more = widgets::icon_button(ui, ICON_MORE_VERT, &format!("More about {name}"));
            Popup::menu(&more).show(|ui| {
                ui.set_min_width(170.0);
                let mut entry = |ui: &mut Ui, enabled: bool, text: &str, label: String, edit: Edit| {
                    if ui.add_enabled(enabled, Button::new(text)).accessible_name(label).clicked() {
                        actions.push(edit.into());
                    }
                };
                let up = Edit::MoveFilter(item.key, place.saturating_sub(1));
                entry(ui, place > 0, "Move up", format!("Move {name} up"), up);
                let down = Edit::MoveFilter(item.key, place + 1);
                entry(ui, place + 1 < count, "Move down", format!("Move {name} down"), down);
                if matches!(item.entry, Entry::Filter(_)) {
                    let reset = Edit::ResetFilter(item.key);
                    entry(ui, true, "Reset to defaults", format!("Reset {name}"), reset);
                }
            });
            if let Entry::Filter(filter) = &item.entry
                && !filter.spec().params.is_empty()
            {
                let collapsed = model.is_collapsed(item.key);
                let (icon, verb) =
                    if collapsed { (ICON_EXPAND_MORE, "Expand") } else { (ICON_EXPAND_LESS, "Collapse") };
                if widgets::icon_button(ui, icon, &format!("{verb} {name}")).clicked() {
                    model.toggle_collapsed(item.key);
                }
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let known = matches!(item.entry, Entry::Filter(_));
                let color = if item.enabled && known { palette.strong } else { palette.weak };
                widgets::truncated(ui, RichText::new(name).color(color));
            });
        });
    });
}

fn params_ui(ui: &mut Ui, model: &Model, actions: &mut Vec<Action>, card: &Card<'_>, filter: &Filter) {
    let (params, key) = (filter.params(), card.item.key);
    let mut memory = passes::memory_text(&model.status.passes, key);
    for spec in filter.spec().params {
        let Some(value) = params.get(spec.id) else { continue };
        match (widgets::param_ui(ui, card.name, spec, &value), spec.kind) {
            (Some(Wish::Set(changed)), _) => actions.push(Edit::Param(key, spec.id, changed).into()),
            (Some(Wish::Choose), ParamKind::File { extensions }) => {
                let purpose = FilePurpose::FilterFile { key, param: spec.id, extensions };
                actions.push(Action::File(FileJob::Browse(purpose)));
            }
            _ => {}
        }
        // The first number is what the memory depends on: how far back it goes.
        if matches!(spec.kind, ParamKind::Float { .. } | ParamKind::Int { .. })
            && let Some(text) = memory.take()
        {
            ui.horizontal(|ui| {
                ui.add_space(theme::PARAM_LABEL_WIDTH);
                widgets::note(ui, text);
            });
        }
    }
    if let Some(text) = memory {
        widgets::note(ui, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_a_search_has_to_match_and_names_come_before_descriptions() {
        let ids = |search: &str| -> Vec<&str> { found_filters(search).into_iter().map(|spec| spec.id).collect() };
        assert_eq!(ids("").len(), all().len());
        assert_eq!(ids("geometry CROP"), ["crop"]);
        assert_eq!(ids("picture in picture"), ["picture_in_picture"]);
        assert!(ids("rectangle").contains(&"crop"), "{:?}", ids("rectangle"));
        assert!(ids("crop blur").is_empty());
    }
}
