//! What the filters cost and how they run: a line on each card, the passes in order, and the offer of half the size.

use std::time::Duration;

use egui::{Align, CollapsingHeader, Frame, Layout, RichText, Ui};
use egui_material_icons::icons::ICON_SPEED;

use crate::app::action::{Action, Edit};
use crate::app::model::Model;
use crate::app::slowness::{duration_text, half_size_is_possible, names_of, sentence};
use crate::app::theme::{self, Palette};
use crate::app::widgets;
use crate::filter::Chain;
use crate::pipeline::PassReport;

/// Names on a card before the rest is only counted.
const MOST_NAMES: usize = 2;
/// Of the list of passes, in points.
const LINE_HEIGHT: f32 = 16.0;

/// Says that the filters are too slow for the source, and offers half the size.
pub fn slow_ui(ui: &mut Ui, model: &Model, chain: &Chain, names: &[String], actions: &mut Vec<Action>) {
    if !model.slowness.is_slow() {
        return;
    }
    let palette = Palette::of(ui);
    Frame::new().fill(palette.warning_soft).corner_radius(theme::RADIUS_CARD).inner_margin(8).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal_top(|ui| {
            ui.label(widgets::icon_text(ICON_SPEED, theme::ICON_SIZE).color(palette.warning_text));
            let text = RichText::new(sentence(&model.status, chain, names)).color(palette.warning_text);
            let dropped = model.status.frames.dropped;
            ui.add(egui::Label::new(text).wrap())
                .on_hover_text(format!("The newest frame is taken and the rest dropped: {dropped} since the start."));
        });
        if half_size_is_possible(chain) {
            let button = ui.button("Process at half size");
            let about = "Puts a filter at the front that halves the picture's sides; remove it to undo this.";
            if button.on_hover_text(about).clicked() {
                actions.push(Edit::HalfSize.into());
            }
        }
    });
    ui.add_space(theme::SPACE_XS);
}

/// What the pass of an item costs, and which others it does the work of; empty where nothing runs for it.
pub fn cost_text(passes: &[PassReport], key: u32, chain: &Chain, names: &[String]) -> String {
    let of_item: Vec<&PassReport> = passes.iter().filter(|pass| pass.keys.contains(&key)).collect();
    let took: Duration = of_item.iter().map(|pass| pass.took).sum();
    if took.is_zero() {
        return String::new();
    }
    let own = chain.items().iter().position(|item| item.key == key).and_then(|place| names.get(place));
    let mut others: Vec<&str> = of_item.iter().flat_map(|pass| names_of(pass, chain, names)).collect();
    others.retain(|name| Some(*name) != own.map(String::as_str));
    let mut cost = duration_text(took);
    if let Some(aside) = of_item.iter().find_map(|pass| pass.aside) {
        cost = format!("{cost}, beside the stream {}", duration_text(aside));
    }
    match others.len() {
        0 => cost,
        count if count > MOST_NAMES => {
            let more = count - MOST_NAMES + 1;
            format!("{cost} together with {} and {more} more", others[..MOST_NAMES - 1].join(", "))
        }
        _ => format!("{cost} together with {}", others.join(" and ")),
    }
}

/// What a filter remembers of earlier frames, as `12 of 512 MiB`.
pub fn memory_text(passes: &[PassReport], key: u32) -> Option<String> {
    let pass = passes.iter().find(|pass| pass.keys.contains(&key))?;
    let [now, most] = pass.memory?.map(|bytes| bytes.div_ceil(1 << 20));
    Some(format!("{now} of {most} MiB"))
}

/// The passes in the order in which they run, for whoever wants to know.
pub fn how_it_runs_ui(ui: &mut Ui, model: &Model, chain: &Chain, names: &[String]) {
    let palette = Palette::of(ui);
    let title = RichText::new("How it runs").small().color(palette.weak);
    CollapsingHeader::new(title).id_salt("how it runs").default_open(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        ui.spacing_mut().interact_size.y = LINE_HEIGHT;
        // The scroll bar floats over the right edge.
        ui.set_max_width(ui.available_width() - theme::SPACE_S);
        if model.status.passes.is_empty() {
            widgets::note(ui, "Nothing runs: the picture is passed on as it is captured.");
        }
        for (place, pass) in model.status.passes.iter().enumerate() {
            ui.horizontal(|ui| {
                let size = format!("{} × {}", pass.size.width, pass.size.height);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    ui.label(RichText::new(duration_text(pass.took)).small().color(palette.text));
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        let what = names_of(pass, chain, names).join(", ");
                        let text = RichText::new(format!("{}. {what}", place + 1)).small().color(palette.text);
                        widgets::truncated(ui, text).on_hover_text(&size);
                    });
                });
            });
            let memory = pass.memory.map(|[now, _]| format!(" · remembers {} MiB", now.div_ceil(1 << 20)));
            let about = format!("{} · {} × {}", pass.kind.describe(), pass.size.width, pass.size.height);
            widgets::note(ui, about + &memory.unwrap_or_default());
        }
        if model.status.passes.is_empty() {
            return;
        }
        let total: Duration = model.status.passes.iter().map(|pass| pass.took).sum();
        widgets::note(ui, format!("All together {}", duration_text(total)));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::create;
    use crate::geometry::Size;
    use crate::pipeline::PassKind;

    #[test]
    fn a_card_says_what_its_pass_costs_and_with_whom() {
        let mut chain = Chain::default();
        for id in ["hue", "invert", "gamma", "crop", "exposure"] {
            chain.add(create(id).unwrap());
        }
        let names = ["Hue", "Invert", "Gamma", "Crop", "Exposure"].map(str::to_owned);
        let pass = |keys: &[u32], us: u64, memory| PassReport {
            keys: keys.to_vec(),
            kind: PassKind::Neighbourhood,
            size: Size::new(8, 8),
            took: Duration::from_micros(us),
            memory,
            aside: None,
        };
        let text = |passes: &[PassReport], key| cost_text(passes, key, &chain, &names);
        let fused = [pass(&[1, 2], 1_240, None), pass(&[4], 0, None)];
        assert_eq!(text(&fused, 1), "1.2 ms together with Invert");
        assert_eq!((text(&fused, 4), text(&fused, 3)), (String::new(), String::new()));
        assert_eq!(text(&[pass(&[1, 2, 3], 12_000, None)], 2), "12 ms together with Hue and Gamma");
        assert_eq!(text(&[pass(&[1, 2, 3, 5], 9_960, None)], 2), "10 ms together with Hue and 2 more");
        let beside = PassReport { aside: Some(Duration::from_millis(140)), ..pass(&[4], 400, None) };
        assert_eq!(text(&[beside], 4), "0.4 ms, beside the stream 140 ms");
        let remembers = [pass(&[4], 100, Some([12 << 20, 512 << 20]))];
        assert_eq!(memory_text(&remembers, 4).as_deref(), Some("12 of 512 MiB"));
        assert_eq!(memory_text(&remembers, 1), None);
    }
}
