//! A still picture from a file.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use image::{ImageReader, Limits};

use super::source::{Picture, Source, SourceError};
use crate::frame::{BYTES_PER_PIXEL, BufferPool, PixelFormat};
use crate::geometry::Size;

/// A picture that is larger in any of these is refused before it fills the memory.
const MOST_FILE_BYTES: u64 = 32 << 20;
const MOST_SIDE: u32 = 8_192;
const MOST_DECODED_BYTES: u64 = 128 << 20;

/// A picture, decoded once.
#[derive(Debug)]
pub struct ImageFile {
    path: PathBuf,
    size: Size,
    rgba: Vec<u8>,
    shown: bool,
}

impl ImageFile {
    /// Reads PNG, JPEG, WebP, BMP and GIF (its first picture).
    ///
    /// # Errors
    /// When the file is not there, is no picture, or is too large.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let failed = |reason: String| SourceError::Image { path: path.to_owned(), reason };
        let file = File::open(path).map_err(|error| failed(error.to_string()))?;
        let length = file.metadata().map_err(|error| failed(error.to_string()))?.len();
        if length > MOST_FILE_BYTES {
            return Err(failed(format!("it has {} MiB, and at most {} are read", length >> 20, MOST_FILE_BYTES >> 20)));
        }
        // The length of a file can change between the look and the read.
        let mut bytes = Vec::with_capacity(length as usize);
        let mut limited = BufReader::new(file).take(MOST_FILE_BYTES);
        limited.read_to_end(&mut bytes).map_err(|error| failed(error.to_string()))?;
        let mut reader = ImageReader::new(std::io::Cursor::new(bytes))
            .with_guessed_format()
            .map_err(|error| failed(error.to_string()))?;
        let mut limits = Limits::default();
        limits.max_image_width = Some(MOST_SIDE);
        limits.max_image_height = Some(MOST_SIDE);
        limits.max_alloc = Some(MOST_DECODED_BYTES);
        reader.limits(limits);
        let picture = reader.decode().map_err(|error| failed(error.to_string()))?.into_rgba8();
        let size = Size::new(picture.width(), picture.height());
        if size.is_empty() {
            return Err(failed("the picture is empty".to_owned()));
        }
        Ok(Self { path: path.to_owned(), size, rgba: picture.into_raw(), shown: false })
    }
}

impl Source for ImageFile {
    fn name(&self) -> String {
        self.path.file_name().map_or_else(|| "Picture".to_owned(), |name| name.to_string_lossy().into_owned())
    }

    fn next(&mut self, timeout: Duration, pool: &BufferPool) -> Result<Option<Picture>, SourceError> {
        if self.shown {
            std::thread::sleep(timeout);
            return Ok(None);
        }
        self.shown = true;
        let mut pixels = pool.take(self.size.pixels() * BYTES_PER_PIXEL);
        pixels.copy_from_slice(&self.rgba);
        Ok(Some(Picture {
            size: self.size,
            format: PixelFormat::Rgba,
            pixels,
            at: Instant::now(),
            desktop_from_source: None,
            pointer: None,
            pressed: false,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_picture_is_refused_with_its_name() {
        let missing = ImageFile::open(Path::new("/nonexistent/picture.png")).unwrap_err().to_string();
        assert!(missing.starts_with("/nonexistent/picture.png can't be opened"), "{missing}");
        let path = std::env::temp_dir().join(format!("lenscast-not-a-picture-{}", std::process::id()));
        std::fs::write(&path, b"\x89PNG\r\n\x1a\nbut not really").unwrap();
        assert!(ImageFile::open(&path).is_err());
        std::fs::remove_file(&path).unwrap();
    }
}
