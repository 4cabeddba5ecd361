//! Colour filters: a pixel depends on that pixel alone, so neighbours in the chain can run as one pass.

mod brightness_contrast;
mod channel_mixer;
mod color_balance;
mod cube;
mod curves;
mod exposure;
mod false_color;
mod gamma;
mod grayscale;
mod hald;
mod hue;
mod invert;
mod levels;
mod lut3d;
mod multiply_add;
mod point;
mod posterize;
mod saturation;
mod sepia;
mod solarize;
mod temperature;
mod threshold;
mod vector;

pub use brightness_contrast::BrightnessContrast;
pub use channel_mixer::ChannelMixer;
pub use color_balance::ColorBalance;
pub use curves::Curves;
pub use exposure::Exposure;
pub use false_color::{FalseColor, Palette};
pub use gamma::Gamma;
pub use grayscale::{GrayMethod, Grayscale};
pub use hue::Hue;
pub use invert::Invert;
pub use levels::Levels;
pub use lut3d::Lut3d;
pub use multiply_add::MultiplyAdd;

pub(crate) use point::LUMA_709;
pub use point::PointKernel;
pub use posterize::Posterize;
pub use saturation::Saturation;
pub use sepia::Sepia;
pub use solarize::Solarize;
pub use temperature::Temperature;
pub use threshold::Threshold;
pub(crate) use vector::{channels, packed};
