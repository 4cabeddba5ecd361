//! Kernels on single pixels: a table a channel, a matrix, or a function. Neighbours in the chain fuse into as few steps
//! as give the same picture. Alpha always stays as it is.

use super::matrix::{self, Matrix, Rows};
use super::table::Table;
use super::vector::map_pixels;
use crate::filter::level::level;
use crate::filter::simd::looks_up_fast;
use crate::frame::BYTES_PER_PIXEL;

/// What happens to each pixel.
pub struct PointKernel(Step);

enum Step {
    Table(Curve),
    /// One after another, rounded and clamped after each, while the pixels are in registers.
    Matrices(Vec<Matrix>),
    Function(Box<dyn PixelFunction>),
}

/// A table, and the same as arithmetic where it is made of straight lines.
struct Curve {
    table: Box<Table>,
    /// Empty where the table is bent.
    lines: Vec<Matrix>,
}

/// What neither a table nor a matrix can say.
pub(super) trait PixelFunction: Send + Sync {
    fn apply(&self, pixels: &mut [[u8; BYTES_PER_PIXEL]]);
}

/// BT.709 weights of red, green and blue.
pub(crate) const LUMA_709: [f32; 3] = [0.2126, 0.7152, 0.0722];
/// BT.601 weights of red, green and blue.
pub(crate) const LUMA_601: [f32; 3] = [0.299, 0.587, 0.114];

impl PointKernel {
    /// The same curve for all three channels, from a formula on 0 to 1.
    pub fn table(formula: impl Fn(f32) -> f32) -> Self {
        Self::tables([&formula, &formula, &formula])
    }

    /// A curve each for red, green and blue, from formulas on 0 to 1. What is not a number becomes black.
    pub fn tables(formulas: [&dyn Fn(f32) -> f32; 3]) -> Self {
        let lines = line_through(formulas);
        let levels = match &lines {
            Some(line) => line.levels(),
            None => formulas.map(|formula| std::array::from_fn(|at| level(formula(at as f32 / 255.0) * 255.0))),
        };
        Self(Step::Table(Curve { table: Box::new(Table::new(levels)), lines: lines.into_iter().collect() }))
    }

    /// A matrix that gives red, green and blue from red, green, blue and 1, all in 0 to 1.
    pub fn matrix(rows: [[f32; 4]; 3]) -> Self {
        let rows: Rows = rows.map(|[r, g, b, offset]| [r, g, b, offset * 255.0]);
        match Matrix::new(&rows) {
            Some(matrix) => Self(Step::Matrices(vec![matrix])),
            None => Self::function(move |[r, g, b]| {
                let [to_r, to_g, to_b] = &rows;
                [
                    to_r[0] * r + to_r[1] * g + (to_r[2] * b + to_r[3]),
                    to_g[0] * r + to_g[1] * g + (to_g[2] * b + to_g[3]),
                    to_b[0] * r + to_b[1] * g + (to_b[2] * b + to_b[3]),
                ]
            }),
        }
    }

    /// `amount` of the way from the identity to `rows`, which give red, green and blue from red, green and blue.
    pub fn matrix_towards(rows: [[f32; 3]; 3], amount: f32) -> Self {
        let weight = |to: usize, from: usize| {
            let identity = if to == from { 1.0 } else { 0.0 };
            identity + (rows[to][from] - identity) * amount
        };
        Self::matrix(std::array::from_fn(|to| [weight(to, 0), weight(to, 1), weight(to, 2), 0.0]))
    }

    /// Any function from red, green and blue in levels (0 to 255) to the same; rounded and clamped. It is called for
    /// several pixels at once where the processor can: plain arithmetic without branches is fastest.
    pub fn function(function: impl Fn([f32; 3]) -> [f32; 3] + Send + Sync + 'static) -> Self {
        Self(Step::Function(Box::new(Mapped(function))))
    }

    /// The same for what brings its own loop over pixels.
    pub(super) fn pixels(function: impl PixelFunction + 'static) -> Self {
        Self(Step::Function(Box::new(function)))
    }

    /// Takes `next` in if one step can do exactly what both did; gives it back otherwise.
    pub(crate) fn fuse(&mut self, next: Self) -> Option<Self> {
        match (&mut self.0, next.0) {
            (Step::Table(first), Step::Table(then)) => {
                *first.table = first.table.then(&then.table);
                if first.lines.is_empty() || then.lines.is_empty() {
                    first.lines.clear();
                } else {
                    append(&mut first.lines, then.lines);
                }
                None
            }
            (Step::Matrices(first), Step::Matrices(then)) => {
                append(first, then);
                None
            }
            // A line is a matrix, too, and in the company of others costs next to nothing.
            (Step::Matrices(first), Step::Table(then)) if !then.lines.is_empty() => {
                append(first, then.lines);
                None
            }
            (Step::Table(first), Step::Matrices(then)) if !first.lines.is_empty() => {
                let mut both = std::mem::take(&mut first.lines);
                append(&mut both, then);
                self.0 = Step::Matrices(both);
                None
            }
            (_, next) => Some(Self(next)),
        }
    }

