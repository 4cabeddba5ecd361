//! Planar 4:2:0 pictures, which every video encoder takes.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x4;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use yuv::{
    BufferStoreMut, YuvConversionMode, YuvPlanarImageMut, YuvRange, YuvStandardMatrix, bgra_to_yuv420, rgba_to_yuv420,
};

use super::types::{EncodeError, Rung};
use crate::frame::{BYTES_PER_PIXEL, Frame, PixelFormat};
use crate::geometry::Size;

/// The largest picture that encoders and browsers take: 4K, lying or standing.
const LARGEST: u32 = 3_840;
const LARGEST_SHORT_SIDE: u32 = 2_160;
/// The smallest side; a macroblock.
const SMALLEST: u32 = 16;

/// A reused I420 picture. Sides are even: an odd last row or column is left out.
#[derive(Default)]
pub struct I420 {
    pub size: Option<Size>,
    rung: Rung,
    /// Y, then U, then V, without gaps.
    bytes: Vec<u8>,
    resizer: Resizer,
    scaled: Vec<u8>,
}

impl I420 {
    /// Pictures of this size of the ladder.
    pub fn new(rung: Rung) -> Self {
        Self { rung, ..Self::default() }
    }

    /// Converts the frame, scaled to its rung, and where it is larger or smaller than encoders take.
    ///
    /// # Errors
    /// When the converter refuses the picture.
    pub fn fill(&mut self, frame: &Frame, range: YuvRange, matrix: YuvStandardMatrix) -> Result<Size, EncodeError> {
        let wanted = encodable(frame.size, self.rung);
        let needs_scaling = wanted.width > frame.size.width
            || wanted.height > frame.size.height
            || frame.size.width - wanted.width > 1
            || frame.size.height - wanted.height > 1;
        if needs_scaling {
            self.scale(frame, wanted)?;
        }
        let (pixels, stride) = if needs_scaling {
            (&self.scaled[..], wanted.width * BYTES_PER_PIXEL as u32)
        } else {
            (&frame.pixels[..], frame.stride() as u32)
        };
        let (luma, chroma) = (wanted.pixels(), wanted.pixels() / 4);
        self.bytes.resize(luma + 2 * chroma, 0);
        let (y, rest) = self.bytes.split_at_mut(luma);
        let (u, v) = rest.split_at_mut(chroma);
        let mut planes = YuvPlanarImageMut {
            y_plane: BufferStoreMut::Borrowed(y),
            y_stride: wanted.width,
            u_plane: BufferStoreMut::Borrowed(u),
            u_stride: wanted.width / 2,
            v_plane: BufferStoreMut::Borrowed(v),
            v_stride: wanted.width / 2,
            width: wanted.width,
            height: wanted.height,
        };
        let convert = match frame.format {
            PixelFormat::Rgba => rgba_to_yuv420,
            PixelFormat::Bgrx => bgra_to_yuv420,
        };
        convert(&mut planes, pixels, stride, range, matrix, YuvConversionMode::Balanced)
            .map_err(|error| EncodeError::Convert(error.to_string()))?;
        self.size = Some(wanted);
        Ok(wanted)
    }

    pub fn planes(&self) -> (&[u8], &[u8], &[u8]) {
        let luma = self.size.map_or(0, Size::pixels);
        let (y, rest) = self.bytes.split_at(luma);
        let (u, v) = rest.split_at(luma / 4);
        (y, u, v)
    }

    fn scale(&mut self, frame: &Frame, wanted: Size) -> Result<(), EncodeError> {
        let wrong = |error: &dyn std::fmt::Display| EncodeError::Convert(error.to_string());
        let source = TypedImageRef::<U8x4>::from_buffer(frame.size.width, frame.size.height, &frame.pixels)
            .map_err(|error| wrong(&error))?;
        self.scaled.resize(wanted.pixels() * BYTES_PER_PIXEL, 0);
        let mut target = TypedImage::<U8x4>::from_buffer(wanted.width, wanted.height, &mut self.scaled)
            .map_err(|error| wrong(&error))?;
        // The video has no alpha: each channel is scaled for itself.
        let filter = match self.rung {
            Rung::Full => FilterType::Bilinear,
            // Whole blocks are averaged, so that thin strokes turn pale instead of vanishing.
            Rung::Half | Rung::Quarter => FilterType::Box,
        };
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter)).use_alpha(false);
        // The untyped call would compile the resizer for every pixel format there is, which takes minutes.
        self.resizer.resize_typed(&source, &mut target, &options).map_err(|error| wrong(&error))
    }
}

/// The size a picture of `size` is encoded at on a rung.
pub fn encodable(size: Size, rung: Rung) -> Size {
    let bounds = if size.width >= size.height {
        Size::new(LARGEST, LARGEST_SHORT_SIDE)
    } else {
        Size::new(LARGEST_SHORT_SIDE, LARGEST)
    };
    let fitted = size.fit_within(bounds);
    let side = |side: u32| ((side / rung.divisor()) & !1).max(SMALLEST);
    Size::new(side(fitted.width), side(fitted.height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_become_even_and_stay_within_what_encoders_take() {
        for (from, to) in [
            ((1_280, 720), (1_280, 720)),
            ((1_919, 1_079), (1_918, 1_078)),
            ((1, 1), (16, 16)),
            ((7_680, 4_320), (3_840, 2_160)),
            ((100, 9_000), (42, 3_840)),
        ] {
            assert_eq!(encodable(Size::new(from.0, from.1), Rung::Full), Size::new(to.0, to.1), "{from:?}");
        }
        for (rung, to) in [(Rung::Half, (640, 360)), (Rung::Quarter, (320, 180))] {
            assert_eq!(encodable(Size::new(1_280, 720), rung), Size::new(to.0, to.1), "{rung:?}");
        }
        assert_eq!(encodable(Size::new(639, 41), Rung::Quarter), Size::new(158, 16));
    }
}
