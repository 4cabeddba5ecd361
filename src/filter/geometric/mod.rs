//! Filters that move pixels; each writes one mapping, which the resampler and the pointer share.

mod crop;

pub use crop::Crop;
