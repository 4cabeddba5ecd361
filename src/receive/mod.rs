//! What others publish to this computer: encoded frames come in, the newest decoded picture waits for the capture. It is
//! apart from both, so that whoever speaks the network's protocols knows no source, and no source knows a network.

mod decoder;
mod h264;
mod inbox;
mod sps;
#[cfg(feature = "vp8")]
mod vp8;

pub use decoder::{Codec, Colors, DecodeError, Decoded, Decoder, Unit};
pub use inbox::{Arrived, Inbox, Publishing, Seat};
