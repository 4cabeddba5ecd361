//! Buffers that come back: a stream in its steady state allocates nothing.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// How many idle buffers are kept; a stage has one frame in work, one waiting, and a few still being encoded.
const KEPT: usize = 4;

/// Gives out byte buffers and takes them back when they are dropped.
#[derive(Debug, Clone, Default)]
pub struct BufferPool {
    idle: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// A buffer of exactly the asked length that returns to its pool.
#[derive(Debug, Default)]
pub struct Buffer {
    bytes: Vec<u8>,
    home: Weak<Mutex<Vec<Vec<u8>>>>,
}

impl BufferPool {
    /// A buffer of `length` bytes with unspecified contents; allocates only when no idle one is large enough.
    pub fn take(&self, length: usize) -> Buffer {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let found = idle.iter().position(|bytes| bytes.capacity() >= length && bytes.capacity() / 4 <= length);
        let mut bytes = match found {
            Some(index) => idle.swap_remove(index),
            None => {
                // The picture's size changed: what is kept is of the old one.
                idle.clear();
                Vec::new()
            }
        };
        drop(idle);
        bytes.resize(length, 0);
        Buffer { bytes, home: Arc::downgrade(&self.idle) }
    }
}

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, home: Weak::new() }
    }
}

impl Deref for Buffer {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(home) = self.home.upgrade() {
            let mut idle = home.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < KEPT {
                idle.push(std::mem::take(&mut self.bytes));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_buffer_is_used_again() {
        let pool = BufferPool::default();
        let first = pool.take(1_000);
        let address = first.as_ptr();
        drop(first);
        assert_eq!(pool.take(1_000).as_ptr(), address);
        assert_eq!(pool.take(5).len(), 5);
    }
}
