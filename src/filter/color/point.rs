//! Kernels on single pixels: a table a channel, a matrix, or a function. Neighbours in the chain fuse into as few steps
//! as give the same picture. Alpha always stays as it is.

use super::vector::{Line, map_lines, map_matrix, map_pixels, to_level};
use crate::frame::BYTES_PER_PIXEL;

/// What happens to each pixel.
pub struct PointKernel(Step);

pub(super) enum Step {
    Table(Box<Table>),
    Matrix(Matrix),
    Function(Box<dyn PixelFunction>),
}

/// One level to another, for red, green and blue.
pub(super) struct Table {
    levels: [[u8; 256]; 3],
    /// The table as straight lines, where it is exactly that: arithmetic is faster than looking up.
    lines: Option<[Line; 3]>,
}

/// Red, green and blue from red, green, blue and 1, in levels; rounded and clamped.
#[derive(Clone, Copy)]
pub(super) struct Matrix {
    rows: [[f32; 4]; 3],
    /// How far in levels a matrix made of several may be from running them one after another, before rounding.
    error: f32,
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
        let level = |formula: &dyn Fn(f32) -> f32, level: usize| to_level(formula(level as f32 / 255.0) * 255.0);
        let levels = formulas.map(|formula| std::array::from_fn(|at| level(formula, at)));
        Self(Step::Table(Box::new(Table::new(levels, Some(formulas.map(Line::through))))))
    }

    /// A matrix that gives red, green and blue from red, green, blue and 1, all in 0 to 1.
    pub fn matrix(rows: [[f32; 4]; 3]) -> Self {
        let rows = rows.map(|[r, g, b, offset]| [r, g, b, offset * 255.0]);
        Self(Step::Matrix(Matrix { rows, error: 0.0 }))
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

    /// Takes `next` in if one step can do what both did, exactly or within a level; gives it back otherwise.
    pub(crate) fn fuse(&mut self, next: Self) -> Option<Self> {
        match (&mut self.0, &next.0) {
            (Step::Table(first), Step::Table(then)) => {
                let mut levels = first.levels;
                for (levels, then) in levels.iter_mut().zip(&then.levels) {
                    *levels = levels.map(|level| then[usize::from(level)]);
                }
                let lines = first.lines.zip(then.lines);
                let lines = lines.map(|(first, then)| std::array::from_fn(|at| first[at].then(then[at])));
                **first = Table::new(levels, lines);
                None
            }
            (Step::Matrix(first), Step::Matrix(then)) => match first.then(then) {
                Some(both) => {
                    *first = both;
                    None
                }
                None => Some(next),
            },
            _ => Some(next),
        }
    }

    /// What it is, in a word or two.
    pub(crate) fn describe(&self) -> &'static str {
        match &self.0 {
            Step::Table(table) if table.lines.is_some() => "line",
            Step::Table(_) => "table",
            Step::Matrix(_) => "matrix",
            Step::Function(_) => "function",
        }
    }

    /// RGBA, in place.
    pub(crate) fn apply(&self, pixels: &mut [u8]) {
        match &self.0 {
            Step::Table(table) => match &table.lines {
                Some(lines) => map_lines(lines, pixels),
                None => table.look_up(pixels.as_chunks_mut().0),
            },
            Step::Matrix(matrix) => map_matrix(&matrix.rows, pixels.as_chunks_mut().0),
            Step::Function(function) => function.apply(pixels.as_chunks_mut().0),
        }
    }
}

impl Table {
    /// With the lines that it may be.
    fn new(levels: [[u8; 256]; 3], lines: Option<[Line; 3]>) -> Self {
        let lines = lines.filter(|lines| lines.iter().zip(&levels).all(|(line, levels)| line.gives(levels)));
        Self { levels, lines }
    }

    fn look_up(&self, pixels: &mut [[u8; BYTES_PER_PIXEL]]) {
        let [red, green, blue] = &self.levels;
        for pixel in pixels {
            let [r, g, b, a] = *pixel;
            *pixel = [red[usize::from(r)], green[usize::from(g)], blue[usize::from(b)], a];
        }
    }
}

impl Matrix {
    /// Both as one, if nothing is clamped between them and what the rounding between them would have done stays below a
    /// level.
    fn then(&self, next: &Self) -> Option<Self> {
        let stays_inside = self.rows.iter().all(|row| {
            let [r, g, b, offset] = *row;
            let sum = |pick: fn(f32, f32) -> f32| {
                offset + 255.0 * [r, g, b].map(|weight| pick(weight, 0.0)).iter().sum::<f32>()
            };
            // What is rounded to the end of the range is not clamped yet.
            sum(f32::min) >= -0.5 && sum(f32::max) <= 255.5
        });
        let gain = next.rows.map(|[r, g, b, _]| r.abs() + g.abs() + b.abs()).into_iter().fold(0.0, f32::max);
        let error = (self.error + 0.5) * gain + next.error;
        if !stays_inside || error >= 1.0 {
            return None;
        }
        let rows = next.rows.map(|row| {
            std::array::from_fn(|from| {
                let through: f32 = (0..3).map(|channel| row[channel] * self.rows[channel][from]).sum();
                if from == 3 { through + row[3] } else { through }
            })
        });
        Some(Self { rows, error })
    }
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
    fn almost_every_brightness_and_contrast_is_a_line() {
        let steps = (0..=80).flat_map(|step| (-20..=20).map(move |by| (step as f32 / 20.0, by as f32 / 20.0)));
        let is_line = |(contrast, brightness): &(f32, f32)| {
            PointKernel::table(|v| (v - 0.5) * contrast + 0.5 + brightness).describe() == "line"
        };
        let lines = steps.clone().filter(is_line).count();
        // Where a level falls between two, a rounding error may take it to the other one; then it is looked up.
        assert!(lines * 100 >= steps.clone().count() * 80, "{lines} of {}", steps.count());
    }

    #[test]
    fn tables_fuse_and_matrices_fuse_only_where_nothing_is_clamped() {
        let mut table = PointKernel::table(|v| v * 0.5);
        assert!(table.fuse(PointKernel::table(|v| 1.0 - v)).is_none());
        let mut gray = PointKernel::matrix_towards([LUMA_709; 3], 1.0);
        assert!(gray.fuse(PointKernel::matrix_towards([LUMA_709; 3], 0.5)).is_none());
        let mut strong = PointKernel::matrix_towards([LUMA_709; 3], -2.0);
        assert!(strong.fuse(PointKernel::matrix_towards([LUMA_709; 3], 0.5)).is_some(), "it clamps");
        assert!(strong.fuse(PointKernel::table(|v| v)).is_some());
    }
}
