//! What goes into a decoder and what comes out, and the conversion that all decoders share.

use std::time::Instant;

use yuv::{YuvPlanarImage, YuvRange, YuvStandardMatrix, yuv420_to_rgba};

use crate::frame::{BYTES_PER_PIXEL, Buffer, BufferPool};
use crate::geometry::Size;

/// The longest side that is taken. What is larger is no camera's picture, and its memory would be asked for by a
/// stranger's few bytes.
const LONGEST_SIDE: u32 = 4_096;

/// A codec that can be published here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Annex B byte stream, parameter sets within.
    H264,
    /// One frame, without a container.
    Vp8,
}

/// What a stream's colours mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colors {
    /// BT.709; else BT.601.
    pub bt709: bool,
    pub full_range: bool,
}

/// One encoded frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    pub data: Vec<u8>,
    /// Whether decoding can begin with it.
    pub keyframe: bool,
    /// What the sender said beside the stream; `None` leaves it to the stream itself.
    pub colors: Option<Colors>,
    /// When its last packet came.
    pub at: Instant,
}

/// One decoded picture: RGBA, rows without gaps.
#[derive(Debug)]
pub struct Decoded {
    pub size: Size,
    pub pixels: Buffer,
    /// When it arrived, encoded.
    pub at: Instant,
}

/// Why a frame could not be decoded. A keyframe mends each of these, except a size that is refused.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("the H.264 decoder failed: {0}")]
    H264(#[from] openh264::Error),
    #[error("the VP8 decoder failed: {0}")]
    Vp8(String),
    #[error("the published picture has {0} × {1} pixels; a side has 1 to {LONGEST_SIDE}")]
    Size(u32, u32),
    #[error("the decoded picture could not be converted: {0}")]
    Convert(String),
    #[error("this Lenscast was built without VP8")]
    LeftOut,
}

/// Decodes one stream, in order.
pub trait Decoder: Send {
    /// The picture of a frame; `None` where the frame shows nothing by itself.
    ///
    /// # Errors
    /// When the frame is damaged or of a size that is not taken.
    fn decode(&mut self, unit: &Unit, pool: &BufferPool) -> Result<Option<Decoded>, DecodeError>;
}

impl Codec {
    /// What this program can decode.
    pub const fn available() -> &'static [Self] {
        if cfg!(feature = "vp8") { &[Self::H264, Self::Vp8] } else { &[Self::H264] }
    }

    pub const fn id(self) -> &'static str {
        match self {
            Self::H264 => "h264",
            Self::Vp8 => "vp8",
        }
    }

    /// A decoder that has seen nothing yet.
    ///
    /// # Errors
    /// When the library can't be started.
    pub fn decoder(self) -> Result<Box<dyn Decoder>, DecodeError> {
        match self {
            Self::H264 => Ok(Box::new(super::h264::H264::new()?)),
            #[cfg(feature = "vp8")]
            Self::Vp8 => Ok(Box::new(super::vp8::Vp8::new()?)),
            #[cfg(not(feature = "vp8"))]
            Self::Vp8 => Err(DecodeError::LeftOut),
        }
    }
}

/// Whether a picture of this size is taken.
///
/// # Errors
/// When it is not.
pub fn check_size(width: u32, height: u32) -> Result<Size, DecodeError> {
    let fits = |side: u32| (1..=LONGEST_SIDE).contains(&side);
    if fits(width) && fits(height) { Ok(Size::new(width, height)) } else { Err(DecodeError::Size(width, height)) }
}

/// Planes of a decoder as RGBA, in a buffer of the pool.
///
/// # Errors
/// When the planes are not those of the size.
pub fn to_rgba(
    planes: &YuvPlanarImage<'_, u8>,
    colors: Option<Colors>,
    pool: &BufferPool,
) -> Result<Buffer, DecodeError> {
    let size = check_size(planes.width, planes.height)?;
    // Streams that say nothing come from cameras, or from FFmpeg: BT.601 in limited range.
    let Colors { bt709, full_range } = colors.unwrap_or(Colors { bt709: false, full_range: false });
    let range = if full_range { YuvRange::Full } else { YuvRange::Limited };
    let matrix = if bt709 { YuvStandardMatrix::Bt709 } else { YuvStandardMatrix::Bt601 };
    let mut pixels = pool.take(size.pixels() * BYTES_PER_PIXEL);
    yuv420_to_rgba(planes, &mut pixels, size.width * BYTES_PER_PIXEL as u32, range, matrix)
        .map_err(|error| DecodeError::Convert(error.to_string()))?;
    Ok(pixels)
}
