//! The control of a parameter that is a curve: points to drag, and keys for whoever has no mouse.

use egui::{
    Color32, EventFilter, Key, Modifiers, PointerButton, Pos2, Rect, Response, Role, Sense, Shape, Stroke, StrokeKind,
    TextStyle, Ui, WidgetInfo, pos2, vec2,
};
use egui_material_icons::icons::{ICON_EXPAND_LESS, ICON_EXPAND_MORE, ICON_RESTART_ALT};

use super::{describe, icon_button, paint_icon};
use crate::app::theme::{self, Palette};
use crate::filter::{Curve, ParamSpec};

const HEIGHT: f32 = 132.0;
/// How near the pointer has to come to a point.
const REACH: f32 = 18.0;
/// How far a key moves a point; with Shift it is ten times as far.
const STEP: f32 = 0.01;
/// Two points this close would be one.
const APART: f32 = 1.0 / 255.0;

/// Shows a curve that was written as text and gives the new text when the user changed it.
pub fn curve_ui(ui: &mut Ui, name: &str, spec: &ParamSpec, text: &str) -> Option<String> {
    let curve = text.parse::<Curve>().unwrap_or_else(|_| Curve::identity());
    let id = ui.make_persistent_id(name);
    let mut changed = None;
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        // A curve that does something is shown; the others only when they are asked for.
        let open = ui.data(|data| data.get_temp::<bool>(id)).unwrap_or(!curve.is_identity());
        if heading_ui(ui, name, spec, &curve, open, &mut changed) {
            ui.data_mut(|data| data.insert_temp(id, !open));
        }
        if open {
            let edited = plot_ui(ui, name, &curve, color_of(ui, spec.id));
            changed = changed.take().or(edited);
            ui.add_space(theme::SPACE_XS);
        }
    });
    changed.filter(|changed| *changed != curve).map(|curve| curve.to_string())
}

/// Curves of one channel have its colour.
fn color_of(ui: &Ui, id: &str) -> Color32 {
    let palette = Palette::of(ui);
    match id {
        "red" => palette.live,
        "green" => palette.good,
        _ => palette.accent,
    }
}

/// True when it was clicked to open or close.
fn heading_ui(
    ui: &mut Ui,
    name: &str,
    spec: &ParamSpec,
    curve: &Curve,
    open: bool,
    changed: &mut Option<Curve>,
) -> bool {
    let palette = Palette::of(ui);
    let mut clicked = false;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        let width = ui.available_width() - theme::ICON_BUTTON.x;
        let (rect, response) = ui.allocate_exact_size(vec2(width, theme::SLIDER_ROW_HEIGHT), Sense::click());
        describe(&response, Role::Button, Some(open), name);
        if response.has_focus() {
            let stroke = Stroke::new(1.0, palette.accent);
            ui.painter().rect_stroke(rect, theme::RADIUS_CONTROL, stroke, StrokeKind::Inside);
        }
        let tint = if response.hovered() { palette.strong } else { palette.weak };
        let font = TextStyle::Body.resolve(ui.style());
        let left = egui::Align2::LEFT_CENTER;
        ui.painter().text(rect.left_center(), left, spec.label, font, tint);
        let points = curve.points().len();
        let about = if curve.is_identity() { "straight".to_owned() } else { format!("{points} points") };
        let small = TextStyle::Small.resolve(ui.style());
        let place = rect.left_center() + vec2(theme::PARAM_LABEL_WIDTH + theme::SPACE_S, 0.0);
        ui.painter().text(place, left, about, small, palette.weak);
        let icon = if open { ICON_EXPAND_LESS } else { ICON_EXPAND_MORE };
        paint_icon(ui, icon, rect.right_center() - vec2(12.0, 0.0), theme::ICON_SIZE, tint);
        clicked = response.clicked();
        response.on_hover_text(spec.doc.trim());
        ui.add_enabled_ui(!curve.is_identity(), |ui| {
            if icon_button(ui, ICON_RESTART_ALT, &format!("Reset {name}")).clicked() {
                *changed = Some(Curve::identity());
            }
        });
    });
    clicked
}

