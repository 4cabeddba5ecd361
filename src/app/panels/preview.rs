//! The processed picture as the viewers see it, and a line about it.

use egui::{Align, Align2, Color32, Layout, Panel, Rect, RichText, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use egui_material_icons::icons::{ICON_PHOTO_CAMERA, ICON_VISIBILITY_OFF};

use crate::app::action::{Action, Edit, FileJob, FilePurpose};
use crate::app::model::Model;
use crate::app::preview::fitted;
use crate::app::theme::{self, Palette};
use crate::app::widgets;
use crate::capture::CaptureState;
use crate::settings::PreviewRate;

pub fn preview_ui(ui: &mut Ui, model: &mut Model, actions: &mut Vec<Action>) {
    let palette = Palette::of(ui);
    let line = egui::Frame::new().fill(palette.panel).inner_margin(egui::Margin::symmetric(12, 0));
    Panel::bottom("status line").exact_size(theme::STATUS_LINE_HEIGHT).resizable(false).frame(line).show(ui, |ui| {
        status_line_ui(ui, model, actions);
    });
    let room = ui.available_rect_before_wrap().shrink(theme::SPACE_S);
    let pixels_per_point = ui.ctx().pixels_per_point();
    model.preview.room = [room.width(), room.height()].map(|side| (side * pixels_per_point).max(0.0) as usize);
    let (rect, response) = ui.allocate_exact_size(ui.available_size(), Sense::hover());
    if model.settings.preview == PreviewRate::Off {
        let text = "The preview is off. Viewers still get the picture.";
        message(ui, rect, text);
        let button = Rect::from_center_size(rect.center() + vec2(0.0, 30.0), vec2(150.0, theme::CONTROL_HEIGHT));
        if ui.put(button, egui::Button::new("Turn the preview on")).clicked() {
            actions.push(Edit::Preview(PreviewRate::Thirty).into());
        }
        return;
    }
    let Some((texture, size)) = model.preview.texture else {
        message(ui, rect, "Waiting for the first picture…");
        return;
    };
    // What is smaller than its place is enlarged, and everything begins at a whole pixel.
    let fit = fitted(size, model.preview.room);
    let grow = (model.preview.room[0] as f32 / fit[0] as f32).min(model.preview.room[1] as f32 / fit[1] as f32);
    let grow = if grow < 1.05 { 1.0 } else { grow };
    let shown = vec2(fit[0] as f32, fit[1] as f32) * grow / pixels_per_point;
    let corner = (room.center() - shown / 2.0) * pixels_per_point;
    let place = Rect::from_min_size((corner.to_vec2().round() / pixels_per_point).to_pos2(), shown);
    let uv = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    ui.painter().image(texture, place, uv, Color32::WHITE);
    let name = format!("Preview of {}", model.status.source_name);
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &name));
}

fn message(ui: &Ui, rect: Rect, text: &str) {
    let palette = Palette::of(ui);
    let font = egui::TextStyle::Body.resolve(ui.style());
    ui.painter().text(rect.center(), Align2::CENTER_CENTER, text, font, palette.weak);
    let icon = egui::FontId::new(32.0, ICON_VISIBILITY_OFF.font_family());
    if text.starts_with("The preview is off") {
        let above = rect.center() - vec2(0.0, 34.0);
        ui.painter().text(above, Align2::CENTER_CENTER, ICON_VISIBILITY_OFF.codepoint, icon, palette.weak);
    }
}

fn status_line_ui(ui: &mut Ui, model: &Model, actions: &mut Vec<Action>) {
    let palette = Palette::of(ui);
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        if widgets::icon_button(ui, ICON_PHOTO_CAMERA, "Save snapshot").clicked() {
            actions.push(Action::File(FileJob::Browse(FilePurpose::SaveSnapshot)));
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let status = &model.status;
            let name = if status.source_name.is_empty() { "No picture yet" } else { &status.source_name };
            ui.label(RichText::new(name).color(palette.strong));
            if matches!(status.capture, CaptureState::StandIn(_)) {
                widgets::pill(ui, "stand-in", palette.warning_soft, palette.warning_text);
            }
            let mut parts = Vec::new();
            if let Some(size) = status.source_size {
                parts.push(format!("{} × {}", size.width, size.height));
            }
            if let Some(size) = status.output_size.filter(|size| Some(*size) != status.source_size) {
                parts.push(format!("filtered {} × {}", size.width, size.height));
            }
            if status.capture != CaptureState::Idle {
                parts.push(format!("{:.0} fps", status.captured_fps));
            }
            widgets::truncated(ui, RichText::new(parts.join(" · ")).small().color(palette.weak));
        });
    });
}
