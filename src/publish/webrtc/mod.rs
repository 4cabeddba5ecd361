//! The WebRTC sender: WHEP, one session a viewer, and what the library leaves to the application.

mod channels;
mod congestion;
mod connection;
pub(super) mod expander;
pub(super) mod feed;
pub(super) mod gate;
pub(super) mod link;
pub(super) mod nack;
pub(super) mod offer;
pub(super) mod packetizer;
pub(super) mod passing;
pub(super) mod rtcp_tap;
pub(super) mod session;
pub(super) mod sessions;
pub mod whep;

pub use packetizer::Broadcast;
pub use sessions::Sessions;
