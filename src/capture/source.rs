//! What every source can do, and how one is opened.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::id::SourceId;
use crate::frame::{Buffer, BufferPool, PixelFormat};
use crate::geometry::{Affine, Point, Size, Source as SourceSpace};
use crate::receive::Inbox;

/// A picture from a source.
#[derive(Debug)]
pub struct Picture {
    pub size: Size,
    pub format: PixelFormat,
    /// Rows from top to bottom without gaps.
    pub pixels: Buffer,
    pub at: Instant,
    /// From pixels of the picture to the desktop; `None` where there is nothing to click on.
    pub desktop_from_source: Option<Affine>,
    /// Where the pointer is on the picture, or beside it; `None` where nobody knows.
    pub pointer: Option<Point<SourceSpace>>,
    /// A button went down since the last picture.
    pub pressed: bool,
}

/// Something that gives pictures. Opened, used and dropped on the capture thread, because system handles like it so.
pub trait Source {
    /// What the user knows it as.
    fn name(&self) -> String;

    /// Waits up to `timeout` for a picture that differs from the last one; `Ok(None)` when there was none.
    ///
    /// # Errors
    /// When the source is gone; it has to be opened again.
    fn next(&mut self, timeout: Duration, pool: &BufferPool) -> Result<Option<Picture>, SourceError>;

    /// The rate at which the source makes pictures by itself, if it does.
    fn paces_itself(&self) -> bool {
        false
    }
}

/// Why a source can't be used. Each sentence says what to do.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("the screen can't be captured: {0}")]
    Screen(String),
    #[error("there is no screen `{0}`; `lenscast list` shows those there are")]
    NoSuchScreen(String),
    #[error("there is no camera{0}; plug one in and refresh the list")]
    NoCamera(String),
    #[error("the camera can't be used: {0}; close other programs that use it, or unplug it and plug it in again")]
    Camera(String),
    #[error("the camera sends no pictures; unplug it and plug it in again")]
    CameraSilent,
    #[error("{path} can't be opened: {reason}")]
    Image { path: PathBuf, reason: String },
    /// The whole sentence comes from whoever knows the address.
    #[error("{0}")]
    NobodyPublishes(String),
    #[error("this Lenscast was built without {0}")]
    LeftOut(&'static str),
}

/// Opens a source. `fps` is what will be asked of it at most; `inbox` is where published pictures come in.
///
/// # Errors
/// When the source is not there or can't be used, with a sentence for the user.
pub fn open(id: &SourceId, fps: u32, inbox: &Arc<Inbox>) -> Result<Box<dyn Source>, SourceError> {
    match id {
        SourceId::Pattern => Ok(Box::new(super::pattern::Pattern::new(fps))),
        SourceId::Image(path) => Ok(Box::new(super::image_file::ImageFile::open(path)?)),
        SourceId::Whip => Ok(Box::new(super::published::Published::open(inbox)?)),
        SourceId::Screen(name) => open_screen(name.as_deref()),
        #[cfg(feature = "camera")]
        SourceId::Camera(name) => Ok(Box::new(super::camera::CameraSource::open(name.as_deref(), fps)?)),
        #[cfg(not(feature = "camera"))]
        SourceId::Camera(_) => Err(SourceError::LeftOut("cameras")),
    }
}

/// The direct path where the X server allows it, because it costs a thirtieth; else the portable one.
fn open_screen(name: Option<&str>) -> Result<Box<dyn Source>, SourceError> {
    #[cfg(target_os = "linux")]
    if super::x11::is_session() {
        match super::x11::X11Screen::open(name) {
            Ok(screen) => return Ok(Box::new(screen)),
            Err(error @ SourceError::NoSuchScreen(_)) => return Err(error),
            Err(error) => tracing::info!("{error}; trying the portable way"),
        }
    }
    #[cfg(feature = "screen")]
    return Ok(Box::new(super::portable_screen::PortableScreen::open(name)?));
    #[cfg(not(feature = "screen"))]
    Err(SourceError::LeftOut("portable screen capture"))
}
