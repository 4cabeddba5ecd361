//! Pictures from files or from another source, in the size in which a filter needs them.

use std::io::Cursor;

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x4;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::{ImageReader, Limits};

use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

/// The longest side of a picture that is read.
const MOST_SIDE: u32 = 8_192;
/// Memory that reading a picture may take, in bytes: a small file can claim to be a huge picture.
const MOST_MEMORY: u64 = 512 << 20;

/// A picture from a file: RGBA, straight alpha.
#[derive(Debug, PartialEq)]
pub(crate) struct Picture {
    pub size: Size,
    pub pixels: Vec<u8>,
}

/// Reads a picture in any format that the program knows; of several pictures in a file the first.
///
/// # Errors
/// A sentence about what is wrong with the file.
pub(crate) fn read(bytes: &[u8]) -> Result<Picture, String> {
    let wrong = |error: image::ImageError| match error {
        image::ImageError::Limits(_) => {
            format!("it is too large; a picture may have up to {MOST_SIDE} x {MOST_SIDE} pixels")
        }
        image::ImageError::Unsupported(_) => {
            "it is no picture that can be read; use PNG, JPEG, WebP, GIF or BMP".into()
        }
        other => format!("the picture is damaged: {other}"),
    };
    let mut reader = ImageReader::new(Cursor::new(bytes));
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(MOST_SIDE), Some(MOST_SIDE));
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    let reader = reader.with_guessed_format().map_err(|error| error.to_string())?;
    let picture = reader.decode().map_err(wrong)?.into_rgba8();
    let size = Size::new(picture.width(), picture.height());
    if size.is_empty() {
        return Err("the picture is empty".into());
    }
    Ok(Picture { size, pixels: picture.into_raw() })
}

/// How a picture of another shape fills its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fit {
    /// It is squeezed or stretched.
    Stretch,
    /// What does not fit is cut off on both sides.
    Cover,
}

/// Scales four-byte pixels with straight alpha from one size to another. `output` is of the size `to`.
pub(crate) fn scale(
    (pixels, from): (&[u8], Size),
    (output, to): (&mut [u8], Size),
    (fit, has_alpha): (Fit, bool),
    resizer: &mut Resizer,
) {
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear)).use_alpha(has_alpha);
    let options = if fit == Fit::Cover { options.fit_into_destination(None) } else { options };
    // Wrong lengths are all that can fail here, and then there is nothing to show.
    let source = TypedImageRef::<U8x4>::from_buffer(from.width, from.height, pixels);
    let target = TypedImage::<U8x4>::from_buffer(to.width, to.height, output);
    let (Ok(source), Ok(mut target)) = (source, target) else { return };
    if let Err(error) = resizer.resize_typed(&source, &mut target, &options) {
        tracing::warn!("a picture could not be scaled: {error}");
    }
}

impl Picture {
    /// The picture in another size.
    pub(crate) fn scaled(&self, to: Size, fit: Fit) -> Vec<u8> {
        let mut output = vec![0; to.pixels() * BYTES_PER_PIXEL];
        scale((&self.pixels, self.size), (&mut output, to), (fit, true), &mut Resizer::new());
        output
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let picture = image::RgbaImage::from_fn(width, height, |x, y| image::Rgba([x as u8, y as u8, 7, 200]));
        picture.write_to(&mut bytes, image::ImageFormat::Png).expect("a picture in memory can be written");
        bytes.into_inner()
    }

    #[test]
    fn a_picture_reads_with_its_alpha() {
        let picture = read(&png(5, 3)).expect("it is a picture");
        assert_eq!((picture.size, &picture.pixels[4 * 4..][..4]), (Size::new(5, 3), &[4, 0, 7, 200][..]));
        assert_eq!(picture.scaled(picture.size, Fit::Cover), picture.pixels);
        assert_eq!(picture.scaled(Size::new(31, 2), Fit::Cover).len(), 31 * 2 * 4);
    }

    #[test]
    fn what_is_no_picture_or_damaged_or_a_bomb_says_so() {
        let whole = png(40, 40);
        assert!(read(b"").expect_err("nothing").contains("no picture"));
        assert!(read(b"hello, this is text").expect_err("text").contains("no picture"));
        assert!(read(&whole[..60]).expect_err("cut off").contains("damaged"));
        // The header claims 60000 x 60000 pixels; its checksum is right.
        let mut bomb = whole;
        bomb[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
        let sum = crc32(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&sum.to_be_bytes());
        assert!(read(&bomb).expect_err("a bomb").contains("too large"));
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0_u32, |sum, byte| {
            (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(sum & 1)))
        })
    }
}
