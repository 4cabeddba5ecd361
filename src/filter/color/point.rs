//! Kernels on single pixels: a table a channel, a matrix, or a function. Alpha always stays as it is.

use crate::frame::BYTES_PER_PIXEL;

/// What happens to each pixel.
pub(crate) enum PointKernel {
    /// One level to another, for red, green and blue.
    Table(Box<[[u8; 256]; 3]>),
    /// Rows give red, green and blue from red, green, blue and 1, in levels; rounded and clamped.
    Matrix([[f32; 4]; 3]),
    Function(Box<dyn PixelFunction>),
}

/// What neither a table nor a matrix can say.
pub(crate) trait PixelFunction: Send + Sync {
    /// RGBA pixels, changed in place; alpha has to stay.
    fn apply(&self, pixels: &mut [[u8; BYTES_PER_PIXEL]]);
}

/// BT.709 weights of red, green and blue.
pub(crate) const LUMA_709: [f32; 3] = [0.2126, 0.7152, 0.0722];
/// BT.601 weights of red, green and blue.
pub(crate) const LUMA_601: [f32; 3] = [0.299, 0.587, 0.114];

/// BT.709 luma rounded to a level.
pub(crate) fn luma_level([r, g, b, _]: [u8; 4]) -> u8 {
    // The weights times 65536; they sum to 65536, so that white stays white.
    ((13_933 * u32::from(r) + 46_871 * u32::from(g) + 4_732 * u32::from(b) + 32_768) >> 16) as u8
}

/// Rounds to the nearest level; the cast clamps.
pub(crate) fn to_level(value: f32) -> u8 {
    (value + 0.5) as u8
}

impl PointKernel {
    /// The same table for all three channels, from a formula on 0 to 1.
    pub(crate) fn table(formula: impl Fn(f32) -> f32) -> Self {
        let mut table = [0; 256];
        for (level, entry) in table.iter_mut().enumerate() {
            *entry = to_level(formula(level as f32 / 255.0) * 255.0);
        }
        Self::Table(Box::new([table; 3]))
    }

    /// `amount` of the way from the identity to `rows`, which have no offset.
    pub(crate) fn matrix_towards(rows: [[f32; 3]; 3], amount: f32) -> Self {
        let mut matrix = [[0.0; 4]; 3];
        for (channel, row) in matrix.iter_mut().enumerate() {
            for (from, weight) in row.iter_mut().take(3).enumerate() {
                let identity = if channel == from { 1.0 } else { 0.0 };
                *weight = identity + (rows[channel][from] - identity) * amount;
            }
        }
        Self::Matrix(matrix)
    }

    /// Takes `next` in if one table can do exactly what both did; gives it back otherwise.
    pub(crate) fn fuse(&mut self, next: Self) -> Option<Self> {
        match (self, next) {
            (Self::Table(first), Self::Table(next)) => {
                for (first, next) in first.iter_mut().zip(next.iter()) {
                    for level in first {
                        *level = next[usize::from(*level)];
                    }
                }
                None
            }
            (_, next) => Some(next),
        }
    }

    /// RGBA, in place.
    pub(crate) fn apply(&self, pixels: &mut [u8]) {
        let (pixels, _) = pixels.as_chunks_mut::<BYTES_PER_PIXEL>();
        match self {
            Self::Table(tables) => {
                let [red, green, blue] = &**tables;
                for pixel in pixels {
                    let [r, g, b, a] = *pixel;
                    *pixel = [red[usize::from(r)], green[usize::from(g)], blue[usize::from(b)], a];
                }
            }
            Self::Matrix(matrix) => apply_matrix(matrix, pixels),
            Self::Function(function) => function.apply(pixels),
        }
    }
}

/// Pixels that are taken apart into channels together, so that the arithmetic runs in vectors.
const LANES: usize = 16;

fn apply_matrix(matrix: &[[f32; 4]; 3], pixels: &mut [[u8; BYTES_PER_PIXEL]]) {
    let (groups, rest) = pixels.as_chunks_mut::<LANES>();
    for group in groups {
        multiply(matrix, group);
    }
    let mut last = [[0; BYTES_PER_PIXEL]; LANES];
    last[..rest.len()].copy_from_slice(rest);
    multiply(matrix, &mut last);
    rest.copy_from_slice(&last[..rest.len()]);
}

fn multiply(matrix: &[[f32; 4]; 3], group: &mut [[u8; BYTES_PER_PIXEL]; LANES]) {
    let channel = |index: usize| -> [f32; LANES] { std::array::from_fn(|lane| f32::from(group[lane][index])) };
    let (r, g, b) = (channel(0), channel(1), channel(2));
    let row = |[from_r, from_g, from_b, offset]: [f32; 4]| -> [i32; LANES] {
        std::array::from_fn(|lane| {
            let value = from_r * r[lane] + from_g * g[lane] + from_b * b[lane] + (offset + 0.5);
            value.clamp(0.0, 255.0) as i32
        })
    };
    let (r, g, b) = (row(matrix[0]), row(matrix[1]), row(matrix[2]));
    for (lane, pixel) in group.iter_mut().enumerate() {
        *pixel = [r[lane] as u8, g[lane] as u8, b[lane] as u8, pixel[3]];
    }
}