fn plot_ui(ui: &mut Ui, name: &str, curve: &Curve, color: Color32) -> Option<Curve> {
    let palette = Palette::of(ui);
    // It can be clicked but not focused: its points can.
    let (outer, response) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::CLICK);
    let plot = outer.shrink(7.0);
    paint_ground(ui, outer, plot);
    paint_curve(ui, plot, curve, color);
    let points = curve.points();
    let mut changed = None;
    for (index, point) in points.iter().enumerate() {
        let center = screen_from_curve(plot, *point);
        // Not the number alone: tooltips of the plot take those.
        let id = response.id.with(("point", index));
        let handle = ui.interact(Rect::from_center_size(center, vec2(REACH, REACH)), id, Sense::click_and_drag());
        let label = format!("{name}, point {}", index + 1);
        handle.widget_info(|| WidgetInfo::slider(true, f64::from(point[1]), &label));
        let lit = handle.hovered() || handle.has_focus() || handle.dragged();
        ui.painter().circle(center, if lit { 5.5 } else { 4.0 }, palette.knob, Stroke::new(2.0, color));
        if handle.has_focus() {
            ui.painter().circle_stroke(center, 8.0, Stroke::new(1.0, palette.accent));
        }
        if let Some(edited) = handle_point(ui, &handle, plot, points, index) {
            changed = Some(edited);
        }
    }
    let double = ui.input(|input| input.pointer.button_double_clicked(PointerButton::Primary));
    if response.contains_pointer()
        && double
        && let Some(position) = response.interact_pointer_pos().or(ui.input(|input| input.pointer.interact_pos()))
    {
        changed = added(points, curve_from_screen(plot, position));
    }
    response.on_hover_text(
        "Drag a point. A double click adds one, a right click removes it. With the keyboard: Tab to a point, arrow keys \
         to move it, Insert for another behind it, Delete to remove it.",
    );
    changed
}

fn handle_point(ui: &Ui, handle: &Response, plot: Rect, points: &[[f32; 2]], index: usize) -> Option<Curve> {
    if handle.clicked() || handle.drag_started() {
        handle.request_focus();
    }
    if handle.secondary_clicked() {
        return removed(points, index);
    }
    if handle.dragged()
        && let Some(position) = handle.interact_pointer_pos()
    {
        return moved(points, index, curve_from_screen(plot, position));
    }
    if !handle.has_focus() {
        return None;
    }
    let arrows = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..EventFilter::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(handle.id, arrows));
    let pressed = |key: Key| {
        ui.input_mut(|input| {
            // First with Shift: a key without it is also found when Shift is held.
            let large = input.count_and_consume_key(Modifiers::SHIFT, key) as f32;
            10.0 * large + input.count_and_consume_key(Modifiers::NONE, key) as f32
        })
    };
    if pressed(Key::Delete) + pressed(Key::Backspace) > 0.0 {
        return removed(points, index);
    }
    if pressed(Key::Insert) > 0.0 {
        let next = if index + 1 < points.len() { index } else { index.checked_sub(1)? };
        let (a, b) = (points[next], points[next + 1]);
        return added(points, [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0]);
    }
    let asked = |action| ui.input(|input| input.num_accesskit_action_requests(handle.id, action)) as f32;
    let [x, y] = points[index];
    let across = pressed(Key::ArrowRight) - pressed(Key::ArrowLeft);
    let up = pressed(Key::ArrowUp) - pressed(Key::ArrowDown) + asked(egui::accesskit::Action::Increment)
        - asked(egui::accesskit::Action::Decrement);
    if across == 0.0 && up == 0.0 {
        return None;
    }
    moved(points, index, [x + across * STEP, y + up * STEP])
}

/// The curve with a point elsewhere; it never passes its neighbours.
fn moved(points: &[[f32; 2]], index: usize, to: [f32; 2]) -> Option<Curve> {
    let mut points = points.to_vec();
    points.get(index)?;
    let least = index.checked_sub(1).map_or(0.0, |before| points[before][0] + APART);
    let most = points.get(index + 1).map_or(1.0, |after| after[0] - APART);
    points[index] = [to[0].clamp(least, most.max(least)), to[1].clamp(0.0, 1.0)];
    Curve::new(points).ok()
}

