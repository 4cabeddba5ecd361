//! The X11 desktop: XTEST, directly, because keys need the server's own keyboard map.

pub(super) mod keymap;
mod local;
mod xtest;

pub use local::LocalInput;
pub use xtest::X11Injector;

/// Whether the desktop of this session is X11's. Under Wayland an X server may answer too, but it moves a pointer of its
/// own, and what it clicks on is not what is seen.
pub fn is_session() -> bool {
    std::env::var_os("DISPLAY").is_some_and(|value| !value.is_empty()) && !super::injector::is_wayland()
}
