//! Kernels on single pixels: a table a channel, a matrix, or a function. Alpha always stays as it is.

use crate::frame::BYTES_PER_PIXEL;

/// What happens to each pixel.
pub(crate) enum PointKernel {
    /// One level to another, for red, green and blue.
    Table(Box<[[u8; 256]; 3]>),
    /// A 3x3 matrix; rounded and clamped.
    Matrix(Box<Products>),
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

    /// `amount` of the way from the identity to `rows`, which give red, green and blue from red, green and blue.
    pub(crate) fn matrix_towards(rows: [[f32; 3]; 3], amount: f32) -> Self {
        let weight = |to: usize, from: usize| {
            let identity = if to == from { 1.0 } else { 0.0 };
            identity + (rows[to][from] - identity) * amount
        };
        let mut products = Box::new([[[0; 4]; 256]; 3]);
        for (from, products) in products.iter_mut().enumerate() {
            for (level, product) in products.iter_mut().enumerate() {
                for (to, value) in product.iter_mut().take(3).enumerate() {
                    // The half that rounds goes into one of the three summands.
                    let half = if from == 0 { 0.5 } else { 0.0 };
                    let exact = f64::from(weight(to, from)) * level as f64 + half;
                    *value = (exact * f64::from(1 << PRODUCT_BITS)).round() as i32;
                }
            }
        }
        Self::Matrix(products)
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
            Self::Matrix(products) => sum_products(products, pixels),
            Self::Function(function) => function.apply(pixels),
        }
    }
}

/// What each level of red, green and blue adds to the new red, green and blue, with [`PRODUCT_BITS`] of fraction. Looking
/// nine products up takes less time than multiplying, because the three of a level lie side by side.
type Products = [[[i32; 4]; 256]; 3];

const PRODUCT_BITS: u32 = 16;

fn sum_products([reds, greens, blues]: &Products, pixels: &mut [[u8; BYTES_PER_PIXEL]]) {
    for pixel in pixels {
        let [r, g, b, a] = *pixel;
        let (from_r, from_g, from_b) = (&reds[usize::from(r)], &greens[usize::from(g)], &blues[usize::from(b)]);
        let sums: [i32; 4] = std::array::from_fn(|to| (from_r[to] + from_g[to] + from_b[to]) >> PRODUCT_BITS);
        let [r, g, b, _] = sums.map(|sum| sum.clamp(0, 255) as u8);
        *pixel = [r, g, b, a];
    }
}
