//! One panel of the window a file.

mod broadcast;
mod filters;
mod gallery;
mod network;
mod outgoing;
mod passes;
mod people;
mod preview;
mod sources;
mod top_bar;
mod viewers;

pub use broadcast::{broadcast_ui, control_banner_ui};
pub use filters::filters_ui;
pub use gallery::gallery_ui;
pub use network::{Network, NetworkForm, network_ui};
pub use outgoing::outgoing_ui;
pub use people::{TokenForm, people_ui, prompt_ui};
pub use preview::preview_ui;
pub use sources::sources_ui;
pub use top_bar::top_bar_ui;

use egui::{Frame, Margin, RichText, Stroke, Ui};

use super::theme::{self, Palette};

/// A card on a panel.
fn card(ui: &Ui) -> Frame {
    let palette = Palette::of(ui);
    Frame::new()
        .fill(palette.card)
        .stroke(Stroke::new(1.0, palette.line))
        .corner_radius(theme::RADIUS_CARD)
        .inner_margin(Margin::same(theme::SPACE_M as i8))
}

fn heading(ui: &mut Ui, text: &str) -> egui::Response {
    let palette = Palette::of(ui);
    ui.label(RichText::new(text).heading().color(palette.strong))
}
