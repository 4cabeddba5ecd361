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

/// How well JPEGs are encoded. There are few, because each that somebody wants is one more encoding of every picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Grade {
    /// As the host's setting says.
    #[default]
    Setting,
    Low,
    Middle,
    High,
}

impl Grade {
    pub const ALL: [Self; 4] = [Self::Setting, Self::Low, Self::Middle, Self::High];

    /// The place in [`Self::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The one that is nearest to a quality of 1 to 100.
    pub const fn nearest(quality: u8) -> Self {
        match quality {
            0..=50 => Self::Low,
            51..=70 => Self::Middle,
            _ => Self::High,
        }
    }

    /// 1 to 100, where `setting` is the host's.
    pub const fn quality(self, setting: u8) -> u8 {
        match self {
            Self::Setting => setting,
            Self::Low => 40,
            Self::Middle => 60,
            Self::High => 80,
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
    /// The largest first.
    pub const ALL: [Self; 3] = [Self::Full, Self::Half, Self::Quarter];

    /// The place in [`Self::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The next larger size.
    pub fn larger(self) -> Option<Self> {
        Self::ALL.get(self.index().checked_sub(1)?).copied()
    }

    /// The next smaller size.
    pub fn smaller(self) -> Option<Self> {
        Self::ALL.get(self.index() + 1).copied()
    }

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

    /// The video of this size for a setting that speaks of the full one. A smaller picture needs fewer bits, but more
    /// for each pixel, because more happens between its neighbours.
    pub fn config(self, full: VideoConfig) -> VideoConfig {
        let (share, least) = match self {
            Self::Full => (100, 0),
            Self::Half => (35, 300),
            Self::Quarter => (12, 150),
        };
        let kbps = (u64::from(full.bitrate_kbps) * share / 100) as u32;
        VideoConfig { bitrate_kbps: kbps.max(least).min(full.bitrate_kbps), ..full }
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
    pub rung: Rung,
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

impl EncoderStats {
    /// What encoders of several sizes did together, the largest first; the time is that of the largest at work.
    pub fn sum(all: impl IntoIterator<Item = Self>) -> Self {
        let mut sum = Self::default();
        for stats in all {
            if stats.viewers > 0 && sum.viewers == 0 || sum.encoded == 0 {
                sum.ms = stats.ms;
            }
            sum.viewers += stats.viewers;
            sum.encoded += stats.encoded;
            sum.keyframes += stats.keyframes;
            sum.bytes += stats.bytes;
        }
        sum
    }
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
