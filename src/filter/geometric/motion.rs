//! What a geometric filter prepares: one mapping, the colour beside the picture, and whether it keeps turning.

use crate::filter::kernel::{Kernel, PrepareError};
use crate::geometry::{Affine, Mapping, Size};

/// The largest picture that a filter may make; a picture of 8192 x 8192 pixels has 256 MB.
const MOST_PIXELS: usize = 8_192 * 8_192;

/// One movement of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Motion {
    pub mapping: Mapping,
    /// What is shown where the input has nothing, RGBA.
    pub fill: [u8; 4],
    /// Anticlockwise, in degrees a second.
    pub spin: f64,
}

impl Motion {
    /// The kernel of a mapping that leaves nothing to fill.
    pub fn within(mapping: Mapping) -> Kernel {
        Self { mapping, fill: [0, 0, 0, 255], spin: 0.0 }.into_kernel()
    }

    pub fn into_kernel(self) -> Kernel {
        if self.spin == 0.0 && self.mapping == Mapping::identity(self.mapping.input) {
            return Kernel::Identity;
        }
        Kernel::Geometric(self)
    }

    /// The mapping after the picture has turned by `degrees` more, around the middle of the output.
    pub(crate) fn turned(&self, degrees: f64) -> Mapping {
        if degrees == 0.0 {
            return self.mapping;
        }
        let (x, y) = middle(self.mapping.output);
        let back = Affine::translation(-x, -y).then(Affine::rotation(degrees)).then(Affine::translation(x, y));
        Mapping { input_from_output: back.then(self.mapping.input_from_output), ..self.mapping }
    }
}

pub(crate) fn middle(size: Size) -> (f64, f64) {
    (f64::from(size.width) / 2.0, f64::from(size.height) / 2.0)
}

/// # Errors
/// When a picture of that size should not be made.
pub(crate) fn checked(output: Size) -> Result<Size, PrepareError> {
    if output.pixels() > MOST_PIXELS { Err(PrepareError::TooLarge(output)) } else { Ok(output) }
}
