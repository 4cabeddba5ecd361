//! The mouse cursor, which the X server leaves out of pictures of the screen.

use x11rb::protocol::xfixes::GetCursorImageReply;

use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

/// The cursor's picture: premultiplied ARGB, one word a pixel, and the point in it that is "the pointer".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cursor {
    size: Size16,
    hot: (i32, i32),
    argb: Vec<u32>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Size16 {
    width: u16,
    height: u16,
}

impl From<GetCursorImageReply> for Cursor {
    fn from(reply: GetCursorImageReply) -> Self {
        Self {
            size: Size16 { width: reply.width, height: reply.height },
            hot: (i32::from(reply.xhot), i32::from(reply.yhot)),
            argb: reply.cursor_image,
        }
    }
}

impl Cursor {
    /// Draws the cursor with its point at `at` (pixels of the picture) into BGRX rows of `size`; what lies outside is cut.
    pub fn draw(&self, at: (i32, i32), pixels: &mut [u8], size: Size) {
        let (left, top) = (at.0 - self.hot.0, at.1 - self.hot.1);
        let rows = self.argb.chunks_exact(usize::from(self.size.width).max(1));
        for (y, row) in (top..).zip(rows) {
            if !(0..size.height as i32).contains(&y) {
                continue;
            }
            for (x, &word) in (left..).zip(row) {
                let alpha = word >> 24;
                if alpha == 0 || !(0..size.width as i32).contains(&x) {
                    continue;
                }
                let start = (y as usize * size.width as usize + x as usize) * BYTES_PER_PIXEL;
                for (channel, under) in pixels[start..start + 3].iter_mut().enumerate() {
                    let over = word >> (8 * channel) & 0xFF;
                    let kept = (u32::from(*under) * (255 - alpha) + 127) / 255;
                    *under = (over + kept).min(255) as u8;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_is_blended_at_its_point_and_cut_at_the_edges() {
        let cursor = Cursor {
            size: Size16 { width: 2, height: 2 },
            hot: (1, 1),
            argb: vec![0xFF00_00FF, 0x0000_0000, 0x8080_0000, 0xFFFF_FFFF],
        };
        let size = Size::new(2, 2);
        let mut pixels = vec![100; 16];
        cursor.draw((1, 1), &mut pixels, size);
        assert_eq!(pixels[0..3], [255, 0, 0]);
        assert_eq!(pixels[4..7], [100, 100, 100]);
        assert_eq!(pixels[8..11], [50, 50, 178]);
        assert_eq!(pixels[12..15], [255, 255, 255]);
        for at in [(-5, -5), (0, 0), (2, 2), (9, 9)] {
            cursor.draw(at, &mut pixels, size);
        }
    }
}
