//! VP8 through libvpx: one thread (two cost ten times as much on two busy cores, measured), real time, cpu-used 10.
#![expect(unsafe_code, reason = "libvpx is a C library without a safe wrapper that takes I420 planes")]

use std::mem::MaybeUninit;
use std::os::raw::{c_int, c_ulong};
use std::ptr;

use vpx_sys::*;
use yuv::{YuvRange, YuvStandardMatrix};

use super::i420::I420;
use super::types::{EncodeError, Rung, VideoConfig};
use super::video::{Bits, Codec};
use crate::frame::Frame;
use crate::geometry::Size;

/// One encoder; libvpx's part of it is made anew when the size changes.
pub struct Vp8 {
    config: VideoConfig,
    picture: I420,
    encoder: Option<Context>,
    pts: i64,
}

/// An initialised libvpx context of one size.
struct Context {
    raw: Box<vpx_codec_ctx_t>,
    settings: vpx_codec_enc_cfg_t,
    size: Size,
}

// SAFETY: a libvpx context is used by one thread at a time, and nothing in it belongs to the thread that made it.
unsafe impl Send for Context {}

impl Vp8 {
    pub fn new(rung: Rung, config: VideoConfig) -> Self {
        Self { config, picture: I420::new(rung), encoder: None, pts: 0 }
    }
}

fn check(what: &str, result: vpx_codec_err_t) -> Result<(), EncodeError> {
    if result == VPX_CODEC_OK { Ok(()) } else { Err(EncodeError::Vp8(format!("{what}: {result:?}"))) }
}

impl Context {
    fn new(config: VideoConfig, size: Size) -> Result<Self, EncodeError> {
        let mut settings = MaybeUninit::<vpx_codec_enc_cfg_t>::uninit();
        // SAFETY: the interface is a static of libvpx, and the function fills the whole structure when it succeeds.
        let mut settings = unsafe {
            check("defaults", vpx_codec_enc_config_default(vpx_codec_vp8_cx(), settings.as_mut_ptr(), 0))?;
            settings.assume_init()
        };
        settings.g_w = size.width;
        settings.g_h = size.height;
        settings.g_timebase.num = 1;
        settings.g_timebase.den = c_int::try_from(config.fps).unwrap_or(30);
        settings.g_threads = 1;
        settings.g_lag_in_frames = 0;
        settings.g_error_resilient = 0;
        settings.rc_end_usage = vpx_rc_mode::VPX_CBR;
        settings.rc_target_bitrate = config.bitrate_kbps;
        settings.rc_min_quantizer = 4;
        settings.rc_max_quantizer = 56;
        settings.rc_undershoot_pct = 100;
        settings.rc_overshoot_pct = 50;
        // Milliseconds of the decoder's buffer: small, because what waits there is delay.
        settings.rc_buf_sz = 600;
        settings.rc_buf_initial_sz = 300;
        settings.rc_buf_optimal_sz = 400;
        settings.rc_dropframe_thresh = 0;
        settings.kf_mode = vpx_kf_mode::VPX_KF_DISABLED;
        let mut raw = Box::new(MaybeUninit::<vpx_codec_ctx_t>::zeroed());
        // SAFETY: `raw` is zeroed memory of the right size, as the function asks, and initialised when it succeeds.
        let mut context = unsafe {
            let version = VPX_ENCODER_ABI_VERSION as c_int;
            check(
                "start",
                vpx_codec_enc_init_ver(raw.as_mut_ptr(), vpx_codec_vp8_cx(), &raw const settings, 0, version),
            )?;
            Self { raw: raw.assume_init(), settings, size }
        };
        context.control(vp8e_enc_control_id::VP8E_SET_CPUUSED, 10)?;
        context.control(vp8e_enc_control_id::VP8E_SET_STATIC_THRESHOLD, 1)?;
        context.control(vp8e_enc_control_id::VP8E_SET_NOISE_SENSITIVITY, 0)?;
        context.control(vp8e_enc_control_id::VP8E_SET_TOKEN_PARTITIONS, 0)?;
        // A keyframe may take at most this per cent of a frame's share, so that newcomers do not stall the others.
        context.control(vp8e_enc_control_id::VP8E_SET_MAX_INTRA_BITRATE_PCT, 900)?;
        Ok(context)
    }

