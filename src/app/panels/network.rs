//! The network beyond the port: the port of WebRTC, other names of this computer, and servers that help through walls.

use egui::{Align, Align2, Button, Label, Layout, RichText, TextEdit, Ui};

use crate::app::action::{Action, Edit};
use crate::app::theme::{self, Palette};
use crate::app::widgets;
use crate::engine::host_name;
use crate::settings::{IceServer, Share};

/// Servers that fit; each viewer is told of all of them.
const MOST_SERVERS: usize = 4;

/// What is being typed; nothing of it counts before all of it is right.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NetworkForm {
    /// Empty where it is the same number as the port.
    pub udp_port: String,
    /// With spaces or commas between them.
    pub hosts: String,
    pub servers: Vec<IceServer>,
}

/// What the form says.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    pub udp_port: Option<u16>,
    pub hosts: Vec<String>,
    pub servers: Vec<IceServer>,
}

impl NetworkForm {
    pub fn of(share: &Share) -> Self {
        Self {
            udp_port: share.udp_port.map(|port| port.to_string()).unwrap_or_default(),
            hosts: share.hosts.join(", "),
            servers: share.ice_servers.clone(),
        }
    }

    /// # Errors
    /// A sentence for the user.
    pub fn read(&self) -> Result<Network, String> {
        let port = self.udp_port.trim();
        let udp_port = match port {
            "" => None,
            _ => Some(port.parse().map_err(|_| "A port is a number from 1 to 65535, or 0 for any that is free.")?),
        };
        let names = self.hosts.split([',', ' ']).map(str::trim).filter(|name| !name.is_empty());
        let host = |name| host_name(name).ok_or_else(|| format!("“{name}” is no name of a computer."));
        let hosts = names.map(host).collect::<Result<_, _>>()?;
        let servers: Vec<IceServer> =
            self.servers.iter().filter(|server| **server != IceServer::default()).cloned().collect();
        for server in &servers {
            server.check().map_err(|error| format!("“{}”: {error}.", server.url))?;
        }
        Ok(Network { udp_port, hosts, servers })
    }
}

/// The overlay; true when it is done.
pub fn network_ui(ui: &mut Ui, form: &mut NetworkForm, actions: &mut Vec<Action>) -> bool {
    let palette = Palette::of(ui);
    ui.heading(RichText::new("Network").color(palette.strong));
    let note = |ui: &mut Ui, text: &str| {
        ui.add_space(theme::SPACE_S);
        ui.add(Label::new(RichText::new(text).color(palette.weak)).wrap());
    };
    note(ui, "UDP port of WebRTC. Empty is the same number as the port; open both in a firewall.");
    widgets::line_edit(ui, &mut form.udp_port, "Same as the port", "UDP port");
    note(ui, "Other names of this computer, such as a proxy's. Requests for names that are not known are refused.");
    widgets::line_edit(ui, &mut form.hosts, "cast.example, cast.local", "Other names");
    note(ui, "STUN and TURN servers, for viewers beyond this network. Every viewer is told their passwords.");
    let mut removed = None;
    for (place, server) in form.servers.iter_mut().enumerate() {
        let number = place + 1;
        ui.horizontal(|ui| {
            let field = |ui: &mut Ui, text: &mut String, hint: &'static str, width: f32, hidden: bool| {
                let edit = TextEdit::singleline(text).password(hidden).hint_text(hint).desired_width(width);
                ui.add(edit.align(Align2::LEFT_CENTER)).accessible_name(format!("Server {number}: {hint}"));
            };
            field(ui, &mut server.url, "turn:host:3478", 160.0, false);
            field(ui, &mut server.username, "User", 80.0, false);
            field(ui, &mut server.credential, "Password", 80.0, true);
            if ui.button("Remove").accessible_name(format!("Remove server {number}")).clicked() {
                removed = Some(place);
            }
        });
    }
    if let Some(place) = removed {
        form.servers.remove(place);
    }
    if ui.add_enabled(form.servers.len() < MOST_SERVERS, Button::new("Add a server")).clicked() {
        form.servers.push(IceServer::default());
    }
    let read = form.read();
    ui.add_space(theme::SPACE_S);
    if let Err(mistake) = &read {
        ui.add(Label::new(RichText::new(mistake).color(palette.warning_text)).wrap());
        ui.add_space(theme::SPACE_S);
    }
    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
        let apply = Button::new(RichText::new("Apply").color(palette.on_fill)).fill(palette.accent);
        let applied = ui.add_enabled(read.is_ok(), apply).clicked();
        if let (true, Ok(network)) = (applied, read) {
            actions.push(Edit::Network(Box::new(network)).into());
        }
        applied | ui.button("Cancel").clicked()
    })
    .inner
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_read_and_mistakes_are_named() {
        let share = Share { udp_port: Some(9), hosts: vec!["a.example".to_owned()], ..Share::default() };
        let mut form = NetworkForm::of(&share);
        form.hosts += " B.example:80";
        form.servers.push(IceServer::default());
        let read = form.read().expect("all of it is right");
        assert_eq!((read.udp_port, read.servers.len()), (Some(9), 0));
        assert_eq!(read.hosts, ["a.example", "b.example"]);
        form.servers[0].url = "turn:turn.example".to_owned();
        assert!(form.read().unwrap_err().contains("a TURN server needs a user"));
        form.servers.clear();
        form.hosts = "ex(ample".to_owned();
        assert!(form.read().is_err() || host_name("ex(ample").is_some());
        form.udp_port = "70000".to_owned();
        assert!(form.read().unwrap_err().starts_with("A port is a number"));
    }
}
