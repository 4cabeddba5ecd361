//! Maps of the plane that keep lines straight: what a camera sees of a flat thing from aside.

use super::Affine;

/// `x' = (a x + b y + c) / w`, `y' = (d x + e y + f) / w` with `w = g x + h y + i`.
///
/// Where `w` is not positive the position lies behind whoever looks and leads nowhere. A map of a whole picture is made so
/// that `w` is positive where the picture comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Projective {
    /// `[[a, b, c], [d, e, f], [g, h, i]]`.
    pub rows: [[f64; 3]; 3],
}

impl From<Affine> for Projective {
    fn from(Affine { a, b, c, d, e, f }: Affine) -> Self {
        Self { rows: [[a, b, c], [d, e, f], [0.0, 0.0, 1.0]] }
    }
}

impl Projective {
    /// The map that takes the corners of the unit square, (0, 0), (1, 0), (1, 1) and (0, 1), to `corners`. `None` unless
    /// they are the corners of a convex shape, in order, that is more than a line.
    pub fn from_unit_square(corners: [(f64, f64); 4]) -> Option<Self> {
        let turn = |at: usize| {
            let [(x0, y0), (x1, y1), (x2, y2)] = [0, 1, 2].map(|next| corners[(at + next) % 4]);
            (x1 - x0) * (y2 - y1) - (y1 - y0) * (x2 - x1)
        };
        let turns = [0, 1, 2, 3].map(turn);
        if !turns.iter().all(|turn| *turn > LEAST_TURN) && !turns.iter().all(|turn| *turn < -LEAST_TURN) {
            return None;
        }
        let [(x0, y0), (x1, y1), (x2, y2), (x3, y3)] = corners;
        let (sum_x, sum_y) = (x0 - x1 + x2 - x3, y0 - y1 + y2 - y3);
        let (dx1, dy1, dx2, dy2) = (x1 - x2, y1 - y2, x3 - x2, y3 - y2);
        let determinant = dx1 * dy2 - dx2 * dy1;
        let g = (sum_x * dy2 - dx2 * sum_y) / determinant;
        let h = (dx1 * sum_y - sum_x * dy1) / determinant;
        Some(Self {
            rows: [[x1 - x0 + g * x1, x3 - x0 + h * x3, x0], [y1 - y0 + g * y1, y3 - y0 + h * y3, y0], [g, h, 1.0]],
        })
    }

    /// First `self`, then `next`.
    pub fn then(self, next: Self) -> Self {
        let cell = |row: [f64; 3], column: usize| (0..3).map(|at| row[at] * self.rows[at][column]).sum();
        Self { rows: next.rows.map(|row| [cell(row, 0), cell(row, 1), cell(row, 2)]) }
    }

    /// The map back, or `None` where the plane was flattened.
    pub fn inverse(self) -> Option<Self> {
        let [[a, b, c], [d, e, f], [g, h, i]] = self.rows;
        let rows = [
            [e * i - f * h, c * h - b * i, b * f - c * e],
            [f * g - d * i, a * i - c * g, c * d - a * f],
            [d * h - e * g, b * g - a * h, a * e - b * d],
        ];
        let determinant = a * rows[0][0] + b * rows[1][0] + c * rows[2][0];
        if !determinant.is_finite() || determinant.abs() < 1e-12 {
            return None;
        }
        // Divided by the determinant, and not by any other number, `w` keeps its sign.
        Some(Self { rows: rows.map(|row| row.map(|cell| cell / determinant)) })
    }

    /// The same map as an affine one, if it is one.
    pub fn affine(self) -> Option<Affine> {
        let [[a, b, c], [d, e, f], last] = self.rows;
        (last == [0.0, 0.0, 1.0]).then_some(Affine { a, b, c, d, e, f })
    }

    /// NaN where the position leads nowhere.
    #[inline(always)]
    pub fn apply(self, x: f64, y: f64) -> (f64, f64) {
        let [across, down, depth] = self.rows.map(|[by_x, by_y, one]| by_x * x + by_y * y + one);
        let depth = if depth > 0.0 { depth } else { f64::NAN };
        (across / depth, down / depth)
    }
}

/// Twice the area of the smallest triangle that three corners may make, in units of the square.
const LEAST_TURN: f64 = 1e-4;

#[cfg(test)]
mod tests {
    use super::*;

    const CORNERS: [(f64, f64); 4] = [(0.1, -0.2), (1.2, 0.1), (0.8, 0.7), (0.0, 0.9)];

    #[test]
    fn corners_go_where_they_are_told_and_back() {
        let map = Projective::from_unit_square(CORNERS).expect("they are convex");
        let back = map.inverse().expect("what is convex has an area");
        for ((x, y), (to_x, to_y)) in [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)].into_iter().zip(CORNERS) {
            let there = map.apply(x, y);
            assert!((there.0 - to_x).abs() < 1e-12 && (there.1 - to_y).abs() < 1e-12);
            let again = back.apply(there.0, there.1);
            assert!((again.0 - x).abs() < 1e-12 && (again.1 - y).abs() < 1e-12);
        }
    }

    #[test]
    fn a_shape_that_is_not_convex_has_no_map() {
        let crossed = [(0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0)];
        let dented = [(0.0, 0.0), (1.0, 0.0), (0.2, 0.2), (0.0, 1.0)];
        let line = [(0.0, 0.0), (0.3, 0.3), (0.6, 0.6), (1.0, 1.0)];
        for corners in [crossed, dented, line, [(0.5, 0.5); 4]] {
            assert_eq!(Projective::from_unit_square(corners), None, "{corners:?}");
        }
    }

    #[test]
    fn a_square_that_stays_one_is_affine() {
        let square = Projective::from_unit_square([(1.0, 0.0), (0.0, 0.0), (0.0, 2.0), (1.0, 2.0)]);
        let affine = square.and_then(Projective::affine).expect("a mirrored rectangle is one");
        assert_eq!(affine.apply(0.25, 0.5), (0.75, 1.0));
    }
}
