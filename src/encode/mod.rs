//! Encoders: each codec runs once for all who watch at the same size, in a thread of its own, and only while somebody does.

mod h264;
mod i420;
mod intake;
mod jpeg;
#[cfg(feature = "turbojpeg")]
mod jpeg_codec;
#[cfg(not(feature = "turbojpeg"))]
#[path = "jpeg_codec_portable.rs"]
mod jpeg_codec;
mod overload;
mod types;
mod video;
#[cfg(feature = "vp8")]
mod vp8;

pub use jpeg::{JpegHub, JpegSubscription, encode_jpeg};
pub use overload::Relief;
pub use types::{
    EncodeError, EncodedJpeg, EncodedVideo, EncoderStats, Grade, Rung, VideoCodec, VideoConfig, VideoSink,
};
pub use video::{Bits, Codec, VideoHub, open_codec};
