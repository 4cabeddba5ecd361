//! Sharing: the one big button, who can reach the picture, the link with its QR code, and the pointer.

use std::sync::Arc;

use egui::{Align, Button, DragValue, Label, Layout, RichText, Ui, vec2};
use egui_material_icons::icons::{ICON_CONTENT_COPY, ICON_LAN, ICON_LEFT_CLICK, ICON_PODCASTS};

use super::{NetworkForm, card, outgoing, viewers};
use crate::app::action::{Action, Edit};
use crate::app::model::{Model, Overlay};
use crate::app::theme::{self, Palette};
use crate::app::widgets;
use crate::capture::SourceKind;
use crate::engine::{Command, Event, ShareState};
use crate::settings::Reach;

/// Widths in points: the controls, the code, and from which width of the window there is room for the plot.
const CONTROLS_WIDTH: f32 = 300.0;
const PLOT_WIDTH: f32 = 280.0;
const PLOT_FROM: f32 = 1_200.0;

pub fn broadcast_ui(ui: &mut Ui, model: &mut Model, actions: &mut Vec<Action>) {
    let height = ui.available_height() - 2.0 * theme::SPACE_M - 2.0;
    let with_plot = ui.available_width() + 20.0 >= PLOT_FROM;
    ui.horizontal_top(|ui| {
        card(ui).show(ui, |ui| {
            ui.set_height(height);
            ui.horizontal_top(|ui| {
                ui.vertical(|ui| {
                    ui.set_width(CONTROLS_WIDTH);
                    share_ui(ui, model, actions);
                });
                code_ui(ui, model, height);
            });
        });
        let plot = if with_plot { PLOT_WIDTH + theme::SPACE_S } else { 0.0 };
        let width = ui.available_width() - plot - 2.0 * theme::SPACE_M - 2.0;
        card(ui).show(ui, |ui| {
            ui.set_height(height);
            ui.vertical(|ui| {
                ui.set_width(width);
                viewers::viewers_ui(ui, model, actions);
            });
        });
        if with_plot {
            card(ui).show(ui, |ui| {
                ui.set_height(height);
                ui.vertical(|ui| {
                    ui.set_width(PLOT_WIDTH - 2.0 * theme::SPACE_M - 2.0);
                    viewers::rates_ui(ui, model);
                });
            });
        }
    });
}

fn share_ui(ui: &mut Ui, model: &mut Model, actions: &mut Vec<Action>) {
    let palette = Palette::of(ui);
    let settings = Arc::clone(&model.settings);
    let share = &settings.share;
    let (name, fill) = if share.on { ("Stop sharing", palette.live) } else { ("Share", palette.accent) };
    if widgets::big_button(ui, name, fill, CONTROLS_WIDTH).clicked() {
        actions.push(Edit::Share(!share.on).into());
    }
    reach_ui(ui, model, actions);
    address_ui(ui, model, actions);
    ui.spacing_mut().item_spacing.y = 5.0;
    // Side by side, because the smallest window has no room for one more below.
    ui.columns(2, |columns| {
        let [left, right] = columns else { return };
        left.add_enabled_ui(share.on || share.control, |ui| {
            if widgets::switch_row(ui, share.control, "Allow control", "Who you let click.") {
                actions.push(Edit::Control(!share.control).into());
            }
        });
        right.add_enabled_ui(share.on || share.tune, |ui| {
            if widgets::switch_row(ui, share.tune, "Share the sliders", "Who you let tune.") {
                actions.push(Edit::Tune(!share.tune).into());
            }
        });
    });
    let watch_anyone = share.watch_anyone;
    ui.columns(2, |columns| {
        let [left, right] = columns else { return };
        if widgets::switch_row(left, watch_anyone, "Anyone may watch", "No secret; no clicks.") {
            actions.push(Edit::WatchAnyone(!watch_anyone).into());
        }
        right.horizontal(|ui| outgoing::outgoing_row_ui(ui, model));
    });
}

fn reach_ui(ui: &mut Ui, model: &mut Model, actions: &mut Vec<Action>) {
    let palette = Palette::of(ui);
    let share = &model.settings.share;
    let mut more = None;
    ui.horizontal(|ui| {
        let reach = share.reach;
        let combo = egui::ComboBox::from_id_salt("reach").selected_text(reach_text(reach)).width(140.0).truncate();
        let response = combo.show_ui(ui, |ui| {
            let mut choices = vec![Reach::Loopback, Reach::Network];
            if let Reach::Address(_) = reach {
                choices.push(reach);
            }
            for choice in choices {
                if ui.selectable_label(choice == reach, reach_text(choice)).clicked() && choice != reach {
                    actions.push(Edit::Reach(choice).into());
                }
            }
        });
        response.response.accessible_name("Who can reach it");
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if widgets::icon_button(ui, ICON_LAN, "Network").on_hover_text("Ports, names and servers").clicked() {
                more = Some(Overlay::Network(Box::new(NetworkForm::of(share))));
            }
            let mut port = share.port;
            let drag = DragValue::new(&mut port).range(0..=65_535).speed(1.0).update_while_editing(false);
            let drag = ui.add_sized([62.0, theme::CONTROL_HEIGHT], drag);
            drag.accessible_name("Port").on_hover_text("0 lets the system choose a free port");
            if port != share.port {
                actions.push(Edit::Port(port).into());
            }
            ui.label(RichText::new("Port").color(palette.weak));
        });
    });
    if more.is_some() {
        model.overlay = more;
    }
}

fn reach_text(reach: Reach) -> String {
    match reach {
        Reach::Loopback => "This computer only".to_owned(),
        Reach::Network => "This network".to_owned(),
        Reach::Address(address) => format!("Only {address}"),
    }
}

