//! What a filter becomes when it is prepared for one size of picture: tables and scratch that a frame only has to run
//! through. Preparing may fail and says why; running can't.

use super::color::PointKernel;
use super::geometric::Motion;
use crate::geometry::Size;

/// A filter that is ready to run on RGBA pictures of one size.
pub(crate) enum Kernel {
    /// Changes nothing and costs nothing.
    Identity,
    /// In place, pixel by pixel.
    Point(PointKernel),
    /// Moves pixels; may change the picture's size.
    Geometric(Motion),
    /// From one picture into another of the same size.
    Area(Box<dyn AreaKernel>),
    /// In place, and only a part of the picture.
    Draw(Box<dyn DrawKernel>),
}

/// Computes each pixel from its neighbourhood. Scratch memory is the kernel's own and kept between frames.
pub(crate) trait AreaKernel: Send {
    /// `input` and `output` are RGBA of the size that the kernel was prepared for; all of `output` is written.
    fn run(&mut self, input: &[u8], output: &mut [u8]);
}

/// Changes a part of the picture in place.
pub(crate) trait DrawKernel: Send {
    /// `pixels` is RGBA of the size that the kernel was prepared for.
    fn draw(&mut self, pixels: &mut [u8], live: &LiveText);
}

/// Turns what the user chose into what a frame runs through.
pub(crate) trait Prepare {
    /// `input` is never empty.
    ///
    /// # Errors
    /// When the filter can't work with these parameters on this picture; the chain goes on without it.
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError>;
}

/// Why a filter could not be prepared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrepareError {
    #[error("the result would be {0}, which is too large; crop the picture first or turn off Expand")]
    TooLarge(Size),
    #[error("the font can't be read; this program is damaged, install it again")]
    Font,
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
