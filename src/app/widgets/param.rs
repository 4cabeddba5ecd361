//! The live control of one filter parameter, made from its specification alone.

use egui::{DragValue, Label, RichText, Slider, TextEdit, Ui, UiBuilder, vec2};

use crate::app::theme::{self, Palette};
use crate::filter::{Color, ParamKind, ParamSpec, ParamValue, Unit};

/// How a number is shown and typed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NumberFormat {
    pub decimals: usize,
    /// Shown numbers are this much larger than stored ones: 100 for per cent.
    pub scale: f64,
    pub suffix: &'static str,
}

impl NumberFormat {
    /// As many decimals as the step needs.
    pub fn new(step: f64, unit: Unit) -> Self {
        let scale = if unit == Unit::Fraction { 100.0 } else { 1.0 };
        let mut decimals = 0;
        let mut shown = step * scale;
        while decimals < 4 && (shown - shown.round()).abs() > 1e-3 * shown.max(1.0) {
            decimals += 1;
            shown *= 10.0;
        }
        Self { decimals, scale, suffix: unit.suffix() }
    }

    pub fn write(&self, number: f64) -> String {
        let text = format!("{:.*}", self.decimals, number * self.scale);
        // A slider that was brought back to zero may be a hair below it.
        if text.trim_start_matches(['-', '0', '.']).is_empty() { text.trim_start_matches('-').to_owned() } else { text }
    }

    pub fn read(&self, text: &str) -> Option<f64> {
        let number = text.trim().trim_end_matches(self.suffix.trim()).trim().replace(',', ".");
        number.parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| number / self.scale)
    }
}

/// What a slider needs to know of its parameter.
struct Range {
    default: f64,
    min: f64,
    max: f64,
    step: f64,
    logarithmic: bool,
}

/// What the user wants of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Wish {
    Set(ParamValue),
    /// To choose its file with the system's dialog.
    Choose,
}

/// Shows the parameter and gives what the user did in this frame: a value is given only if it differs. A double click on
/// the name or the slider gives the default.
pub fn param_ui(ui: &mut Ui, filter: &str, spec: &ParamSpec, value: &ParamValue) -> Option<Wish> {
    let name = format!("{filter}: {}", spec.label);
    if let (ParamKind::Curve { .. }, ParamValue::Text(text)) = (spec.kind, value) {
        return super::curve::curve_ui(ui, &name, spec, text).map(|text| Wish::Set(ParamValue::Text(text)));
    }
    let tall = matches!(spec.kind, ParamKind::Text { .. });
    let width = ui.available_width();
    let layout = if tall {
        egui::Layout::left_to_right(egui::Align::Min)
    } else {
        egui::Layout::left_to_right(egui::Align::Center)
    };
    let mut changed = None;
    let mut chooses = false;
    ui.allocate_ui_with_layout(vec2(width, theme::SLIDER_ROW_HEIGHT), layout, |ui| {
        ui.set_min_height(theme::SLIDER_ROW_HEIGHT);
        let reset = label_ui(ui, spec);
        changed = match (spec.kind, value) {
            (ParamKind::Float { default, min, max, step, logarithmic }, ParamValue::Float(number)) => {
                let range = Range {
                    default: f64::from(default),
                    min: f64::from(min),
                    max: f64::from(max),
                    step: short(step),
                    logarithmic,
                };
                number_ui(ui, &name, short(*number), &range, spec.unit).map(|number| ParamValue::Float(number as f32))
            }
            (ParamKind::Int { default, min, max, step }, ParamValue::Int(number)) => {
                let range = Range {
                    default: default.into(),
                    min: min.into(),
                    max: max.into(),
                    step: step.into(),
                    logarithmic: false,
                };
                number_ui(ui, &name, f64::from(*number), &range, spec.unit)
                    .map(|number| ParamValue::Int(number.round() as i32))
            }
            (ParamKind::Bool { .. }, ParamValue::Bool(on)) => {
                super::switch(ui, *on, &name, false).then_some(ParamValue::Bool(!on))
            }
            (ParamKind::Choice { options, .. }, ParamValue::Text(id)) => {
                choice_ui(ui, &name, options, id).map(|id| ParamValue::Text(id.to_owned()))
            }
            (ParamKind::Color { .. }, ParamValue::Color(color)) => color_ui(ui, &name, *color).map(ParamValue::Color),
            (ParamKind::File { .. }, ParamValue::Text(path)) => match super::file::file_ui(ui, &name, path) {
                Some(Wish::Set(path)) => Some(path),
                Some(Wish::Choose) => {
                    chooses = true;
                    None
                }
                None => None,
            },
            (ParamKind::Text { .. }, ParamValue::Text(text)) => text_ui(ui, &name, text).map(ParamValue::Text),
            // A value of another type than its specification can't be shown; `params!` makes both from one line.
            _ => None,
        };
        if reset {
            changed = Some(spec.kind.default_value());
        }
    });
    if chooses {
        return Some(Wish::Choose);
    }
    changed.filter(|changed| changed != value).map(Wish::Set)
}

