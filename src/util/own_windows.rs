//! Which windows on the desktop are our own: they are left out of the capture, and deaf to what viewers do.

use std::sync::atomic::{AtomicU32, Ordering};

static OWN: AtomicU32 = AtomicU32::new(0);

/// Says which window the program has; on X11 any of them tells all, because a client's windows share their prefix.
pub fn note_own_window(id: u32) {
    OWN.store(id, Ordering::Relaxed);
}

/// One of our windows by its X11 number, once there is one.
pub fn own_windows() -> Option<u32> {
    Some(OWN.load(Ordering::Relaxed)).filter(|&id| id != 0)
}
