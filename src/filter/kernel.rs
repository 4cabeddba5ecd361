//! What a filter becomes when it is prepared for one size of picture: tables and scratch that a frame only has to run
//! through. Preparing may fail and says why; running can't.

use std::any::Any;
use std::time::Instant;

use super::color::PointKernel;
use super::files::Files;
use super::geometric::Motion;
use crate::geometry::Size;

/// A filter that is ready to run on RGBA pictures of one size.
pub enum Kernel {
    /// Changes nothing and costs nothing.
    Identity,
    /// In place, pixel by pixel; neighbours in the chain run as one pass.
    Point(PointKernel),
    /// Moves pixels; may change the picture's size.
    Geometric(Motion),
    /// From one picture into another of the same size.
    Area(Box<dyn AreaKernel>),
    /// In place, knowing where each pixel is.
    Draw(Box<dyn DrawKernel>),
    /// In place, knowing what was shown before.
    Time(Box<dyn TimeKernel>),
}

/// Computes each pixel from its neighbourhood. Scratch memory is the kernel's own and kept between frames.
pub trait AreaKernel: Send {
    /// `input` and `output` are RGBA of the size that the kernel was prepared for; all of `output` is written.
    fn run(&mut self, input: &[u8], output: &mut [u8]);

    /// Why the last frame is not what it should be, in one sentence, where something beside the picture went wrong.
    fn complaint(&self) -> Option<String> {
        None
    }
}

/// Changes the picture, or a part of it, in place.
pub trait DrawKernel: Send {
    /// `pixels` is RGBA of the size that the kernel was prepared for.
    fn draw(&mut self, pixels: &mut [u8], live: &LiveText);
}

/// Changes the picture in place by what it remembers of earlier ones. Its memory is bounded.
pub trait TimeKernel: Any + Send {
    /// `pixels` is RGBA of the size that the kernel was prepared for.
    fn run(&mut self, pixels: &mut [u8], moment: Moment) -> Shown;

    /// Takes over what `older` remembers: a kernel of the same item of the chain, made for the same size of picture from
    /// the same filters before it. Called when a parameter changes.
    fn go_on_from(&mut self, older: Box<dyn Any>);

    /// Whether another frame of the same picture would look different, because time goes on.
    fn goes_on(&self) -> bool;

    /// Bytes that it remembers now, and the most that it will.
    fn memory(&self) -> [usize; 2];

    /// Whether it wants to see the frames, too, that nobody will see because the chain is too slow for all of them.
    fn wants_every_frame(&self) -> bool {
        false
    }

    /// Why the last frame is not what it should be, in one sentence, where something beside the picture went wrong.
    fn complaint(&self) -> Option<String> {
        None
    }
}

/// When a frame is.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    pub now: Instant,
    /// The source gave a new picture; otherwise it is the last one again.
    pub is_new: bool,
}

/// Whether a frame goes on to those who watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    Yes,
    /// Nobody gets to see this frame; they keep the last one.
    No,
}

/// Turns what the user chose into what a frame runs through.
pub trait Prepare {
    /// `input` is never empty.
    ///
    /// # Errors
    /// When the filter can't work with these parameters on this picture; the chain goes on without it.
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError>;

    /// The same for a filter that reads files.
    ///
    /// # Errors
    /// As [`Prepare::prepare`], and [`PrepareError::NotYet`] while a file is being read.
    fn prepare_with(&self, input: Size, _files: &Files) -> Result<Kernel, PrepareError> {
        self.prepare(input)
    }
}

/// Why a filter could not be prepared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrepareError {
    #[error("the result would be {0}, which is too large; crop the picture first or make this filter's result smaller")]
    TooLarge(Size),
    #[error("the font can't be read; this program is damaged, install it again")]
    Font,
    #[error("its file is still being read")]
    NotYet,
    #[error("{0}")]
    Because(String),
}

/// What changes by itself and can be shown in a text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LiveText {
    /// Processed frames a second.
    pub fps: f32,
    /// People who watch right now.
    pub viewers: usize,
    /// The local time as it is shown, like `17:05:09`.
    pub clock: String,
    /// The local date as it is shown, like `2026-03-01`.
    pub date: String,
}
