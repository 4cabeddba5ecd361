//! Multiply by a colour and add one.

use super::PointKernel;
use crate::filter::Color;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::Size;

params! {
    /// Multiplies the picture by one colour and adds another.
    pub struct MultiplyAdd("multiply_add", "Multiply and add colour", Point) {
        /// White leaves everything as it is.
        multiply: Color = WHITE, "Multiply";
        /// Black leaves everything as it is.
        add: Color = BLACK, "Add";
    }
}

impl Prepare for MultiplyAdd {
    fn prepare(&self, _: Size) -> Result<Kernel, PrepareError> {
        if *self == Self::default() {
            return Ok(Kernel::Identity);
        }
        let part = |color: Color, channel: usize| f32::from(color.to_rgba()[channel]) / 255.0;
        let line = |channel: usize| {
            let (multiply, add) = (part(self.multiply, channel), part(self.add, channel));
            move |v: f32| v * multiply + add
        };
        Ok(Kernel::Point(PointKernel::tables([&line(0), &line(1), &line(2)])))
    }
}
