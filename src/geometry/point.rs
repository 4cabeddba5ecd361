//! Sizes, rectangles and points. A point carries its space as a type, so a click can't be used where a pixel is meant.

use std::fmt;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

/// A picture's size in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Size {
    pub width: u32,
    pub height: u32,
}

impl Size {
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }

    pub const fn pixels(self) -> usize {
        self.width as usize * self.height as usize
    }

    pub const fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// The largest size of the same shape within `bounds`, never larger than `self`, at least 1x1.
    pub fn fit_within(self, bounds: Size) -> Size {
        let scale = (f64::from(bounds.width) / f64::from(self.width.max(1)))
            .min(f64::from(bounds.height) / f64::from(self.height.max(1)))
            .min(1.0);
        let side = |length: u32| ((f64::from(length) * scale).round() as u32).max(1);
        Size::new(side(self.width), side(self.height))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// A rectangle of whole pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rect {
    pub x: i32,
    pub y: i32,
    pub width: u32,
    pub height: u32,
}

/// Marks what a point's numbers are measured in.
pub trait Space: Copy + fmt::Debug {}

/// The processed picture that viewers see, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Output;
/// The captured picture before any filter, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source;
/// The desktop that pointers live on, in the units the system's input takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Desktop;

impl Space for Output {}
impl Space for Source {}
impl Space for Desktop {}

/// A position; pixel `i` covers `[i, i + 1)`, its centre is at `i + 0.5`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point<S: Space> {
    pub x: f64,
    pub y: f64,
    space: PhantomData<S>,
}

impl<S: Space> Point<S> {
    pub const fn new(x: f64, y: f64) -> Self {
        Self { x, y, space: PhantomData }
    }

    /// Whether the point lies on a picture of this size.
    pub fn is_within(self, size: Size) -> bool {
        (0.0..f64::from(size.width)).contains(&self.x) && (0.0..f64::from(size.height)).contains(&self.y)
    }
}
