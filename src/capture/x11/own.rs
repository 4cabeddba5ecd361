//! Our own windows are not shown to viewers: they hold links and secrets, and are no business of theirs.

use x11rb::errors::ReplyError;
use x11rb::protocol::Event;
use x11rb::protocol::shape::ConnectionExt as _;
use x11rb::protocol::xproto::*;
use x11rb::rust_connection::RustConnection;

use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::{Rect, Size};
use crate::util::own_windows;

/// What stands in their place: a dark grey.
const COVER: [u8; BYTES_PER_PIXEL] = [0x2b, 0x28, 0x26, 0xff];
/// Windows are children of frames of the root; no desktop nests them deeper.
const DEEPEST: usize = 16;

/// The parts of the screen where our own windows are to be seen.
#[derive(Debug, Default)]
pub struct OwnWindows {
    /// The window that was looked for.
    known: Option<u32>,
    parts: Vec<Rect>,
    moved: bool,
}

impl OwnWindows {
    /// Asks to be told when windows move.
    pub fn watch(connection: &RustConnection, root: Window) -> Result<(), ReplyError> {
        let events = ChangeWindowAttributesAux::new().event_mask(EventMask::SUBSTRUCTURE_NOTIFY);
        connection.change_window_attributes(root, &events)?.check()
    }

    /// Takes in an event that may have moved something.
    pub fn hear(&mut self, event: &Event) {
        self.moved |= matches!(
            event,
            Event::ConfigureNotify(_)
                | Event::MapNotify(_)
                | Event::UnmapNotify(_)
                | Event::CirculateNotify(_)
                | Event::ReparentNotify(_)
                | Event::DestroyNotify(_)
        );
    }

    /// Looks where they are now, if anything moved, and covers them in a picture of `area`: where they are as well as
    /// where they were, because the picture may be of before.
    pub fn cover(
        &mut self,
        connection: &RustConnection,
        root: Window,
        area: Rect,
        pixels: &mut [u8],
        size: Size,
    ) -> Result<(), ReplyError> {
        let own = own_windows();
        if own.is_none() && self.parts.is_empty() {
            return Ok(());
        }
        let before = if self.moved || own != self.known {
            (self.moved, self.known) = (false, own);
            let now = match own {
                Some(own) => visible(connection, root, own)?,
                None => Vec::new(),
            };
            std::mem::replace(&mut self.parts, now)
        } else {
            Vec::new()
        };
        for part in self.parts.iter().chain(&before) {
            fill(pixels, size, Rect { x: part.x - area.x, y: part.y - area.y, ..*part });
        }
        Ok(())
    }
}

/// Where our windows are to be seen: their rectangles without those of what lies over them.
fn visible(connection: &RustConnection, root: Window, own: u32) -> Result<Vec<Rect>, ReplyError> {
    use x11rb::connection::Connection as _;
    let client = !connection.setup().resource_id_mask;
    let frame = frame_of(connection, root, own)?;
    let mut parts: Vec<Rect> = Vec::new();
    // From the lowest to the highest.
    for window in connection.query_tree(root)?.reply()?.children {
        let ours = Some(window) == frame || window & client == own & client;
        if !ours && parts.is_empty() {
            continue;
        }
        // A window may go while it is being looked at.
        let Some((rect, opaque)) = place_of(connection, window) else { continue };
        if ours {
            parts.push(rect);
        } else if opaque {
            parts = parts.into_iter().flat_map(|part| without(part, rect)).collect();
        }
    }
    Ok(parts)
}

/// The child of the root that our window is, or is in.
fn frame_of(connection: &RustConnection, root: Window, own: Window) -> Result<Option<Window>, ReplyError> {
    let mut window = own;
    for _ in 0..DEEPEST {
        let Ok(tree) = connection.query_tree(window)?.reply() else { return Ok(None) };
        if tree.parent == root {
            return Ok(Some(window));
        }
        window = tree.parent;
    }
    Ok(None)
}

/// Where a window is, and whether it hides all that is under its rectangle; `None` when it is not to be seen.
fn place_of(connection: &RustConnection, window: Window) -> Option<(Rect, bool)> {
    let attributes = connection.get_window_attributes(window).ok()?.reply().ok()?;
    if attributes.map_state != MapState::VIEWABLE || attributes.class == WindowClass::INPUT_ONLY {
        return None;
    }
    let geometry = connection.get_geometry(window).ok()?.reply().ok()?;
    let border = 2 * u32::from(geometry.border_width);
    let rect = Rect {
        x: i32::from(geometry.x),
        y: i32::from(geometry.y),
        width: u32::from(geometry.width) + border,
        height: u32::from(geometry.height) + border,
    };
    let shaped = connection
        .shape_query_extents(window)
        .ok()
        .and_then(|cookie| cookie.reply().ok())
        .is_some_and(|extents| extents.bounding_shaped);
    Some((rect, !shaped))
}

