//! What somebody else publishes to this computer: a browser's or a phone's camera, OBS, another Lenscast.

use std::sync::Arc;
use std::time::Duration;

use super::source::{Picture, Source, SourceError};
use crate::frame::{BufferPool, PixelFormat};
use crate::receive::{Arrived, Inbox};
use crate::util::Ticket;

/// The published picture, while there is one.
pub struct Published {
    inbox: Arc<Inbox>,
    _watching: Ticket,
}

impl Published {
    /// # Errors
    /// When nobody publishes; the sentence says where to publish to.
    pub fn open(inbox: &Arc<Inbox>) -> Result<Self, SourceError> {
        let watching = inbox.watch();
        // A picture that came just now is left where it is: nothing is taken before somebody asks for it.
        match inbox.publishing().filter(|publishing| publishing.connected) {
            Some(_) => Ok(Self { inbox: Arc::clone(inbox), _watching: watching }),
            None => match inbox.next(Duration::ZERO) {
                Arrived::Nobody(reason) => Err(SourceError::NobodyPublishes(reason)),
                Arrived::Picture(_) | Arrived::Nothing => Ok(Self { inbox: Arc::clone(inbox), _watching: watching }),
            },
        }
    }
}

impl Source for Published {
    fn name(&self) -> String {
        let from = self.inbox.publishing().map(|publishing| format!(" from {}", publishing.address));
        format!("Published{}", from.unwrap_or_default())
    }

    fn next(&mut self, timeout: Duration, _pool: &BufferPool) -> Result<Option<Picture>, SourceError> {
        match self.inbox.next(timeout) {
            Arrived::Picture(picture) => Ok(Some(Picture {
                size: picture.size,
                format: PixelFormat::Rgba,
                pixels: picture.pixels,
                at: picture.at,
                desktop_from_source: None,
                pointer: None,
                pressed: false,
            })),
            Arrived::Nothing => Ok(None),
            Arrived::Nobody(reason) => Err(SourceError::NobodyPublishes(reason)),
        }
    }

    fn paces_itself(&self) -> bool {
        true
    }
}
