//! Rotate, once or for ever.

use super::motion::{Drive, Motion, checked, middle};
use crate::filter::Color;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::{Affine, Mapping, Size};

params! {
    /// Turns the picture around its middle, or keeps turning it.
    pub struct Rotate("rotate", "Rotate", Geometric) {
        /// How far, anticlockwise; a quarter turn loses nothing.
        degrees: f32 = 0.0 in -180.0..=180.0 step 0.1, "Angle", Degrees;
        /// How fast it keeps turning, anticlockwise.
        spin: f32 = 0.0 in -360.0..=360.0 step 1.0, "Spin", DegreesPerSecond;
        /// Makes the picture as large as it has to be for nothing to be cut off.
        expand: bool = false, "Expand";
        /// What is shown beside the turned picture.
        fill: Color = BLACK, "Fill";
    }
}

impl Prepare for Rotate {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        // The catalogue's reference turns anticlockwise, the plane's own positive angle is clockwise.
        let back = Affine::rotation(f64::from(self.degrees));
        let output = if self.expand { checked(self.expanded(input, back))? } else { input };
        let (x, y) = middle(output);
        let (to_x, to_y) = middle(input);
        let mut map = Affine::translation(-x, -y).then(back).then(Affine::translation(to_x, to_y));
        if [back.a, back.b].contains(&0.0) {
            // Between an odd and an even side the middle lies half a pixel off the grid; on the grid nothing blurs.
            (map.c, map.f) = (map.c.floor(), map.f.floor());
        }
        let mapping = Mapping { input, output, input_from_output: map.into() };
        let drive = if self.spin == 0.0 { Drive::Still } else { Drive::Spin(f64::from(self.spin)) };
        Ok(Motion { mapping, fill: self.fill.to_rgba(), drive }.into_kernel())
    }
}

impl Rotate {
    fn expanded(&self, input: Size, turn: Affine) -> Size {
        let (width, height) = (f64::from(input.width), f64::from(input.height));
        // A sliver of a rounding error must not add a pixel.
        let side = |length: f64| (length - 1e-6).ceil().max(1.0) as u32;
        if self.spin != 0.0 {
            // One size for every angle: an encoder has to start anew with each other size.
            let diagonal = side(width.hypot(height));
            return Size::new(diagonal, diagonal);
        }
        let (across, along) = (turn.a.abs(), turn.b.abs());
        Size::new(side(across * width + along * height), side(along * width + across * height))
    }
}
