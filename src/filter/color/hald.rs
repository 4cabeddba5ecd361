//! Reads Hald pictures: a cube of colours laid out as a square picture (Eskil Steenberg's Hald CLUT).

use std::io::Cursor;

use image::{ImageFormat, ImageReader, Limits};

use super::cube::{Lut, MOST_SIDE};

/// The highest level: a cube of 64 in a picture of 512 x 512.
const MOST_LEVEL: usize = 8;

/// # Errors
/// A sentence about what is wrong.
pub(super) fn read(png: &[u8]) -> Result<Lut, String> {
    let mut reader = ImageReader::with_format(Cursor::new(png), ImageFormat::Png);
    let mut limits = Limits::default();
    let most = (MOST_LEVEL * MOST_LEVEL * MOST_LEVEL) as u32;
    (limits.max_image_width, limits.max_image_height) = (Some(most), Some(most));
    reader.limits(limits);
    let picture = reader.decode().map_err(|error| format!("this PNG can't be used as a Hald picture: {error}"))?;
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let level = (2..=MOST_LEVEL).find(|level| level * level * level == width && width == height);
    let Some(level) = level else {
        return Err(format!(
            "a Hald picture is a square of 8, 27, 64, 125, 216, 343 or 512 pixels, and this one is {width} x {height}"
        ));
    };
    let side = level * level;
    debug_assert!(side <= MOST_SIDE);
    let values = picture.into_rgb32f().pixels().map(|pixel| [pixel[0], pixel[1], pixel[2], 0.0]).collect();
    Ok(Lut::Cube { domain: [[0.0; 3], [1.0; 3]], side, values })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(side: u32) -> Vec<u8> {
        let mut png = Cursor::new(Vec::new());
        let picture = image::RgbImage::from_fn(side, side, |x, y| {
            let index = y * side + x;
            image::Rgb([index % 4, index / 4 % 4, index / 16 % 4].map(|at| (at * 85) as u8))
        });
        picture.write_to(&mut png, ImageFormat::Png).expect("a picture in memory can be written");
        png.into_inner()
    }

    #[test]
    fn a_hald_picture_is_a_cube_with_red_changing_fastest() {
        let Ok(Lut::Cube { side, values, .. }) = read(&png(8)) else { panic!("{:?}", read(&png(8))) };
        assert_eq!((side, values.len()), (4, 64));
        assert_eq!((values[1], values[4]), ([1.0 / 3.0, 0.0, 0.0, 0.0], [0.0, 1.0 / 3.0, 0.0, 0.0]));
    }

    #[test]
    fn other_pictures_are_refused() {
        assert!(read(&png(9)).expect_err("9 is no level").contains("9 x 9"));
        assert!(read(&png(1_000)).is_err());
        assert!(read(&png(8)[..40]).is_err());
    }
}
