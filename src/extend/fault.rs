//! What can go wrong with a program. Each sentence continues the program's name: "… ended by itself".

use std::time::Duration;

use super::declaration::DeclarationError;
use super::message::HeaderError;
use crate::geometry::Size;

/// Why a program is not used, or not for now.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("can't be started: {0}")]
    Start(#[from] std::io::Error),
    #[error("did not declare itself within {} s; its first line has to be its declaration", .0.as_secs_f32())]
    Silent(Duration),
    #[error("writes a first line of more than {} KiB, which is no declaration", .0 >> 10)]
    LongLine(usize),
    #[error("does not declare itself as it should: {0}")]
    Declaration(#[from] DeclarationError),
    #[error("declares something else than when Lenscast started; start Lenscast again")]
    Changed,
    #[error("ended by itself ({0})")]
    Ended(String),
    #[error("{0}")]
    Header(#[from] HeaderError),
    #[error("wrote a picture of {given} for one of {wanted}")]
    Size { given: Size, wanted: Size },
    #[error("answered frame {given} when it was asked for frame {wanted}")]
    Number { given: u64, wanted: u64 },
    #[error("wrote a picture that nobody asked for")]
    Unasked,
    #[error("did not answer within {} s and was ended", .0.as_secs_f32())]
    Hung(Duration),
}
