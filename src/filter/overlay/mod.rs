//! Filters that draw on top of the picture.

mod text;
mod writing;

pub use text::{Text, TextPlace};
