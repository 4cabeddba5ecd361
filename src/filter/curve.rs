//! A tone curve through a few points.

use std::fmt;
use std::str::FromStr;

use super::spec::ParamKind;
use super::value::{ParamType, ParamValue};

/// A curve from 0..1 to 0..1 through 2 to 16 points, from left to right. Written as `0,0 0.5,0.6 1,1`.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    points: Vec<[f32; 2]>,
}

/// Why a text is no curve.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a curve is 2 to {MOST_POINTS} points from left to right, like `0,0 0.5,0.6 1,1`")]
pub struct CurveError;

/// The most points of a curve.
pub const MOST_POINTS: usize = 16;

/// The closest that two points may be, from left to right.
const LEAST_STEP: f32 = 1.0 / 255.0;

impl Curve {
    /// A curve from numbers in 0..1; they are clamped, and sorted from left to right.
    ///
    /// # Errors
    /// When there are too few or too many points, two of them at one place, or something that is not a number.
    pub fn new(mut points: Vec<[f32; 2]>) -> Result<Self, CurveError> {
        if !(2..=MOST_POINTS).contains(&points.len()) || points.iter().flatten().any(|number| !number.is_finite()) {
            return Err(CurveError);
        }
        for number in points.iter_mut().flatten() {
            // Four digits are finer than a level and are written and read back as they are.
            *number = (number.clamp(0.0, 1.0) * 10_000.0).round() / 10_000.0;
        }
        points.sort_by(|one, other| one[0].total_cmp(&other[0]));
        if points.windows(2).any(|pair| pair[1][0] - pair[0][0] < LEAST_STEP / 2.0) {
            return Err(CurveError);
        }
        Ok(Self { points })
    }

    /// The straight line that changes nothing.
    pub fn identity() -> Self {
        Self { points: vec![[0.0, 0.0], [1.0, 1.0]] }
    }

    /// A curve that a filter's declaration writes down.
    pub fn declared(text: &str) -> Self {
        text.parse().unwrap_or_else(|_| Self::identity())
    }

    /// From left to right.
    pub fn points(&self) -> &[[f32; 2]] {
        &self.points
    }

    pub fn is_identity(&self) -> bool {
        self.points.iter().all(|[x, y]| x == y)
            && self.points.first().is_some_and(|point| point[0] == 0.0)
            && self.points.last().is_some_and(|point| point[0] == 1.0)
    }

    /// The curve as a function: cubic and monotone between the points (Fritsch and Carlson, *Monotone piecewise cubic
    /// interpolation*, 1980), level beyond them.
    pub fn function(&self) -> impl Fn(f32) -> f32 + use<> {
        let points: Vec<[f64; 2]> = self.points.iter().map(|point| point.map(f64::from)).collect();
        let slopes = monotone_slopes(&points);
        move |x| {
            let x = f64::from(x);
            let next = points.partition_point(|point| point[0] <= x);
            if next == 0 {
                return points[0][1] as f32;
            }
            if next == points.len() {
                return points[next - 1][1] as f32;
            }
            let ([x0, y0], [x1, y1]) = (points[next - 1], points[next]);
            let width = x1 - x0;
            let t = (x - x0) / width;
            let (square, cube) = (t * t, t * t * t);
            let y = (2.0 * cube - 3.0 * square + 1.0) * y0
                + (cube - 2.0 * square + t) * width * slopes[next - 1]
                + (3.0 * square - 2.0 * cube) * y1
                + (cube - square) * width * slopes[next];
            y as f32
        }
    }
}

fn monotone_slopes(points: &[[f64; 2]]) -> Vec<f64> {
    let secants: Vec<f64> =
        points.windows(2).map(|pair| (pair[1][1] - pair[0][1]) / (pair[1][0] - pair[0][0])).collect();
    let mut slopes = vec![secants[0]];
    slopes.extend(secants.windows(2).map(|pair| {
        // A peak or a dip is flat; it would overshoot otherwise.
        if pair[0] * pair[1] <= 0.0 { 0.0 } else { (pair[0] + pair[1]) / 2.0 }
    }));
    slopes.push(secants[secants.len() - 1]);
    for (index, secant) in secants.iter().enumerate() {
        if *secant == 0.0 {
            (slopes[index], slopes[index + 1]) = (0.0, 0.0);
            continue;
        }
        let (alpha, beta) = (slopes[index] / secant, slopes[index + 1] / secant);
        let length = alpha.hypot(beta);
        if length > 3.0 {
            (slopes[index], slopes[index + 1]) = (3.0 / length * alpha * secant, 3.0 / length * beta * secant);
        }
    }
    slopes
}

impl fmt::Display for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, [x, y]) in self.points.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(f, "{space}{x},{y}")?;
        }
        Ok(())
    }
}

impl FromStr for Curve {
    type Err = CurveError;

    fn from_str(text: &str) -> Result<Self, CurveError> {
        let mut points = Vec::new();
        for point in text.split_whitespace().take(MOST_POINTS + 1) {
            let (x, y) = point.split_once(',').ok_or(CurveError)?;
            points.push([x.parse().map_err(|_| CurveError)?, y.parse().map_err(|_| CurveError)?]);
        }
        Self::new(points)
    }
}

impl ParamType for Curve {
    fn to_value(&self) -> ParamValue {
        ParamValue::Text(self.to_string())
    }

    fn from_value(value: &ParamValue, _kind: &ParamKind) -> Option<Self> {
        if let ParamValue::Text(text) = value { text.parse().ok() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_goes_through_its_points_and_never_overshoots() -> Result<(), CurveError> {
        let curve: Curve = "0,0.1 0.3,0.1 0.35,0.9 0.6,0.9 1,0.2".parse()?;
        let function = curve.function();
        for [x, y] in curve.points() {
            assert!((function(*x) - y).abs() < 1e-6, "{x}");
        }
        for step in 0..=1_000 {
            let y = function(step as f32 / 1_000.0);
            assert!((0.1 - 1e-6..=0.9 + 1e-6).contains(&y), "{step}: {y}");
        }
        Ok(())
    }

    #[test]
    fn the_identity_is_a_straight_line() {
        let function = Curve::identity().function();
        for level in 0..=255 {
            let x = level as f32 / 255.0;
            assert!((function(x) - x).abs() < 1e-6);
        }
        assert!(Curve::identity().is_identity());
    }

    #[test]
    fn what_is_no_curve_is_refused() {
        for text in ["", "0,0", "0,0 0,1", "0,0 1", "a,b 1,1", "nan,0 1,1", "0,0 inf,1"] {
            assert_eq!(text.parse::<Curve>(), Err(CurveError), "{text}");
        }
        let many: Vec<String> = (0..17).map(|at| format!("{},0", at as f32 / 16.0)).collect();
        assert!(many.join(" ").parse::<Curve>().is_err());
    }

    #[test]
    fn a_curve_reads_back_as_it_was_written() -> Result<(), CurveError> {
        for text in ["0,0 1,1", "0.1,0.25 0.5,0.125 0.9,1"] {
            assert_eq!(text.parse::<Curve>()?.to_string(), text);
        }
        assert_eq!("1,1 0,0".parse::<Curve>()?, Curve::identity());
        Ok(())
    }
}
