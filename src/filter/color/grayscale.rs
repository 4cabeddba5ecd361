//! Greyscale by one of the usual weightings.

use crate::filter::declare::{choices, params};

choices! {
    /// How the three channels become one.
    pub enum GrayMethod {
        Luma709 = "luma709", "Luma (BT.709)";
        Luma601 = "luma601", "Luma (BT.601)";
        Average = "average", "Average";
        Lightness = "lightness", "Lightness";
    }
}

params! {
    /// Takes the colour out of the picture.
    pub struct Grayscale("grayscale", "Greyscale", Point) {
        /// How the three channels are weighted.
        method: GrayMethod = Luma709, "Method";
        /// How much of the colour goes.
        amount: f32 = 1.0 in 0.0..=1.0 step 0.01, "Amount";
    }
}
