//! A small copy of what is captured, before any filter: filters can be tried on it without touching what is shared. It
//! is made only while somebody wants one.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::capture::SourceId;
use crate::frame::{BYTES_PER_PIXEL, Captured, PixelFormat};
use crate::geometry::Size;
use crate::util::{Demand, Ticket};

/// The largest copy, in pixels.
const ROOM: Size = Size::new(192, 144);
/// Samples of each side of a cell: enough that letters become grey and not dots.
const SAMPLES: u32 = 4;

/// The newest copy.
#[derive(Debug, Default)]
pub struct Peek {
    wishes: AtomicUsize,
    newest: Mutex<(u64, Option<Arc<SmallPicture>>)>,
}

/// A small copy of a captured picture. Hidden regions are not hidden in it: whoever shows it has to.
#[derive(Debug, Clone, PartialEq)]
pub struct SmallPicture {
    /// Differs from one copy to the next.
    pub number: u64,
    /// The source that was wished for.
    pub source: SourceId,
    pub size: Size,
    /// The size of the captured picture.
    pub captured_size: Size,
    /// RGBA, rows without gaps.
    pub pixels: Vec<u8>,
}

/// Somebody wants copies; the wish ends when this is dropped.
#[derive(Debug)]
pub struct PeekTicket {
    peek: Arc<Peek>,
    _capturing: Ticket,
}

impl Peek {
    /// From now on copies are made, and the source is captured if it was not.
    pub fn want(self: &Arc<Self>, demand: &Arc<Demand>) -> PeekTicket {
        if self.wishes.fetch_add(1, Ordering::AcqRel) == 0 {
            // A picture that was on its way when the last wish ended is an old one by now.
            self.clear();
        }
        PeekTicket { peek: Arc::clone(self), _capturing: demand.want() }
    }

    /// The newest copy; `None` until a picture came since somebody wanted one.
    pub fn newest(&self) -> Option<Arc<SmallPicture>> {
        self.state().1.clone()
    }

    /// Copies a captured picture, if somebody wants that.
    pub fn offer(&self, picture: &Captured, source: &SourceId) {
        if self.wishes.load(Ordering::Acquire) == 0 {
            return;
        }
        let Some((size, pixels)) = shrunk(picture) else { return };
        let mut state = self.state();
        state.0 += 1;
        let (number, source) = (state.0, source.clone());
        state.1 = Some(Arc::new(SmallPicture { number, source, size, captured_size: picture.size, pixels }));
    }

    /// Forgets the copy, so that nothing old is shown as if it were live.
    pub fn clear(&self) {
        self.state().1 = None;
    }

    fn state(&self) -> MutexGuard<'_, (u64, Option<Arc<SmallPicture>>)> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PeekTicket {
    fn drop(&mut self) {
        if self.peek.wishes.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.peek.clear();
        }
    }
}

/// The mean of sixteen samples for each pixel; `None` where the picture contradicts its size.
fn shrunk(picture: &Captured) -> Option<(Size, Vec<u8>)> {
    let from = picture.size;
    if from.is_empty() || picture.pixels.len() != from.pixels() * BYTES_PER_PIXEL {
        return None;
    }
    let times = (f64::from(ROOM.width) / f64::from(from.width)).min(f64::from(ROOM.height) / f64::from(from.height));
    let side = |length: u32| ((f64::from(length) * times.min(1.0)).round() as u32).max(1);
    let size = Size::new(side(from.width), side(from.height));
    let (source, _) = picture.pixels.as_chunks::<BYTES_PER_PIXEL>();
    // Positions of the samples along one side, in pixels of the picture.
    let samples = |from: u32, to: u32| -> Vec<usize> {
        let all = u64::from(to * SAMPLES);
        (0..all).map(|at| ((2 * at + 1) * u64::from(from) / (2 * all)) as usize).collect()
    };
    let (columns, rows) = (samples(from.width, size.width), samples(from.height, size.height));
    let mut pixels = Vec::with_capacity(size.pixels() * BYTES_PER_PIXEL);
    for rows in rows.chunks_exact(SAMPLES as usize) {
        for columns in columns.chunks_exact(SAMPLES as usize) {
            let mut sum = [0_u32; 3];
            for row in rows {
                let row = &source[row * from.width as usize..];
                for column in columns {
                    for (sum, channel) in sum.iter_mut().zip(row[*column]) {
                        *sum += u32::from(channel);
                    }
                }
            }
            let count = SAMPLES * SAMPLES;
            let [a, b, c] = sum.map(|sum| ((sum + count / 2) / count) as u8);
            pixels.extend(match picture.format {
                PixelFormat::Rgba => [a, b, c, 255],
                PixelFormat::Bgrx => [c, b, a, 255],
            });
        }
    }
    Some((size, pixels))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn picture(size: Size, format: PixelFormat, pixel: [u8; 4]) -> Captured {
        let pixels = pixel.repeat(size.pixels()).into();
        Captured {
            id: 1,
            size,
            format,
            pixels,
            at: Instant::now(),
            desktop_from_source: None,
            pointer: None,
            pressed: false,
        }
    }

    #[test]
    fn a_copy_is_made_only_while_somebody_wants_one() {
        let (peek, demand) = (Arc::new(Peek::default()), Arc::new(Demand::default()));
        let picture = picture(Size::new(1_920, 1_080), PixelFormat::Bgrx, [1, 2, 3, 0]);
        peek.offer(&picture, &SourceId::Pattern);
        assert_eq!(peek.newest(), None);
        let ticket = peek.want(&demand);
        assert!(demand.is_wanted());
        peek.offer(&picture, &SourceId::Pattern);
        let copy = peek.newest().unwrap();
        assert_eq!((copy.size, copy.captured_size), (Size::new(192, 108), picture.size));
        assert_eq!(copy.pixels, [3, 2, 1, 255].repeat(copy.size.pixels()));
        drop(ticket);
        assert_eq!(peek.newest(), None);
        assert!(!demand.is_wanted());
    }

    #[test]
    fn pictures_of_every_shape_are_copied_and_broken_ones_are_not() {
        for size in [Size::new(1, 1), Size::new(1, 4_000), Size::new(5, 3), Size::new(4_000, 2)] {
            let (copied, pixels) = shrunk(&picture(size, PixelFormat::Rgba, [9, 8, 7, 6])).unwrap();
            assert!(copied.width <= ROOM.width && copied.height <= ROOM.height, "{copied}");
            assert_eq!(pixels, [9, 8, 7, 255].repeat(copied.pixels()));
        }
        let broken = Captured { size: Size::new(9, 9), ..picture(Size::new(2, 2), PixelFormat::Rgba, [0; 4]) };
        assert_eq!(shrunk(&broken), None);
    }
}