/// What is left of a rectangle when another one is cut out of it: at most four.
fn without(rect: Rect, hole: Rect) -> Vec<Rect> {
    let edges = |rect: Rect| {
        let end = |start: i32, length: u32| start.saturating_add(i32::try_from(length).unwrap_or(i32::MAX));
        (rect.x, rect.y, end(rect.x, rect.width), end(rect.y, rect.height))
    };
    let ((left, top, right, bottom), (l, t, r, b)) = (edges(rect), edges(hole));
    let (l, t, r, b) = (l.clamp(left, right), t.clamp(top, bottom), r.clamp(left, right), b.clamp(top, bottom));
    if l >= r || t >= b {
        return vec![rect];
    }
    [(left, top, right, t), (left, b, right, bottom), (left, t, l, b), (r, t, right, b)]
        .into_iter()
        .filter(|(left, top, right, bottom)| left < right && top < bottom)
        .map(|(x, y, right, bottom)| Rect { x, y, width: (right - x) as u32, height: (bottom - y) as u32 })
        .collect()
}

/// Fills the part of a rectangle that lies in the picture.
fn fill(pixels: &mut [u8], size: Size, rect: Rect) {
    let range = |start: i32, length: u32, end: u32| {
        let from = i64::from(start).clamp(0, i64::from(end));
        let to = (i64::from(start) + i64::from(length)).clamp(0, i64::from(end));
        from as usize..to as usize
    };
    let (columns, rows) = (range(rect.x, rect.width, size.width), range(rect.y, rect.height, size.height));
    let stride = size.width as usize * BYTES_PER_PIXEL;
    if columns.is_empty() || stride == 0 {
        return;
    }
    for row in pixels.chunks_exact_mut(stride).skip(rows.start).take(rows.len()) {
        let (covered, _) =
            row[columns.start * BYTES_PER_PIXEL..columns.end * BYTES_PER_PIXEL].as_chunks_mut::<BYTES_PER_PIXEL>();
        covered.fill(COVER);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rect(x: i32, y: i32, width: u32, height: u32) -> Rect {
        Rect { x, y, width, height }
    }

    /// How many of the rectangles hold each point of a small field.
    fn count(rects: &[Rect], x: i32, y: i32) -> usize {
        let holds = |rect: &&Rect| {
            (rect.x..rect.x + rect.width as i32).contains(&x) && (rect.y..rect.y + rect.height as i32).contains(&y)
        };
        rects.iter().filter(holds).count()
    }

    #[test]
    fn a_hole_takes_what_is_under_it_and_nothing_else() {
        let whole = rect(2, 2, 6, 6);
        for hole in [
            rect(0, 0, 10, 10),
            rect(4, 4, 2, 2),
            rect(0, 0, 4, 4),
            rect(6, 0, 9, 20),
            rect(3, -5, 1, 30),
            rect(20, 20, 3, 3),
            rect(4, 4, 0, 3),
            rect(-9, -9, 11, 11),
        ] {
            let left = without(whole, hole);
            for (x, y) in (0..12).flat_map(|y| (0..12).map(move |x| (x, y))) {
                let expected = count(&[whole], x, y) == 1 && count(&[hole], x, y) == 0;
                assert_eq!(count(&left, x, y), usize::from(expected), "{hole:?} at {x}, {y}");
            }
        }
    }

    #[test]
    fn only_what_lies_in_the_picture_is_filled() {
        for part in [rect(-3, -3, 5, 4), rect(3, 1, 90, 90), rect(9, 9, 4, 4), rect(-20, 0, 5, 5), rect(0, 0, 0, 7)] {
            let size = Size::new(5, 3);
            let mut pixels = vec![0; size.pixels() * BYTES_PER_PIXEL];
            fill(&mut pixels, size, part);
            for (at, pixel) in pixels.as_chunks::<BYTES_PER_PIXEL>().0.iter().enumerate() {
                let inside = count(&[part], at as i32 % 5, at as i32 / 5) == 1;
                assert_eq!(*pixel == COVER, inside, "{part:?} at {at}");
            }
        }
    }
}
