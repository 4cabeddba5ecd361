//! Pictures: pixels with their format, the times they went through, and the geometry that made them.

mod pool;
mod sink;

use std::sync::Arc;
use std::time::Instant;

pub use pool::{Buffer, BufferPool, Lent};
pub use sink::FrameSink;

use crate::geometry::{Affine, Geometry, Point, Size, Source};

/// The order of a pixel's four bytes. Both are 8 bits a channel, sRGB-encoded, full range, straight alpha, rows without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PixelFormat {
    /// Red, green, blue, alpha.
    Rgba,
    /// Blue, green, red, and a byte that means nothing (X11 leaves it 0); opaque.
    Bgrx,
}

/// When a frame passed each stage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrameTimes {
    pub captured: Instant,
    /// `None` until the filters are done.
    pub filtered: Option<Instant>,
}

/// A picture as a source gave it, before it has a geometry.
#[derive(Debug)]
pub struct Captured {
    /// Grows by one with each captured picture.
    pub id: u64,
    pub size: Size,
    pub format: PixelFormat,
    /// `size.height` rows of `size.width` pixels of four bytes, top to bottom.
    pub pixels: Buffer,
    pub at: Instant,
    /// From pixels of the picture to the desktop; `None` where there is nothing to click on.
    pub desktop_from_source: Option<Affine>,
    /// Where the pointer is on the picture, or beside it; `None` where nobody knows.
    pub pointer: Option<Point<Source>>,
    /// A button of the pointer went down since the last picture.
    pub pressed: bool,
}

/// One picture. Immutable once published; stages read it and write a buffer of their own.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Grows by one with each captured frame.
    pub id: u64,
    pub size: Size,
    pub format: PixelFormat,
    /// `size.height` rows of `size.width` pixels of four bytes, top to bottom.
    pub pixels: Arc<Buffer>,
    pub times: FrameTimes,
    pub geometry: Arc<Geometry>,
}

/// Bytes of one pixel in every [`PixelFormat`].
pub const BYTES_PER_PIXEL: usize = 4;

impl Frame {
    /// Row length in bytes.
    pub fn stride(&self) -> usize {
        self.size.width as usize * BYTES_PER_PIXEL
    }

    pub fn row(&self, y: u32) -> &[u8] {
        let stride = self.stride();
        &self.pixels[y as usize * stride..][..stride]
    }

    /// Red, green, blue and alpha of one pixel.
    ///
    /// # Panics
    /// Outside the picture.
    pub fn rgba(&self, x: u32, y: u32) -> [u8; 4] {
        let row = self.row(y);
        let pixel = &row[x as usize * BYTES_PER_PIXEL..][..BYTES_PER_PIXEL];
        match self.format {
            PixelFormat::Rgba => [pixel[0], pixel[1], pixel[2], pixel[3]],
            PixelFormat::Bgrx => [pixel[2], pixel[1], pixel[0], 255],
        }
    }
}
