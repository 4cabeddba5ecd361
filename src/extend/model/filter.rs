//! What the user chooses.

use super::kernel::ModelKernel;
use super::network::Network;
use crate::filter::kernel::{Kernel, Prepare};
use crate::filter::{FilePath, Files, PrepareError};
use crate::geometry::Size;
use crate::{choices, params};

choices! {
    /// What becomes of the model's result.
    pub enum ModelResult {
        Picture = "picture", "Picture";
        Blur = "blur", "Mask: blurred background";
        Transparent = "transparent", "Mask: transparent background";
        Mask = "mask", "The mask itself";
    }
}

params! {
    /// Runs an ONNX model that turns a picture into a picture or a mask. It works on the newest frame beside the stream, so
    /// what it makes can be some frames late.
    pub struct Model("model", "ONNX model", External) {
        /// The model: one input of 1 x 3 (or 1) x height x width or 1 x height x width x 3 (or 1), 32-bit floats from 0 to 1.
        path: FilePath = "onnx", "Model";
        /// What becomes of its result.
        result: ModelResult = Picture, "Result";
        /// Takes the background for the foreground.
        invert: bool = false, "Invert the mask";
        /// How far the background is blurred.
        blur: f32 = 12.0 in 0.0..=32.0 step 0.1, "Background blur", Pixels;
        /// How much of it is shown; 0 changes nothing.
        amount: f32 = 1.0 in 0.0..=1.0 step 0.01, "Amount", Fraction;
    }
}

impl Prepare for Model {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        self.prepare_with(input, &Files::none())
    }

    fn prepare_with(&self, input: Size, files: &Files) -> Result<Kernel, PrepareError> {
        let network = files.parsed(&self.path.0, Network::parse)?;
        if self.result != ModelResult::Picture && !network.makes_masks() {
            let error = "its result has the channels of a picture; a mask has one, or two of which the second counts";
            return Err(PrepareError::Because(format!("{}: {error}", self.path.0)));
        }
        if self.amount == 0.0 {
            return Ok(Kernel::Identity);
        }
        Ok(Kernel::Time(Box::new(ModelKernel::new(self.clone(), network, input)?)))
    }
}
