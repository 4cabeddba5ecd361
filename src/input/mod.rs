//! The pointer and the keys that come back: from a position in the shown picture to a click on the desktop.

mod baton;
mod desktop_side;
mod event;
mod freshness;
pub mod guard;
mod hub;
mod injector;
mod keys;
mod local;
mod mapper;
#[cfg(not(target_os = "linux"))]
mod native;
mod unseen;
#[cfg(all(target_os = "linux", feature = "wayland"))]
mod wayland;
#[cfg(target_os = "linux")]
mod x11;

pub use baton::{Baton, BatonWish, Holder};
pub use event::{Button, InputEvent, KeyEvent, PointerEvent, PointerKind};
pub use hub::{Control, InputHub, InputStats};
pub use injector::{Action, Bell, InjectError, Injector, asks_first, desktop};
pub use keys::{Key, KeyCode};
pub use local::LocalAct;
pub use mapper::{PointerMapper, Verdict};
#[cfg(not(target_os = "linux"))]
pub use native::LocalInput;
pub use unseen::{UnseenActs, noted};
#[cfg(all(target_os = "linux", feature = "wayland"))]
pub use wayland::{Place, WaylandInjector};
#[cfg(target_os = "linux")]
pub use x11::LocalInput;
