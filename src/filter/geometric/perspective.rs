//! Keystone: the picture as if seen from aside, or straightened.

use super::motion::{Motion, middle};
use crate::filter::Color;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::{Affine, Map, Mapping, Projective, Size};

params! {
    /// Moves each corner of the picture to a place of its own; straight lines stay straight.
    pub struct Perspective("perspective", "Keystone", Geometric) {
        /// Where the upper left corner goes, as a fraction of the width.
        top_left_x: f32 = 0.0 in -0.5..=1.5 step 0.001, "Top left, across", Fraction;
        /// Where the upper left corner goes, as a fraction of the height.
        top_left_y: f32 = 0.0 in -0.5..=1.5 step 0.001, "Top left, down", Fraction;
        /// Where the upper right corner goes, as a fraction of the width.
        top_right_x: f32 = 1.0 in -0.5..=1.5 step 0.001, "Top right, across", Fraction;
        /// Where the upper right corner goes, as a fraction of the height.
        top_right_y: f32 = 0.0 in -0.5..=1.5 step 0.001, "Top right, down", Fraction;
        /// Where the lower right corner goes, as a fraction of the width.
        bottom_right_x: f32 = 1.0 in -0.5..=1.5 step 0.001, "Bottom right, across", Fraction;
        /// Where the lower right corner goes, as a fraction of the height.
        bottom_right_y: f32 = 1.0 in -0.5..=1.5 step 0.001, "Bottom right, down", Fraction;
        /// Where the lower left corner goes, as a fraction of the width.
        bottom_left_x: f32 = 0.0 in -0.5..=1.5 step 0.001, "Bottom left, across", Fraction;
        /// Where the lower left corner goes, as a fraction of the height.
        bottom_left_y: f32 = 1.0 in -0.5..=1.5 step 0.001, "Bottom left, down", Fraction;
        /// What is shown beside the moved picture.
        fill: Color = BLACK, "Fill";
    }
}

/// Said where the corners don't make a picture.
const NOT_CONVEX: &str =
    "the four corners must make a shape without a dent and without crossed sides; drag them further apart";

impl Prepare for Perspective {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        let corners = [
            (self.top_left_x, self.top_left_y),
            (self.top_right_x, self.top_right_y),
            (self.bottom_right_x, self.bottom_right_y),
            (self.bottom_left_x, self.bottom_left_y),
        ];
        let corners = corners.map(|(x, y)| (f64::from(x), f64::from(y)));
        let back = Projective::from_unit_square(corners).and_then(Projective::inverse);
        let back = back.ok_or_else(|| PrepareError::Because(NOT_CONVEX.to_owned()))?;
        let (x, y) = middle(input);
        let (width, height) = (x * 2.0, y * 2.0);
        let to_fractions = Projective::from(Affine::scaling(1.0 / width, 1.0 / height));
        let map = to_fractions.then(back).then(Affine::scaling(width, height).into());
        let untouched = corners == [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)];
        let input_from_output = if untouched { Map::IDENTITY } else { map.into() };
        Ok(Motion::filled(Mapping { input, output: input, input_from_output }, self.fill.to_rgba()))
    }
}