/// The nearest decimal of a float, so that 0.95 is not shown and stepped as 0.949999988.
fn short(number: f32) -> f64 {
    number.to_string().parse().unwrap_or(f64::from(number))
}

/// The name in its column; true when it was double-clicked.
fn label_ui(ui: &mut Ui, spec: &ParamSpec) -> bool {
    let size = vec2(theme::PARAM_LABEL_WIDTH, theme::SLIDER_ROW_HEIGHT);
    let (rect, response) = ui.allocate_exact_size(size, egui::Sense::hover());
    let mut column =
        ui.new_child(UiBuilder::new().max_rect(rect).layout(egui::Layout::left_to_right(egui::Align::Center)));
    column.add(Label::new(RichText::new(spec.label).color(Palette::of(ui).weak)).truncate().selectable(false));
    let double_clicked = response.contains_pointer() && double_clicked(ui);
    response.on_hover_text(spec.doc.trim());
    double_clicked
}

fn double_clicked(ui: &Ui) -> bool {
    ui.input(|input| input.pointer.button_double_clicked(egui::PointerButton::Primary))
}

fn number_ui(ui: &mut Ui, name: &str, number: f64, range: &Range, unit: Unit) -> Option<f64> {
    let palette = Palette::of(ui);
    let format = NumberFormat::new(range.step, unit);
    let mut slid = number;
    let rail = (ui.available_width() - theme::NUMBER_WIDTH - theme::SPACE_S).max(40.0);
    let slider = ui
        .scope(|ui| {
            ui.spacing_mut().slider_width = rail;
            ui.spacing_mut().interact_size.y = theme::SLIDER_HEIGHT;
            let visuals = ui.visuals_mut();
            visuals.selection.bg_fill = palette.accent;
            visuals.widgets.inactive.bg_fill = palette.edge;
            // The handle: filled like the card, with an outline that stands out.
            for (state, edge) in [
                (&mut visuals.widgets.inactive, palette.weak),
                (&mut visuals.widgets.hovered, palette.strong),
                (&mut visuals.widgets.active, palette.accent),
            ] {
                state.fg_stroke = egui::Stroke::new(1.5, edge);
            }
            let slider = Slider::new(&mut slid, range.min..=range.max).show_value(false).step_by(range.step);
            ui.add(slider.logarithmic(range.logarithmic).smart_aim(false))
        })
        .inner
        .accessible_name(name);
    if slider.contains_pointer() && double_clicked(ui) {
        return Some(range.default);
    }
    let mut typed = number;
    let box_size = vec2(theme::NUMBER_WIDTH, theme::NUMBER_HEIGHT);
    ui.spacing_mut().interact_size.y = theme::NUMBER_HEIGHT;
    ui.spacing_mut().button_padding.y = 1.0;
    let speed = ((range.max - range.min) / 400.0).max(range.step / 4.0);
    let drag = DragValue::new(&mut typed)
        .range(range.min..=range.max)
        .speed(speed)
        .clip_text(true)
        .suffix(format.suffix)
        .custom_formatter(move |number, _| format.write(number))
        .custom_parser(move |text| format.read(text))
        .update_while_editing(false);
    ui.add_sized(box_size, drag).accessible_name(format!("{name} (number)"));
    if typed != number {
        let stepped = (typed / range.step).round() * range.step;
        return Some(if range.logarithmic { typed } else { stepped.clamp(range.min, range.max) });
    }
    (slid != number).then_some(slid)
}

