//! Where something stands on the picture, and how it is drawn over it.

use crate::filter::Color;
use crate::filter::declare::choices;
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

choices! {
    /// Where something stands on the picture.
    pub enum Place {
        TopLeft = "top_left", "Top left";
        Top = "top", "Top";
        TopRight = "top_right", "Top right";
        Left = "left", "Left";
        Center = "center", "Middle";
        Right = "right", "Right";
        BottomLeft = "bottom_left", "Bottom left";
        Bottom = "bottom", "Bottom";
        BottomRight = "bottom_right", "Bottom right";
        Free = "free", "Free";
    }
}

/// The upper left corner of a thing of `width` and `height`, `margin` away from the edges; it may lie outside of the
/// picture. `free` is the thing's middle in fractions of the picture, for [`Place::Free`].
pub(super) fn corner(
    (place, free): (Place, [f32; 2]),
    margin: i64,
    [width, height]: [usize; 2],
    picture: Size,
) -> (i64, i64) {
    let (x, y) = match place {
        Place::TopLeft => (0.0, 0.0),
        Place::Top => (0.5, 0.0),
        Place::TopRight => (1.0, 0.0),
        Place::Left => (0.0, 0.5),
        Place::Center => (0.5, 0.5),
        Place::Right => (1.0, 0.5),
        Place::BottomLeft => (0.0, 1.0),
        Place::Bottom => (0.5, 1.0),
        Place::BottomRight => (1.0, 1.0),
        Place::Free => {
            let middle = |at: f32, picture: u32, thing: usize| {
                (f64::from(at) * f64::from(picture) - thing as f64 / 2.0).round() as i64
            };
            return (middle(free[0], picture.width, width), middle(free[1], picture.height, height));
        }
    };
    let side = |at: f64, picture: u32, thing: usize| {
        let room = i64::from(picture) - thing as i64 - 2 * margin;
        margin + (at * room as f64).round() as i64
    };
    (side(x, picture.width, width), side(y, picture.height, height))
}

/// The part of a thing of `length` that begins at `start` which lies on a picture's side of `room` pixels.
pub(super) fn visible(start: i64, length: usize, room: u32) -> std::ops::Range<usize> {
    let length = length as i64;
    let (first, end) = ((-start).clamp(0, length), (i64::from(room) - start).clamp(0, length));
    first as usize..end.max(first) as usize
}

/// Draws `color` over a pixel with straight alpha.
pub(super) fn blend(pixel: &mut [u8; BYTES_PER_PIXEL], color: Color, coverage: u8) {
    let over = u32::from(coverage) * u32::from(color.a);
    if over == 0 {
        return;
    }
    let under = (255 * 255 - over) * u32::from(pixel[3]) / 255;
    let total = over + under;
    for (value, drawn) in pixel.iter_mut().zip([color.r, color.g, color.b]) {
        *value = ((u32::from(drawn) * over + u32::from(*value) * under + total / 2) / total) as u8;
    }
    pixel[3] = ((total + 127) / 255) as u8;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opaque_colour_replaces_and_no_coverage_leaves() {
        let mut pixel = [10, 20, 30, 40];
        blend(&mut pixel, Color::rgb(1, 2, 3), 0);
        assert_eq!(pixel, [10, 20, 30, 40]);
        blend(&mut pixel, Color::rgb(1, 2, 3), 255);
        assert_eq!(pixel, [1, 2, 3, 255]);
    }

    #[test]
    fn only_what_lies_on_the_picture_is_visible() {
        for (start, wanted) in [(-20, 10..10), (-4, 4..10), (0, 0..10), (95, 0..5), (100, 0..0), (1_000, 0..0)] {
            assert_eq!(visible(start, 10, 100), wanted, "{start}");
        }
    }

    #[test]
    fn a_place_keeps_its_margin_and_a_free_one_is_a_middle() {
        let at = |place| corner((place, [0.25, 0.75]), 3, [20, 10], Size::new(100, 60));
        assert_eq!((at(Place::TopLeft), at(Place::BottomRight)), ((3, 3), (77, 47)));
        assert_eq!((at(Place::Center), at(Place::Free)), ((40, 25), (15, 40)));
    }
}
