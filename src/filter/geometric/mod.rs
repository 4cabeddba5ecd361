//! Filters that move pixels; each writes one mapping, which the resampler and the pointer share.

mod crop;
mod flip;
mod kaleidoscope;
mod lens;
mod motion;
mod pad;
mod perspective;
mod resample;
mod rotate;
mod scale;
mod separable;
mod straight;
mod swirl;
mod table;
mod wave;
mod zoom;

pub use crop::Crop;
pub use flip::Flip;
pub use kaleidoscope::Kaleidoscope;
pub use lens::LensCorrection;
pub use motion::{Drive, Motion};
pub(crate) use motion::{Moving, after};
pub use pad::{Aspect, Pad};
pub use perspective::Perspective;
pub(crate) use resample::Move;
pub use rotate::Rotate;
pub use scale::{Sampling, Scale};
pub use swirl::Swirl;
pub(crate) use table::Resampler;
pub use wave::Wave;
pub use zoom::Zoom;
