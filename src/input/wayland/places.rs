//! Which part of the desktop a point lies in: compositors let a pointer jump only within what was shared; pure.

/// A part of the desktop that may be pointed at, in the compositor's logical pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// Points this far outside are rounding errors of a picture's edge, and are moved in.
const SLACK: f64 = 1.0;
/// How near the far edge a point may lie, which is no part of the area; well within a float's precision at any screen's
/// size.
const INSIDE: f64 = 1.0 / 64.0;

impl Area {
    fn holds(&self, (x, y): (f64, f64), slack: f64) -> bool {
        let within = |at: f64, start: f64, length: f64| at >= start - slack && at < start + length + slack;
        within(x, self.x, self.width) && within(y, self.y, self.height)
    }

    fn moved_in(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let inside = |at: f64, start: f64, length: f64| at.min(start + length - INSIDE).max(start);
        (inside(x, self.x, self.width), inside(y, self.y, self.height))
    }
}

/// The area a point lies in, and the point within it; `None` where the point is outside of all of them. Areas that hold
/// the point itself come before those that it only touches.
pub fn find<T>(areas: impl Iterator<Item = (T, Area)> + Clone, at: (f64, f64)) -> Option<(T, Area, (f64, f64))> {
    let holding = |slack: f64| areas.clone().find(move |(_, area)| area.holds(at, slack));
    let (key, area) = holding(0.0).or_else(|| holding(SLACK))?;
    Some((key, area, area.moved_in(at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEFT: Area = Area { x: 0.0, y: 0.0, width: 1920.0, height: 1080.0 };
    const RIGHT: Area = Area { x: 1920.0, y: 100.0, width: 1280.0, height: 720.0 };

    fn found(at: (f64, f64)) -> Option<(usize, (f64, f64))> {
        find([LEFT, RIGHT].into_iter().enumerate(), at).map(|(index, _, at)| (index, at))
    }

    #[test]
    fn a_point_belongs_to_the_area_that_holds_it() {
        assert_eq!(found((10.5, 20.25)), Some((0, (10.5, 20.25))));
        assert_eq!(found((1919.75, 500.0)), Some((0, (1919.75, 500.0))));
        assert_eq!(found((1920.0, 500.0)), Some((1, (1920.0, 500.0))));
    }

    #[test]
    fn a_rounding_error_is_moved_in_and_a_place_that_is_not_shared_is_nowhere() {
        let (index, (x, y)) = found((3200.0, 500.0)).unwrap();
        assert!(index == 1 && x < 3200.0 && x > 3199.9 && y == 500.0);
        assert_eq!(found((-0.5, 3.0)), Some((0, (0.0, 3.0))));
        assert_eq!(found((2000.0, 50.0)), None);
        assert_eq!(found((3300.0, 500.0)), None);
        assert_eq!(found((f64::NAN, 500.0)), None);
    }
}
