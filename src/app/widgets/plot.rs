//! Lines of the last minute: a large one with an axis, and small ones beside figures.

use egui::{Align2, Rect, Role, Sense, Shape, Stroke, TextStyle, Ui, pos2, vec2};

use super::describe;
use crate::app::theme::Palette;

/// Paints figures, oldest first, over the whole of what is left; `seconds` is how many fit.
pub fn rate_plot(ui: &mut Ui, figures: &[f32], seconds: usize, name: &str) {
    let palette = Palette::of(ui);
    let (outer, response) = ui.allocate_exact_size(ui.available_size(), Sense::hover());
    describe(&response, Role::Image, None, name);
    let small = TextStyle::Small.resolve(ui.style());
    let top = nice_ceiling(figures.iter().copied().fold(0.0, f32::max));
    let rect = Rect::from_min_max(outer.min + vec2(28.0, 6.0), outer.max - vec2(2.0, 6.0));
    if rect.width() < 20.0 || rect.height() < 20.0 {
        return;
    }
    let painter = ui.painter_at(outer);
    for line in 0..=2u8 {
        let share = f32::from(line) / 2.0;
        let y = egui::lerp(rect.bottom()..=rect.top(), share).round() - 0.5;
        painter.hline(rect.x_range(), y, Stroke::new(1.0, palette.line));
        let figure = top * share;
        let text = if top < 2.0 { format!("{figure:.1}") } else { format!("{figure:.0}") };
        painter.text(pos2(rect.left() - 6.0, y), Align2::RIGHT_CENTER, text, small.clone(), palette.weak);
    }
    let step = rect.width() / (seconds.max(2) - 1) as f32;
    let right = figures.len().saturating_sub(1) as f32;
    let points: Vec<_> = figures
        .iter()
        .enumerate()
        .map(|(index, figure)| {
            let x = rect.right() - (right - index as f32) * step;
            pos2(x, egui::lerp(rect.bottom()..=rect.top(), (figure / top).clamp(0.0, 1.0)))
        })
        .collect();
    if points.len() > 1 {
        painter.add(Shape::line(points, Stroke::new(1.5, palette.accent)));
    }
}

/// Paints figures, oldest first, as a small line from zero to the largest; where one is unknown the line has a gap.
/// The caller's `Ui` has an id of its own for each row. `name` says the newest figure in words, because the line alone says nothing to who can't see it.
pub fn sparkline(ui: &mut Ui, rect: Rect, figures: &[Option<f32>], seconds: usize, name: &str) {
    let palette = Palette::of(ui);
    let response = ui.interact(rect, ui.scope_id().with(("sparkline", rect.left() as i32)), Sense::hover());
    describe(&response, Role::Image, None, name);
    let top = figures.iter().flatten().copied().fold(0.0, f32::max);
    let painter = ui.painter_at(rect.expand(1.0));
    if figures.is_empty() {
        return;
    }
    painter.hline(rect.x_range(), rect.bottom(), Stroke::new(1.0, palette.line));
    let step = rect.width() / (seconds.max(2) - 1) as f32;
    let right = figures.len().saturating_sub(1);
    let place = |(index, figure): (usize, f32)| {
        let share = if top > 0.0 { (figure / top).clamp(0.0, 1.0) } else { 0.0 };
        pos2(rect.right() - (right - index) as f32 * step, egui::lerp(rect.bottom()..=rect.top(), share))
    };
    let known: Vec<(usize, Option<f32>)> = figures.iter().copied().enumerate().collect();
    for run in known.split(|(_, figure)| figure.is_none()) {
        let points: Vec<_> = run.iter().filter_map(|&(index, figure)| Some(place((index, figure?)))).collect();
        if points.len() > 1 {
            painter.add(Shape::line(points, Stroke::new(1.0, palette.accent)));
        }
    }
}

/// The next of 1, 2, 5, 10 … that is not below the figure.
fn nice_ceiling(figure: f32) -> f32 {
    let mut ceiling = 1.0;
    while ceiling < figure && ceiling < 1e6 {
        for factor in [2.0, 5.0, 10.0] {
            if ceiling * factor >= figure {
                return ceiling * factor;
            }
        }
        ceiling *= 10.0;
    }
    ceiling
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_ends_at_a_round_number() {
        for (figure, ceiling) in [(0.0, 1.0), (0.9, 1.0), (1.1, 2.0), (4.3, 5.0), (8.0, 10.0), (31.0, 50.0)] {
            assert_eq!(nice_ceiling(figure), ceiling);
        }
    }
}
