//! Where pictures come from.

mod id;

pub use id::{SourceId, SourceInfo, SourceKind, SourceList, UnknownSource};
