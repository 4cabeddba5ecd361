//! The preview's thread: shrinks processed frames to the size at which they are shown, so that the window only uploads.
//!
//! Scaling a frame on the window's thread costs more than uploading it, and a frame that nobody looks at costs nothing.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use egui::{Color32, ColorImage};
use fast_image_resize::images::{ImageRef, TypedImage};
use fast_image_resize::pixels::U8x4;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

use crate::frame::FrameSink;
use crate::frame::{Frame, PixelFormat};
use crate::util::{Mailbox, Worker};

/// A frame may be this much early: sources are not exact, and dropping every other frame of a jittery 30 is worse.
const EARLY: Duration = Duration::from_millis(5);
/// Pictures that are made in turn: one shown, one waiting, one in work.
const BUFFERS: usize = 3;
/// Largest side of a preview in pixels; every renderer has textures of this size.
const MOST_SIDE: usize = 4_096;

/// Called after a new picture was published.
pub type Wake = Box<dyn Fn() + Send>;

/// Takes frames from the pipeline and gives pictures to the window.
pub struct Preview {
    shared: Arc<Shared>,
    worker: Worker,
}

struct Shared {
    /// Wakes the thread, when there is another frame or something else is wanted.
    bell: Mailbox<()>,
    /// The newest frame, and how many there were. It stays, because a picture that stands still comes only once and
    /// has to be made again when its place changes.
    frame: Mutex<(u64, Option<Arc<Frame>>)>,
    newest: Mutex<Option<Arc<ColorImage>>>,
    /// Pictures a second; 0 while none are wanted.
    rate: AtomicU32,
    /// Width and height of the place where it is shown, in pixels: 32 bits each.
    room: AtomicU64,
}

impl FrameSink for Shared {
    fn offer(&self, frame: &Arc<Frame>) {
        {
            let mut newest = self.frame();
            *newest = (newest.0 + 1, Some(Arc::clone(frame)));
        }
        if self.rate.load(Ordering::Relaxed) > 0 {
            self.bell.put(());
        }
    }

    fn clear(&self) {
        self.frame().1 = None;
    }
}

