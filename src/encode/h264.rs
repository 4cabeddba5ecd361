//! H.264 through OpenH264: constrained baseline in camera mode at low complexity, which costs half of its screen mode
//! for a hundredth of SSIM (measured; see `docs/performance.md`).

use openh264::OpenH264API;
use openh264::encoder::{
    BitRate, Complexity, Encoder, EncoderConfig, FrameRate, FrameType, IntraFramePeriod, Profile, QpRange,
    RateControlMode, UsageType, VuiConfig,
};
use openh264::formats::YUVSource;
use yuv::{YuvRange, YuvStandardMatrix};

use super::i420::I420;
use super::types::{EncodeError, VideoConfig};
use super::video::{Bits, Codec};
use crate::frame::Frame;

/// One encoder; made anew when its configuration changes.
pub struct H264 {
    encoder: Encoder,
    picture: I420,
}

impl H264 {
    pub fn new(config: VideoConfig) -> Result<Self, EncodeError> {
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
        Ok(Self { encoder: Encoder::with_api_config(OpenH264API::from_source(), settings)?, picture: I420::default() })
    }
}

impl Codec for H264 {
    fn encode(&mut self, frame: &Frame, keyframe: bool, output: &mut Vec<u8>) -> Result<Bits, EncodeError> {
        let before = self.picture.size;
        let size = self.picture.fill(frame, YuvRange::Limited, YuvStandardMatrix::Bt709)?;
        // The encoder starts with a keyframe by itself, and makes one when the size changes.
        if keyframe && before == Some(size) {
            self.encoder.force_intra_frame();
        }
        let stream = self.encoder.encode(&Planes(&self.picture))?;
        let is_keyframe = matches!(stream.frame_type(), FrameType::IDR | FrameType::I);
        stream.write_vec(output);
        Ok(Bits { keyframe: is_keyframe, size })
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
