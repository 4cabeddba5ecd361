//! Crop: keeps a rectangle.

use super::motion::Motion;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::{Affine, Mapping, Size};

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

impl Prepare for Crop {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        let (x, width) = kept(self.left, self.right, input.width);
        let (y, height) = kept(self.top, self.bottom, input.height);
        let input_from_output = Affine::translation(f64::from(x), f64::from(y));
        Ok(Motion::within(Mapping {
            input,
            output: Size::new(width, height),
            input_from_output: input_from_output.into(),
        }))
    }
}

/// The first kept pixel of a side of `length` and how many are kept: whole pixels, at least one.
fn kept(before: f32, after: f32, length: u32) -> (u32, u32) {
    let cut = |fraction: f32| (f64::from(fraction) * f64::from(length)).round() as u32;
    let first = cut(before).min(length - 1);
    let end = length.saturating_sub(cut(after)).max(first + 1);
    (first, end - first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_least_one_pixel_is_kept() {
        assert_eq!(kept(0.95, 0.95, 3), (2, 1));
        assert_eq!(kept(0.95, 0.0, 1), (0, 1));
        assert_eq!(kept(0.25, 0.25, 8), (2, 4));
        assert_eq!(kept(0.6, 0.6, 10), (6, 1));
    }
}
