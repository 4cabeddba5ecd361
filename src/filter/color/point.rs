//! Kernels on single pixels: a table a channel, a matrix, or a function. Neighbours in the chain fuse into as few steps
//! as give the same picture. Alpha always stays as it is.

use super::vector::{Line, Rows, map_lines, map_matrices, map_pixels};
use crate::filter::level::level;
use crate::frame::BYTES_PER_PIXEL;

/// What happens to each pixel.
pub struct PointKernel(Step);

pub(super) enum Step {
    Table(Box<Table>),
    /// One after another, rounded and clamped after each, while the pixels are in registers.
    Matrices(Vec<Rows>),
    Function(Box<dyn PixelFunction>),
}

/// One level to another, for red, green and blue.
pub(super) struct Table {
    levels: [[u8; 256]; 3],
    /// The table as straight lines, where it is exactly that: arithmetic is faster than looking up.
    lines: Option<[Line; 3]>,
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
        let at_level = |formula: &dyn Fn(f32) -> f32, from: usize| level(formula(from as f32 / 255.0) * 255.0);
        let levels = formulas.map(|formula| std::array::from_fn(|at| at_level(formula, at)));
        Self(Step::Table(Box::new(Table::new(levels, Some(formulas.map(Line::through))))))
    }

    /// A matrix that gives red, green and blue from red, green, blue and 1, all in 0 to 1.
    pub fn matrix(rows: [[f32; 4]; 3]) -> Self {
        let rows = rows.map(|[r, g, b, offset]| [r, g, b, offset * 255.0]);
        Self(Step::Matrices(vec![rows]))
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

    /// Takes `next` in if one step can do exactly what both did; gives it back otherwise.
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
            (Step::Matrices(first), Step::Matrices(then)) => {
                first.extend(then);
                None
            }
            // A line is a matrix, too, and in the company of others costs next to nothing.
            (Step::Matrices(first), Step::Table(then)) => match &then.lines {
                Some(lines) => {
                    first.push(Line::rows(lines));
                    None
                }
                None => Some(next),
            },
            (Step::Table(first), Step::Matrices(then)) => match &first.lines {
                Some(lines) => {
                    let mut both = vec![Line::rows(lines)];
                    both.extend(then);
                    self.0 = Step::Matrices(both);
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
            Step::Matrices(_) => "matrix",
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
            Step::Matrices(matrices) => map_matrices(matrices, pixels.as_chunks_mut().0),
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
