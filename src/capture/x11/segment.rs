//! Memory that the X server writes pictures into and the rest of the program reads them from, without a copy.
#![expect(unsafe_code, reason = "mapping memory that another process writes to")]

use std::sync::{Arc, Mutex, PoisonError, Weak};

use memmap2::{MmapMut, MmapOptions};
use x11rb::connection::Connection;
use x11rb::protocol::shm::{self, ConnectionExt as _};

use super::connection::failed;
use crate::capture::source::SourceError;
use crate::frame::{Buffer, Lent};

/// More pictures than this are never on their way at once; beyond it the capture waits for one to come back.
const MOST_SEGMENTS: usize = 10;

/// One shared segment of the server.
#[derive(Debug)]
pub struct Segment {
    pub id: shm::Seg,
    memory: MmapMut,
}

/// Segments of one size that come back when the frame in them is no longer needed.
#[derive(Debug, Default)]
pub struct Segments {
    idle: Arc<Mutex<Vec<Segment>>>,
    made: usize,
    length: usize,
}

/// A segment on its way through the program.
#[derive(Debug)]
struct Borrowed {
    segment: Option<Segment>,
    home: Weak<Mutex<Vec<Segment>>>,
}

impl Segments {
    /// Segments of `length` bytes from now on. Those that are out are given up when they come back.
    pub fn resize(&mut self, length: usize, connection: &impl Connection) {
        if self.length == length {
            return;
        }
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        for segment in idle {
            segment.release(connection);
        }
        *self = Self { length, ..Self::default() };
    }

    /// A segment to write to; `None` while all of them are on their way.
    ///
    /// # Errors
    /// When the server is on another machine or has no MIT-SHM 1.2.
    pub fn take(&mut self, connection: &impl Connection) -> Result<Option<Segment>, SourceError> {
        if let Some(segment) = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop() {
            return Ok(Some(segment));
        }
        if self.made >= MOST_SEGMENTS {
            return Ok(None);
        }
        self.made += 1;
        Segment::new(connection, self.length).map(Some)
    }

    /// Gives a written segment to the program; it comes back by itself.
    pub fn lend(&self, segment: Segment) -> Buffer {
        let lent: Box<dyn Lent> = Box::new(Borrowed { segment: Some(segment), home: Arc::downgrade(&self.idle) });
        lent.into()
    }

    /// Puts back a segment that was not used after all; one of another length than they have now goes.
    pub fn give_back(&self, segment: Segment, connection: &impl Connection) {
        if segment.memory.len() != self.length {
            return segment.release(connection);
        }
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(segment);
    }
}

impl Segment {
    fn new(connection: &impl Connection, length: usize) -> Result<Self, SourceError> {
        let id = connection.generate_id().map_err(failed)?;
        let size = u32::try_from(length).map_err(failed)?;
        let reply = connection.shm_create_segment(id, size, false).map_err(failed)?.reply().map_err(failed)?;
        // SAFETY: the file is an anonymous one that the server made for this segment and never truncates. The server
        // writes to it only while a ShmGetImage request of ours is under way, when nothing else holds the segment.
        let memory = unsafe { MmapOptions::new().len(length).map_mut(&reply.shm_fd) }.map_err(failed)?;
        Ok(Self { id, memory })
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.memory
    }

    fn release(self, connection: &impl Connection) {
        // The connection may be gone already, and the segment with it.
        if let Ok(cookie) = connection.shm_detach(self.id) {
            cookie.ignore_error();
        }
    }
}

impl Lent for Borrowed {
    fn bytes(&self) -> &[u8] {
        self.segment.as_ref().map_or(&[], |segment| &segment.memory)
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        self.segment.as_mut().map_or(&mut [], Segment::bytes_mut)
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        if let (Some(home), Some(segment)) = (self.home.upgrade(), self.segment.take()) {
            home.lock().unwrap_or_else(PoisonError::into_inner).push(segment);
        }
    }
}
