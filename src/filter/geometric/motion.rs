//! What a geometric filter prepares: one mapping, the colour beside the picture, and how it moves on by itself.

use std::time::Duration;

use crate::filter::kernel::{Kernel, PrepareError};
use crate::geometry::{Affine, Map, Mapping, Point, Size, Source};

/// The largest picture that a filter may make; a picture of 8192 x 8192 pixels has 256 MB.
const MOST_PIXELS: usize = 8_192 * 8_192;

/// One movement of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Motion {
    pub mapping: Mapping,
    /// What is shown where the input has nothing, RGBA.
    pub fill: [u8; 4],
    pub drive: Drive,
}

/// How a movement goes on without anybody touching a slider.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Drive {
    Still,
    /// Turns anticlockwise around the middle of its output, in degrees a second. Its map is affine.
    Spin(f64),
    /// Shows a part as large as `shown` of the input; its middle follows the pointer.
    Follow {
        shown: f64,
        middle: (f64, f64),
    },
}

impl Motion {
    /// The kernel of a mapping that leaves nothing to fill.
    pub fn within(mapping: Mapping) -> Kernel {
        Self::filled(mapping, [0, 0, 0, 255])
    }

    /// The kernel of a mapping that stands still, with an RGBA colour for what lies beside the input.
    pub fn filled(mapping: Mapping, fill: [u8; 4]) -> Kernel {
        Self { mapping, fill, drive: Drive::Still }.into_kernel()
    }

    pub fn into_kernel(self) -> Kernel {
        if self.drive == Drive::Still && self.mapping == Mapping::identity(self.mapping.input) {
            return Kernel::Identity;
        }
        Kernel::Geometric(self)
    }
}

/// A movement and how far it has gone by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Moving {
    pub motion: Motion,
    /// The time that passed since it last moved.
    pending: Duration,
    /// Turned so far.
    degrees: f64,
    /// The middle of what is shown now, in pixels of the input, and whether it is on its way.
    middle: Option<(f64, f64)>,
    is_on_its_way: bool,
}

/// How long a followed pointer takes to lose most of its lead.
const FOLLOW_SECS: f64 = 0.15;
/// The time that its first step after a rest is for.
const FIRST_STEP: Duration = Duration::from_millis(33);
/// Closer than this, in pixels, is there.
const NEAR: f64 = 0.25;

impl Moving {
    pub(crate) fn new(motion: Motion) -> Self {
        Self { motion, pending: Duration::ZERO, degrees: 0.0, middle: None, is_on_its_way: false }
    }

    /// Whether a later frame of the same picture would look different.
    pub(crate) fn goes_on(&self) -> bool {
        match self.motion.drive {
            Drive::Still => false,
            Drive::Spin(_) => true,
            Drive::Follow { .. } => self.is_on_its_way,
        }
    }

    pub(crate) fn follows_pointer(&self) -> bool {
        matches!(self.motion.drive, Drive::Follow { .. })
    }

    /// Goes on from where an older one of the same filter is, so that a slider does not make the picture jump; unless it is
    /// the slider that says where to begin.
    pub(crate) fn go_on_from(&mut self, older: &Self) {
        match (self.motion.drive, older.motion.drive) {
            (Drive::Spin(_), _) => self.degrees = older.degrees,
            (Drive::Follow { middle, .. }, Drive::Follow { middle: begun, .. }) if middle == begun => {
                self.middle = older.middle;
            }
            _ => {}
        }
    }

    /// Lets time pass. It counts also where a frame is not shown in the end.
    pub(crate) fn wait(&mut self, elapsed: Duration) {
        self.pending += elapsed;
    }

    /// Moves on by what it does in the time that has passed. `pointer` is where the pointer is on the input, if that is
    /// known.
    pub(crate) fn advance(&mut self, pointer: Option<(f64, f64)>) {
        let elapsed = std::mem::take(&mut self.pending);
        match self.motion.drive {
            Drive::Still => {}
            Drive::Spin(speed) => {
                self.degrees = (self.degrees + speed * elapsed.as_secs_f64()).rem_euclid(360.0);
            }
            Drive::Follow { shown, middle } => {
                let (x, y) = self.middle.unwrap_or(middle);
                let Size { width, height } = self.motion.mapping.input;
                let inside = |at: f64, length: u32| {
                    let half = f64::from(length) * shown / 2.0;
                    at.max(half).min(f64::from(length) - half)
                };
                let (to_x, to_y) = pointer.unwrap_or((x, y));
                let (to_x, to_y) = (inside(to_x, width), inside(to_y, height));
                // While it stood still it did not save up time for a jump.
                let elapsed = if self.is_on_its_way { elapsed } else { elapsed.min(FIRST_STEP) };
                let part = 1.0 - (-elapsed.as_secs_f64() / FOLLOW_SECS).exp();
                let (by_x, by_y) = (to_x - x, to_y - y);
                self.is_on_its_way = by_x.abs().max(by_y.abs()) > NEAR;
                let part = if self.is_on_its_way { part } else { 1.0 };
                self.middle = Some((x + by_x * part, y + by_y * part));
            }
        }
    }

    /// The mapping at this moment.
    pub(crate) fn mapping(&self) -> Mapping {
        let mapping = self.motion.mapping;
        let moved = match (self.motion.drive, mapping.input_from_output) {
            (Drive::Spin(_), Map::Affine(map)) if self.degrees != 0.0 => {
                let (x, y) = middle(mapping.output);
                let turn = Affine::translation(-x, -y).then(Affine::rotation(self.degrees));
                turn.then(Affine::translation(x, y)).then(map)
            }
            (Drive::Follow { shown, .. }, _) => match self.middle {
                Some(middle) => part_around(middle, shown, mapping.input),
                None => return mapping,
            },
            _ => return mapping,
        };
        Mapping { input_from_output: moved.into(), ..mapping }
    }
}

/// The map that shows a part as large as `shown` of a picture of `size` around a middle, and never leaves the picture.
pub(super) fn part_around((x, y): (f64, f64), shown: f64, size: Size) -> Affine {
    let first = |middle: f64, length: u32| {
        let length = f64::from(length);
        (middle - length * shown / 2.0).clamp(0.0, length - length * shown)
    };
    Affine::scaling(shown, shown).then(Affine::translation(first(x, size.width), first(y, size.height)))
}

/// Where a point of the captured picture is after `mappings`. Through a map without a way back it keeps its place in the
/// picture, which is near enough for what only follows it.
pub(crate) fn after(mappings: &[Mapping], point: Point<Source>) -> (f64, f64) {
    mappings.iter().fold((point.x, point.y), |(x, y), mapping| match mapping.input_from_output.inverse() {
        Some(map) => map.apply(x, y),
        None => {
            let scaled = |at: f64, from: u32, to: u32| at / f64::from(from) * f64::from(to);
            let (input, output) = (mapping.input, mapping.output);
            (scaled(x, input.width, output.width), scaled(y, input.height, output.height))
        }
    })
}

pub(crate) fn middle(size: Size) -> (f64, f64) {
    (f64::from(size.width) / 2.0, f64::from(size.height) / 2.0)
}

/// # Errors
/// When a picture of that size should not be made.
pub(crate) fn checked(output: Size) -> Result<Size, PrepareError> {
    if output.pixels() > MOST_PIXELS { Err(PrepareError::TooLarge(output)) } else { Ok(output) }
}
