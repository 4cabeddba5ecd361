//! Sine, cosine and arc tangent of turns in plain arithmetic without branches: a row of them is worked on at once, and
//! every machine gives the same bits, so that a table of positions and a single click can't disagree.

/// Added and taken away it rounds to the nearest whole number.
const WHOLE: f64 = 6_755_399_441_055_744.0;

#[inline(always)]
pub(super) fn nearest(value: f64) -> f64 {
    (value + WHOLE) - WHOLE
}

/// Sine and cosine of an angle in turns (1 is a full circle), to about 1e-12.
#[inline(always)]
pub(super) fn sin_cos(turns: f64) -> (f64, f64) {
    let turns = turns - nearest(turns);
    let size = turns.abs();
    // Over a half the sine comes down as it went up.
    let folded = if size < 0.25 { size } else { 0.5 - size };
    let sine = quarter_sine(folded);
    (if turns < 0.0 { -sine } else { sine }, quarter_sine(0.25 - size))
}

/// The sine of at most a quarter of a turn to either side.
#[inline(always)]
fn quarter_sine(turns: f64) -> f64 {
    let x = turns * std::f64::consts::TAU;
    let square = x * x;
    // Taylor's series up to the 19th power.
    let mut sum = 1.0;
    for factor in
        [1.0 / 342.0, 1.0 / 272.0, 1.0 / 210.0, 1.0 / 156.0, 1.0 / 110.0, 1.0 / 72.0, 1.0 / 42.0, 0.05, 1.0 / 6.0]
    {
        sum = 1.0 - square * sum * factor;
    }
    x * sum
}

/// The direction of (`x`, `y`) in turns from the x axis towards the y axis, -0.5 to 0.5, to about 1e-12; 0 for no
/// direction.
#[inline(always)]
pub(super) fn direction(x: f64, y: f64) -> f64 {
    let (across, along) = (x.abs(), y.abs());
    let (most, least) = if across > along { (across, along) } else { (along, across) };
    let slope = if most > 0.0 { least / most } else { 0.0 };
    // Halving the angle twice leaves a slope below 0.2, for which the series is short.
    let half = slope / (1.0 + (1.0 + slope * slope).sqrt());
    let quarter = half / (1.0 + (1.0 + half * half).sqrt());
    let square = quarter * quarter;
    let mut sum = 1.0 / 15.0 - square / 17.0;
    for term in [1.0 / 13.0, 1.0 / 11.0, 1.0 / 9.0, 1.0 / 7.0, 0.2, 1.0 / 3.0, 1.0] {
        sum = term - square * sum;
    }
    let turns = quarter * sum * (4.0 / std::f64::consts::TAU);
    let turns = if across > along { turns } else { 0.25 - turns };
    let turns = if x < 0.0 { 0.5 - turns } else { turns };
    if most == 0.0 {
        0.0
    } else if y < 0.0 {
        -turns
    } else {
        turns
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    #[test]
    fn turns_agree_with_the_standard_library() {
        for step in -4_000..4_000 {
            let turns = f64::from(step) / 777.0;
            let (sine, cosine) = sin_cos(turns);
            let (wanted, other) = (turns * TAU).sin_cos();
            assert!((sine - wanted).abs() < 1e-11 && (cosine - other).abs() < 1e-11, "{turns}");
            if turns.abs() < 0.5 {
                assert!((direction(cosine * 3.0, sine * 3.0) - turns).abs() < 1e-10, "{turns}");
            }
        }
        assert_eq!([direction(0.0, 0.0), direction(2.0, 0.0), direction(0.0, 2.0)], [0.0, 0.0, 0.25]);
        assert_eq!([direction(0.0, -2.0), direction(-2.0, 0.0)], [-0.25, 0.5]);
    }
}
