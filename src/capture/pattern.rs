//! The test pattern: colour bars, a grey ramp, fine lines, a moving square and a frame counter that a program can read.

use std::time::{Duration, Instant};

use super::source::{Picture, Source, SourceError};
use crate::frame::{BYTES_PER_PIXEL, BufferPool, PixelFormat};
use crate::geometry::Size;

/// The pattern's size.
pub const PATTERN_SIZE: Size = Size::new(1_280, 720);

const BARS: [[u8; 3]; 8] = [
    [235, 235, 235],
    [235, 235, 16],
    [16, 235, 235],
    [16, 235, 16],
    [235, 16, 235],
    [235, 16, 16],
    [16, 16, 235],
    [16, 16, 16],
];
/// The moving square's side and the rows it moves in.
const SQUARE: u32 = 96;
const TRACK_TOP: u32 = 500;
/// One bit of the counter: a square of this side, white for one; 32 of them in the top row, highest bit first.
const BIT: u32 = 40;

/// Draws frame `number` as RGBA into `pixels`, which holds [`PATTERN_SIZE`]. The same number is always the same picture.
///
/// # Panics
/// If `pixels` has another length.
pub fn draw_pattern(number: u32, pixels: &mut [u8]) {
    assert_eq!(pixels.len(), PATTERN_SIZE.pixels() * BYTES_PER_PIXEL, "the buffer holds one pattern");
    let width = PATTERN_SIZE.width;
    let stride = width as usize * BYTES_PER_PIXEL;
    let square_left = square_left(number);
    // Every row of a band is the same, so it is drawn once and copied.
    let mut band = (u32::MAX, 0..0);
    for y in 0..PATTERN_SIZE.height {
        let here = band_of(y);
        let start = y as usize * stride;
        if here == band.0 {
            pixels.copy_within(band.1.clone(), start);
            continue;
        }
        let row = &mut pixels[start..start + stride];
        for (x, pixel) in (0..width).zip(row.chunks_exact_mut(BYTES_PER_PIXEL)) {
            let [r, g, b] = color_at(x, y, here, number, square_left);
            pixel.copy_from_slice(&[r, g, b, 255]);
        }
        band = (here, start..start + stride);
    }
}

/// Left edge of the moving square: there and back in 8.9 seconds at 30 pictures a second.
fn square_left(number: u32) -> u32 {
    let way = PATTERN_SIZE.width - SQUARE;
    let at = number.wrapping_mul(9) % (2 * way);
    if at < way { at } else { 2 * way - at }
}

/// Rows that look alike share a number.
fn band_of(y: u32) -> u32 {
    match y {
        0..BIT => 0,
        BIT..400 => 1,
        400..TRACK_TOP => 2,
        TRACK_TOP..596 => 3,
        // Fine lines differ from row to row.
        _ => 4 + y,
    }
}

fn color_at(x: u32, y: u32, band: u32, number: u32, square_left: u32) -> [u8; 3] {
    match band {
        0 => {
            let bit = 31 - (x / BIT).min(31);
            if number >> bit & 1 == 1 { [255; 3] } else { [0; 3] }
        }
        1 => BARS[(x * 8 / PATTERN_SIZE.width) as usize],
        2 => [(x * 255 / (PATTERN_SIZE.width - 1)) as u8; 3],
        3 if (square_left..square_left + SQUARE).contains(&x) => [240, 160, 32],
        3 => [40, 44, 52],
        // Lines of one, two, three and four pixels, upright on the left and lying on the right.
        _ => {
            let along = if x < PATTERN_SIZE.width / 2 { x } else { y };
            let thickness = 1 + x % (PATTERN_SIZE.width / 2) * 4 / (PATTERN_SIZE.width / 2);
            if (along / thickness).is_multiple_of(2) { [220; 3] } else { [30; 3] }
        }
    }
}

/// The pattern as a source; it moves at the rate it was opened with.
pub struct Pattern {
    number: u32,
    interval: Duration,
    due: Instant,
}

impl Pattern {
    pub fn new(fps: u32) -> Self {
        Self { number: 0, interval: Duration::from_secs(1) / fps.max(1), due: Instant::now() }
    }
}

impl Source for Pattern {
    fn name(&self) -> String {
        "Test pattern".to_owned()
    }

    fn next(&mut self, timeout: Duration, pool: &BufferPool) -> Result<Option<Picture>, SourceError> {
        let now = Instant::now();
        let wait = self.due.saturating_duration_since(now);
        if wait > timeout {
            std::thread::sleep(timeout);
            return Ok(None);
        }
        std::thread::sleep(wait);
        // Late by more than a picture: go on from now instead of hurrying after the clock.
        self.due = if now > self.due + self.interval { now + self.interval } else { self.due + self.interval };
        let mut pixels = pool.take(PATTERN_SIZE.pixels() * BYTES_PER_PIXEL);
        draw_pattern(self.number, &mut pixels);
        self.number = self.number.wrapping_add(1);
        Ok(Some(Picture {
            size: PATTERN_SIZE,
            format: PixelFormat::Rgba,
            pixels,
            at: Instant::now(),
            desktop_from_source: None,
            pointer: None,
            pressed: false,
        }))
    }

    fn paces_itself(&self) -> bool {
        true
    }
}

/// Reads the counter in a drawn pattern.
#[cfg(test)]
pub fn number_in(pixels: &[u8]) -> u32 {
    let bit = |at: u32| u32::from(pixels[((BIT / 2 * PATTERN_SIZE.width + at * BIT + BIT / 2) * 4) as usize] > 128);
    (0..32).fold(0, |read, at| read << 1 | bit(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(number: u32) -> Vec<u8> {
        let mut pixels = vec![0; PATTERN_SIZE.pixels() * BYTES_PER_PIXEL];
        draw_pattern(number, &mut pixels);
        pixels
    }

    #[test]
    fn the_counter_reads_back_and_the_picture_is_deterministic() {
        for number in [0, 1, 0xDEAD_BEEF] {
            let pixels = drawn(number);
            assert_eq!(number_in(&pixels), number);
            assert_eq!(pixels, drawn(number));
        }
        assert_ne!(drawn(1), drawn(2));
    }
}
