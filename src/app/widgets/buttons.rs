//! Buttons: an icon alone, a large one, a row of a list; and the pill, which only shows.

use egui::{
    Align2, Button, Color32, CornerRadius, FontId, Response, RichText, Role, Sense, Stroke, StrokeKind, TextStyle, Ui,
    pos2, vec2,
};
use egui_material_icons::MaterialIcon;

use super::describe;
use crate::app::theme::{self, Palette};

/// An icon of the given size and colour as text.
pub fn icon_text(icon: MaterialIcon, size: f32) -> RichText {
    icon.rich_text().size(size)
}

/// A 24x24 button that is only an icon; its name is the tooltip too.
pub fn icon_button(ui: &mut Ui, icon: MaterialIcon, name: &str) -> Response {
    let (rect, response) = ui.allocate_exact_size(theme::ICON_BUTTON, Sense::click());
    describe(&response, Role::Button, None, name);
    let palette = Palette::of(ui);
    let lit = response.enabled() && (response.hovered() || response.has_focus());
    if lit {
        ui.painter().rect_filled(rect, theme::RADIUS_CONTROL, palette.hover);
    }
    if response.has_focus() {
        let stroke = Stroke::new(1.0, palette.accent);
        ui.painter().rect_stroke(rect, theme::RADIUS_CONTROL, stroke, StrokeKind::Inside);
    }
    paint_icon(ui, icon, rect.center(), theme::ICON_SIZE, if lit { palette.strong } else { palette.weak });
    response.on_hover_text(name)
}

/// Paints an icon around a point.
pub fn paint_icon(ui: &Ui, icon: MaterialIcon, center: egui::Pos2, size: f32, color: Color32) {
    let font = FontId::new(size, icon.font_family());
    ui.painter().text(center, Align2::CENTER_CENTER, icon.codepoint, font, color);
}

/// The one button of a panel that matters, as wide as its column.
pub fn big_button(ui: &mut Ui, name: &str, fill: Color32, width: f32) -> Response {
    let palette = Palette::of(ui);
    ui.scope(|ui| {
        let widgets = &mut ui.visuals_mut().widgets;
        for state in [&mut widgets.inactive, &mut widgets.hovered, &mut widgets.active] {
            state.fg_stroke.color = palette.on_fill;
        }
        widgets.hovered.bg_stroke = Stroke::new(1.0, palette.on_fill.gamma_multiply(0.5));
        let text = RichText::new(name).size(theme::TEXT_BODY).strong().color(palette.on_fill);
        ui.add_sized(vec2(width, theme::BIG_BUTTON_HEIGHT), Button::new(text).fill(fill))
    })
    .inner
}

/// What a row of a list shows.
pub struct Row<'a> {
    pub icon: MaterialIcon,
    pub title: &'a str,
    /// Weak, at the right end.
    pub detail: &'a str,
    pub selected: bool,
    pub name: &'a str,
}

/// A row of a list that can be chosen, over the whole width.
pub fn row_button(ui: &mut Ui, row: &Row<'_>) -> Response {
    let palette = Palette::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 28.0), Sense::click());
    describe(&response, Role::RadioButton, Some(row.selected), row.name);
    let fill = match (row.selected, response.hovered()) {
        (true, _) => palette.selected,
        (false, true) => palette.control,
        (false, false) => Color32::TRANSPARENT,
    };
    ui.painter().rect_filled(rect, CornerRadius::same(theme::RADIUS_CONTROL), fill);
    if response.has_focus() {
        let stroke = Stroke::new(1.0, palette.accent);
        ui.painter().rect_stroke(rect, theme::RADIUS_CONTROL, stroke, StrokeKind::Inside);
    }
    let tint = if row.selected { palette.accent } else { palette.weak };
    paint_icon(ui, row.icon, pos2(rect.left() + 16.0, rect.center().y), 16.0, tint);
    let small = TextStyle::Small.resolve(ui.style());
    let detail = ui.painter().layout_no_wrap(row.detail.to_owned(), small, palette.weak);
    let detail_left = rect.right() - theme::SPACE_S - detail.size().x;
    ui.painter().galley(pos2(detail_left, rect.center().y - detail.size().y / 2.0), detail, palette.weak);
    let text = if row.selected { palette.strong } else { palette.text };
    let left = rect.left() + 30.0;
    let mut job =
        egui::text::LayoutJob::simple_singleline(row.title.to_owned(), TextStyle::Body.resolve(ui.style()), text);
    job.wrap = egui::text::TextWrapping::truncate_at_width(detail_left - left - theme::SPACE_S);
    let title = ui.painter().layout_job(job);
    ui.painter().galley(pos2(left, rect.center().y - title.size().y / 2.0), title, text);
    response
}

/// A small rounded label of exact height.
pub fn pill(ui: &mut Ui, text: &str, fill: Color32, color: Color32) -> Response {
    let galley = ui.painter().layout_no_wrap(text.to_owned(), TextStyle::Small.resolve(ui.style()), color);
    let size = vec2((galley.size().x + 14.0).max(22.0), theme::PILL_HEIGHT);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    describe(&response, Role::Label, None, text);
    ui.painter().rect_filled(rect, CornerRadius::same(theme::RADIUS_PILL), fill);
    ui.painter().galley(rect.center() - galley.size() / 2.0, galley, color);
    response
}
