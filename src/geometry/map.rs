//! All the ways in which positions of a picture can lead to positions of the picture before.

use multiversion::multiversion;

use super::warp::{Kaleidoscope, Lens, Swirl, Wave};
use super::{Affine, Projective};

/// Leads from positions of a picture to positions of the picture it was made from. Each is a function for every position,
/// also where there is no way back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Map {
    Affine(Affine),
    Projective(Projective),
    Lens(Lens),
    Kaleidoscope(Kaleidoscope),
    Wave(Wave),
    Swirl(Swirl),
}

impl From<Affine> for Map {
    fn from(map: Affine) -> Self {
        Self::Affine(map)
    }
}

impl From<Projective> for Map {
    /// A projective map that is affine becomes one, because those are cheaper.
    fn from(map: Projective) -> Self {
        map.affine().map_or(Self::Projective(map), Self::Affine)
    }
}

impl Map {
    pub const IDENTITY: Self = Self::Affine(Affine::IDENTITY);

    /// NaN for a position that leads nowhere.
    pub fn apply(self, x: f64, y: f64) -> (f64, f64) {
        match self {
            Self::Affine(map) => map.apply(x, y),
            Self::Projective(map) => map.apply(x, y),
            Self::Lens(map) => map.apply(x, y),
            Self::Kaleidoscope(map) => map.apply(x, y),
            Self::Wave(map) => map.apply(x, y),
            Self::Swirl(map) => map.apply(x, y),
        }
    }

    /// The same for many positions in place, to the same bits.
    pub fn apply_to(self, xs: &mut [f64], ys: &mut [f64]) {
        match self {
            Self::Affine(map) => each(map, xs, ys),
            Self::Projective(map) => each(map, xs, ys),
            Self::Lens(map) => each(map, xs, ys),
            Self::Kaleidoscope(map) => each(map, xs, ys),
            Self::Wave(map) => each(map, xs, ys),
            Self::Swirl(map) => each(map, xs, ys),
        }
    }

    pub fn affine(self) -> Option<Affine> {
        if let Self::Affine(map) = self { Some(map) } else { None }
    }

    /// The map back, where there is a simple one.
    pub fn inverse(self) -> Option<Self> {
        match self {
            Self::Affine(map) => map.inverse().map(Self::Affine),
            Self::Projective(map) => map.inverse().map(Self::Projective),
            Self::Lens(_) | Self::Kaleidoscope(_) | Self::Wave(_) | Self::Swirl(_) => None,
        }
    }
}

/// A function of a position. A closure would not do: it is not always inlined, and only then are several positions worked
/// on at once.
trait Position: Copy {
    fn lead(self, x: f64, y: f64) -> (f64, f64);
}

macro_rules! positions {
    ($($map:ident)+) => {$(
        impl Position for $map {
            #[inline(always)]
            fn lead(self, x: f64, y: f64) -> (f64, f64) {
                self.apply(x, y)
            }
        }
    )+};
}

positions! { Affine Projective Lens Kaleidoscope Wave Swirl }

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vbmi2", "x86_64+avx2"))]
fn each<P: Position>(map: P, xs: &mut [f64], ys: &mut [f64]) {
    for (x, y) in xs.iter_mut().zip(ys) {
        (*x, *y) = map.lead(*x, *y);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Size;
    use super::*;

    #[test]
    fn many_positions_lead_where_each_alone_does() {
        let size = Size::new(97, 31);
        let corners = [(0.1, 0.0), (0.9, 0.2), (1.1, 0.9), (-0.2, 0.8)];
        let maps = [
            Map::from(Affine::rotation(12.0)),
            Projective::from_unit_square(corners).expect("they are convex").into(),
            Map::Lens(Lens::new(size, 0.3, -0.2)),
            Map::Kaleidoscope(Kaleidoscope::new(size, 7, 0.3)),
            Map::Wave(Wave::new(size, 0.1, 7.0, 0.2)),
            Map::Swirl(Swirl::new(size, 0.8, 0.6)),
        ];
        for map in maps {
            let mut xs: Vec<f64> = (0..97).map(|x| f64::from(x) + 0.5).collect();
            let mut ys = vec![11.5; 97];
            map.apply_to(&mut xs, &mut ys);
            for (column, (x, y)) in xs.into_iter().zip(ys).enumerate() {
                let (one_x, one_y) = map.apply(column as f64 + 0.5, 11.5);
                assert_eq!((x.to_bits(), y.to_bits()), (one_x.to_bits(), one_y.to_bits()), "{map:?} {column}");
            }
        }
    }
}
