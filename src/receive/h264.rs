//! H.264 through OpenH264, one thread; what colours and sizes mean is read from the stream itself, because the decoder
//! does not tell.

use openh264::decoder::Decoder as OpenH264;
use openh264::formats::YUVSource;
use yuv::YuvPlanarImage;

use super::decoder::{DecodeError, Decoded, Decoder, Unit, check_size, to_rgba};
use super::sps::{self, Sps};
use crate::frame::BufferPool;

/// One stream's decoder.
pub struct H264 {
    decoder: OpenH264,
    /// What the newest sequence parameters say.
    sps: Option<Sps>,
}

impl H264 {
    /// # Errors
    /// When the library can't be started.
    pub fn new() -> Result<Self, DecodeError> {
        Ok(Self { decoder: OpenH264::new()?, sps: None })
    }
}

impl Decoder for H264 {
    fn decode(&mut self, unit: &Unit, pool: &BufferPool) -> Result<Option<Decoded>, DecodeError> {
        if let Some(found) = sps::find(&unit.data) {
            // Before the decoder asks for the memory of what it says.
            check_size(found.width, found.height)?;
            self.sps = Some(found);
        }
        let Some(picture) = self.decoder.decode(&unit.data)? else { return Ok(None) };
        let (width, height) = picture.dimensions();
        let size = check_size(width as u32, height as u32)?;
        let (y_stride, u_stride, v_stride) = picture.strides();
        let planes = YuvPlanarImage {
            y_plane: picture.y(),
            y_stride: y_stride as u32,
            u_plane: picture.u(),
            u_stride: u_stride as u32,
            v_plane: picture.v(),
            v_stride: v_stride as u32,
            width: size.width,
            height: size.height,
        };
        let colors = unit.colors.or(self.sps.and_then(|sps| sps.colors));
        Ok(Some(Decoded { size, pixels: to_rgba(&planes, colors, pool)?, at: unit.at }))
    }
}
