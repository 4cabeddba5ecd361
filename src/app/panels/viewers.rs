//! Who watches, with what, and what the encoders do for them.

use egui::{
    Align, Align2, Button, Label, Layout, Popup, Rect, RichText, Role, ScrollArea, Sense, TextStyle, Ui, WidgetInfo,
    pos2, vec2,
};
use egui_material_icons::icons::{ICON_LEFT_CLICK, ICON_LOGOUT};

use super::heading;
use super::people::people_button_ui;
use crate::app::action::Action;
use crate::app::model::{HISTORY_SECONDS, Model, bitrate_text, or_dash};
use crate::app::theme::{self, Palette};
use crate::app::viewer_history::{Trace, ViewerHistory};
use crate::app::widgets;
use crate::engine::{Command, EncoderStatus, Rung, ShareState, Transport, ViewerInfo};

/// Width in points of each column after the viewer: bitrate, frame rate, delay, round trip, loss, disconnect.
const COLUMNS: [f32; 6] = [52.0, 34.0, 54.0, 48.0, 44.0, 28.0];
const TITLES: [&str; 6] = ["kbit/s", "fps", "Delay ms", "RTT ms", "Loss %", ""];
const ROW_HEIGHT: f32 = 38.0;
/// The upper part of a row, which has the figures; below it are their plots.
const FIGURE_HEIGHT: f32 = 20.0;