fn address_ui(ui: &mut Ui, model: &Model, actions: &mut Vec<Action>) {
    let palette = Palette::of(ui);
    ui.allocate_ui_with_layout(
        vec2(CONTROLS_WIDTH, theme::CONTROL_HEIGHT),
        Layout::left_to_right(Align::Center),
        |ui| {
            ui.set_min_size(vec2(CONTROLS_WIDTH, theme::CONTROL_HEIGHT));
            match (&model.status.share, model.link()) {
                (ShareState::Failed(reason), _) => {
                    ui.add(Label::new(RichText::new(reason).small().color(palette.live_text)).wrap());
                }
                (_, Some(link)) => {
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                        let copy = Button::new((widgets::icon_text(ICON_CONTENT_COPY, 14.0), "Copy link")).gap(4.0);
                        if ui.add(copy).accessible_name("Copy link").clicked() {
                            ui.ctx().copy_text(link.to_owned());
                            actions.push(Action::Tell(Event::Info("The link is on the clipboard".to_owned())));
                        }
                        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                            // The secret stays out of sight: somebody may look at this screen, or watch it.
                            let address = link.split(['#', '?']).next().unwrap_or(link);
                            widgets::truncated(ui, RichText::new(address).monospace().color(palette.strong));
                        });
                    });
                }
                (ShareState::Off | ShareState::On { .. }, None) => {
                    let text = if model.settings.share.on { "Starting…" } else { "Nothing is shared yet." };
                    ui.label(RichText::new(text).color(palette.weak));
                }
            }
        },
    );
}

/// The code, or what will be there.
fn code_ui(ui: &mut Ui, model: &mut Model, side: f32) {
    let link = model.link().map(str::to_owned);
    // The window is on the screen that is shared: whoever may watch without the secret must not scan it there.
    let leaks = model.settings.share.watch_anyone && model.settings.source.kind() == SourceKind::Screen;
    if let (Some(link), false) = (&link, leaks) {
        model.qr.show(ui, link, side);
        return;
    }
    let palette = Palette::of(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(side, side), egui::Sense::hover());
    let stroke = egui::Stroke::new(1.0, palette.line);
    ui.painter().rect_stroke(rect, theme::RADIUS_CARD, stroke, egui::StrokeKind::Inside);
    widgets::paint_icon(ui, ICON_PODCASTS, rect.center() - vec2(0.0, 26.0), 30.0, palette.weak);
    let below = egui::Rect::from_min_max(rect.left_center(), rect.max).shrink2(vec2(theme::SPACE_M, 0.0));
    let mut below = ui.new_child(egui::UiBuilder::new().max_rect(below).layout(Layout::top_down(Align::Center)));
    let text = if link.is_some() {
        "The code is hidden: it holds the link's secret, and anyone may watch this screen."
    } else {
        "Share to get a link and a code that a phone can scan."
    };
    widgets::note(&mut below, text);
}

/// Shown for as long as viewers may click: who has the control, and the ways out.
pub fn control_banner_ui(ui: &mut Ui, model: &Model, actions: &mut Vec<Action>) {
    let palette = Palette::of(ui);
    let control = &model.status.control;
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let stop = widgets::big_button(ui, "Stop control", palette.live, 140.0);
        if stop.on_hover_text("F8. Ctrl+Alt+Shift+Escape stops all sharing, wherever you are").clicked() {
            actions.push(Edit::Control(false).into());
        }
        let mut ask = |ui: &mut Ui, text: &str, hint: &str, command: Command| {
            if ui.button(text).on_hover_text(hint).clicked() {
                actions.push(Action::Ask(command));
            }
        };
        if control.unavailable.is_some() && !control.asking_desktop {
            ask(ui, "Ask again", "The desktop is asked again whether viewers may control it", Command::AskDesktop);
        }
        if control.taken {
            let hint = "Viewers can control this computer again";
            ask(ui, "Let viewers control", hint, Command::GiveControl { viewer: None });
        } else if control.holder.is_some() {
            ask(ui, "Take control", "Viewers can do nothing until you let them", Command::TakeControl);
        }
        if let Some(&asking) = control.asking.first() {
            let text = format!("Give control to {}", name_of(model, asking));
            ask(ui, &text, "This viewer asks for it", Command::GiveControl { viewer: Some(asking) });
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.label(widgets::icon_text(ICON_LEFT_CLICK, 20.0).color(palette.live_text));
            widgets::truncated(ui, RichText::new(control_text(model)).color(palette.live_text));
        });
    });
}

fn control_text(model: &Model) -> String {
    let control = &model.status.control;
    if control.asking_desktop {
        return "The desktop asks whether viewers may control it: answer its dialog.".to_owned();
    }
    if let Some(reason) = &control.unavailable {
        return format!("Control is allowed, but clicks can't be made here: {reason}");
    }
    match control.holder {
        _ if control.taken => "You have taken the control; viewers can do nothing until you let them.".to_owned(),
        _ if control.local => "You are using the mouse or keyboard; viewers wait for three seconds.".to_owned(),
        Some(viewer) if control.busy => format!("{} controls this computer now.", name_of(model, viewer)),
        Some(viewer) => format!("{} has the control of this computer.", name_of(model, viewer)),
        None => "Control is allowed: the first viewer who clicks gets it.".to_owned(),
    }
}

fn name_of(model: &Model, id: u64) -> String {
    let viewer = model.status.viewers.iter().find(|viewer| viewer.id == id);
    viewer.map_or_else(|| "a viewer without a picture".to_owned(), viewers::called)
}
