//! Letting people in: the link, the code, who is there with what rights, programs with tokens, and the log.

use egui::{Align, Button, ComboBox, Frame, Grid, Key, Label, Layout, RichText, ScrollArea, TextEdit, Ui};
use egui_material_icons::icons::{ICON_CLOSE, ICON_CONTENT_COPY, ICON_GROUP_ADD};

use super::heading;
use crate::app::action::{Action, Edit, FileJob, FilePurpose};
use crate::app::model::{Model, Overlay};
use crate::app::theme::{self, Palette};
use crate::app::widgets;
use crate::engine::{Command, DoorView, Event, GuestInfo, Role, Roles, ShareState};
use crate::settings::Entry;

/// Sizes in points.
const HEIGHT: f32 = 560.0;
const CODE_SIDE: f32 = 128.0;
const LOG_HEIGHT: f32 = 110.0;
const NAME_WIDTH: f32 = 130.0;
/// Characters that a name has at most.
const LONGEST_NAME: usize = 40;
/// Lines of the log that are shown; all of them are in the file.
const LOG_LINES: usize = 60;

/// What is typed for a token that is not made yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenForm {
    pub name: String,
    pub role: Role,
    pub origin: String,
}

impl Default for TokenForm {
    fn default() -> Self {
        Self { name: String::new(), role: Role::Watch, origin: String::new() }
    }
}

/// The way into the overlay.
pub fn people_button_ui(ui: &mut Ui, model: &mut Model) {
    let text = (widgets::icon_text(ICON_GROUP_ADD, 15.0), "Let someone in…");
    if ui.add(Button::new(text).gap(4.0)).accessible_name("Let someone in").clicked() {
        model.overlay = Some(Overlay::People(TokenForm::default()));
    }
}

/// The overlay; true when it is done.
pub fn people_ui(ui: &mut Ui, model: &mut Model, form: &mut TokenForm, actions: &mut Vec<Action>) -> bool {
    let palette = Palette::of(ui);
    let mut done = false;
    ui.horizontal(|ui| {
        ui.heading(RichText::new("Who comes in").color(palette.strong));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            done = widgets::icon_button(ui, ICON_CLOSE, "Close people").clicked();
        });
    });
    ScrollArea::vertical().id_salt("people").max_height(HEIGHT).auto_shrink([false, true]).show(ui, |ui| {
        invite_ui(ui, model, actions);
        let door = std::sync::Arc::clone(&model.status.door);
        section(ui, "Here now");
        guests_ui(ui, model, &door, actions);
        section(ui, "Programs");
        tokens_ui(ui, &door, form, actions);
        section(ui, "Log");
        log_ui(ui, &door, actions);
        if !door.fingerprint.is_empty() {
            section(ui, "Secure address");
            secure_ui(ui, model, &door);
        }
    });
    done
}

fn section(ui: &mut Ui, title: &str) {
    ui.add_space(theme::SPACE_S);
    ui.separator();
    heading(ui, title);
}

fn entry_text(entry: Entry) -> &'static str {
    match entry {
        Entry::Approve => "I am asked about everybody",
        Entry::Invited => "Whoever I give a link or the code",
        Entry::Link => "Whoever has the standing link",
    }
}