fn choice_ui(
    ui: &mut Ui,
    name: &str,
    options: &'static [(&'static str, &'static str)],
    current: &str,
) -> Option<&'static str> {
    let label = options.iter().find(|(id, _)| *id == current).map_or(current, |(_, label)| label);
    let mut chosen = None;
    let combo = egui::ComboBox::from_id_salt(name).width(ui.available_width()).selected_text(label).truncate();
    let response = combo.show_ui(ui, |ui| {
        for (id, label) in options {
            if ui.selectable_label(*id == current, *label).clicked() {
                chosen = Some(*id);
            }
        }
    });
    response.response.accessible_name(name);
    chosen
}

fn color_ui(ui: &mut Ui, name: &str, color: Color) -> Option<Color> {
    let mut rgba = color.to_rgba();
    ui.color_edit_button_srgba_unmultiplied(&mut rgba).accessible_name(name);
    ui.label(RichText::new(color.to_string()).monospace().color(Palette::of(ui).weak));
    let [r, g, b, a] = rgba;
    (rgba != color.to_rgba()).then_some(Color { r, g, b, a })
}

fn text_ui(ui: &mut Ui, name: &str, text: &str) -> Option<String> {
    let mut edited = text.to_owned();
    let lines = text.lines().count().clamp(1, 4);
    let edit = TextEdit::multiline(&mut edited)
        .desired_rows(lines)
        .desired_width(ui.available_width())
        .char_limit(ParamKind::MOST_TEXT)
        .id_salt(name);
    ui.add(edit).accessible_name(name);
    (edited != text).then_some(edited)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_the_decimals_of_its_step() {
        assert_eq!(NumberFormat::new(0.01, Unit::None).write(1.5), "1.50");
        assert_eq!(NumberFormat::new(0.05, Unit::None).write(0.05), "0.05");
        assert_eq!(NumberFormat::new(0.1, Unit::Degrees).write(-12.34), "-12.3");
        assert_eq!(NumberFormat::new(1.0, Unit::Pixels).write(64.0), "64");
    }

    #[test]
    fn a_fraction_is_shown_and_typed_as_per_cent() {
        let format = NumberFormat::new(0.01, Unit::Fraction);
        assert_eq!(format.write(0.25), "25");
        assert_eq!(format.read("25 %"), Some(0.25));
        assert_eq!(format.read("12,5"), Some(0.125));
        assert_eq!(format.read("much"), None);
        assert_eq!(format.read("inf"), None);
    }

    #[test]
    fn every_unit_is_read_as_it_is_written() {
        for (unit, step, number, text) in [
            (Unit::Seconds, 0.05, 1.25, "1.25 s"),
            (Unit::Kelvin, 50.0, 6_500.0, "6500 K"),
            (Unit::Stops, 0.05, -0.5, "-0.50 EV"),
            (Unit::PerSecond, 1.0, 24.0, "24/s"),
            (Unit::DegreesPerSecond, 1.0, 45.0, "45°/s"),
            (Unit::Pixels, 1.0, 9.0, "9 px"),
        ] {
            let format = NumberFormat::new(step, unit);
            assert_eq!(format!("{}{}", format.write(number), format.suffix), text);
            assert_eq!(format.read(text), Some(number), "{text}");
        }
    }

    #[test]
    fn nothing_is_ever_minus_zero() {
        assert_eq!(NumberFormat::new(0.01, Unit::None).write(-0.001), "0.00");
        assert_eq!(NumberFormat::new(1.0, Unit::None).write(-0.0), "0");
    }
}
