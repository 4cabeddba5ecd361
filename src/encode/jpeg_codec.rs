//! One JPEG through libjpeg-turbo: baseline, 4:2:0, no metadata.
//!
//! Colours are converted by the `yuv` crate, which averages the chroma in the same pass, and the fast integer DCT is
//! used. Both together cost a third less than handing RGB to the encoder (`docs/performance.md`), for a quarter of a
//! decibel at quality 80. GStreamer's encoder makes the same choice.
#![expect(unsafe_code, reason = "the safe wrapper of libjpeg-turbo has no way to choose the DCT")]

use std::os::raw::c_int;
use std::ptr::{self, NonNull};

use turbojpeg::raw;
use yuv::{YuvRange, YuvStandardMatrix};

use super::i420::{I420, encodable};
use super::types::{EncodeError, Rung};
use crate::frame::{Frame, PixelFormat};
use crate::geometry::Size;

/// libjpeg-turbo's limit.
const LARGEST_SIDE: u32 = 65_500;

/// A reused compressor with its output buffer.
pub struct JpegCodec {
    handle: NonNull<std::ffi::c_void>,
    picture: I420,
    /// Allocated by libjpeg-turbo, which grows it when it has to.
    output: *mut u8,
    capacity: raw::size_t,
}

// SAFETY: a compressor may be used by any thread, one at a time, and nothing else points to its buffer.
unsafe impl Send for JpegCodec {}

impl JpegCodec {
    /// # Errors
    /// When there is no memory.
    pub fn new() -> Result<Self, EncodeError> {
        // SAFETY: no precondition; null stands for failure.
        let handle = unsafe { raw::tj3Init(raw::TJINIT_TJINIT_COMPRESS as c_int) };
        let handle = NonNull::new(handle).ok_or_else(|| EncodeError::Jpeg("it could not be started".to_owned()))?;
        Ok(Self { handle, picture: I420::default(), output: ptr::null_mut(), capacity: 0 })
    }

    /// Encodes a frame of any size up to 65,500 a side; `quality` is 1 to 100.
    ///
    /// # Errors
    /// When the picture is too large or empty.
    pub fn encode(&mut self, frame: &Frame, quality: u8) -> Result<Vec<u8>, EncodeError> {
        let Size { width, height } = frame.size;
        if frame.size.is_empty() || width.max(height) > LARGEST_SIDE {
            return Err(EncodeError::Jpeg(format!("a picture of {} can't be a JPEG", frame.size)));
        }
        let settings = [
            (raw::TJPARAM_TJPARAM_QUALITY, c_int::from(quality.clamp(1, 100))),
            (raw::TJPARAM_TJPARAM_SUBSAMP, raw::TJSAMP_TJSAMP_420 as c_int),
            // At high quality its rounding would show.
            (raw::TJPARAM_TJPARAM_FASTDCT, c_int::from(quality <= 90)),
        ];
        for (parameter, value) in settings {
            // SAFETY: the handle is valid; a wrong value is refused.
            let result = unsafe { raw::tj3Set(self.handle.as_ptr(), parameter as c_int, value) };
            self.check(result)?;
        }
        let mut length = self.capacity;
        // The converter takes whole pairs of rows and columns; a picture with odd sides goes the slower way.
        let result = if encodable(frame.size, Rung::Full) == frame.size {
            self.picture.fill(frame, YuvRange::Full, YuvStandardMatrix::Bt601)?;
            let (y, u, v) = self.picture.planes();
            let planes = [y.as_ptr(), u.as_ptr(), v.as_ptr()];
            let strides = [width as c_int, width as c_int / 2, width as c_int / 2];
            // SAFETY: the planes have the sizes that 4:2:0 of this size has and outlive the call, which only reads
            // them; `output` is null or from the last call, with `length` its size.
            unsafe {
                raw::tj3CompressFromYUVPlanes8(
                    self.handle.as_ptr(),
                    planes.as_ptr(),
                    width as c_int,
                    strides.as_ptr(),
                    height as c_int,
                    &raw mut self.output,
                    &raw mut length,
                )
            }
        } else {
            let format = match frame.format {
                PixelFormat::Rgba => raw::TJPF_TJPF_RGBX,
                PixelFormat::Bgrx => raw::TJPF_TJPF_BGRX,
            };
            // SAFETY: the pixels hold `height` rows of `stride` bytes; the rest as above.
            unsafe {
                raw::tj3Compress8(
                    self.handle.as_ptr(),
                    frame.pixels.as_ptr(),
                    width as c_int,
                    frame.stride() as c_int,
                    height as c_int,
                    format as c_int,
                    &raw mut self.output,
                    &raw mut length,
                )
            }
        };
        self.check(result)?;
        self.capacity = self.capacity.max(length);
        // SAFETY: the call succeeded, so `output` holds `length` bytes.
        Ok(unsafe { std::slice::from_raw_parts(self.output, length as usize) }.to_vec())
    }

    fn check(&self, result: c_int) -> Result<(), EncodeError> {
        if result == 0 {
            return Ok(());
        }
        // SAFETY: the text belongs to the handle, ends with a zero, and is copied at once.
        let text = unsafe { std::ffi::CStr::from_ptr(raw::tj3GetErrorStr(self.handle.as_ptr())) };
        Err(EncodeError::Jpeg(text.to_string_lossy().into_owned()))
    }
}

impl Drop for JpegCodec {
    fn drop(&mut self) {
        // SAFETY: both come from libjpeg-turbo (or are null, which it takes) and are not used again.
        unsafe {
            raw::tj3Free(self.output.cast());
            raw::tj3Destroy(self.handle.as_ptr());
        }
    }
}
