//! Publishing to a server: its address, its token, and how it goes.

use egui::{Align, Align2, Button, Label, Layout, RichText, TextEdit, Ui};

use crate::app::action::{Action, Edit};
use crate::app::model::{Model, Overlay};
use crate::app::theme::{self, Palette};
use crate::app::widgets;
use crate::engine::{OutgoingState, OutgoingStatus, mistake_in};
use crate::settings::Outgoing;

/// The way into the overlay, which says how it goes while it does.
pub fn outgoing_row_ui(ui: &mut Ui, model: &mut Model) {
    let palette = Palette::of(ui);
    let on = model.settings.outgoing.on;
    let button = Button::new(if on { "Publishing…" } else { "Publish…" });
    let hint = match model.status.outgoing.sentence() {
        sentence if sentence.is_empty() => "To a media server, which serves the many".to_owned(),
        sentence => sentence,
    };
    if ui.add(button).accessible_name("Publish to a server").on_hover_text(&hint).clicked() {
        model.overlay = Some(Overlay::Outgoing(Box::new(model.settings.outgoing.clone())));
    }
    let (text, color) = match &model.status.outgoing.state {
        OutgoingState::Off => ("To a WHIP server.".to_owned(), palette.weak),
        OutgoingState::Connecting => ("Connecting…".to_owned(), palette.weak),
        OutgoingState::Connected { kbps, .. } => (format!("{:.1} Mbit/s", f64::from(*kbps) / 1e3), palette.weak),
        OutgoingState::Waiting { .. } => ("Trying again…".to_owned(), palette.warning_text),
        OutgoingState::Refused { .. } => ("Refused.".to_owned(), palette.live_text),
    };
    ui.label(RichText::new(text).small().color(color));
}

/// The overlay itself; true when it is done.
pub fn outgoing_ui(ui: &mut Ui, status: &OutgoingStatus, typed: &mut Outgoing, actions: &mut Vec<Action>) -> bool {
    let palette = Palette::of(ui);
    ui.heading(RichText::new("Publish to a server").color(palette.strong));
    let about = "Sends the picture to any server that speaks WHIP, which passes it on to as many viewers as it can.";
    ui.add(Label::new(RichText::new(about).color(palette.weak)).wrap());
    ui.add_space(theme::SPACE_S);
    ui.add_enabled_ui(!typed.on, |ui| {
        widgets::line_edit(ui, &mut typed.url, "https://media.example/live/whip", "Address of the server");
        ui.add_space(theme::SPACE_XS);
        let token = TextEdit::singleline(&mut typed.token).password(true).hint_text("Bearer token, if it wants one");
        ui.add(token.desired_width(f32::INFINITY).align(Align2::LEFT_CENTER)).accessible_name("Bearer token");
        ui.add_space(theme::SPACE_XS);
        let sentence = "Readable by whoever can read your files; otherwise it is gone when Lenscast ends.";
        if widgets::switch_row(ui, typed.keep_token, "Keep the token in the settings", sentence) {
            typed.keep_token = !typed.keep_token;
        }
    });
    ui.add_space(theme::SPACE_S);
    let mistake = if typed.url.trim().is_empty() { None } else { mistake_in(typed) };
    let (line, color) = match mistake {
        Some(mistake) => (mistake.to_owned(), palette.warning_text),
        None => match &status.state {
            OutgoingState::Refused { .. } | OutgoingState::Waiting { .. } => (status.sentence(), palette.warning_text),
            _ => (status.sentence(), palette.text),
        },
    };
    if !line.is_empty() {
        ui.add(Label::new(RichText::new(line).color(color)).wrap());
        ui.add_space(theme::SPACE_S);
    }
    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
        let (verb, fill) =
            if typed.on { ("Stop publishing", palette.live) } else { ("Start publishing", palette.accent) };
        let button = Button::new(RichText::new(verb).color(palette.on_fill)).fill(fill);
        let possible = typed.on || (mistake.is_none() && !typed.url.trim().is_empty());
        if ui.add_enabled(possible, button).clicked() {
            typed.on = !typed.on;
            actions.push(Edit::Outgoing(Box::new(typed.clone())).into());
        }
        let closed = ui.button("Close").clicked();
        if closed && !typed.on {
            // What was typed stays, for the next time.
            actions.push(Edit::Outgoing(Box::new(typed.clone())).into());
        }
        closed
    })
    .inner
}
