//! A switch: on or off, at once.

use egui::{Role, Sense, Stroke, StrokeKind, Ui, pos2, vec2};

use super::describe;
use crate::app::theme::{self, Palette};

/// Shows `on` and tells whether the user wants the opposite. The colour is live red where being on is a risk.
pub fn switch(ui: &mut Ui, on: bool, name: &str, risky: bool) -> bool {
    let (rect, response) = ui.allocate_exact_size(theme::SWITCH_SIZE, Sense::click());
    describe(&response, Role::Switch, Some(on), name);
    paint(ui, &response, rect, on, risky);
    response.clicked()
}

/// A switch with its name behind it, which can be clicked as well, and a weak sentence below.
pub fn switch_row(ui: &mut Ui, on: bool, name: &str, sentence: &str) -> bool {
    let palette = Palette::of(ui);
    let top = ui.available_rect_before_wrap().min;
    let width = ui.available_width();
    let indent = theme::SWITCH_SIZE.x + theme::SPACE_S;
    let title = ui.painter().layout_no_wrap(name.to_owned(), egui::TextStyle::Body.resolve(ui.style()), palette.text);
    let small = egui::TextStyle::Small.resolve(ui.style());
    let below = ui.painter().layout(sentence.to_owned(), small, palette.weak, width - indent);
    let height = title.size().y + below.size().y;
    let (rect, response) = ui.allocate_exact_size(vec2(width, height), Sense::click());
    describe(&response, Role::Switch, Some(on), name);
    let knob = egui::Rect::from_min_size(pos2(top.x, rect.top() + 1.0), theme::SWITCH_SIZE);
    paint(ui, &response, knob, on, name == "Allow control");
    let text = pos2(rect.left() + indent, rect.top());
    let title_height = title.size().y;
    ui.painter().galley(text, title, palette.text);
    ui.painter().galley(text + vec2(0.0, title_height), below, palette.weak);
    response.clicked()
}

fn paint(ui: &Ui, response: &egui::Response, rect: egui::Rect, on: bool, risky: bool) {
    let palette = Palette::of(ui);
    let amount = ui.ctx().animate_bool_responsive(response.id, on);
    let filled = if risky { palette.live } else { palette.accent };
    let off = if response.hovered() { palette.weak } else { palette.edge };
    let rail = off.lerp_to_gamma(filled, amount);
    let radius = rect.height() / 2.0;
    ui.painter().rect_filled(rect, radius, rail);
    if response.has_focus() {
        ui.painter().rect_stroke(rect.expand(2.0), radius + 2.0, Stroke::new(1.5, palette.accent), StrokeKind::Outside);
    }
    let x = egui::lerp(rect.left() + radius..=rect.right() - radius, amount);
    ui.painter().circle_filled(pos2(x, rect.center().y), radius - 2.0, palette.knob);
}
