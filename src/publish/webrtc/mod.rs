//! The WebRTC sender: WHEP, one session a viewer, and what the library leaves to the application.

mod addresses;
mod channels;
mod congestion;
mod connection;
mod expander;
mod gate;
mod link;
mod nack;
mod offer;
mod packetizer;
mod passing;
mod rtcp_tap;
mod session;
mod sessions;
pub mod whep;

pub use addresses::local_addresses;
pub use connection::{Certificate, CertificateError};
pub use packetizer::Broadcast;
pub use sessions::Sessions;