    /// What it is, in a word or two.
    pub(crate) fn describe(&self) -> &'static str {
        match &self.0 {
            Step::Table(curve) if !curve.lines.is_empty() => "line",
            Step::Table(_) => "table",
            Step::Matrices(_) => "matrix",
            Step::Function(_) => "function",
        }
    }

    /// RGBA, in place.
    pub(crate) fn apply(&self, pixels: &mut [u8]) {
        let (pixels, _) = pixels.as_chunks_mut();
        match &self.0 {
            Step::Table(curve) => match &curve.lines[..] {
                [line] if !looks_up_fast() => matrix::apply_diagonal(line, pixels),
                _ => curve.table.apply(pixels),
            },
            Step::Matrices(matrices) => matrix::apply(matrices, pixels),
            Step::Function(function) => function.apply(pixels),
        }
    }

    /// RGBA from one row into another of the same length, without writing it twice where that can be helped.
    pub(crate) fn apply_from(&self, from: &[u8], to: &mut [u8]) {
        match &self.0 {
            Step::Table(curve) if curve.lines.len() != 1 || looks_up_fast() => {
                curve.table.apply_from(from.as_chunks().0, to.as_chunks_mut().0);
            }
            Step::Matrices(matrices) => matrix::apply_from(matrices, from.as_chunks().0, to.as_chunks_mut().0),
            Step::Table(_) | Step::Function(_) => {
                to.copy_from_slice(from);
                self.apply(to);
            }
        }
    }
}

/// Adds matrices, the first of them into the last of `matrices` where that costs nothing.
fn append(matrices: &mut Vec<Matrix>, more: Vec<Matrix>) {
    for next in more {
        if !matrices.last_mut().is_some_and(|last| last.absorb(&next)) {
            matrices.push(next);
        }
    }
}

/// The straight lines, one a channel, that formulas on 0 to 1 are between black and white; `None` when one is bent.
fn line_through(formulas: [&dyn Fn(f32) -> f32; 3]) -> Option<Matrix> {
    /// Levels that a formula may be off a line by its own rounding.
    const STRAIGHT: f32 = 0.01;
    let mut rows: Rows = Default::default();
    for (to, formula) in formulas.into_iter().enumerate() {
        let start = formula(0.0);
        let (scale, offset) = (formula(1.0) - start, start * 255.0);
        (rows[to][to], rows[to][3]) = (scale, offset);
        for at in 0..=255_u8 {
            let (bent, straight) = (formula(f32::from(at) / 255.0) * 255.0, scale * f32::from(at) + offset);
            let apart = (bent.clamp(0.0, 255.0) - straight.clamp(0.0, 255.0)).abs();
            // What is not a number is no line.
            if apart.is_nan() || apart >= STRAIGHT {
                return None;
            }
        }
    }
    Matrix::new(&rows)
}

struct Mapped<F>(F);

impl<F: Fn([f32; 3]) -> [f32; 3] + Send + Sync> PixelFunction for Mapped<F> {
    fn apply(&self, pixels: &mut [[u8; BYTES_PER_PIXEL]]) {
        map_pixels(&self.0, pixels);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_straight_table_is_arithmetic_and_a_bent_one_is_not() {
        assert_eq!(PointKernel::table(|v| (v - 0.5) * 1.7 + 0.6).describe(), "line");
        assert_eq!(PointKernel::table(|v| 1.0 - v).describe(), "line");
        assert_eq!(PointKernel::table(|v| v.powf(0.4)).describe(), "table");
    }

    #[test]
    fn brightness_and_contrast_are_a_line_within_a_level() {
        let steps = (0..=80).flat_map(|step| (-20..=20).map(move |by| (step as f32 / 20.0, by as f32 / 20.0)));
        for (contrast, brightness) in steps {
            let formula = |v: f32| (v - 0.5) * contrast + 0.5 + brightness;
            let kernel = PointKernel::table(formula);
            let Step::Table(curve) = &kernel.0 else { panic!("it is a table") };
            // What begins above white does not fit the arithmetic, and has no need of it.
            assert!(curve.lines.len() == 1 || formula(0.0) > 1.0, "{contrast} {brightness}");
            for (at, found) in curve.table.levels()[1].iter().enumerate() {
                let exact = (formula(at as f32 / 255.0) * 255.0).clamp(0.0, 255.0);
                assert!((exact - f32::from(*found)).abs() < 0.6, "{contrast} {brightness} {at}: {exact} {found}");
            }
        }
    }

    #[test]
    fn neighbours_become_as_few_steps_as_they_can() {
        let line = || PointKernel::table(|v| 1.0 - v);
        let bent = || PointKernel::table(|v| v.powf(0.4));
        let matrix = || PointKernel::matrix_towards([LUMA_709; 3], -2.0);
        let mut table = bent();
        assert!(table.fuse(line()).is_none());
        assert!(table.fuse(matrix()).is_some(), "a look-up and a matrix stay two steps");
        let mut matrices = line();
        assert!(matrices.fuse(matrix()).is_none() && matrices.fuse(matrix()).is_none());
        assert!(matrices.fuse(line()).is_none());
        assert!(matrices.fuse(bent()).is_some());
    }
}
