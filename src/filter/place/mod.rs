//! Filters for which it matters where a pixel is.

mod gradient;
mod halftone;
mod placed;
mod redact;
mod scanlines;
mod vignette;

pub use gradient::{Blend, Gradient};
pub use halftone::Halftone;
pub use redact::{Redact, RedactStyle};
pub use scanlines::Scanlines;
pub use vignette::Vignette;
