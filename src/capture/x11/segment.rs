//! Memory that the X server writes pictures into and this program reads them from.
#![expect(unsafe_code, reason = "mapping memory that another process writes to")]

use memmap2::{Mmap, MmapOptions};
use x11rb::connection::Connection;
use x11rb::protocol::shm::{self, ConnectionExt as _};

use super::connection::failed;
use crate::capture::source::SourceError;

/// One shared segment of the server.
pub struct Segment {
    pub id: shm::Seg,
    memory: Mmap,
}

impl Segment {
    /// Asks the server for `length` bytes.
    ///
    /// # Errors
    /// When the server is on another machine or has no MIT-SHM 1.2.
    pub fn new(connection: &impl Connection, length: usize) -> Result<Self, SourceError> {
        let id = connection.generate_id().map_err(failed)?;
        let size = u32::try_from(length).map_err(failed)?;
        let reply = connection.shm_create_segment(id, size, false).map_err(failed)?.reply().map_err(failed)?;
        // SAFETY: the file is an anonymous one that the server made for this segment and never truncates. It is
        // written only while a ShmGetImage request of ours is under way, and read only after its reply.
        let memory = unsafe { MmapOptions::new().len(length).map(&reply.shm_fd) }.map_err(failed)?;
        Ok(Self { id, memory })
    }

    pub fn bytes(&self) -> &[u8] {
        &self.memory
    }

    pub fn len(&self) -> usize {
        self.memory.len()
    }

    /// Gives the segment back to the server.
    pub fn release(self, connection: &impl Connection) {
        // The connection may be gone already, and the segment with it.
        if let Ok(cookie) = connection.shm_detach(self.id) {
            cookie.ignore_error();
        }
    }
}
