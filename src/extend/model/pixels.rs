//! Pictures into tensors and back: averaged down, stretched up, 0 to 255 into 0 to 1.

use super::network::Layout;
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

/// BT.709 weights, for models that see grey.
const LUMA: [f32; 3] = [0.2126, 0.7152, 0.0722];

/// The picture shrunk to a model's input; each of its pixels is the mean of those that fall into it. Where the input is
/// larger than the picture, pixels repeat.
pub(super) fn fill_input(picture: &[u8], size: Size, layout: Layout) -> Vec<f32> {
    let (width, height) = (layout.size.width as usize, layout.size.height as usize);
    let stride = size.width as usize * BYTES_PER_PIXEL;
    let mut input = vec![0.0; width * height * layout.channels];
    for y in 0..height {
        let rows = span(y, height, size.height as usize);
        for x in 0..width {
            let columns = span(x, width, size.width as usize);
            let mut sums = [0_u32; 3];
            for row in rows.clone() {
                let row = &picture[row * stride..][columns.start * BYTES_PER_PIXEL..columns.end * BYTES_PER_PIXEL];
                for pixel in row.as_chunks::<BYTES_PER_PIXEL>().0 {
                    for (sum, level) in sums.iter_mut().zip(pixel) {
                        *sum += u32::from(*level);
                    }
                }
            }
            let scale = 1.0 / (255.0 * (rows.len() * columns.len()) as f32);
            let color = sums.map(|sum| sum as f32 * scale);
            if layout.channels == 1 {
                input[y * width + x] = color.iter().zip(LUMA).map(|(level, weight)| level * weight).sum();
                continue;
            }
            for (channel, level) in color.into_iter().enumerate() {
                input[index(layout, channel, x, y)] = level;
            }
        }
    }
    input
}

/// The places of `count` that fall into place `at` of `of`; never none.
fn span(at: usize, of: usize, count: usize) -> std::ops::Range<usize> {
    let start = (at * count / of).min(count - 1);
    start..((at + 1) * count / of).clamp(start + 1, count)
}

fn index(layout: Layout, channel: usize, x: usize, y: usize) -> usize {
    let (width, height) = (layout.size.width as usize, layout.size.height as usize);
    if layout.channels_last { (y * width + x) * layout.channels + channel } else { (channel * height + y) * width + x }
}

/// A model's result as levels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Levels {
    /// Its channels one after the other, each row by row.
    levels: Vec<u8>,
    size: Size,
    channels: usize,
}

impl Levels {
    pub(super) fn new(values: &[f32], layout: Layout) -> Self {
        let (width, height) = (layout.size.width as usize, layout.size.height as usize);
        let mut levels = Vec::with_capacity(width * height * layout.channels);
        for channel in 0..layout.channels {
            for at in 0..width * height {
                let value = values.get(index(layout, channel, at % width, at / width)).copied().unwrap_or(0.0);
                // `as` saturates, and makes 0 of what is no number.
                levels.push((value * 255.0 + 0.5) as u8);
            }
        }
        Self { levels, size: layout.size, channels: layout.channels }
    }

    /// Red, green and blue of every pixel of a picture of `size`, written into RGBA whose alpha is left alone.
    pub(super) fn stretch_picture(&self, size: Size, output: &mut [u8]) {
        for channel in 0..3 {
            // One channel is grey; of two, the second is the one that counts.
            let from = if self.channels < 3 { self.channels - 1 } else { channel };
            self.stretch(from, size, |at, level| output[at * BYTES_PER_PIXEL + channel] = level);
        }
    }

    /// The mask, one byte a pixel.
    pub(super) fn stretch_mask(&self, size: Size, output: &mut [u8]) {
        self.stretch(self.channels.min(2) - 1, size, |at, level| output[at] = level);
    }

