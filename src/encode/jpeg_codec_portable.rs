//! One JPEG through the `image` crate: ten times as slow, for builds without a C compiler.

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;

use super::types::EncodeError;
use crate::frame::{BYTES_PER_PIXEL, Frame, PixelFormat};

/// A reused RGB buffer.
#[derive(Default)]
pub struct JpegCodec {
    rgb: Vec<u8>,
}

impl JpegCodec {
    /// # Errors
    /// Never; the other codec can fail here.
    pub fn new() -> Result<Self, EncodeError> {
        Ok(Self::default())
    }

    /// Encodes a frame of any size up to 65,535 a side; `quality` is 1 to 100.
    ///
    /// # Errors
    /// When the picture is too large or empty.
    pub fn encode(&mut self, frame: &Frame, quality: u8) -> Result<Vec<u8>, EncodeError> {
        let (red, blue) = if frame.format == PixelFormat::Rgba { (0, 2) } else { (2, 0) };
        self.rgb.clear();
        self.rgb
            .extend(frame.pixels.chunks_exact(BYTES_PER_PIXEL).flat_map(|pixel| [pixel[red], pixel[1], pixel[blue]]));
        let mut data = Vec::new();
        JpegEncoder::new_with_quality(&mut data, quality.clamp(1, 100))
            .encode(&self.rgb, frame.size.width, frame.size.height, ExtendedColorType::Rgb8)
            .map_err(|error| EncodeError::Jpeg(error.to_string()))?;
        Ok(data)
    }
}
