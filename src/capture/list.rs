//! The sources there are.

use super::id::{SourceId, SourceInfo, SourceKind, SourceList};
use super::pattern::PATTERN_SIZE;
use super::source::SourceError;
use crate::geometry::Size;
use crate::util::sentence;

/// Looks for screens and cameras; takes up to a second, so it runs on a thread of its own.
pub fn list() -> SourceList {
    let mut found = SourceList::default();
    match screens() {
        Ok(screens) => {
            for (index, (name, size)) in screens.into_iter().enumerate() {
                found.sources.push(SourceInfo {
                    id: SourceId::Screen(Some(name.clone())),
                    name: format!("Screen {} ({name})", index + 1),
                    kind: SourceKind::Screen,
                    size: Some(size),
                });
            }
        }
        Err(error) => found.notes.push(sentence(&error.to_string())),
    }
    match cameras() {
        Ok(cameras) if cameras.is_empty() => found.notes.push("No camera was found.".to_owned()),
        Ok(cameras) => found.sources.extend(cameras.into_iter().map(|(id, name)| SourceInfo {
            id,
            name,
            kind: SourceKind::Camera,
            size: None,
        })),
        Err(error) => found.notes.push(sentence(&error.to_string())),
    }
    found.sources.push(SourceInfo {
        id: SourceId::Whip,
        name: "Published to this computer".to_owned(),
        kind: SourceKind::Published,
        size: None,
    });
    found.sources.push(SourceInfo {
        id: SourceId::Pattern,
        name: "Test pattern".to_owned(),
        kind: SourceKind::Pattern,
        size: Some(PATTERN_SIZE),
    });
    found
}

fn screens() -> Result<Vec<(String, Size)>, SourceError> {
    #[cfg(target_os = "linux")]
    if super::x11::is_session()
        && let Ok(monitors) = super::x11::monitors()
    {
        return Ok(monitors);
    }
    #[cfg(feature = "screen")]
    return super::portable_screen::monitors();
    #[cfg(not(feature = "screen"))]
    Err(SourceError::LeftOut("portable screen capture"))
}

fn cameras() -> Result<Vec<(SourceId, String)>, SourceError> {
    #[cfg(feature = "camera")]
    return super::camera::cameras();
    #[cfg(not(feature = "camera"))]
    Err(SourceError::LeftOut("cameras"))
}
