//! The Wayland desktop: its user allows the control in a dialog of the desktop's portal, and events go to the compositor
//! through libei.
//!
//! No process stands guard here: a compositor lets go whatever was held when the connection ends, however it ends.

mod devices;
mod ei;
mod keymap;
mod notify;
mod permission;
mod places;
mod portal;
mod session;
mod token;
mod trouble;

pub use session::{Place, WaylandInjector};
