//! How a chain was compiled and what it costs.

use std::time::Duration;

use crate::geometry::Size;

/// One walk over the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct PassReport {
    /// The items of the chain that it does the work of, by their keys.
    pub keys: Vec<u32>,
    pub kind: PassKind,
    /// The picture that goes in.
    pub size: Size,
    /// How long it takes, averaged over the last frames; zero while nothing was measured.
    pub took: Duration,
    /// Bytes that a filter remembers of earlier frames: now, and at most.
    pub memory: Option<[usize; 2]>,
    /// How long a picture takes that is worked on beside the stream, which does not wait for it.
    pub aside: Option<Duration>,
}

/// What a pass does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PassKind {
    /// Colour filters, fused to these steps.
    Points(Vec<&'static str>),
    /// So many movements in one resampling.
    Resample(usize),
    Neighbourhood,
    Draw,
    Time,
}

impl PassKind {
    /// In a few words.
    pub fn describe(&self) -> String {
        match self {
            Self::Points(steps) => format!("one walk over the pixels: {}", steps.join(", ")),
            Self::Resample(1) => "one resampling".to_owned(),
            Self::Resample(moves) => format!("one resampling for {moves} movements"),
            Self::Neighbourhood => "neighbourhood".to_owned(),
            Self::Draw => "drawn in place".to_owned(),
            Self::Time => "earlier frames".to_owned(),
        }
    }
}
