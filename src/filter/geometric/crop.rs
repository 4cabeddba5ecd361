//! Crop: keeps a rectangle.

use crate::filter::declare::params;

params! {
    /// Keeps a rectangle of the picture and drops the rest.
    pub struct Crop("crop", "Crop", Geometric) {
        /// Cut off at the left, as a fraction of the width.
        left: f32 = 0.0 in 0.0..=0.95 step 0.01, "Left", Fraction;
        /// Cut off at the top, as a fraction of the height.
        top: f32 = 0.0 in 0.0..=0.95 step 0.01, "Top", Fraction;
        /// Cut off at the right, as a fraction of the width.
        right: f32 = 0.0 in 0.0..=0.95 step 0.01, "Right", Fraction;
        /// Cut off at the bottom, as a fraction of the height.
        bottom: f32 = 0.0 in 0.0..=0.95 step 0.01, "Bottom", Fraction;
    }
}
