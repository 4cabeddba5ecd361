//! VP8 through libvpx, one thread: a second one gains nothing below 4K and takes from the encoders.
#![expect(unsafe_code, reason = "libvpx is a C library without a safe wrapper")]

use std::mem::MaybeUninit;
use std::os::raw::{c_int, c_uint};
use std::ptr;
use std::slice;

use vpx_sys::*;
use yuv::YuvPlanarImage;

use super::decoder::{DecodeError, Decoded, Decoder, Unit, check_size, to_rgba};
use crate::frame::BufferPool;

/// One stream's decoder: an initialised libvpx context.
pub struct Vp8 {
    raw: Box<vpx_codec_ctx_t>,
}

// SAFETY: a libvpx context is used by one thread at a time, and nothing in it belongs to the thread that made it.
unsafe impl Send for Vp8 {}

impl Vp8 {
    /// # Errors
    /// When the library can't be started.
    pub fn new() -> Result<Self, DecodeError> {
        let mut raw = Box::new(MaybeUninit::<vpx_codec_ctx_t>::zeroed());
        let settings = vpx_codec_dec_cfg_t { threads: 1, w: 0, h: 0 };
        // SAFETY: `raw` is zeroed memory of the right size, as the function asks, and initialised when it succeeds.
        unsafe {
            let version = VPX_DECODER_ABI_VERSION as c_int;
            let result = vpx_codec_dec_init_ver(raw.as_mut_ptr(), vpx_codec_vp8_dx(), &raw const settings, 0, version);
            if result != VPX_CODEC_OK {
                return Err(DecodeError::Vp8(format!("start: {result:?}")));
            }
            Ok(Self { raw: raw.assume_init() })
        }
    }
}

/// The size that a keyframe says, after the frame tag and the start code (RFC 6386, section 9.1).
fn size_of_keyframe(data: &[u8]) -> Option<(u32, u32)> {
    let header = data.get(..10).filter(|header| header[0] & 1 == 0)?;
    let side = |low: u8, high: u8| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
    Some((side(header[6], header[7]), side(header[8], header[9])))
}

impl Decoder for Vp8 {
    fn decode(&mut self, unit: &Unit, pool: &BufferPool) -> Result<Option<Decoded>, DecodeError> {
        if let Some((width, height)) = size_of_keyframe(&unit.data) {
            // Before the decoder asks for the memory of what it says.
            check_size(width, height)?;
        }
        let length = c_uint::try_from(unit.data.len()).map_err(|_| DecodeError::Vp8("too long".to_owned()))?;
        // SAFETY: the context is initialised and the data, which is only read, outlives the call. The picture belongs to
        // the context up to its next call; its planes have `stride` bytes for each of their rows, as libvpx promises.
        unsafe {
            let result = vpx_codec_decode(&raw mut *self.raw, unit.data.as_ptr(), length, ptr::null_mut(), 0);
            if result != VPX_CODEC_OK {
                return Err(DecodeError::Vp8(format!("{result:?}")));
            }
            let mut iterator = ptr::null();
            let Some(image) = vpx_codec_get_frame(&raw mut *self.raw, &raw mut iterator).as_ref() else {
                return Ok(None);
            };
            let size = check_size(image.d_w, image.d_h)?;
            if image.fmt != vpx_img_fmt::VPX_IMG_FMT_I420 || image.stride.iter().take(3).any(|stride| *stride <= 0) {
                return Err(DecodeError::Vp8("the picture is of an unknown kind".to_owned()));
            }
            let plane = |index: usize, width: u32, rows: u32| {
                let stride = image.stride[index] as usize;
                // The last row ends with the picture, not with its stride.
                slice::from_raw_parts(image.planes[index], stride * (rows as usize - 1) + width as usize)
            };
            let (half_width, half_height) = (size.width.div_ceil(2), size.height.div_ceil(2));
            let planes = YuvPlanarImage {
                y_plane: plane(0, size.width, size.height),
                y_stride: image.stride[0] as u32,
                u_plane: plane(1, half_width, half_height),
                u_stride: image.stride[1] as u32,
                v_plane: plane(2, half_width, half_height),
                v_stride: image.stride[2] as u32,
                width: size.width,
                height: size.height,
            };
            let pixels = to_rgba(&planes, unit.colors, pool)?;
            Ok(Some(Decoded { size, pixels, at: unit.at }))
        }
    }
}

impl Drop for Vp8 {
    fn drop(&mut self) {
        // SAFETY: the context was initialised and is not used again.
        unsafe { vpx_codec_destroy(&raw mut *self.raw) };
    }
}
