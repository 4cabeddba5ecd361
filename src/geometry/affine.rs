//! Affine maps of the plane: turn, mirror, scale and move, composed exactly like the pictures they move.

/// `x' = a x + b y + c`, `y' = d x + e y + f`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine {
    pub a: f64,
    pub b: f64,
    pub c: f64,
    pub d: f64,
    pub e: f64,
    pub f: f64,
}

impl Affine {
    pub const IDENTITY: Self = Self { a: 1.0, b: 0.0, c: 0.0, d: 0.0, e: 1.0, f: 0.0 };

    pub const fn translation(x: f64, y: f64) -> Self {
        Self { c: x, f: y, ..Self::IDENTITY }
    }

    pub const fn scaling(x: f64, y: f64) -> Self {
        Self { a: x, e: y, ..Self::IDENTITY }
    }

    /// A turn by `degrees`, clockwise as seen on a screen whose y axis points down; exact at quarter turns.
    pub fn rotation(degrees: f64) -> Self {
        let (sin, cos) = match degrees.rem_euclid(360.0) {
            0.0 => (0.0, 1.0),
            90.0 => (1.0, 0.0),
            180.0 => (0.0, -1.0),
            270.0 => (-1.0, 0.0),
            other => other.to_radians().sin_cos(),
        };
        Self { a: cos, b: -sin, c: 0.0, d: sin, e: cos, f: 0.0 }
    }

    /// First `self`, then `next`.
    pub fn then(self, next: Self) -> Self {
        Self {
            a: next.a * self.a + next.b * self.d,
            b: next.a * self.b + next.b * self.e,
            c: next.a * self.c + next.b * self.f + next.c,
            d: next.d * self.a + next.e * self.d,
            e: next.d * self.b + next.e * self.e,
            f: next.d * self.c + next.e * self.f + next.f,
        }
    }

    #[inline(always)]
    pub fn apply(self, x: f64, y: f64) -> (f64, f64) {
        (self.a * x + self.b * y + self.c, self.d * x + self.e * y + self.f)
    }

    /// The map back, or `None` where the plane was flattened.
    pub fn inverse(self) -> Option<Self> {
        let determinant = self.a * self.e - self.b * self.d;
        if !determinant.is_finite() || determinant.abs() < 1e-12 {
            return None;
        }
        let (a, b) = (self.e / determinant, -self.b / determinant);
        let (d, e) = (-self.d / determinant, self.a / determinant);
        Some(Self { a, b, c: -(a * self.c + b * self.f), d, e, f: -(d * self.c + e * self.f) })
    }

    pub fn is_identity(self) -> bool {
        self == Self::IDENTITY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverse_undoes_the_map() {
        let map = Affine::rotation(33.0).then(Affine::scaling(2.0, 0.5)).then(Affine::translation(7.0, -3.0));
        let (x, y) = map.apply(11.0, 13.0);
        let (x, y) = map.inverse().expect("it turns and scales, so it has an inverse").apply(x, y);
        assert!((x - 11.0).abs() < 1e-9 && (y - 13.0).abs() < 1e-9);
        assert_eq!(Affine::scaling(0.0, 1.0).inverse(), None);
    }

    #[test]
    fn quarter_turns_are_exact() {
        assert_eq!(Affine::rotation(-90.0).apply(2.0, 5.0), (5.0, -2.0));
        assert_eq!(Affine::rotation(450.0), Affine::rotation(90.0));
    }
}
