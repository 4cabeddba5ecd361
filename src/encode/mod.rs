//! Encoders: each codec runs once for all who watch, in a thread of its own, and only while somebody does.

mod types;

pub use types::{EncodedJpeg, EncodedVideo, EncoderStats, VideoCodec, VideoConfig};
