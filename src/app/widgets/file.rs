//! The control of a parameter that is a file: a path to type, and a button for the system's dialog.

use egui::{Align2, Button, Key, Margin, Stroke, TextEdit, Ui, vec2};

use super::param::Wish;
use crate::app::model::typed_path;
use crate::app::theme::{self, Palette};
use crate::filter::{ParamKind, ParamValue};

const BUTTON_WIDTH: f32 = 78.0;

/// Shows the path. What is typed counts when the field is left or Enter is pressed: half a path names no file.
pub fn file_ui(ui: &mut Ui, name: &str, path: &str) -> Option<Wish> {
    let id = ui.make_persistent_id(name);
    let mut text = ui.data(|data| data.get_temp::<String>(id)).unwrap_or_else(|| path.to_owned());
    let room = (ui.available_width() - BUTTON_WIDTH - theme::SPACE_S).max(40.0);
    ui.spacing_mut().interact_size.y = theme::NUMBER_HEIGHT;
    ui.spacing_mut().button_padding.y = 1.0;
    let edit = ui
        .scope(|ui| {
            // On a light card the field is as white as the card.
            ui.visuals_mut().widgets.inactive.bg_stroke = Stroke::new(1.0, Palette::of(ui).edge);
            let edit = TextEdit::singleline(&mut text).hint_text("No file").char_limit(ParamKind::MOST_TEXT);
            let edit =
                edit.margin(Margin::symmetric(6, 1)).align(Align2::LEFT_CENTER).clip_text(true).id(id.with("edit"));
            ui.add_sized(vec2(room, theme::NUMBER_HEIGHT), edit)
        })
        .inner
        .accessible_name(name);
    let edit = if path.is_empty() { edit } else { edit.on_hover_text(path) };
    if edit.has_focus() {
        ui.data_mut(|data| data.insert_temp(id, text.clone()));
    } else {
        ui.data_mut(|data| data.remove::<String>(id));
    }
    let button = ui.add_sized(vec2(BUTTON_WIDTH, theme::NUMBER_HEIGHT), Button::new("Choose…"));
    if button.accessible_name(format!("Choose {name}")).clicked() {
        return Some(Wish::Choose);
    }
    let given_up = ui.input(|input| input.key_pressed(Key::Escape));
    if !edit.lost_focus() || given_up || text == path {
        return None;
    }
    let typed = typed_path(&text).map_or_else(String::new, |path| path.to_string_lossy().into_owned());
    Some(Wish::Set(ParamValue::Text(typed)))
}
