//! The pointer that comes back: from a position in the shown picture to a click on the desktop.

mod event;

pub use event::{Button, PointerEvent, PointerKind};
