//! Brightness and contrast around middle grey.

use crate::filter::declare::params;

params! {
    /// Makes the picture brighter or darker and its tones further apart or closer together.
    pub struct BrightnessContrast("brightness_contrast", "Brightness and contrast", Point) {
        /// Added to every channel.
        brightness: f32 = 0.0 in -1.0..=1.0 step 0.01, "Brightness";
        /// Distance of every tone from middle grey, as a factor.
        contrast: f32 = 1.0 in 0.0..=4.0 step 0.01, "Contrast";
    }
}
