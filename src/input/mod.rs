//! The pointer that comes back: from a position in the shown picture to a click on the desktop.

mod event;
mod hub;
mod injector;
mod mapper;

pub use event::{Button, PointerEvent, PointerKind};
pub use hub::{InputHub, InputStats};
pub use injector::{Action, EnigoInjector, InjectError, Injector};
pub use mapper::{PointerMapper, Verdict};
