//! The tests of the whole program, in one binary because linking is what costs.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod architecture;
mod encode;
mod filters;
mod http;
mod mjpeg;
mod support;
mod webrtc;
mod window;
