//! What every WebRTC connection here is made of, whether it watches, publishes to us, or is published to: one way to set
//! it up, one certificate, one way to answer, and the requests of WHEP and WHIP that are the same.

mod addresses;
mod ice_server;
pub(super) mod sending;
pub(super) mod setup;
pub(super) mod signalling;
mod udp;

pub use addresses::local_addresses;
pub use ice_server::IceServer;
pub use setup::{Certificate, CertificateError};
pub use udp::{PortUse, Pump, UdpPort};
