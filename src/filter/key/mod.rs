//! Keys: they make pixels transparent, or show something else behind them.

mod chroma_key;
mod color_key;
mod keying;
mod luma_key;
mod mask;

pub use chroma_key::{ChromaKey, KeyBackground};
pub use color_key::ColorKey;
pub use luma_key::LumaKey;
pub use mask::{Mask, MaskChannel, MaskOperation};