impl Shared {
    fn frame(&self) -> MutexGuard<'_, (u64, Option<Arc<Frame>>)> {
        self.frame.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Preview {
    /// Starts the thread; `wake` is called on it.
    pub fn start(wake: Wake) -> Self {
        let shared = Arc::new(Shared {
            bell: Mailbox::default(),
            frame: Mutex::default(),
            newest: Mutex::default(),
            rate: AtomicU32::new(0),
            room: AtomicU64::new(0),
        });
        let mut shrinker = Shrinker::default();
        let worker = Worker::start("preview", {
            let shared = Arc::clone(&shared);
            move || work(&shared, &mut shrinker, &wake)
        });
        Self { shared, worker }
    }

    /// Where the engine delivers frames.
    pub fn sink(&self) -> Arc<dyn FrameSink> {
        Arc::clone(&self.shared) as Arc<dyn FrameSink>
    }

    /// Sets how many pictures a second are wanted, `None` for none, and how large they are shown.
    pub fn want(&self, rate: Option<u32>, room: [usize; 2]) {
        let [width, height] = room.map(|side| side.min(MOST_SIDE) as u64);
        let (rate, room) = (rate.unwrap_or(0), width << 32 | height);
        let same_rate = self.shared.rate.swap(rate, Ordering::Relaxed) == rate;
        let same_room = self.shared.room.swap(room, Ordering::Relaxed) == room;
        if !(same_rate && same_room) {
            self.shared.bell.put(());
        }
    }

    /// The newest picture, once.
    pub fn take(&self) -> Option<Arc<ColorImage>> {
        self.shared.newest.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Preview {
    fn drop(&mut self) {
        self.shared.bell.close();
        self.worker.join(Instant::now() + Duration::from_millis(500));
    }
}

/// Runs until the bell is closed.
fn work(shared: &Shared, shrinker: &mut Shrinker, wake: &Wake) {
    let mut pace = Pace::default();
    // Which frame was shown last, and in which room.
    let mut done = None;
    loop {
        let (rate, room) = (shared.rate.load(Ordering::Relaxed), shared.room.load(Ordering::Relaxed));
        let (number, frame) = shared.frame().clone();
        let frame = frame.filter(|_| rate > 0 && done != Some((number, room)));
        let timeout = match &frame {
            Some(_) => pace.until_due(Instant::now()),
            // The time-out has no meaning; the bell wakes the thread.
            None => Duration::from_secs(3_600),
        };
        let Some(frame) = frame.filter(|_| timeout.is_zero()) else {
            if shared.bell.take(timeout).is_err() {
                return;
            }
            continue;
        };
        pace.done(rate, Instant::now());
        done = Some((number, room));
        if let Some(picture) = shrinker.shrink(&frame, [(room >> 32) as usize, (room & 0xFFFF_FFFF) as usize]) {
            *shared.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(picture);
            wake();
        }
    }
}

/// When the next picture is due; pure.
#[derive(Debug, Default)]
struct Pace {
    due: Option<Instant>,
}

impl Pace {
    fn until_due(&self, now: Instant) -> Duration {
        self.due.map_or(Duration::ZERO, |due| due.saturating_duration_since(now + EARLY))
    }

    /// Notes a picture; a late one does not make the following ones early.
    fn done(&mut self, rate: u32, now: Instant) {
        let next = self.due.unwrap_or(now).max(now.checked_sub(EARLY).unwrap_or(now));
        self.due = Some(next + Duration::from_secs(1) / rate.max(1));
    }
}

/// The largest size of the picture's shape that fits, never larger than the picture itself.
pub fn fitted(picture: [usize; 2], room: [usize; 2]) -> [usize; 2] {
    let [width, height] = picture.map(|side| side.max(1) as f64);
    let [room_width, room_height] = room.map(|side| side.clamp(1, MOST_SIDE) as f64);
    let scale = (room_width / width).min(room_height / height).min(1.0);
    [width, height].map(|side| ((side * scale).round() as usize).max(1))
}

/// Converts and shrinks; keeps its buffers.
#[derive(Default)]
pub(super) struct Shrinker {
    resizer: Resizer,
    buffers: Vec<Arc<ColorImage>>,
}

impl Shrinker {
    /// A new picture, or `None` where there is no room or the frame's size contradicts its pixels.
    pub(super) fn shrink(&mut self, frame: &Frame, room: [usize; 2]) -> Option<Arc<ColorImage>> {
        let [source_width, source_height] = [frame.size.width, frame.size.height];
        if room.contains(&0) || source_width == 0 || source_height == 0 {
            return None;
        }
        let [width, height] = fitted([source_width as usize, source_height as usize], room);
        let mut picture = self.free_buffer([width, height]);
        let image = Arc::get_mut(&mut picture)?;
        let bytes = image.as_raw_mut();
        if [width, height] == [source_width as usize, source_height as usize] {
            bytes.copy_from_slice(frame.pixels.get(..bytes.len())?);
        } else {
            let from =
                ImageRef::new(source_width, source_height, &frame.pixels, fast_image_resize::PixelType::U8x4).ok()?;
            let from = from.typed_image::<U8x4>()?;
            let mut to = TypedImage::<U8x4>::from_buffer(width as u32, height as u32, bytes).ok()?;
            // Widened to the scale, so every source pixel counts: text stays readable and nothing shimmers.
            let options =
                ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear)).use_alpha(false);
            self.resizer.resize_typed(&from, &mut to, &options).ok()?;
        }
        // What the viewers see is opaque as well: no encoder here keeps the alpha.
        let (pixels, _) = image.as_raw_mut().as_chunks_mut::<4>();
        match frame.format {
            PixelFormat::Rgba => pixels.iter_mut().for_each(|pixel| pixel[3] = 255),
            PixelFormat::Bgrx => pixels.iter_mut().for_each(|pixel| *pixel = [pixel[2], pixel[1], pixel[0], 255]),
        }
        if self.buffers.len() < BUFFERS {
            self.buffers.push(Arc::clone(&picture));
        }
        Some(picture)
    }

    /// A picture of that size that nobody holds any more.
    fn free_buffer(&mut self, size: [usize; 2]) -> Arc<ColorImage> {
        self.buffers.retain(|buffer| buffer.size == size);
        let free = self.buffers.iter_mut().position(|buffer| Arc::get_mut(buffer).is_some());
        match free {
            // Taken out, so that it is held once; it is put back when it was filled.
            Some(index) => self.buffers.swap_remove(index),
            None => Arc::new(ColorImage::filled(size, Color32::BLACK)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::FrameTimes;
    use crate::geometry::{Geometry, Size};

    fn frame(size: Size, format: PixelFormat, pixel: [u8; 4]) -> Frame {
        let pixels = pixel.repeat(size.width as usize * size.height as usize);
        Frame {
            id: 1,
            size,
            format,
            pixels: Arc::new(pixels.into()),
            times: FrameTimes { captured: Instant::now(), filtered: None },
            geometry: Arc::new(Geometry::untouched(1, size, None)),
        }
    }

    #[test]
    fn a_picture_fits_keeps_its_shape_and_never_grows() {
        assert_eq!(fitted([1920, 1080], [960, 960]), [960, 540]);
        assert_eq!(fitted([1080, 1920], [960, 960]), [540, 960]);
        assert_eq!(fitted([320, 240], [960, 960]), [320, 240]);
        assert_eq!(fitted([10_000, 1], [100, 100]), [100, 1]);
    }

    #[test]
    fn both_byte_orders_become_opaque_red() {
        let mut shrinker = Shrinker::default();
        let size = Size::new(64, 48);
        for (format, pixel) in [(PixelFormat::Rgba, [200, 10, 20, 0]), (PixelFormat::Bgrx, [20, 10, 200, 0])] {
            for room in [[32, 32], [640, 640]] {
                let picture = shrinker.shrink(&frame(size, format, pixel), room).unwrap();
                assert_eq!(picture.size, fitted([64, 48], room));
                assert!(picture.pixels.iter().all(|pixel| *pixel == Color32::from_rgb(200, 10, 20)));
            }
        }
    }

    #[test]
    fn a_steady_stream_uses_the_same_buffers_again() {
        let mut shrinker = Shrinker::default();
        let frame = frame(Size::new(64, 48), PixelFormat::Rgba, [1, 2, 3, 255]);
        let mut seen = std::collections::BTreeSet::new();
        let mut shown = None;
        for _ in 0..20 {
            let picture = shrinker.shrink(&frame, [32, 32]).unwrap();
            seen.insert(Arc::as_ptr(&picture) as usize);
            shown = Some(picture);
        }
        drop(shown);
        assert!(seen.len() <= BUFFERS, "{} buffers", seen.len());
    }

    #[test]
    fn no_room_is_no_picture() {
        let mut shrinker = Shrinker::default();
        assert!(shrinker.shrink(&frame(Size::new(4, 4), PixelFormat::Rgba, [0; 4]), [0, 9]).is_none());
    }

    #[test]
    fn sixty_frames_a_second_become_fifteen_pictures() {
        let start = Instant::now();
        let mut pace = Pace::default();
        let mut pictures = 0;
        for frame in 0..600u32 {
            let now = start + Duration::from_secs(1) * frame / 60;
            if pace.until_due(now).is_zero() {
                pace.done(15, now);
                pictures += 1;
            }
        }
        assert!((148..=152).contains(&pictures), "{pictures}");
    }

    #[test]
    fn jitter_does_not_halve_the_rate() {
        let start = Instant::now();
        let mut pace = Pace::default();
        let mut pictures = 0;
        for frame in 0..300u32 {
            let jitter = Duration::from_millis(u64::from(frame % 2) * 4);
            let now = start + Duration::from_secs(1) * frame / 30 + jitter;
            if pace.until_due(now).is_zero() {
                pace.done(30, now);
                pictures += 1;
            }
        }
        assert!(pictures >= 290, "{pictures}");
    }

    #[test]
    fn a_frame_wakes_nobody_while_no_picture_is_wanted() {
        let preview = Preview::start(Box::new(|| panic!("nothing is made")));
        preview.sink().offer(&Arc::new(frame(Size::new(4, 4), PixelFormat::Rgba, [0; 4])));
        assert_eq!(preview.shared.bell.take(Duration::ZERO), Ok(None));
    }

    #[test]
    fn a_picture_that_stands_still_is_made_for_every_place_it_gets() {
        let (made, pictures) = std::sync::mpsc::channel();
        let preview = Preview::start(Box::new(move || made.send(()).unwrap()));
        // The window's first frame knows no room yet.
        preview.want(Some(30), [0, 0]);
        preview.sink().offer(&Arc::new(frame(Size::new(64, 64), PixelFormat::Rgba, [9; 4])));
        for side in [32, 16, 64] {
            preview.want(Some(30), [side, side]);
            pictures.recv_timeout(Duration::from_secs(10)).unwrap();
            assert_eq!(preview.take().map(|picture| picture.size), Some([side, side]));
        }
        preview.sink().clear();
        preview.want(Some(30), [8, 8]);
        assert!(preview.take().is_none());
    }
}
