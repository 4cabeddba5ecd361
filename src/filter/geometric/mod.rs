//! Filters that move pixels; each writes one mapping, which the resampler and the pointer share.

mod crop;
mod flip;
mod motion;
mod resample;
mod rotate;
mod zoom;

pub use crop::Crop;
pub use flip::Flip;
pub use motion::Motion;
pub(crate) use resample::{Move, resample};
pub use rotate::Rotate;
pub use zoom::Zoom;
