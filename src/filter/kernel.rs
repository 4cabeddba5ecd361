//! What a filter becomes when it is prepared for one size of picture: tables and scratch that a frame only has to run
//! through. Preparing may fail and says why; running can't.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Color;
use super::color::PointKernel;
use super::files::Files;
use super::geometric::Motion;
use crate::frame::Frame;
use crate::geometry::{Mapping, Point, Size, Source};

/// A filter that is ready to run on RGBA pictures of one size.
pub enum Kernel {
    /// Changes nothing and costs nothing.
    Identity,
    /// In place, pixel by pixel; neighbours in the chain run as one pass.
    Point(PointKernel),
    /// Moves pixels; may change the picture's size.
    Geometric(Motion),
    /// Moves pixels by itself, because it needs more than the shared resampler has; the mapping tells what it did.
    Scale(Mapping, Box<dyn AreaKernel>),
    /// From one picture into another of the same size.
    Area(Box<dyn AreaKernel>),
    /// In place, knowing where each pixel is.
    Draw(Box<dyn DrawKernel>),
    /// In place, knowing what was shown before.
    Time(Box<dyn TimeKernel>),
}

/// Computes each pixel from its neighbourhood. Scratch memory is the kernel's own and kept between frames.
pub trait AreaKernel: Send {
    /// `input` and `output` are RGBA of the size that the kernel was prepared for; all of `output` is written. Only with a
    /// [`Kernel::Scale`] do their sizes differ.
    fn run(&mut self, input: &[u8], output: &mut [u8]);

    /// Why the last frame is not what it should be, in one sentence, where something beside the picture went wrong.
    fn complaint(&self) -> Option<String> {
        None
    }
}

/// Changes the picture, or a part of it, in place.
pub trait DrawKernel: Send {
    /// `pixels` is RGBA of the size that the kernel was prepared for.
    fn draw(&mut self, pixels: &mut [u8], scene: &Scene<'_>);

    /// Whether another frame of the same picture would look different, because what was drawn last moves on by itself.
    fn goes_on(&self) -> bool {
        false
    }
}

/// What a frame is drawn with beside its pixels.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    pub live: &'a LiveText,
    pub moment: Moment,
    /// How the filters before this one moved the pixels, in their order; see [`Scene::place_of`].
    pub mappings: &'a [Mapping],
}

impl Scene<'_> {
    /// Where a position of the captured picture is on the picture that is drawn on, also where that is outside of it.
    /// `None` where there is no simple way, because a filter before this one bends the picture.
    pub fn place_of(&self, point: Point<Source>) -> Option<(f64, f64)> {
        self.mappings.iter().try_fold((point.x, point.y), |(x, y), mapping| {
            let output_from_input = mapping.input_from_output.inverse()?;
            Some(output_from_input.apply(x, y))
        })
    }
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

    /// How long a picture takes that is worked on beside the stream, averaged over the last few.
    fn aside(&self) -> Option<Duration> {
        None
    }

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

/// What changes by itself and can be shown: in a text, or drawn.
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
    /// Where the pointer is on the captured picture; `None` where nobody knows.
    pub pointer: Option<Point<Source>>,
    /// Clicks of the last second or so.
    pub clicks: Vec<Click>,
    /// The pointers of viewers who may point.
    pub marks: Vec<LiveMark>,
    /// The newest frames of other sources that the chain asks for.
    pub pictures: Vec<LivePicture>,
}

/// A press of a button.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Click {
    pub at: Point<Source>,
    pub when: Instant,
}

/// A viewer's pointer.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveMark {
    pub name: Arc<str>,
    pub color: Color,
    pub at: Point<Source>,
    /// When the viewer began to press.
    pub pressed: Option<Instant>,
    /// Where it was while the viewer pressed, the oldest first.
    pub trail: Vec<(Point<Source>, Instant)>,
}

/// A frame of another source.
#[derive(Debug, Clone)]
pub struct LivePicture {
    /// The source's id as text.
    pub source: String,
    pub frame: Arc<Frame>,
}

impl PartialEq for LivePicture {
    /// The very same frame, not one that looks alike.
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && Arc::ptr_eq(&self.frame, &other.frame)
    }
}

impl LiveText {
    /// Whether a placeholder stands for something else than it did.
    pub fn shows_another_text_than(&self, other: &Self) -> bool {
        let texts = |live: &Self| (live.fps, live.viewers, live.clock.clone(), live.date.clone());
        texts(self) != texts(other)
    }

    /// The newest frame of another source.
    pub fn picture(&self, source: &str) -> Option<&Arc<Frame>> {
        self.pictures.iter().find(|picture| picture.source == source).map(|picture| &picture.frame)
    }
}