fn invite_ui(ui: &mut Ui, model: &mut Model, actions: &mut Vec<Action>) {
    let palette = Palette::of(ui);
    let entry = model.settings.share.entry;
    ui.horizontal(|ui| {
        let combo = ComboBox::from_id_salt("entry").selected_text(entry_text(entry)).width(260.0);
        let response = combo.show_ui(ui, |ui| {
            for choice in [Entry::Approve, Entry::Invited, Entry::Link] {
                if ui.selectable_label(choice == entry, entry_text(choice)).clicked() && choice != entry {
                    actions.push(Edit::Entry(choice).into());
                }
            }
        });
        response.response.accessible_name("Who comes in");
    });
    let Some(link) = model.link().map(str::to_owned) else {
        widgets::note(ui, "Share the picture first: then there is a link here, and a code.");
        return;
    };
    ui.horizontal_top(|ui| {
        model.qr.show(ui, &link, CODE_SIDE);
        ui.vertical(|ui| {
            let door = std::sync::Arc::clone(&model.status.door);
            if entry == Entry::Link {
                let text = "The link holds until Lenscast ends. Whoever has it may do whatever you allow.";
                ui.add(Label::new(RichText::new(text).color(palette.weak)).wrap());
            } else {
                let seconds = door.invitation.as_ref().map_or(0, |(_, seconds)| *seconds);
                let text = format!("The link and its picture let one person in, for {seconds} s.");
                ui.add(Label::new(RichText::new(text).color(palette.weak)).wrap());
            }
            ui.horizontal(|ui| {
                let copy = Button::new((widgets::icon_text(ICON_CONTENT_COPY, 14.0), "Copy")).gap(4.0);
                if ui.add(copy).accessible_name("Copy the link to hand out").clicked() {
                    ui.ctx().copy_text(link.clone());
                    actions.push(Action::Tell(Event::Info("The link is on the clipboard".to_owned())));
                }
                if entry != Entry::Link && ui.button("New link").clicked() {
                    actions.push(Action::Ask(Command::Invite));
                }
            });
            if let Some((code, seconds)) = &door.code {
                ui.add_space(theme::SPACE_XS);
                ui.label(RichText::new("Or they open the address and type the code:").color(palette.weak));
                ui.horizontal(|ui| {
                    let digits = format!("{} {}", code.get(..4).unwrap_or(code), code.get(4..).unwrap_or_default());
                    ui.label(RichText::new(digits).monospace().size(22.0).color(palette.strong));
                    ui.label(RichText::new(format!("for {}:{:02}", seconds / 60, seconds % 60)).color(palette.weak));
                    if ui.button("New code").clicked() {
                        actions.push(Action::Ask(Command::RenewCode));
                    }
                });
            }
        });
    });
}

/// What each right is called in the window.
fn right_text(role: Role) -> &'static str {
    match role {
        Role::Watch => "watch",
        Role::Point => "point",
        Role::Click => "click",
        Role::Type => "type",
        Role::Tune => "tune",
    }
}

fn guests_ui(ui: &mut Ui, model: &Model, door: &DoorView, actions: &mut Vec<Action>) {
    let palette = Palette::of(ui);
    if door.guests.is_empty() && door.devices.is_empty() {
        widgets::note(ui, "Nobody was let in yet. Who uses the standing link is in the list of viewers only.");
    }
    for guest in &door.guests {
        ui.push_id(guest.id, |ui| guest_ui(ui, model, guest, actions));
    }
    // A device whose guest is here goes with its guest.
    let away = door
        .devices
        .iter()
        .filter(|device| !door.guests.iter().any(|guest| guest.remembered && guest.visitor.name == device.name));
    for (at, device) in away.enumerate() {
        ui.push_id(("device", at), |ui| {
            ui.horizontal(|ui| {
                let text = format!("{}, remembered since {}: {}", device.name, device.made, device.roles);
                ui.label(RichText::new(text).color(palette.weak));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let forget = ui.button("Forget").accessible_name(format!("Forget {} {}", device.name, at + 1));
                    if forget.clicked() {
                        actions.push(Action::Ask(Command::ForgetDevice { device: device.digest }));
                    }
                });
            });
        });
    }
}

fn guest_ui(ui: &mut Ui, model: &Model, guest: &GuestInfo, actions: &mut Vec<Action>) {
    let palette = Palette::of(ui);
    let visitor = &guest.visitor;
    // Two people may have one name.
    let who = format!("{} ({})", visitor.name, guest.id);
    ui.horizontal(|ui| {
        let browser = visitor.browser.as_deref().unwrap_or("unknown program");
        let about = format!("{browser}, {}", visitor.address);
        if let Some(name) = name_ui(ui, &visitor.name, (&who, &about)) {
            actions.push(Action::Ask(Command::RenameGuest { guest: guest.id, name }));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.button("Remove").accessible_name(format!("Remove {who}")).clicked() {
                actions.push(Action::Ask(Command::RemoveGuest { guest: guest.id }));
            }
            for role in [Role::Tune, Role::Type, Role::Click, Role::Point] {
                let has = guest.roles.has(role);
                let toggle = ui.selectable_label(has, right_text(role));
                if toggle.accessible_name(format!("{who} may {}", right_text(role))).clicked() {
                    actions.push(Action::Ask(Command::SetRole { guest: guest.id, role, given: !has }));
                    if !has {
                        switch_on(model, Roles::NONE.with(role), actions);
                    }
                }
            }
            ui.label(RichText::new("may watch and").small().color(palette.weak));
        });
    });
}

