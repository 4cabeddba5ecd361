//! A look from a file: a table in one or three dimensions.

use std::sync::Arc;

use super::PointKernel;
use super::cube::{self, Lut};
use super::hald;
use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::filter::{FilePath, Files};
use crate::geometry::Size;

params! {
    /// Applies a look from a file, as colourists exchange them: `.cube`, or a Hald picture as PNG.
    pub struct Lut3d("lut3d", "LUT file", Point) {
        /// A `.cube` file, or a Hald picture as PNG.
        path: FilePath = "cube png", "File";
        /// How much of the look.
        amount: f32 = 1.0 in 0.0..=1.0 step 0.01, "Amount";
    }
}

impl Prepare for Lut3d {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        self.prepare_with(input, &Files::none())
    }

    fn prepare_with(&self, _: Size, files: &Files) -> Result<Kernel, PrepareError> {
        if self.path.0.trim().is_empty() || self.amount == 0.0 {
            return Ok(Kernel::Identity);
        }
        let lut = files.parsed(&self.path.0, parse)?;
        let amount = self.amount;
        Ok(Kernel::Point(match &*lut {
            Lut::Curves { domain, values } => {
                let curve = |channel: usize| {
                    move |v: f32| v + (on_curve(values, channel, inside(v, domain, channel)) - v) * amount
                };
                PointKernel::tables([&curve(0), &curve(1), &curve(2)])
            }
            Lut::Cube { .. } => look_up(lut, amount),
        }))
    }
}

const PNG: &[u8] = b"\x89PNG";

fn parse(bytes: &[u8]) -> Result<Lut, String> {
    if bytes.starts_with(PNG) { hald::read(bytes) } else { cube::read(bytes) }
}

/// Where a value lies in the domain, 0 to 1.
fn inside(v: f32, [least, most]: &[[f32; 3]; 2], channel: usize) -> f32 {
    ((v - least[channel]) / (most[channel] - least[channel])).clamp(0.0, 1.0)
}

/// Straight between the entries.
fn on_curve(values: &[[f32; 3]], channel: usize, at: f32) -> f32 {
    let at = at * (values.len() - 1) as f32;
    let below = (at as usize).min(values.len() - 2);
    let (low, high) = (values[below][channel], values[below + 1][channel]);
    low + (high - low) * (at - below as f32)
}

fn look_up(lut: Arc<Lut>, amount: f32) -> PointKernel {
    PointKernel::function(move |levels| {
        // Only a cube comes here, and the pattern costs nothing beside the look-up.
        let Lut::Cube { domain, side, values } = &*lut else { return levels };
        let at: [f32; 3] =
            std::array::from_fn(|channel| inside(levels[channel] / 255.0, domain, channel) * (*side - 1) as f32);
        let found = tetrahedral(values, *side, at);
        std::array::from_fn(|channel| levels[channel] + (found[channel] * 255.0 - levels[channel]) * amount)
    })
}

/// The value at a position within a cube, from the four corners of the tetrahedron around it: the corner below, the one
/// above, and on the way from one to the other the two that lie in the directions of the largest fractions.
fn tetrahedral(values: &[[f32; 4]], side: usize, at: [f32; 3]) -> [f32; 3] {
    let below = at.map(|at| (at as usize).min(side - 2));
    let [r, g, b]: [f32; 3] = std::array::from_fn(|axis| at[axis] - below[axis] as f32);
    let (red, green, blue) = (1, side, side * side);
    let start = below[0] * red + below[1] * green + below[2] * blue;
    let ((first, largest), (second, middle), least) = if r > g {
        if g > b {
            ((red, r), (green, g), b)
        } else if r > b {
            ((red, r), (blue, b), g)
        } else {
            ((blue, b), (red, r), g)
        }
    } else if b > g {
        ((blue, b), (green, g), r)
    } else if b > r {
        ((green, g), (blue, b), r)
    } else {
        ((green, g), (red, r), b)
    };
    let corner = |offset: usize| values[start + offset];
    let (one, two) = (corner(0), corner(first));
    let (three, four) = (corner(first + second), corner(red + green + blue));
    std::array::from_fn(|channel| {
        one[channel] * (1.0 - largest)
            + two[channel] * (largest - middle)
            + three[channel] * (middle - least)
            + four[channel] * least
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cube_of_a_linear_look_is_exact_everywhere_in_it() {
        let side = 5;
        let entry = |index: usize| {
            let [r, g, b] = [index % side, index / side % side, index / side / side].map(|at| at as f32 / 4.0);
            [0.5 * r + 0.25 * b, g, 1.0 - r, 0.0]
        };
        let values: Vec<_> = (0..side * side * side).map(entry).collect();
        for (r, g, b) in [(0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.3, 0.7, 0.55), (0.9, 0.1, 0.2), (0.2, 0.4, 0.9)] {
            let found = tetrahedral(&values, side, [r, g, b].map(|v| v * 4.0));
            let wanted = [0.5 * r + 0.25 * b, g, 1.0 - r];
            assert!(found.iter().zip(wanted).all(|(found, wanted)| (found - wanted).abs() < 1e-5), "{r} {g} {b}");
        }
    }
}
