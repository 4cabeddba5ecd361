//! Small controls that egui has not, or not with the sizes and the names that this window needs.

mod buttons;
mod curve;
mod file;
mod param;
mod plot;
mod qr;
mod switch;

pub use buttons::{Row, big_button, icon_button, icon_text, paint_icon, pill, row_button};
pub use param::{NumberFormat, Wish, param_ui};
pub use plot::{rate_plot, sparkline};
pub use qr::QrCache;
pub use switch::{switch, switch_row};

use egui::{Role, Ui, WidgetInfo};

/// A short text that may be cut: one line, with the whole of it on hover.
pub fn truncated(ui: &mut Ui, text: impl Into<egui::RichText>) -> egui::Response {
    ui.add(egui::Label::new(text.into()).truncate())
}

/// Weak small text.
pub fn note(ui: &mut Ui, text: impl Into<String>) -> egui::Response {
    let palette = crate::app::theme::Palette::of(ui);
    ui.add(egui::Label::new(egui::RichText::new(text.into()).small().color(palette.weak)).wrap())
}

/// A line of text to type into, over the whole width.
pub fn line_edit(ui: &mut Ui, text: &mut String, hint: &'static str, name: &str) -> egui::Response {
    let palette = crate::app::theme::Palette::of(ui);
    ui.scope(|ui| {
        ui.visuals_mut().selection.stroke.color = palette.accent;
        let edit = egui::TextEdit::singleline(text).hint_text(hint).desired_width(f32::INFINITY);
        ui.add(edit.align(egui::Align2::LEFT_CENTER)).accessible_name(name)
    })
    .inner
}

/// Gives a painted control its role, name and state for screen readers and tests.
fn describe(response: &egui::Response, role: Role, selected: Option<bool>, name: &str) {
    let enabled = response.enabled();
    response.widget_info(|| match selected {
        Some(selected) => WidgetInfo::selected(role, enabled, selected, name),
        None => WidgetInfo::labeled(role, enabled, name),
    });
}
