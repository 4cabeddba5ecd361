//! Filters that remember earlier pictures. What they remember is bounded, and ends with the picture's size, its source,
//! and with any change to what is hidden.

mod delay;
mod frame_rate;
mod freeze;
mod motion;
mod remembered;
mod temporal_denoise;
mod trails;

pub use delay::Delay;
pub use frame_rate::FrameRate;
pub use freeze::Freeze;
pub use motion::{MotionStyle, ShowMotion};
pub use temporal_denoise::TemporalDenoise;
pub use trails::Trails;
