//! Buffers that come back: a stream in its steady state allocates nothing.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// How many idle buffers are kept; a stage has one frame in work, one waiting, and a few still being encoded.
const KEPT: usize = 4;

/// Gives out byte buffers and takes them back when they are dropped.
#[derive(Debug, Clone, Default)]
pub struct BufferPool {
    idle: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// Bytes that live elsewhere, such as memory shared with the X server, and go back there when this is dropped.
pub trait Lent: Send + Sync + fmt::Debug {
    fn bytes(&self) -> &[u8];
    fn bytes_mut(&mut self) -> &mut [u8];
}

/// A buffer of exactly the asked length that returns to where it came from.
#[derive(Debug)]
pub struct Buffer(Storage);

#[derive(Debug)]
enum Storage {
    Pooled { bytes: Vec<u8>, home: Weak<Mutex<Vec<Vec<u8>>>> },
    Lent(Box<dyn Lent>),
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
        Buffer(Storage::Pooled { bytes, home: Arc::downgrade(&self.idle) })
    }
}

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Storage::Pooled { bytes, home: Weak::new() })
    }
}

impl From<Box<dyn Lent>> for Buffer {
    fn from(lent: Box<dyn Lent>) -> Self {
        Self(Storage::Lent(lent))
    }
}

impl Default for Buffer {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl Deref for Buffer {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Storage::Pooled { bytes, .. } => bytes,
            Storage::Lent(lent) => lent.bytes(),
        }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        match &mut self.0 {
            Storage::Pooled { bytes, .. } => bytes,
            Storage::Lent(lent) => lent.bytes_mut(),
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let Storage::Pooled { bytes, home } = &mut self.0 else { return };
        if let Some(home) = home.upgrade() {
            let mut idle = home.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < KEPT {
                idle.push(std::mem::take(bytes));
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
