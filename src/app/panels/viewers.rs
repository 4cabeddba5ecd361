//! Who watches, with what, and what the encoders do for them.

use egui::{Align, Align2, Label, Layout, Rect, RichText, ScrollArea, Sense, TextStyle, Ui, pos2, vec2};
use egui_material_icons::icons::{ICON_LEFT_CLICK, ICON_LOGOUT};

use super::heading;
use crate::app::action::Action;
use crate::app::model::{HISTORY_SECONDS, Model, bitrate_text, or_dash};
use crate::app::theme::{self, Palette};
use crate::app::widgets;
use crate::engine::{Command, EncoderStatus, ShareState, Transport, ViewerInfo};

/// Width in points of each column after the address: transport, codec, kbit/s, fps, delay, disconnect.
const COLUMNS: [f32; 6] = [58.0, 44.0, 54.0, 38.0, 54.0, 30.0];
const TITLES: [&str; 6] = ["Transport", "Codec", "kbit/s", "fps", "Delay ms", ""];
const ROW_HEIGHT: f32 = 26.0;

pub fn viewers_ui(ui: &mut Ui, model: &Model, actions: &mut Vec<Action>) {
    let palette = Palette::of(ui);
    ui.horizontal(|ui| {
        heading(ui, "Viewers");
        widgets::pill(ui, &model.status.viewers.len().to_string(), palette.control, palette.text);
    });
    if model.status.viewers.is_empty() {
        let text = match model.status.share {
            ShareState::On { .. } => "Nobody watches yet. Open the link in any browser, or scan the code.",
            ShareState::Off | ShareState::Failed(_) => "Share the picture, and whoever watches is listed here.",
        };
        ui.add(Label::new(RichText::new(text).color(palette.weak)).wrap());
        return;
    }
    titles_ui(ui);
    ScrollArea::vertical().id_salt("viewers").auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for viewer in &model.status.viewers {
            viewer_ui(ui, viewer, actions);
        }
    });
}

/// The left and right end of each column in a row.
fn columns(row: Rect) -> [Rect; 7] {
    let mut right = row.right();
    let mut columns = [row; 7];
    for (index, width) in COLUMNS.iter().enumerate().rev() {
        columns[index + 1] = Rect::from_min_max(pos2(right - width, row.top()), pos2(right, row.bottom()));
        right -= width;
    }
    columns[0] = Rect::from_min_max(row.min, pos2(right - theme::SPACE_XS, row.bottom()));
    columns
}

fn titles_ui(ui: &mut Ui) {
    let palette = Palette::of(ui);
    let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), 16.0), Sense::hover());
    let columns = columns(row);
    let font = TextStyle::Small.resolve(ui.style());
    ui.painter().text(columns[0].left_center(), Align2::LEFT_CENTER, "Address", font.clone(), palette.weak);
    for (index, title) in TITLES.iter().enumerate() {
        let column = columns[index + 1];
        let (place, align) = placing(index, column);
        ui.painter().text(place, align, title, font.clone(), palette.weak);
    }
    ui.painter().hline(row.x_range(), row.bottom() + 1.0, egui::Stroke::new(1.0, palette.line));
}

/// Words begin at the left of their column, figures end at the right.
fn placing(index: usize, column: Rect) -> (egui::Pos2, Align2) {
    if index < 2 {
        (column.left_center(), Align2::LEFT_CENTER)
    } else {
        (column.right_center() - vec2(theme::SPACE_XS, 0.0), Align2::RIGHT_CENTER)
    }
}

fn viewer_ui(ui: &mut Ui, viewer: &ViewerInfo, actions: &mut Vec<Action>) {
    let palette = Palette::of(ui);
    let (row, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW_HEIGHT), Sense::hover());
    let columns = columns(row);
    let mut address =
        ui.new_child(egui::UiBuilder::new().max_rect(columns[0]).layout(Layout::left_to_right(Align::Center)));
    address.spacing_mut().item_spacing.x = theme::SPACE_XS;
    if viewer.controls {
        address.label(widgets::icon_text(ICON_LEFT_CLICK, 14.0).color(palette.live_text));
    }
    widgets::truncated(&mut address, RichText::new(viewer.address.to_string()).color(palette.strong));
    let transport = match viewer.transport {
        Transport::Webrtc => "WebRTC",
        Transport::Websocket => "WebSocket",
        Transport::Mjpeg => "MJPEG",
    };
    let figures = [
        transport.to_owned(),
        codec_name(viewer.codec),
        format!("{:.0}", viewer.kbps),
        or_dash(viewer.fps, 0),
        or_dash(viewer.delay_ms, 0),
    ];
    let font = TextStyle::Body.resolve(ui.style());
    for (index, figure) in figures.into_iter().enumerate() {
        let (place, align) = placing(index, columns[index + 1]);
        ui.painter().text(place, align, figure, font.clone(), palette.text);
    }
    let mut end =
        ui.new_child(egui::UiBuilder::new().max_rect(columns[6]).layout(Layout::right_to_left(Align::Center)));
    if widgets::icon_button(&mut end, ICON_LOGOUT, &format!("Disconnect {}", viewer.address)).clicked() {
        actions.push(Action::Ask(Command::Disconnect { viewer: viewer.id }));
    }
    response.on_hover_text(format!(
        "{} frames sent, {} skipped because newer ones were there{}",
        viewer.sent,
        viewer.skipped,
        if viewer.controls { "; moves the pointer" } else { "" }
    ));
}

/// The bitrate of the last minute, and a line for each encoder.
pub fn rates_ui(ui: &mut Ui, model: &mut Model) {
    let palette = Palette::of(ui);
    ui.horizontal(|ui| {
        heading(ui, "Bitrate");
        ui.label(RichText::new("Mbit/s, last minute").small().color(palette.weak));
    });
    let at_work = |encoder: &&EncoderStatus| encoder.viewers > 0;
    let lines = model.status.encoders.iter().filter(at_work).take(3).count() as f32;
    let height = (ui.available_height() - lines * 18.0 - theme::SPACE_XS).max(30.0);
    ui.allocate_ui(vec2(ui.available_width(), height), |ui| {
        widgets::rate_plot(ui, model.history.figures(), HISTORY_SECONDS, "Bitrate of the last minute");
    });
    ui.spacing_mut().item_spacing.y = 2.0;
    for encoder in model.status.encoders.iter().filter(at_work).take(3) {
        let viewers = if encoder.viewers == 1 { "1 viewer".to_owned() } else { format!("{} viewers", encoder.viewers) };
        let text = format!(
            "{} · {viewers} · {:.1} ms · {}",
            codec_name(encoder.codec),
            encoder.ms,
            bitrate_text(encoder.kbps)
        );
        let label = widgets::truncated(ui, RichText::new(text).small().color(palette.weak));
        label.on_hover_text(format!("{} frames encoded, {} of them keyframes", encoder.encoded, encoder.keyframes));
    }
}

/// The codec as people write it.
fn codec_name(id: &str) -> String {
    match id {
        "h264" => "H.264".to_owned(),
        other => other.to_uppercase(),
    }
}