    /// Bilinear, with pixels at their middles and the edge going on.
    fn stretch(&self, channel: usize, size: Size, mut put: impl FnMut(usize, u8)) {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let plane = &self.levels[channel * width * height..][..width * height];
        let columns: Vec<_> = (0..size.width as usize).map(|x| weights(x, size.width as usize, width)).collect();
        let mut at = 0;
        for y in 0..size.height as usize {
            let (top, bottom, down) = weights(y, size.height as usize, height);
            let (top, bottom) = (&plane[top * width..][..width], &plane[bottom * width..][..width]);
            for &(left, right, along) in &columns {
                let mix = |row: &[u8]| u32::from(row[left]) * (256 - along) + u32::from(row[right]) * along;
                let level = (mix(top) * (256 - down) + mix(bottom) * down + (1 << 15)) >> 16;
                put(at, level as u8);
                at += 1;
            }
        }
    }
}

/// The two places of `of` beside place `at` of `count`, and the weight of the second in 256ths.
fn weights(at: usize, count: usize, of: usize) -> (usize, usize, u32) {
    let place = ((at as f32 + 0.5) * of as f32 / count as f32 - 0.5).clamp(0.0, (of - 1) as f32);
    let first = place as usize;
    (first, (first + 1).min(of - 1), ((place - first as f32) * 256.0) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Layout = Layout { size: Size::new(2, 1), channels: 3, channels_last: false };

    #[test]
    fn a_picture_is_averaged_into_the_input_in_either_order() {
        let picture: Vec<u8> = [[255, 0, 0, 9], [0, 0, 0, 9], [0, 255, 0, 9], [0, 255, 255, 9]].concat();
        let size = Size::new(4, 1);
        assert_eq!(fill_input(&picture, size, SMALL), [0.5, 0.0, 0.0, 1.0, 0.0, 0.5]);
        let last = Layout { channels_last: true, ..SMALL };
        assert_eq!(fill_input(&picture, size, last), [0.5, 0.0, 0.0, 0.0, 1.0, 0.5]);
        let gray = Layout { channels: 1, ..SMALL };
        assert_eq!(fill_input(&[255; 16], size, gray).map_levels(), [255, 255]);
    }

    trait MapLevels {
        fn map_levels(&self) -> Vec<u8>;
    }

    impl MapLevels for Vec<f32> {
        fn map_levels(&self) -> Vec<u8> {
            self.iter().map(|value| (value * 255.0).round() as u8).collect()
        }
    }

    #[test]
    fn a_result_is_stretched_evenly_and_what_is_no_number_is_black() {
        let mask = Layout { channels: 1, ..SMALL };
        let levels = Levels::new(&[0.0, 1.0], mask);
        let mut output = [9; 4];
        levels.stretch_mask(Size::new(4, 1), &mut output);
        assert_eq!(output, [0, 64, 191, 255]);
        let wild = Levels::new(&[f32::NAN, f32::INFINITY], mask);
        let mut output = [9; 2];
        wild.stretch_mask(Size::new(2, 1), &mut output);
        assert_eq!(output, [0, 255]);
        let mut picture = [7; 8];
        Levels::new(&[1.0, 0.0, 0.0, 0.0, 0.0, 1.0], SMALL).stretch_picture(Size::new(2, 1), &mut picture);
        assert_eq!(picture, [255, 0, 0, 7, 0, 0, 255, 7]);
    }

    #[test]
    fn sizes_that_do_not_divide_each_other_stay_inside() {
        for (from, to) in [((1, 1), (7, 3)), ((7, 3), (1, 1)), ((5, 9), (8, 2))] {
            let layout = Layout { size: Size::new(to.0, to.1), channels: 3, channels_last: false };
            let size = Size::new(from.0, from.1);
            let input = fill_input(&vec![255; size.pixels() * 4], size, layout);
            assert!(input.iter().all(|level| (*level - 1.0).abs() < 1e-6), "{from:?} to {to:?}");
            let mut mask = vec![0; size.pixels()];
            Levels::new(&input, layout).stretch_mask(size, &mut mask);
            assert!(mask.iter().all(|level| *level == 255));
        }
    }
}
