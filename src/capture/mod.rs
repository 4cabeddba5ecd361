//! Where pictures come from: screens, cameras, a picture file, and a test pattern that is always there.

#[cfg(feature = "camera")]
mod camera;
mod id;
mod image_file;
mod list;
mod pattern;
#[cfg(feature = "screen")]
mod portable_screen;
mod published;
mod source;
mod thread;
#[cfg(all(target_os = "linux", feature = "camera"))]
mod v4l2;
#[cfg(target_os = "linux")]
mod x11;

pub use id::{SourceId, SourceInfo, SourceKind, SourceList, UnknownSource};
pub use list::list;
pub use pattern::{PATTERN_SIZE, draw_pattern};
pub use source::{Picture, Source, SourceError, open};
pub use thread::{CaptureReport, CaptureState, CaptureThread, CaptureWish};
