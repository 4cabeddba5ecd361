//! What several tests share.

pub mod browser;
pub mod impaired;
#[cfg(target_os = "linux")]
pub mod light;
pub mod player;
#[cfg(all(target_os = "linux", feature = "wayland"))]
pub mod portal;
#[cfg(unix)]
pub mod program;
#[cfg(unix)]
pub mod python;
pub mod random;
pub mod studio;
#[cfg(target_os = "linux")]
pub mod viewing;
pub mod wire;
#[cfg(target_os = "linux")]
pub mod xserver;
