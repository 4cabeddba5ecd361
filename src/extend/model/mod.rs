//! The filter `model`: an ONNX model that makes a picture or a mask, run on the newest frame on a thread of its own.

mod filter;
mod guard;
mod kernel;
mod network;
mod pixels;
mod wire;

pub use filter::{Model, ModelResult};
pub use network::Network;