    fn set_bitrate(&mut self, kbps: u32) -> Result<(), EncodeError> {
        self.settings.rc_target_bitrate = kbps;
        // SAFETY: the context is initialised, and the settings are those it was made with but for the bitrate.
        check("bitrate", unsafe { vpx_codec_enc_config_set(&raw mut *self.raw, &raw const self.settings) })
    }

    fn control(&mut self, id: vp8e_enc_control_id, value: c_int) -> Result<(), EncodeError> {
        // SAFETY: the context is initialised, and every control used here takes one int.
        check("control", unsafe { vpx_codec_control_(&raw mut *self.raw, id as c_int, value) })
    }

    fn encode(&mut self, picture: &I420, pts: i64, keyframe: bool, output: &mut Vec<u8>) -> Result<bool, EncodeError> {
        let (y, u, v) = picture.planes();
        let mut image = MaybeUninit::<vpx_image_t>::zeroed();
        let flags = if keyframe { c_ulong::from(VPX_EFLAG_FORCE_KF) as i64 } else { 0 };
        // SAFETY: the planes outlive the call, have the sizes that I420 of `self.size` has, and are only read;
        // the packets are copied before the next call on the context invalidates them.
        unsafe {
            let wrapped = vpx_img_wrap(
                image.as_mut_ptr(),
                vpx_img_fmt::VPX_IMG_FMT_I420,
                self.size.width,
                self.size.height,
                1,
                y.as_ptr().cast_mut(),
            );
            if wrapped.is_null() {
                return Err(EncodeError::Vp8("the picture was refused".to_owned()));
            }
            let image = image.assume_init_mut();
            image.planes = [y.as_ptr().cast_mut(), u.as_ptr().cast_mut(), v.as_ptr().cast_mut(), ptr::null_mut()];
            image.stride = [self.size.width as c_int, self.size.width as c_int / 2, self.size.width as c_int / 2, 0];
            check(
                "encode",
                vpx_codec_encode(&raw mut *self.raw, image, pts, 1, flags, c_ulong::from(VPX_DL_REALTIME)),
            )?;
            let mut iterator = ptr::null();
            let mut is_keyframe = false;
            while let Some(packet) = vpx_codec_get_cx_data(&raw mut *self.raw, &raw mut iterator).as_ref() {
                if packet.kind == vpx_codec_cx_pkt_kind::VPX_CODEC_CX_FRAME_PKT {
                    let frame = packet.data.frame;
                    output.extend_from_slice(std::slice::from_raw_parts(frame.buf.cast::<u8>(), frame.sz));
                    is_keyframe |= frame.flags & VPX_FRAME_IS_KEY != 0;
                }
            }
            Ok(is_keyframe)
        }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: the context was initialised and is not used again.
        unsafe { vpx_codec_destroy(&raw mut *self.raw) };
    }
}

impl Codec for Vp8 {
    fn encode(&mut self, frame: &Frame, keyframe: bool, output: &mut Vec<u8>) -> Result<Bits, EncodeError> {
        let size = self.picture.fill(frame, YuvRange::Limited, YuvStandardMatrix::Bt601)?;
        let encoder = match &mut self.encoder {
            Some(encoder) if encoder.size == size => encoder,
            other => other.insert(Context::new(self.config, size)?),
        };
        self.pts += 1;
        let keyframe = encoder.encode(&self.picture, self.pts, keyframe, output)?;
        Ok(Bits { keyframe, size })
    }

    fn set_bitrate(&mut self, kbps: u32) -> Result<(), EncodeError> {
        self.config.bitrate_kbps = kbps;
        self.encoder.as_mut().map_or(Ok(()), |encoder| encoder.set_bitrate(kbps))
    }
}
