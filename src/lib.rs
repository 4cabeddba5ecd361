//! Lenscast: a screen or camera through live filters, to any browser, with a pointer that comes back.
//!
//! The layers and their rules are in `ARCHITECTURE.md`; a test keeps them.

pub mod app;
pub mod capture;
pub mod cli;
pub mod encode;
pub mod engine;
pub mod extend;
pub mod filter;
pub mod frame;
pub mod geometry;
pub mod input;
pub mod pipeline;
pub mod publish;
pub mod receive;
pub mod settings;
pub mod start;
pub mod util;
