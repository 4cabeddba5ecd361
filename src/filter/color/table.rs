//! Look-up tables of 256 levels a channel.

use crate::filter::simd::look_up;
use crate::frame::BYTES_PER_PIXEL;

/// One level to another, for red, green and blue.
#[derive(Clone)]
pub(super) struct Table {
    levels: [[u8; 256]; 3],
}

impl Table {
    pub(super) fn new(levels: [[u8; 256]; 3]) -> Self {
        Self { levels }
    }

    #[cfg(test)]
    pub(super) fn levels(&self) -> &[[u8; 256]; 3] {
        &self.levels
    }

    /// First `self`, then `next`.
    pub(super) fn then(&self, next: &Self) -> Self {
        let mut levels = self.levels;
        for (levels, next) in levels.iter_mut().zip(&next.levels) {
            for level in levels {
                *level = next[usize::from(*level)];
            }
        }
        Self { levels }
    }

    /// RGBA in place; alpha stays.
    pub(super) fn apply(&self, pixels: &mut [[u8; BYTES_PER_PIXEL]]) {
        look_up(&self.levels, pixels);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_of_every_channel_is_looked_up_wherever_it_stands() {
        let table = Table::new(std::array::from_fn(|channel| {
            std::array::from_fn(|level| (level * 37 + channel * 11 + level * level / 7) as u8)
        }));
        let same = Table::new([table.levels[1]; 3]);
        for table in [table, same] {
            for length in [0, 1, 15, 16, 17, 256, 300] {
                let mut pixels: Vec<[u8; 4]> =
                    (0..length).map(|at| [at as u8, (at + 85) as u8, (at * 3) as u8, at as u8]).collect();
                let [red, green, blue] = &table.levels;
                let wanted: Vec<[u8; 4]> = pixels
                    .iter()
                    .map(|[r, g, b, a]| [red[usize::from(*r)], green[usize::from(*g)], blue[usize::from(*b)], *a])
                    .collect();
                table.apply(&mut pixels);
                assert!(pixels == wanted, "{length} pixels");
            }
        }
    }
}
