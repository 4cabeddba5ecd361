//! Maps of the plane that bend lines. Each is one function from a position of the output to a position of the input,
//! written without branches, so that a row of positions costs little more than one.

use super::Size;
use super::turn::{direction, nearest, sin_cos};

/// Barrel and pincushion distortion around the middle: the distance `r` from the middle, as a fraction of half the
/// diagonal, comes from `r (1 + k1 r² + k2 r⁴)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lens {
    middle: (f64, f64),
    /// One over the square of half the diagonal.
    scale: f64,
    k1: f64,
    k2: f64,
}

impl Lens {
    pub fn new(size: Size, k1: f64, k2: f64) -> Self {
        let (x, y) = middle_of(size);
        Self { middle: (x, y), scale: 1.0 / (x * x + y * y), k1, k2 }
    }

    #[inline(always)]
    pub(super) fn apply(self, x: f64, y: f64) -> (f64, f64) {
        let (dx, dy) = (x - self.middle.0, y - self.middle.1);
        let square = (dx * dx + dy * dy) * self.scale;
        let stretch = 1.0 + square * (self.k1 + square * self.k2);
        (self.middle.0 + dx * stretch, self.middle.1 + dy * stretch)
    }
}

/// A wedge of the picture, mirrored around the middle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kaleidoscope {
    middle: (f64, f64),
    room: Room,
    mirrors: f64,
    /// Where the wedge begins, in turns.
    start: f64,
}

impl Kaleidoscope {
    /// The wedge begins at the angle `start`, clockwise in turns, and is one of `2 mirrors`.
    pub fn new(size: Size, mirrors: u32, start: f64) -> Self {
        Self { middle: middle_of(size), room: Room::new(size), mirrors: f64::from(mirrors.max(1)), start }
    }

    #[inline(always)]
    pub(super) fn apply(self, x: f64, y: f64) -> (f64, f64) {
        let (dx, dy) = (x - self.middle.0, y - self.middle.1);
        let wedges = (direction(dx, dy) - self.start) * self.mirrors;
        let folded = (wedges - nearest(wedges)).abs();
        let (sine, cosine) = sin_cos(self.start + folded / self.mirrors);
        let far = (dx * dx + dy * dy).sqrt();
        self.room.reflect(self.middle.0 + far * cosine, self.middle.1 + far * sine)
    }
}

/// Waves that run one way and push to their side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wave {
    room: Room,
    /// Waves a pixel, across and down.
    run: (f64, f64),
    /// The furthest push in pixels, across and down.
    push: (f64, f64),
}

impl Wave {
    /// `height` and the length `1 / frequency` of a wave are in shorter sides of the picture. Waves run at `turns`
    /// clockwise from downwards.
    pub fn new(size: Size, height: f64, frequency: f64, turns: f64) -> Self {
        let side = f64::from(size.width.min(size.height));
        let (sine, cosine) = sin_cos(turns);
        let (waves, height) = (frequency / side, height * side);
        let (run, push) = ((-sine * waves, cosine * waves), (cosine * height, sine * height));
        Self { room: Room::new(size), run, push }
    }

    #[inline(always)]
    pub(super) fn apply(self, x: f64, y: f64) -> (f64, f64) {
        let (sine, _) = sin_cos(x * self.run.0 + y * self.run.1);
        self.room.reflect(x + self.push.0 * sine, y + self.push.1 * sine)
    }
}

/// A turn around the middle that gets less towards the outside, like water that runs off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Swirl {
    middle: (f64, f64),
    room: Room,
    /// One over the distance in pixels from which on nothing turns.
    reach: f64,
    turns: f64,
}

impl Swirl {
    /// The middle turns by `turns` anticlockwise; from `reach` on, as a fraction of half the diagonal, nothing does.
    pub fn new(size: Size, turns: f64, reach: f64) -> Self {
        let (x, y) = middle_of(size);
        Self { middle: (x, y), room: Room::new(size), reach: 1.0 / (reach * x.hypot(y)), turns }
    }

    #[inline(always)]
    pub(super) fn apply(self, x: f64, y: f64) -> (f64, f64) {
        let (dx, dy) = (x - self.middle.0, y - self.middle.1);
        let near = 1.0 - (dx * dx + dy * dy).sqrt() * self.reach;
        let near = if near > 0.0 { near } else { 0.0 };
        let (sine, cosine) = sin_cos(self.turns * (near * near));
        self.room.reflect(self.middle.0 + dx * cosine - dy * sine, self.middle.1 + dx * sine + dy * cosine)
    }
}

/// A picture whose edges are mirrors, so that no position is outside.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Room {
    width: f64,
    height: f64,
}

/// The far edge itself belongs to no pixel; the last position is this much before it.
const BEFORE_THE_EDGE: f64 = 1e-6;

impl Room {
    fn new(size: Size) -> Self {
        Self { width: f64::from(size.width), height: f64::from(size.height) }
    }

    #[inline(always)]
    fn reflect(self, x: f64, y: f64) -> (f64, f64) {
        (reflected(x, self.width), reflected(y, self.height))
    }
}

#[inline(always)]
fn reflected(at: f64, length: f64) -> f64 {
    let twice = 2.0 * length;
    let at = (at - nearest(at / twice) * twice).abs();
    let last = length - BEFORE_THE_EDGE;
    if at < last { at } else { last }
}

fn middle_of(size: Size) -> (f64, f64) {
    (f64::from(size.width) / 2.0, f64::from(size.height) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_outside_comes_back_in() {
        for (at, wanted) in [(-1.0, 1.0), (11.0, 9.0), (21.0, 1.0), (-19.0, 1.0), (3.5, 3.5), (10.0, 10.0)] {
            assert!((reflected(at, 10.0) - wanted).abs() < 1e-5, "{at}");
        }
        assert!(reflected(10.0, 10.0) < 10.0);
    }

    #[test]
    fn the_middle_stays_where_it_is() {
        let size = Size::new(64, 48);
        for (x, y) in [
            Lens::new(size, 0.4, -0.3).apply(32.0, 24.0),
            Kaleidoscope::new(size, 5, 0.1).apply(32.0, 24.0),
            Swirl::new(size, 0.7, 1.0).apply(32.0, 24.0),
            Wave::new(size, 0.2, 4.0, 0.0).apply(32.0, 24.0),
        ] {
            assert!((x - 32.0).abs() < 1e-9 && (y - 24.0).abs() < 1e-9, "{x}, {y}");
        }
    }
}
