//! Letters as coverage: laid out and drawn when the text changes, then only blended.

use ab_glyph::{Font as _, FontRef, Glyph, PxScale, ScaleFont as _, point};
use epaint_default_fonts::{HACK_REGULAR, UBUNTU_LIGHT};

use crate::filter::kernel::PrepareError;
use crate::geometry::Size;

/// How much of each pixel of a text is covered by its letters and by the line around them.
#[derive(Default)]
pub(super) struct Coverage {
    pub width: usize,
    pub height: usize,
    fill: Vec<u8>,
    outline: Vec<u8>,
}

impl Coverage {
    /// Of the outline and of the letters, 0 to 255.
    pub(super) fn at(&self, x: usize, y: usize) -> (u8, u8) {
        let at = y * self.width + x;
        (self.outline[at], self.fill[at])
    }
}

/// A font at a size with an outline.
pub(super) struct Pen {
    /// A letter comes from the first font that has it.
    fonts: [FontRef<'static>; 2],
    height_px: f32,
    outline_px: usize,
}

impl Pen {
    /// # Errors
    /// When the fonts inside the program can't be read.
    pub(super) fn new(height_px: f32, outline_px: usize) -> Result<Self, PrepareError> {
        let read = |bytes| FontRef::try_from_slice(bytes).map_err(|_| PrepareError::Font);
        Ok(Self { fonts: [read(UBUNTU_LIGHT)?, read(HACK_REGULAR)?], height_px: height_px.max(1.0), outline_px })
    }

    /// Draws the lines of `text` below each other. What is larger than `most` is cut off.
    pub(super) fn write(&self, text: &str, most: Size) -> Coverage {
        let margin = self.outline_px as f32 + 1.0;
        let mut glyphs = Vec::new();
        let (mut right, mut baseline) = (0.0_f32, margin + self.scaled(0).ascent());
        for line in text.lines() {
            let mut pen = margin;
            for letter in line.chars() {
                let font = self.font_of(letter);
                let id = self.fonts[font].glyph_id(letter);
                let glyph = id.with_scale_and_position(PxScale::from(self.height_px), point(pen, baseline));
                glyphs.push((font, glyph));
                pen += self.scaled(font).h_advance(id);
            }
            right = right.max(pen);
            baseline += self.scaled(0).height() + self.scaled(0).line_gap();
        }
        let lines = text.lines().count() as f32;
        let bottom =
            2.0 * margin + lines * self.scaled(0).height() + (lines - 1.0).max(0.0) * self.scaled(0).line_gap();
        let width = ((right + margin).ceil() as usize).min(most.width as usize);
        let height = (bottom.ceil() as usize).min(most.height as usize);
        let mut coverage = Coverage { width, height, fill: vec![0; width * height], outline: vec![0; width * height] };
        for (font, glyph) in glyphs {
            self.draw(font, glyph, &mut coverage);
        }
        self.draw_outline(&mut coverage);
        coverage
    }

    fn scaled(&self, font: usize) -> ab_glyph::PxScaleFont<&FontRef<'static>> {
        self.fonts[font].as_scaled(PxScale::from(self.height_px))
    }

    fn font_of(&self, letter: char) -> usize {
        self.fonts.iter().position(|font| font.glyph_id(letter).0 != 0).unwrap_or(0)
    }

    fn draw(&self, font: usize, glyph: Glyph, coverage: &mut Coverage) {
        let Some(outlined) = self.fonts[font].outline_glyph(glyph) else { return };
        let bounds = outlined.px_bounds();
        let (left, top) = (bounds.min.x as i64, bounds.min.y as i64);
        outlined.draw(|x, y, covered| {
            let (x, y) = (left + i64::from(x), top + i64::from(y));
            if (0..coverage.width as i64).contains(&x) && (0..coverage.height as i64).contains(&y) {
                let value = &mut coverage.fill[y as usize * coverage.width + x as usize];
                *value = value.saturating_add((covered * 255.0 + 0.5) as u8);
            }
        });
    }

    /// The letters grown by a disc.
    fn draw_outline(&self, coverage: &mut Coverage) {
        let reach = self.outline_px as isize;
        if reach == 0 {
            return;
        }
        let disc: Vec<(isize, isize)> = (-reach..=reach)
            .flat_map(|y| (-reach..=reach).map(move |x| (x, y)))
            .filter(|(x, y)| x * x + y * y <= reach * reach + reach)
            .collect();
        let (width, height) = (coverage.width as isize, coverage.height as isize);
        for at in 0..coverage.fill.len() {
            let covered = coverage.fill[at];
            if covered == 0 {
                continue;
            }
            let (x, y) = (at as isize % width, at as isize / width);
            for (by_x, by_y) in &disc {
                let (x, y) = (x + by_x, y + by_y);
                if (0..width).contains(&x) && (0..height).contains(&y) {
                    let value = &mut coverage.outline[(y * width + x) as usize];
                    *value = (*value).max(covered);
                }
            }
        }
    }
}
