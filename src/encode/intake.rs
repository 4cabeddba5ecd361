//! What stands before each encoder's thread: the newest frame, who wants the output, and what waits to be done.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::types::EncoderStats;
use crate::frame::{Frame, FrameSink};
use crate::util::{Closed, Demand, Mailbox, Ticket};

/// What waits for the encoder's thread; newer work is merged into it.
#[derive(Default)]
pub struct Work {
    pub frame: Option<Arc<Frame>>,
    /// The next frame has to be decodable by itself.
    pub keyframe: bool,
}

/// Takes frames from the pipeline for one encoder, and drops all but the newest; nothing waits while nobody watches.
pub struct Intake {
    demand: Arc<Demand>,
    mailbox: Mailbox<Work>,
    /// The newest processed picture, for the next one who comes while the screen stands still.
    newest: Mutex<Option<Arc<Frame>>>,
    stats: Mutex<EncoderStats>,
}

impl Intake {
    /// `demand` is the root that capture waits for.
    pub fn new(demand: &Arc<Demand>) -> Self {
        Self {
            demand: Demand::child(demand),
            mailbox: Mailbox::default(),
            newest: Mutex::default(),
            stats: Mutex::default(),
        }
    }

    pub fn is_wanted(&self) -> bool {
        self.demand.is_wanted()
    }

    /// A part of the output that can be wanted apart from the others.
    pub fn part(&self) -> Arc<Demand> {
        Demand::child(&self.demand)
    }

    /// Wants a part of the output until the ticket is dropped. Where nobody else does, `begin` is called before anything is made
    /// for this wish, and the newest picture is made again.
    pub fn want_afresh(&self, demand: &Arc<Demand>, begin: impl FnOnce()) -> Ticket {
        // Held throughout, so that of two who come at once only one begins.
        let newest = self.newest();
        let first = !demand.is_wanted();
        if first {
            begin();
        }
        let ticket = demand.want();
        if first && newest.is_some() {
            self.merge(newest.clone(), false);
        }
        ticket
    }

    /// Wants the output until the ticket is dropped, beginning with a keyframe.
    pub fn want_keyframe(&self) -> Ticket {
        let ticket = self.demand.want();
        self.request_keyframe();
        ticket
    }

    /// Asks for a keyframe of what waits, or of the newest picture when nothing does.
    pub fn request_keyframe(&self) {
        let newest = self.newest().clone();
        self.merge(newest, true);
    }

    /// Puts a frame where none waits.
    fn merge(&self, frame: Option<Arc<Frame>>, keyframe: bool) {
        self.mailbox.update(|slot| {
            let work = slot.get_or_insert_default();
            work.keyframe |= keyframe;
            work.frame = work.frame.take().or(frame);
        });
    }

    /// Waits up to `timeout` for work.
    ///
    /// # Errors
    /// [`Closed`] when the thread should end.
    pub fn take(&self, timeout: Duration) -> Result<Option<Work>, Closed> {
        self.mailbox.take(timeout)
    }

    /// Counts an encoded frame and the time it took.
    pub fn note(&self, bytes: usize, keyframe: bool, taken: Duration) {
        let mut stats = self.stats.lock().unwrap_or_else(PoisonError::into_inner);
        stats.encoded += 1;
        stats.keyframes += u64::from(keyframe);
        stats.bytes += bytes as u64;
        stats.ms = taken.as_secs_f32() * 1e3;
    }

    pub fn stats(&self) -> EncoderStats {
        let stats = *self.stats.lock().unwrap_or_else(PoisonError::into_inner);
        EncoderStats { viewers: self.demand.count(), ..stats }
    }

    /// Lets the thread end.
    pub fn close(&self) {
        self.mailbox.close();
    }

    fn newest(&self) -> MutexGuard<'_, Option<Arc<Frame>>> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FrameSink for Intake {
    fn offer(&self, frame: &Arc<Frame>) {
        *self.newest() = Some(Arc::clone(frame));
        if self.is_wanted() {
            self.mailbox.update(|slot| slot.get_or_insert_default().frame = Some(Arc::clone(frame)));
        }
    }

    fn clear(&self) {
        *self.newest() = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{FrameTimes, PixelFormat};
    use crate::geometry::{Geometry, Size};

    fn frame(id: u64) -> Arc<Frame> {
        let size = Size::new(1, 1);
        Arc::new(Frame {
            id,
            size,
            format: PixelFormat::Rgba,
            pixels: Arc::new(vec![0; 4].into()),
            times: FrameTimes { captured: std::time::Instant::now(), filtered: None },
            geometry: Arc::new(Geometry::untouched(1, size, None)),
        })
    }

    fn taken(intake: &Intake) -> Option<(Option<u64>, bool)> {
        let work = intake.take(Duration::ZERO).expect("it is not closed")?;
        Some((work.frame.map(|frame| frame.id), work.keyframe))
    }

    #[test]
    fn nothing_waits_while_nobody_watches_and_the_newest_waits_for_who_comes() {
        let intake = Intake::new(&Arc::default());
        intake.offer(&frame(1));
        assert_eq!(taken(&intake), None);
        let mut begun = 0;
        let part = intake.part();
        let first = intake.want_afresh(&part, || begun += 1);
        assert_eq!(taken(&intake), Some((Some(1), false)));
        let second = intake.want_afresh(&part, || begun += 1);
        assert_eq!((taken(&intake), begun), (None, 1));
        intake.offer(&frame(2));
        intake.request_keyframe();
        intake.offer(&frame(3));
        assert_eq!(taken(&intake), Some((Some(3), true)));
        drop((first, second));
        intake.clear();
        let _third = intake.want_keyframe();
        assert_eq!(taken(&intake), Some((None, true)));
    }
}
