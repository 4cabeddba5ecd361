//! Messages that show for a few seconds in a corner: what the engine did, and what went wrong.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use egui::{Align2, Area, Button, Frame, Id, Margin, Order, RichText, Stroke, Ui, vec2};
use egui_material_icons::icons::{ICON_CLOSE, ICON_ERROR, ICON_INFO, ICON_WARNING};

use super::action::Action;
use super::presets::Told;
use super::theme::{self, Palette};
use super::widgets;
use crate::engine::Event;

/// Messages on the screen at once; the oldest goes.
const MOST: usize = 4;
/// Long enough to read a sentence; failures stay longer.
const SHOWN: Duration = Duration::from_secs(5);
const SHOWN_FAILURE: Duration = Duration::from_secs(10);
/// In points.
const UNDO_WIDTH: f32 = 56.0;

/// Bounded, oldest first.
#[derive(Debug, Default)]
pub struct Toasts(VecDeque<Toast>);

#[derive(Debug)]
struct Toast {
    event: Event,
    until: Instant,
    undo: Option<Action>,
}

impl Toasts {
    /// Shows a message; one that is shown already is shown for longer instead.
    pub fn push(&mut self, event: Event, now: Instant) {
        self.offer(Told { event, undo: None }, now);
    }

    /// The same with a button that takes it back.
    pub fn offer(&mut self, told: Told, now: Instant) {
        let Told { event, undo } = told;
        // Only the last of a kind can be taken back: an earlier one would undo what the later one built on.
        let outdated = |toast: &Toast| match (&toast.undo, &undo) {
            (Some(old), Some(new)) => std::mem::discriminant(old) == std::mem::discriminant(new),
            _ => false,
        };
        self.0.retain(|toast| toast.event != event && !outdated(toast));
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        let short = matches!(event, Event::Info(_)) && undo.is_none();
        let shown = if short { SHOWN } else { SHOWN_FAILURE };
        self.0.push_back(Toast { event, until: now + shown, undo });
    }

    /// Paints, from `top` downwards, what is still to be shown, and asks for a repaint when the next one goes.
    pub fn show(&mut self, ui: &Ui, top: f32, now: Instant, actions: &mut Vec<Action>) {
        self.0.retain(|toast| toast.until > now);
        let Some(next) = self.0.iter().map(|toast| toast.until).min() else { return };
        ui.ctx().request_repaint_after(next.saturating_duration_since(now));
        // Over the picture, where they cover no control.
        let corner = vec2(-theme::FILTERS_WIDTH - theme::SPACE_L, top + theme::SPACE_L);
        let area = Area::new(Id::unique("toasts")).order(Order::Foreground).anchor(Align2::RIGHT_TOP, corner);
        let mut closed = None;
        area.show(ui.ctx(), |ui| {
            ui.set_max_width(360.0);
            for (index, toast) in self.0.iter().enumerate() {
                match toast_ui(ui, toast, index) {
                    Some(Answer::Close) => closed = Some(index),
                    Some(Answer::Undo) => {
                        actions.extend(toast.undo.clone());
                        closed = Some(index);
                    }
                    None => {}
                }
            }
        });
        if let Some(index) = closed {
            self.0.remove(index);
        }
    }

    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|toast| text(&toast.event))
    }
}

fn text(event: &Event) -> &str {
    match event {
        Event::Info(text) | Event::Warning(text) | Event::Error(text) => text,
    }
}

/// What the user does with a message.
enum Answer {
    Close,
    Undo,
}

fn toast_ui(ui: &mut Ui, toast: &Toast, index: usize) -> Option<Answer> {
    let palette = Palette::of(ui);
    let (icon, color) = match toast.event {
        Event::Info(_) => (ICON_INFO, palette.accent),
        Event::Warning(_) => (ICON_WARNING, palette.warning_text),
        Event::Error(_) => (ICON_ERROR, palette.live_text),
    };
    let frame = Frame::new()
        .fill(palette.card)
        .stroke(Stroke::new(1.0, palette.edge))
        .corner_radius(theme::RADIUS_CARD)
        .shadow(ui.visuals().popup_shadow)
        .inner_margin(Margin::symmetric(12, 8));
    frame
        .show(ui, |ui| {
            ui.horizontal_top(|ui| {
                ui.label(widgets::icon_text(icon, theme::ICON_SIZE).color(color));
                let undo = if toast.undo.is_some() { UNDO_WIDTH + theme::SPACE_S } else { 0.0 };
                let room = 360.0 - 24.0 - 2.0 * theme::ICON_BUTTON.x - 2.0 * theme::SPACE_S - undo;
                ui.vertical(|ui| {
                    ui.set_max_width(room);
                    ui.add_space(2.0);
                    ui.add(egui::Label::new(RichText::new(text(&toast.event)).color(palette.strong)).wrap());
                });
                let mut answer = None;
                if toast.undo.is_some() {
                    let button = ui.add_sized([UNDO_WIDTH, theme::ICON_BUTTON.y], Button::new("Undo"));
                    if button.accessible_name(format!("Undo: {}", text(&toast.event))).clicked() {
                        answer = Some(Answer::Undo);
                    }
                }
                if widgets::icon_button(ui, ICON_CLOSE, &format!("Close message {}", index + 1)).clicked() {
                    answer = Some(Answer::Close);
                }
                answer
            })
            .inner
        })
        .inner
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_message_twice_is_shown_once_and_the_oldest_goes() {
        let now = Instant::now();
        let mut toasts = Toasts::default();
        for text in ["a", "b", "a", "c", "d", "e"] {
            toasts.push(Event::Info(text.to_owned()), now);
        }
        assert_eq!(toasts.texts().collect::<Vec<_>>(), ["a", "c", "d", "e"]);
    }
}
