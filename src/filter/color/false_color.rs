//! False colour: brightness through a palette.

use super::PointKernel;
use super::point::LUMA_709;
use crate::filter::declare::{choices, params};
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::geometry::Size;

choices! {
    /// From black to white.
    pub enum Palette {
        Heat = "heat", "Heat";
        Viridis = "viridis", "Viridis";
        Turbo = "turbo", "Turbo";
        Night = "night", "Night vision";
        Rainbow = "rainbow", "Rainbow";
    }
}

params! {
    /// Shows brightness as colours, as a thermal camera does.
    pub struct FalseColor("false_color", "False colour", Point) {
        /// The colours from dark to bright.
        palette: Palette = Heat, "Palette";
        /// How much of them.
        amount: f32 = 1.0 in 0.0..=1.0 step 0.01, "Amount";
    }
}

impl Palette {
    /// Red, green and blue of each of 256 levels. Viridis is Smith's and van der Walt's (CC0), Turbo is Mikhailov's
    /// (Apache-2.0), heat and rainbow are the colour maps `HOT` and `RAINBOW` of OpenCV, night vision is ours.
    fn colors(self) -> &'static [u8; 768] {
        match self {
            Self::Heat => include_bytes!("../../../assets/palettes/heat.rgb"),
            Self::Viridis => include_bytes!("../../../assets/palettes/viridis.rgb"),
            Self::Turbo => include_bytes!("../../../assets/palettes/turbo.rgb"),
            Self::Night => include_bytes!("../../../assets/palettes/night.rgb"),
            Self::Rainbow => include_bytes!("../../../assets/palettes/rainbow.rgb"),
        }
    }
}

impl Prepare for FalseColor {
    fn prepare(&self, _: Size) -> Result<Kernel, PrepareError> {
        if self.amount == 0.0 {
            return Ok(Kernel::Identity);
        }
        let (colors, _) = self.palette.colors().as_chunks::<3>();
        let colors: Box<[[f32; 4]; 256]> = Box::new(std::array::from_fn(|level| {
            let [r, g, b] = colors[level].map(f32::from);
            [r, g, b, 0.0]
        }));
        let (amount, [red, green, blue]) = (self.amount, LUMA_709);
        Ok(Kernel::Point(PointKernel::function(move |[r, g, b]| {
            let luma = red * r + green * g + blue * b + 0.5;
            let [to_r, to_g, to_b, _] = colors[luma as u8 as usize];
            [r + (to_r - r) * amount, g + (to_g - g) * amount, b + (to_b - b) * amount]
        })))
    }
}
