//! How a whole chain moved the pixels: a list of mappings from one stage back to the stage before it.

use super::{Affine, Desktop, Map, Output, Point, Size, Source};

/// What one geometric filter did. The resampler reads the picture through it and the pointer goes back through it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mapping {
    pub input: Size,
    pub output: Size,
    /// Continuous coordinates of the output picture to those of the input picture.
    pub input_from_output: Map,
}

impl Mapping {
    pub fn identity(size: Size) -> Self {
        Self { input: size, output: size, input_from_output: Map::IDENTITY }
    }

    /// Where a point of the output came from; `None` where it came from outside the input (padding, fill).
    fn map(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        let (x, y) = self.input_from_output.apply(x, y);
        let within = x >= 0.0 && y >= 0.0 && x < f64::from(self.input.width) && y < f64::from(self.input.height);
        within.then_some((x, y))
    }
}

/// The geometry of one frame, from what was captured to what is shown. An epoch names it on the wire.
#[derive(Debug, Clone, PartialEq)]
pub struct Geometry {
    /// Grows by one with every change; 0 is never used.
    pub epoch: u32,
    pub source: Size,
    pub output: Size,
    /// In the order in which the filters ran.
    pub mappings: Vec<Mapping>,
    /// From the captured picture to the desktop; `None` where there is nothing to click on (a camera, a picture).
    pub desktop_from_source: Option<Affine>,
}

impl Geometry {
    /// The geometry of a picture that nothing has moved.
    pub fn untouched(epoch: u32, source: Size, desktop_from_source: Option<Affine>) -> Self {
        Self { epoch, source, output: source, mappings: Vec::new(), desktop_from_source }
    }

    /// Whether both do the same, whatever their epochs.
    pub fn same_shape(&self, other: &Self) -> bool {
        (self.source, self.output, &self.mappings, self.desktop_from_source)
            == (other.source, other.output, &other.mappings, other.desktop_from_source)
    }

    /// The captured position behind a position of the shown picture; `None` on padding and outside.
    pub fn source_from_output(&self, point: Point<Output>) -> Option<Point<Source>> {
        if !point.is_within(self.output) {
            return None;
        }
        let (x, y) = self.mappings.iter().rev().try_fold((point.x, point.y), |(x, y), mapping| mapping.map(x, y))?;
        let source = Point::new(x, y);
        source.is_within(self.source).then_some(source)
    }

    /// The desktop position behind a position of the shown picture.
    pub fn desktop_from_output(&self, point: Point<Output>) -> Option<Point<Desktop>> {
        let source = self.source_from_output(point)?;
        let (x, y) = self.desktop_from_source?.apply(source.x, source.y);
        Some(Point::new(x, y))
    }

    /// The same for fractions of the shown picture, 0 to 1; what is not a number or outside gives `None`.
    pub fn desktop_from_fraction(&self, x: f64, y: f64) -> Option<Point<Desktop>> {
        self.desktop_from_output(self.output_from_fraction(x, y)?)
    }

    /// Where on the captured picture a place of the shown one comes from, given in fractions, 0 to 1; what is not a number,
    /// outside or padding gives `None`.
    pub fn source_from_fraction(&self, x: f64, y: f64) -> Option<Point<Source>> {
        self.source_from_output(self.output_from_fraction(x, y)?)
    }

    fn output_from_fraction(&self, x: f64, y: f64) -> Option<Point<Output>> {
        if !(0.0..=1.0).contains(&x) || !(0.0..=1.0).contains(&y) {
            return None;
        }
        // 1.0 itself is the far edge of the last pixel, which a browser does send.
        let inside = |fraction: f64, length: u32| (fraction * f64::from(length)).min(f64::from(length) - 1e-6);
        Some(Point::new(inside(x, self.output.width), inside(y, self.output.height)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_outside_and_nan_map_to_nothing() {
        let geometry = Geometry::untouched(1, Size::new(10, 10), Some(Affine::IDENTITY));
        for (x, y) in [(f64::NAN, 0.5), (0.5, f64::INFINITY), (-0.01, 0.5), (0.5, 1.01)] {
            assert_eq!(geometry.desktop_from_fraction(x, y), None);
        }
        let corner = geometry.desktop_from_fraction(1.0, 1.0).expect("the far corner is the last pixel");
        assert_eq!((corner.x.floor(), corner.y.floor()), (9.0, 9.0));
    }

    #[test]
    fn padding_maps_to_nothing() {
        let size = Size::new(10, 10);
        let shrunk = Mapping { input: size, output: size, input_from_output: Affine::scaling(2.0, 2.0).into() };
        let geometry = Geometry { mappings: vec![shrunk], ..Geometry::untouched(1, size, None) };
        assert_eq!(geometry.source_from_output(Point::new(4.0, 4.0)), Some(Point::new(8.0, 8.0)));
        assert_eq!(geometry.source_from_output(Point::new(6.0, 4.0)), None);
    }
}
