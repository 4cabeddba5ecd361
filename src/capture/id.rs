//! The permanent names of sources: what the command line, the settings and the wire call them.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What to capture. Written `pattern`, `screen`, `screen:NAME`, `camera`, `camera:INDEX`, `image:PATH` or `whip`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SourceId {
    /// The moving test pattern.
    Pattern,
    /// A monitor by its name or number; `None` is the primary one.
    Screen(Option<String>),
    /// A camera by its index or name; `None` is the first one.
    Camera(Option<String>),
    /// A picture file.
    Image(PathBuf),
    /// What somebody publishes to this computer over WHIP.
    Whip,
}

/// What kind of thing a source is; groups the list in the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    Screen,
    Camera,
    Image,
    Published,
    Pattern,
}

/// A text that names no kind of source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a source; write screen, screen:NAME, camera, camera:INDEX, image:PATH, whip or pattern")]
pub struct UnknownSource(String);

/// One line of the list of sources.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SourceInfo {
    pub id: SourceId,
    pub name: String,
    pub kind: SourceKind,
    /// Size in pixels, if it is known without opening the source.
    pub size: Option<crate::geometry::Size>,
}

/// The sources there are, and one sentence for each kind that has none.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct SourceList {
    pub sources: Vec<SourceInfo>,
    pub notes: Vec<String>,
}

impl SourceId {
    pub const fn kind(&self) -> SourceKind {
        match self {
            Self::Pattern => SourceKind::Pattern,
            Self::Screen(_) => SourceKind::Screen,
            Self::Camera(_) => SourceKind::Camera,
            Self::Image(_) => SourceKind::Image,
            Self::Whip => SourceKind::Published,
        }
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pattern => f.write_str("pattern"),
            Self::Screen(None) => f.write_str("screen"),
            Self::Screen(Some(name)) => write!(f, "screen:{name}"),
            Self::Camera(None) => f.write_str("camera"),
            Self::Camera(Some(name)) => write!(f, "camera:{name}"),
            Self::Image(path) => write!(f, "image:{}", path.display()),
            Self::Whip => f.write_str("whip"),
        }
    }
}

impl FromStr for SourceId {
    type Err = UnknownSource;

    fn from_str(text: &str) -> Result<Self, UnknownSource> {
        let (kind, rest) = match text.split_once(':') {
            Some((kind, rest)) if !rest.is_empty() => (kind, Some(rest)),
            Some(_) => return Err(UnknownSource(text.to_owned())),
            None => (text, None),
        };
        match (kind, rest) {
            ("pattern", None) => Ok(Self::Pattern),
            ("whip", None) => Ok(Self::Whip),
            ("screen", name) => Ok(Self::Screen(name.map(str::to_owned))),
            ("camera", name) => Ok(Self::Camera(name.map(str::to_owned))),
            ("image", Some(path)) => Ok(Self::Image(path.into())),
            _ => Err(UnknownSource(text.to_owned())),
        }
    }
}

impl TryFrom<String> for SourceId {
    type Error = UnknownSource;
    fn try_from(text: String) -> Result<Self, UnknownSource> {
        text.parse()
    }
}

impl From<SourceId> for String {
    fn from(id: SourceId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_as_they_are_written() {
        for text in ["pattern", "whip", "screen", "screen:HDMI-1", "camera", "camera:2", "image:/tmp/a:b.png"] {
            assert_eq!(text.parse::<SourceId>().map(|id| id.to_string()).as_deref(), Ok(text));
        }
        for text in ["", "screen:", "image", "pattern:1", "whip:1", "window:3"] {
            assert!(text.parse::<SourceId>().is_err(), "{text}");
        }
    }
}