pub fn viewers_ui(ui: &mut Ui, model: &mut Model, actions: &mut Vec<Action>) {
    let palette = Palette::of(ui);
    ui.horizontal(|ui| {
        heading(ui, "Viewers");
        widgets::pill(ui, &model.status.viewers.len().to_string(), palette.control, palette.text);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| people_button_ui(ui, model));
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
        for (viewer, who) in model.status.viewers.iter().zip(names(&model.status.viewers)) {
            ui.push_id(viewer.id, |ui| viewer_ui(ui, (viewer, &who), &model.viewer_history, actions));
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
    ui.painter().text(columns[0].left_center(), Align2::LEFT_CENTER, "Viewer", font.clone(), palette.weak);
    for (column, title) in columns[1..].iter().zip(TITLES) {
        ui.painter().text(figure_place(*column), Align2::RIGHT_CENTER, title, font.clone(), palette.weak);
    }
    ui.painter().hline(row.x_range(), row.bottom() + 1.0, egui::Stroke::new(1.0, palette.line));
}

/// Figures end at the right of their column.
fn figure_place(column: Rect) -> egui::Pos2 {
    column.right_center() - vec2(theme::SPACE_XS, 0.0)
}

fn viewer_ui(ui: &mut Ui, (viewer, who): (&ViewerInfo, &str), history: &ViewerHistory, actions: &mut Vec<Action>) {
    let palette = Palette::of(ui);
    let may_choose = viewer.transport != Transport::Mjpeg;
    let sense = if may_choose { Sense::click() } else { Sense::hover() };
    let (row, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW_HEIGHT), sense);
    let columns = columns(row);
    who_ui(ui, columns[0], viewer);
    let figures: [(Option<Trace>, &str, Option<f32>, usize); 5] = [
        (Some(Trace::Bitrate), "kbit/s", Some(viewer.kbps), 0),
        (None, "frames a second", viewer.fps, 0),
        (Some(Trace::Delay), "ms delay", viewer.delay_ms, 0),
        (Some(Trace::RoundTrip), "ms round trip", viewer.round_trip_ms, 0),
        (Some(Trace::Loss), "% lost", viewer.loss_percent, 0),
    ];
    let font = TextStyle::Body.resolve(ui.style());
    for (column, (trace, unit, figure, decimals)) in columns[1..].iter().zip(figures) {
        let top = Rect::from_min_max(column.min, pos2(column.right(), column.top() + FIGURE_HEIGHT));
        let text = or_dash(figure, decimals);
        ui.painter().text(figure_place(top), Align2::RIGHT_CENTER, &text, font.clone(), palette.text);
        let name = format!("{who}: {text} {unit}");
        let place = match trace {
            Some(_) => Rect::from_min_max(pos2(column.left() + 10.0, top.bottom()), column.max - vec2(4.0, 5.0)),
            None => top,
        };
        let past = trace.map(|trace| history.figures(viewer.id, trace)).unwrap_or_default();
        widgets::sparkline(ui, place, &past, HISTORY_SECONDS, &name);
    }
    let mut end =
        ui.new_child(egui::UiBuilder::new().max_rect(columns[6]).layout(Layout::right_to_left(Align::Center)));
    if widgets::icon_button(&mut end, ICON_LOGOUT, &format!("Disconnect {who}")).clicked() {
        actions.push(Action::Ask(Command::Disconnect { viewer: viewer.id }));
    }
    if may_choose {
        let name = format!("Size for {who}");
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
        Popup::menu(&response).show(|ui| sizes_ui(ui, viewer, who, actions));
    }
    let estimate = viewer.estimate_kbps.map(|kbps| format!("; the way carries about {}", bitrate_text(kbps)));
    response.on_hover_text(format!(
        "{}{}\n{} frames sent, {} skipped because newer ones were there{}{}{}",
        described(viewer),
        if viewer.pinned.is_some() { ", chosen here" } else { "" },
        viewer.sent,
        viewer.skipped,
        estimate.unwrap_or_default(),
        if viewer.controls { "; moves the pointer" } else { "" },
        if may_choose { "\nClick to choose the size" } else { "" }
    ));
}

/// Which size this viewer gets.
fn sizes_ui(ui: &mut Ui, viewer: &ViewerInfo, who: &str, actions: &mut Vec<Action>) {
    let sizes = [
        ("Size as the way carries it", None),
        ("Full size", Some(Rung::Full)),
        ("Half size", Some(Rung::Half)),
        ("Quarter size", Some(Rung::Quarter)),
    ];
    for (text, rung) in sizes {
        let button = Button::new(text).selected(viewer.pinned == rung.map(Rung::id));
        if ui.add(button).accessible_name(format!("{text} for {who}")).clicked() {
            actions.push(Action::Ask(Command::Pin { viewer: viewer.id, rung }));
            ui.close();
        }
    }
}

/// The name, and below it where from and how.
fn who_ui(ui: &mut Ui, column: Rect, viewer: &ViewerInfo) {
    let palette = Palette::of(ui);
    let (upper, lower) = column.split_top_bottom_at_y(column.top() + FIGURE_HEIGHT);
    let line = |ui: &mut Ui, rect| {
        ui.new_child(egui::UiBuilder::new().max_rect(rect).layout(Layout::left_to_right(Align::Center)))
    };
    let mut name = line(ui, upper);
    name.spacing_mut().item_spacing.x = theme::SPACE_XS;
    if viewer.controls {
        name.label(widgets::icon_text(ICON_LEFT_CLICK, 14.0).color(palette.live_text));
    }
    let shown = viewer.name.clone().unwrap_or_else(|| viewer.address.to_string());
    widgets::truncated(&mut name, RichText::new(shown).color(palette.strong));
    let mut about = line(ui, lower.with_max_y(lower.bottom() - 3.0));
    widgets::truncated(&mut about, RichText::new(described(viewer)).small().color(palette.weak));
}

/// Name and address, to tell a viewer from the others.
pub fn called(viewer: &ViewerInfo) -> String {
    match &viewer.name {
        Some(name) => format!("{name}, {}", viewer.address),
        None => viewer.address.to_string(),
    }
}

/// A name for each viewer that no other has: the second tab of a browser is its `(2)`.
fn names(viewers: &[ViewerInfo]) -> Vec<String> {
    let called: Vec<String> = viewers.iter().map(called).collect();
    let numbered = |(place, name): (usize, &String)| {
        let earlier = called[..place].iter().filter(|other| *other == name).count();
        if earlier == 0 { name.clone() } else { format!("{name} ({})", earlier + 1) }
    };
    called.iter().enumerate().map(numbered).collect()
}

/// Where from and how.
fn described(viewer: &ViewerInfo) -> String {
    let transport = match viewer.transport {
        Transport::Webrtc => "WebRTC",
        Transport::Websocket => "WebSocket",
        Transport::Mjpeg => "MJPEG",
    };
    let mut parts = vec![viewer.address.to_string(), transport.to_owned()];
    if viewer.transport != Transport::Mjpeg {
        parts.push(codec_name(viewer.codec));
    }
    parts.extend(viewer.rung.map(|rung| format!("{rung} size")));
    parts.join(" · ")
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
        let gives_way = encoder.gives_way.as_ref().map_or_else(String::new, |sentence| format!("\n{sentence}"));
        label.on_hover_text(format!(
            "{} frames encoded, {} of them keyframes{gives_way}",
            encoder.encoded, encoder.keyframes
        ));
    }
}

/// The codec as people write it.
fn codec_name(id: &str) -> String {
    match id {
        "h264" => "H.264".to_owned(),
        other => other.to_uppercase(),
    }
}
