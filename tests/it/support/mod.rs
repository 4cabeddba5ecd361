//! What several tests share.

pub mod browser;
pub mod random;
pub mod studio;
pub mod wire;
