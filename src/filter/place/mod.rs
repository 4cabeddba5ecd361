//! Filters for which it matters where a pixel is.

mod redact;

pub use redact::{Redact, RedactStyle};
