//! Chroma key: takes out a coloured wall, in whatever light it stands.

use super::keying::{Backdrop, Key, Keying, Ramp};
use crate::filter::area::Blur;
use crate::filter::color::LUMA_709;
use crate::filter::declare::{choices, params};
use crate::filter::kernel::{Kernel, Prepare, PrepareError};
use crate::filter::picture::{self, Fit};
use crate::filter::{Color, FilePath, Files};
use crate::geometry::Size;

choices! {
    /// What is seen instead of what was keyed out.
    pub enum KeyBackground {
        Transparent = "transparent", "Transparent";
        Color = "color", "Colour";
        Image = "image", "Image";
        Blurred = "blurred", "Blurred";
    }
}

params! {
    /// Takes out a wall of one colour behind somebody and shows something else there. JPEG and video know no transparency:
    /// with a transparent background viewers see black.
    pub struct ChromaKey("chroma_key", "Chroma key", Key) {
        /// Colour of the wall.
        color: Color = GREEN, "Colour";
        /// How far from that colour, whatever the brightness, a pixel may be and still go.
        similarity: f32 = 0.4 in 0.0..=1.0 step 0.005, "Similarity";
        /// How softly the rest begins.
        smoothness: f32 = 0.08 in 0.0..=1.0 step 0.005, "Smoothness";
        /// Up to what distance the shine of the wall on other things turns grey.
        spill: f32 = 0.1 in 0.0..=1.0 step 0.005, "Spill";
        /// What is seen behind.
        background: KeyBackground = Transparent, "Background";
        /// Colour of the background, if it is one; always opaque.
        background_color: Color = BLACK, "Background colour";
        /// The background, if it is an image; it fills the picture, and what does not fit is cut off.
        image: FilePath = "png jpg jpeg webp gif bmp", "Background image";
        /// How far a blurred background is blurred.
        blur: f32 = 16.0 in 1.0..=32.0 step 0.5, "Background blur", Pixels;
    }
}

impl Prepare for ChromaKey {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        self.prepare_with(input, &Files::none())
    }

    fn prepare_with(&self, input: Size, files: &Files) -> Result<Kernel, PrepareError> {
        let backdrop = match self.background {
            KeyBackground::Transparent => Backdrop::Transparent,
            KeyBackground::Color => Backdrop::Color(self.background_color),
            // Until one is chosen.
            KeyBackground::Image if self.image.0.trim().is_empty() => Backdrop::Transparent,
            KeyBackground::Image => {
                Backdrop::Picture(files.parsed(&self.image.0, picture::read)?.scaled(input, Fit::Cover))
            }
            KeyBackground::Blurred => Backdrop::Blurred(Blur::new(input, self.blur)),
        };
        let Color { r, g, b, .. } = self.color;
        let wall = chroma([r, g, b].map(|channel| f32::from(channel) / 255.0));
        let stays = Ramp::new(self.similarity, self.smoothness);
        let colored = Ramp::new(self.similarity, self.spill);
        Ok(Keying::kernel(input, backdrop, Wall { wall, stays, colored }))
    }
}

/// What has the chroma of the wall goes, and its shine turns grey.
struct Wall {
    wall: [f32; 2],
    /// By the distance.
    stays: Ramp,
    colored: Ramp,
}

impl Key for Wall {
    #[inline(always)]
    fn apply(&self, color: [f32; 3]) -> ([f32; 3], f32) {
        let [blue, red] = chroma(color);
        let (blue, red) = (blue - self.wall[0], red - self.wall[1]);
        let distance = (blue * blue + red * red).sqrt();
        let (stays, colored) = (self.stays.at(distance), self.colored.at(distance));
        // To the power of 1.5: what is near the wall's colour goes more than in proportion.
        let (stays, colored) = (stays * stays.sqrt(), colored * colored.sqrt());
        let gray = luma(color);
        let [r, g, b] = color;
        ([gray + (r - gray) * colored, gray + (g - gray) * colored, gray + (b - gray) * colored], stays)
    }
}

#[inline(always)]
fn luma([r, g, b]: [f32; 3]) -> f32 {
    LUMA_709[0] * r + LUMA_709[1] * g + LUMA_709[2] * b
}

/// Cb and Cr of BT.709 around 0, in the range that video has: 224 of 255.
#[inline(always)]
fn chroma(color: [f32; 3]) -> [f32; 2] {
    const VIDEO: f32 = 224.0 / 255.0;
    let gray = luma(color);
    let blue = (color[2] - gray) * (VIDEO / (2.0 * (1.0 - LUMA_709[2])));
    let red = (color[0] - gray) * (VIDEO / (2.0 * (1.0 - LUMA_709[0])));
    [blue, red]
}
