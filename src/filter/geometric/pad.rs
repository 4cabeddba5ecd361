//! Pad: a border around the picture.

use super::motion::{Motion, checked};
use crate::filter::Color;
use crate::filter::declare::{choices, params};
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::{Affine, Mapping, Size};

choices! {
    /// The shape of the padded picture.
    pub enum Aspect {
        Free = "free", "Free";
        Wide = "wide_16_9", "16:9";
        Classic = "classic_4_3", "4:3";
        Square = "square", "1:1";
        Tall = "tall_9_16", "9:16";
    }
}

params! {
    /// Adds a border, until the picture has a shape or by free amounts. A pointer on the border does nothing.
    pub struct Pad("pad", "Pad", Geometric) {
        /// The shape to reach with a border on two sides; Free takes the amounts below.
        aspect: Aspect = Free, "Shape";
        /// Added at the left if the shape is free, as a fraction of the width.
        left: f32 = 0.0 in 0.0..=1.0 step 0.01, "Left", Fraction;
        /// Added at the top if the shape is free, as a fraction of the height.
        top: f32 = 0.0 in 0.0..=1.0 step 0.01, "Top", Fraction;
        /// Added at the right if the shape is free, as a fraction of the width.
        right: f32 = 0.0 in 0.0..=1.0 step 0.01, "Right", Fraction;
        /// Added at the bottom if the shape is free, as a fraction of the height.
        bottom: f32 = 0.0 in 0.0..=1.0 step 0.01, "Bottom", Fraction;
        /// Colour of the border.
        fill: Color = BLACK, "Colour";
    }
}

impl Prepare for Pad {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        let (left, top, output) = match self.aspect {
            Aspect::Free => self.by_amounts(input),
            Aspect::Wide => centred(input, (16, 9)),
            Aspect::Classic => centred(input, (4, 3)),
            Aspect::Square => centred(input, (1, 1)),
            Aspect::Tall => centred(input, (9, 16)),
        };
        let output = checked(output)?;
        // Whole pixels, so that nothing blurs.
        let input_from_output = Affine::translation(-f64::from(left), -f64::from(top)).into();
        Ok(Motion::filled(Mapping { input, output, input_from_output }, self.fill.to_rgba()))
    }
}

impl Pad {
    fn by_amounts(&self, input: Size) -> (u32, u32, Size) {
        let added = |fraction: f32, length: u32| (f64::from(fraction) * f64::from(length)).round() as u32;
        let (left, top) = (added(self.left, input.width), added(self.top, input.height));
        let width = input.width + left + added(self.right, input.width);
        (left, top, Size::new(width, input.height + top + added(self.bottom, input.height)))
    }
}

/// Left and upper border, and the smallest size of the shape `across` to `down` around the picture; rounded to whole
/// pixels.
fn centred(input: Size, (across, down): (u32, u32)) -> (u32, u32, Size) {
    let fitting = |length: u32, one: u32, other: u32| {
        let fitting = f64::from(length) * f64::from(one) / f64::from(other);
        (fitting.round() as u32).max(1)
    };
    let width = fitting(input.height, across, down).max(input.width);
    let height = if width > input.width { input.height } else { fitting(width, down, across).max(input.height) };
    ((width - input.width) / 2, (height - input.height) / 2, Size::new(width, height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_is_reached_by_two_borders() {
        assert_eq!(centred(Size::new(640, 480), (16, 9)), (106, 0, Size::new(853, 480)));
        assert_eq!(centred(Size::new(640, 480), (9, 16)), (0, 329, Size::new(640, 1138)));
        assert_eq!(centred(Size::new(1920, 1080), (16, 9)), (0, 0, Size::new(1920, 1080)));
        assert_eq!(centred(Size::new(1, 1), (4, 3)), (0, 0, Size::new(1, 1)));
    }
}
