//! Saves the newest processed picture to a file.

use std::path::{Path, PathBuf};

use crate::encode::{EncodeError, encode_jpeg};
use crate::frame::{Frame, PixelFormat};
use crate::settings::file::{FileError, write_whole};

/// Quality of a saved JPEG: it is kept, so it may be large.
const QUALITY: u8 = 95;

/// Why a picture could not be saved.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error("there is no picture to save yet")]
    NoPicture,
    #[error("{0} has to end in .png or .jpg")]
    Ending(PathBuf),
    #[error(transparent)]
    Jpeg(#[from] EncodeError),
    #[error("the picture could not be written as PNG: {0}")]
    Png(#[from] image::ImageError),
    #[error(transparent)]
    File(#[from] FileError),
}

/// Writes the frame as PNG or JPEG, as the file's ending says.
///
/// # Errors
/// When the ending is another one, or the file can't be written.
pub fn save(frame: &Frame, path: &Path) -> Result<(), SnapshotError> {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let bytes = match ending.as_deref() {
        Some("jpg" | "jpeg") => encode_jpeg(frame, QUALITY)?,
        Some("png") => encode_png(frame)?,
        _ => return Err(SnapshotError::Ending(path.to_owned())),
    };
    Ok(write_whole(path, &bytes)?)
}

fn encode_png(frame: &Frame) -> Result<Vec<u8>, image::ImageError> {
    let rgba = match frame.format {
        PixelFormat::Rgba => frame.pixels.to_vec(),
        PixelFormat::Bgrx => {
            frame.pixels.chunks_exact(4).flat_map(|pixel| [pixel[2], pixel[1], pixel[0], 255]).collect()
        }
    };
    let mut bytes = Vec::new();
    image::ImageEncoder::write_image(
        image::codecs::png::PngEncoder::new(&mut bytes),
        &rgba,
        frame.size.width,
        frame.size.height,
        image::ExtendedColorType::Rgba8,
    )?;
    Ok(bytes)
}
