//! What goes into an encoder and what comes out.

use std::sync::Arc;
use std::time::Instant;

use crate::frame::FrameTimes;
use crate::geometry::{Geometry, Size};

/// A video codec that browsers take over WebRTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VideoCodec {
    /// Constrained baseline, Annex B byte stream, SPS and PPS before every keyframe.
    H264,
    /// One frame, without a container.
    Vp8,
}

impl VideoCodec {
    pub const ALL: [Self; 2] = [Self::H264, Self::Vp8];

    pub const fn id(self) -> &'static str {
        match self {
            Self::H264 => "h264",
            Self::Vp8 => "vp8",
        }
    }
}

/// How large a viewer gets the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Rung {
    #[default]
    Full,
    Half,
    Quarter,
}

impl Rung {
    /// By how much each side is divided.
    pub const fn divisor(self) -> u32 {
        match self {
            Self::Full => 1,
            Self::Half => 2,
            Self::Quarter => 4,
        }
    }

    pub const fn id(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Half => "half",
            Self::Quarter => "quarter",
        }
    }
}

/// What a video encoder is asked for; may change at any time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoConfig {
    pub bitrate_kbps: u32,
    /// The frame rate that the bitrate is spread over.
    pub fps: u32,
}

/// One encoded frame of video.
#[derive(Debug, Clone)]
pub struct EncodedVideo {
    pub codec: VideoCodec,
    pub data: Vec<u8>,
    pub keyframe: bool,
    pub size: Size,
    pub frame_id: u64,
    /// 90 kHz, from the capture time; the same for every viewer.
    pub rtp_timestamp: u32,
    pub times: FrameTimes,
    pub encoded: Instant,
    pub geometry: Arc<Geometry>,
}

/// One JPEG: baseline, 4:2:0, no metadata.
#[derive(Debug, Clone)]
pub struct EncodedJpeg {
    pub data: Vec<u8>,
    pub size: Size,
    pub frame_id: u64,
    pub times: FrameTimes,
    pub encoded: Instant,
    pub geometry: Arc<Geometry>,
}

/// Counters of one encoder.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct EncoderStats {
    pub viewers: usize,
    pub encoded: u64,
    pub keyframes: u64,
    pub bytes: u64,
    /// Milliseconds of the last frame.
    pub ms: f32,
}

/// Takes what a video encoder makes; called on the encoder's thread, so it only hands the frame on.
pub trait VideoSink: Send + Sync {
    fn encoded(&self, frame: EncodedVideo);
}

/// Why a picture could not be encoded.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    #[error("the JPEG encoder failed: {0}")]
    Jpeg(String),
    #[error("the H.264 encoder failed: {0}")]
    H264(#[from] openh264::Error),
    #[error("the VP8 encoder failed: {0}")]
    Vp8(String),
    #[error("the encoder refused a bitrate of {0} kbit/s")]
    Bitrate(u32),
    #[error("the picture could not be converted for the encoder: {0}")]
    Convert(String),
}