/// A name that can be typed over where it stands; gives the new one once that is done. Escape leaves it as it was.
fn name_ui(ui: &mut Ui, name: &str, (who, about): (&str, &str)) -> Option<String> {
    let id = ui.scope_id().with("name");
    // What is typed is nobody's name yet, and the guest's own one may change meanwhile.
    let mut text = ui.data(|data| data.get_temp::<String>(id)).unwrap_or_else(|| name.to_owned());
    let field = TextEdit::singleline(&mut text).id(id).char_limit(LONGEST_NAME).desired_width(NAME_WIDTH);
    let field = field.frame(Frame::NONE).text_color(Palette::of(ui).strong);
    let response = ui.add(field).accessible_name(format!("Name of {who}"));
    let response = response.on_hover_text(format!("{about}. Click to call it something else."));
    if response.has_focus() {
        ui.data_mut(|data| data.insert_temp(id, text));
        return None;
    }
    ui.data_mut(|data| data.remove::<String>(id));
    let meant = response.lost_focus() && !ui.input(|input| input.key_pressed(Key::Escape));
    let text = text.trim();
    (meant && !text.is_empty() && text != name).then(|| text.to_owned())
}

/// A right that is given while the host's own switch forbids it would be none.
fn switch_on(model: &Model, roles: Roles, actions: &mut Vec<Action>) {
    let share = &model.settings.share;
    if (roles.has(Role::Click) || roles.has(Role::Type)) && !share.control {
        actions.push(Edit::Control(true).into());
    }
    if roles.has(Role::Tune) && !share.tune {
        actions.push(Edit::Tune(true).into());
    }
}

fn tokens_ui(ui: &mut Ui, door: &DoorView, form: &mut TokenForm, actions: &mut Vec<Action>) {
    let palette = Palette::of(ui);
    widgets::note(
        ui,
        "Home Assistant, VLC, OBS and others come in with a token of their own, as Bearer or as the password. It holds \
         until you remove it.",
    );
    for token in &door.tokens {
        ui.horizontal(|ui| {
            let pages =
                if token.origins.is_empty() { String::new() } else { format!(", in {}", token.origins.join(", ")) };
            widgets::truncated(ui, format!("{}: {}{pages}", token.name, token.roles));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if ui.button("Remove").accessible_name(format!("Remove token {}", token.name)).clicked() {
                    actions.push(Action::Ask(Command::RemoveToken { name: token.name.clone() }));
                }
            });
        });
    }
    if let Some(made) = &door.new_token {
        ui.add(
            Label::new(RichText::new(format!("The token for “{}”, shown this once:", made.name)).color(palette.strong))
                .wrap(),
        );
        ui.horizontal(|ui| {
            ui.label(RichText::new(&made.secret).monospace().color(palette.strong));
            if ui.button("Copy").accessible_name("Copy the token").clicked() {
                ui.ctx().copy_text(made.secret.clone());
                actions.push(Action::Tell(Event::Info("The token is on the clipboard".to_owned())));
            }
            if ui.button("Hide").accessible_name("Hide the token").clicked() {
                actions.push(Action::Ask(Command::HideNewToken));
            }
        });
        return;
    }
    Grid::new("new token").num_columns(2).spacing([theme::SPACE_S, theme::SPACE_XS]).show(ui, |ui| {
        ui.label("New token for");
        ui.horizontal(|ui| {
            let name = TextEdit::singleline(&mut form.name).hint_text("Home Assistant").desired_width(150.0);
            ui.add(name).accessible_name("Name of the token");
            let combo = ComboBox::from_id_salt("token role").selected_text(format!("to {}", right_text(form.role)));
            let response = combo.width(90.0).show_ui(ui, |ui| {
                for role in [Role::Watch, Role::Click, Role::Tune] {
                    ui.selectable_value(&mut form.role, role, format!("to {}", right_text(role)));
                }
            });
            response.response.accessible_name("Right of the token");
            if ui.add_enabled(!form.name.trim().is_empty(), Button::new("Make token")).clicked() {
                let origins = Some(form.origin.trim()).filter(|origin| !origin.is_empty());
                actions.push(Action::Ask(Command::AddToken {
                    name: form.name.clone(),
                    roles: Roles::WATCH.with(form.role),
                    origins: origins.map(str::to_owned).into_iter().collect(),
                }));
                *form = TokenForm::default();
            }
        });
        ui.end_row();
        ui.label("Shown in the page");
        let origin = TextEdit::singleline(&mut form.origin).hint_text("http://homeassistant.local:8123, or nothing");
        ui.add(origin.desired_width(330.0)).accessible_name("Page that may show the picture");
        ui.end_row();
    });
}

