//! H.264 through OpenH264: constrained baseline in camera mode at low complexity, which costs half of its screen mode
//! for a hundredth of SSIM (measured; see `docs/performance.md`).

#![expect(unsafe_code, reason = "the wrapper of OpenH264 has no safe call that changes the bitrate")]

use std::os::raw::c_int;

use openh264::OpenH264API;
use openh264::encoder::{
    BitRate, Complexity, Encoder, EncoderConfig, FrameRate, FrameType, IntraFramePeriod, Profile, QpRange,
    RateControlMode, UsageType, VuiConfig,
};
use openh264::formats::YUVSource;
use yuv::{YuvRange, YuvStandardMatrix};

use super::i420::I420;
use super::types::{EncodeError, Rung, VideoConfig};
use super::video::{Bits, Codec};
use crate::frame::Frame;

/// One encoder; made anew when its frame rate changes.
pub struct H264 {
    encoder: Encoder,
    picture: I420,
    kbps: u32,
    /// The bitrate that the encoder was told last; it forgets it with the size of its picture.
    told_kbps: u32,
    opened_kbps: u32,
}

/// OpenH264's `SBitrateInfo`.
#[repr(C)]
struct BitrateInfo {
    layer: c_int,
    bits_per_second: c_int,
}

/// OpenH264's `SPATIAL_LAYER_0`, `ENCODER_OPTION_BITRATE` and `ENCODER_OPTION_MAX_BITRATE`.
const FIRST_LAYER: c_int = 0;
const OPTION_BITRATE: c_int = 5;
const OPTION_MAX_BITRATE: c_int = 6;

impl H264 {
    pub fn new(rung: Rung, config: VideoConfig) -> Result<Self, EncodeError> {
        let settings = EncoderConfig::new()
            .bitrate(BitRate::from_bps(config.bitrate_kbps.saturating_mul(1_000)))
            .max_frame_rate(FrameRate::from_hz(config.fps as f32))
            .usage_type(UsageType::CameraVideoRealTime)
            .rate_control_mode(RateControlMode::Bitrate)
            .complexity(Complexity::Low)
            .profile(Profile::Baseline)
            // Keyframes come when somebody asks for one, never by themselves: each costs as much as a second of video.
            .intra_frame_period(IntraFramePeriod::from_num_frames(0))
            .scene_change_detect(false)
            .background_detection(false)
            .adaptive_quantization(false)
            .skip_frames(true)
            .qp(QpRange::new(12, 42))
            .num_threads(1)
            .vui(VuiConfig::bt709());
        let encoder = Encoder::with_api_config(OpenH264API::from_source(), settings)?;
        let kbps = config.bitrate_kbps;
        Ok(Self { encoder, picture: I420::new(rung), kbps, told_kbps: kbps, opened_kbps: kbps })
    }

    /// Tells the encoder, which has a picture already.
    fn tell_bitrate(&mut self) -> Result<(), EncodeError> {
        let bits_per_second = c_int::try_from(self.kbps.saturating_mul(1_000)).unwrap_or(c_int::MAX);
        // The target must never exceed the maximum, so the one that makes room goes first.
        let order = if self.kbps > self.told_kbps {
            [OPTION_MAX_BITRATE, OPTION_BITRATE]
        } else {
            [OPTION_BITRATE, OPTION_MAX_BITRATE]
        };
        for option in order {
            let mut info = BitrateInfo { layer: FIRST_LAYER, bits_per_second };
            // SAFETY: the encoder is initialised, because it has encoded a picture, and both options read one structure
            // of this shape during the call; the wrapper itself does not rely on the bitrate.
            let refused = unsafe { self.encoder.raw_api().set_option(option as _, (&raw mut info).cast()) };
            if refused != 0 {
                return Err(EncodeError::Bitrate(self.kbps));
            }
        }
        self.told_kbps = self.kbps;
        Ok(())
    }
}

impl Codec for H264 {
    fn encode(&mut self, frame: &Frame, keyframe: bool, output: &mut Vec<u8>) -> Result<Bits, EncodeError> {
        let before = self.picture.size;
        let size = self.picture.fill(frame, YuvRange::Limited, YuvStandardMatrix::Bt709)?;
        if before == Some(size) && self.told_kbps != self.kbps {
            self.tell_bitrate()?;
        } else if before != Some(size) {
            // The encoder begins anew with what it was opened with.
            self.told_kbps = self.opened_kbps;
        }
        // The encoder starts with a keyframe by itself, and makes one when the size changes.
        if keyframe && before == Some(size) {
            self.encoder.force_intra_frame();
        }
        let stream = self.encoder.encode(&Planes(&self.picture))?;
        let is_keyframe = matches!(stream.frame_type(), FrameType::IDR | FrameType::I);
        stream.write_vec(output);
        Ok(Bits { keyframe: is_keyframe, size })
    }

    fn set_bitrate(&mut self, kbps: u32) -> Result<(), EncodeError> {
        self.kbps = kbps;
        Ok(())
    }
}

struct Planes<'a>(&'a I420);

impl YUVSource for Planes<'_> {
    fn dimensions(&self) -> (usize, usize) {
        self.0.size.map_or((0, 0), |size| (size.width as usize, size.height as usize))
    }

    fn strides(&self) -> (usize, usize, usize) {
        let (width, _) = self.dimensions();
        (width, width / 2, width / 2)
    }

    fn y(&self) -> &[u8] {
        self.0.planes().0
    }

    fn u(&self) -> &[u8] {
        self.0.planes().1
    }

    fn v(&self) -> &[u8] {
        self.0.planes().2
    }
}
