//! The tests of the whole program, in one binary because linking is what costs.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod access;
#[cfg(target_os = "linux")]
mod aims;
mod architecture;
#[cfg(target_os = "linux")]
mod crowd;
#[cfg(target_os = "linux")]
mod desktop;
mod encode;
#[cfg(unix)]
mod endings;
mod extend;
mod filters;
#[cfg(unix)]
mod hands;
mod headless;
mod http;
mod ice_servers;
mod impaired;
mod mjpeg;
mod networks;
#[cfg(target_os = "linux")]
mod overlays;
#[cfg(target_os = "linux")]
mod page;
#[cfg(target_os = "linux")]
mod page_ways;
#[cfg(unix)]
mod players;
mod rungs;
#[cfg(target_os = "linux")]
mod sharing;
mod support;
mod udp_port;
#[cfg(all(target_os = "linux", feature = "wayland"))]
mod wayland;
mod webrtc;
mod websocket;
#[cfg(unix)]
mod whip;
mod window;
#[cfg(target_os = "linux")]
mod window_real;