/// The curve with one more point, where there is room for it.
fn added(points: &[[f32; 2]], at: [f32; 2]) -> Option<Curve> {
    let crowded = points.iter().any(|point| (point[0] - at[0]).abs() < APART);
    let points = points.iter().copied().chain([at]).collect();
    if crowded { None } else { Curve::new(points).ok() }
}

/// The curve without a point; the last two stay.
fn removed(points: &[[f32; 2]], index: usize) -> Option<Curve> {
    let left = points.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, point)| *point);
    Curve::new(left.collect()).ok()
}

fn screen_from_curve(plot: Rect, [x, y]: [f32; 2]) -> Pos2 {
    pos2(plot.left() + x * plot.width(), plot.bottom() - y * plot.height())
}

fn curve_from_screen(plot: Rect, position: Pos2) -> [f32; 2] {
    let x = (position.x - plot.left()) / plot.width();
    let y = (plot.bottom() - position.y) / plot.height();
    [x.clamp(0.0, 1.0), y.clamp(0.0, 1.0)]
}

fn paint_ground(ui: &Ui, outer: Rect, plot: Rect) {
    let palette = Palette::of(ui);
    let ground = if ui.visuals().dark_mode { palette.video } else { palette.panel };
    let line = Stroke::new(1.0, palette.line);
    ui.painter().rect(outer, theme::RADIUS_CONTROL, ground, line, StrokeKind::Inside);
    for quarter in 1..4_u8 {
        let at = f32::from(quarter) / 4.0;
        ui.painter().vline(plot.left() + at * plot.width(), plot.y_range(), line);
        ui.painter().hline(plot.x_range(), plot.top() + at * plot.height(), line);
    }
    ui.painter().line_segment([plot.left_bottom(), plot.right_top()], line);
}

fn paint_curve(ui: &Ui, plot: Rect, curve: &Curve, color: Color32) {
    let function = curve.function();
    let steps = 96_u16;
    let line = (0..=steps).map(|step| {
        let x = f32::from(step) / f32::from(steps);
        screen_from_curve(plot, [x, function(x)])
    });
    ui.painter().add(Shape::line(line.collect(), Stroke::new(1.5, color)));
}

#[cfg(test)]
mod tests {
    use super::*;

    const POINTS: [[f32; 2]; 3] = [[0.0, 0.0], [0.5, 0.6], [1.0, 1.0]];

    fn text(curve: Option<Curve>) -> Option<String> {
        curve.map(|curve| curve.to_string())
    }

    #[test]
    fn a_point_moves_between_its_neighbours_and_inside_the_plot() {
        assert_eq!(text(moved(&POINTS, 1, [0.25, 2.0])).as_deref(), Some("0,0 0.25,1 1,1"));
        assert_eq!(text(moved(&POINTS, 1, [7.0, 0.5])).as_deref(), Some("0,0 0.9961,0.5 1,1"));
        assert_eq!(text(moved(&POINTS, 0, [-1.0, 0.25])).as_deref(), Some("0,0.25 0.5,0.6 1,1"));
        assert_eq!(moved(&POINTS, 9, [0.5, 0.5]), None);
    }

    #[test]
    fn points_come_and_go_but_two_stay() {
        assert_eq!(text(added(&POINTS, [0.25, 0.5])).as_deref(), Some("0,0 0.25,0.5 0.5,0.6 1,1"));
        assert_eq!(added(&POINTS, [0.5, 0.1]), None);
        assert_eq!(text(removed(&POINTS, 1)).as_deref(), Some("0,0 1,1"));
        assert_eq!(removed(&POINTS[..2], 0), None);
        let full: Vec<[f32; 2]> = (0..16_u8).map(|at| [f32::from(at) / 15.0, 0.0]).collect();
        assert_eq!(added(&full, [0.03, 0.5]), None);
    }
}