fn log_ui(ui: &mut Ui, door: &DoorView, actions: &mut Vec<Action>) {
    let palette = Palette::of(ui);
    if door.log.is_empty() {
        widgets::note(ui, "Nobody came yet since Lenscast was started.");
    } else {
        ScrollArea::vertical().id_salt("log").max_height(LOG_HEIGHT).stick_to_bottom(true).show(ui, |ui| {
            for line in &door.log[door.log.len().saturating_sub(LOG_LINES)..] {
                let text = RichText::new(format!("{}  {}", line.at, line.text)).small().color(palette.text);
                ui.add(Label::new(text).wrap());
            }
        });
    }
    if ui.button("Export log…").clicked() {
        actions.push(Action::File(FileJob::Browse(FilePurpose::ExportLog)));
    }
}

fn secure_ui(ui: &mut Ui, model: &Model, door: &DoorView) {
    let palette = Palette::of(ui);
    let base = match &model.status.share {
        ShareState::On { links, .. } => links.first().and_then(|link| link.rsplit_once('/')).map(|(base, _)| base),
        ShareState::Off | ShareState::Failed(_) => None,
    };
    let address = base.map(|base| base.replacen("http://", "https://", 1)).unwrap_or_default();
    let text = format!(
        "{address}/ is encrypted, and lets the page use the clipboard. Browsers warn of its certificate, because nobody \
         but you knows it; compare its SHA-256 fingerprint:"
    );
    ui.add(Label::new(RichText::new(text).color(palette.weak)).wrap());
    ui.add(Label::new(RichText::new(&door.fingerprint).monospace().small().color(palette.strong)).wrap());
}

/// Whoever asks to come in, over everything else. There is no way to close it but an answer, and for a moment no
/// answer is taken, so that a click meant for something else lets nobody in.
pub fn prompt_ui(ui: &mut Ui, model: &mut Model, actions: &mut Vec<Action>) {
    let palette = Palette::of(ui);
    let door = std::sync::Arc::clone(&model.status.door);
    let Some(prompt) = &door.prompt else { return };
    let visitor = &prompt.visitor;
    ui.heading(RichText::new(format!("{} asks to come in", visitor.name)).color(palette.strong));
    ui.add_space(theme::SPACE_XS);
    Grid::new("who asks").num_columns(2).spacing([theme::SPACE_L, theme::SPACE_XS]).show(ui, |ui| {
        for (name, value) in [
            ("From", visitor.address.to_string()),
            ("With", visitor.browser.clone().unwrap_or_else(|| "an unknown program".to_owned())),
            ("Would like to", prompt.wished.to_string()),
        ] {
            ui.label(RichText::new(name).color(palette.weak));
            ui.label(RichText::new(value).color(palette.strong));
            ui.end_row();
        }
    });
    ui.add_space(theme::SPACE_XS);
    let sentence = "It comes back without asking, with the same rights, until you forget it.";
    if widgets::switch_row(ui, model.remembers, "Remember this device", sentence) {
        model.remembers = !model.remembers;
    }
    ui.add_space(theme::SPACE_S);
    let ready = model.prompt_is_ready();
    ui.add_enabled_ui(ready, |ui| {
        ui.horizontal(|ui| {
            let fill = |text: &str, color| Button::new(RichText::new(text).color(palette.on_fill)).fill(color);
            let mut answer = |roles: Option<Roles>| {
                let remember = model.remembers;
                let verdict = match roles {
                    Some(roles) => crate::engine::Verdict::Allow { roles, remember },
                    None => crate::engine::Verdict::Deny,
                };
                actions.push(Action::Ask(Command::Answer { request: prompt.id, verdict }));
                if let Some(roles) = roles {
                    switch_on(model, roles, actions);
                }
            };
            if ui.add(fill("Allow watching", palette.accent)).clicked() {
                answer(Some(Roles::WATCH));
            }
            if ui.add(fill("Allow clicking", palette.live)).clicked() {
                answer(Some(Roles::WATCH.with(Role::Click)));
            }
            if ui.button("Deny").clicked() {
                answer(None);
            }
        });
    });
    ui.add_space(theme::SPACE_XS);
    let others = match door.waiting.saturating_sub(1) {
        0 => String::new(),
        1 => " One more waits.".to_owned(),
        more => format!(" {more} more wait."),
    };
    widgets::note(ui, format!("No answer within {} s is a no.{others}", prompt.seconds_left));
}
