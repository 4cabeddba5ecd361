//! Shows what was there a while ago. Pictures are kept no closer in time than the memory allows for the whole delay: with
//! large pictures fewer a second, never a shorter delay.
//!
//! A repeat of the same picture is not kept again; it only lets time go on. Where something before this filter changed a
//! repeat, it is a picture like any other.

use std::any::Any;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::filter::declare::params;
use crate::filter::kernel::{Kernel, Moment, Prepare, PrepareError, Shown, TimeKernel};
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;

params! {
    /// Shows the picture as it was a while ago. Pictures of the delay take up to 512 MB; when that is not enough, fewer of
    /// them are kept a second.
    pub struct Delay("delay", "Delay", Time) {
        /// How long ago.
        seconds: f32 = 0.0 in 0.0..=5.0 step 0.05, "Delay", Seconds;
    }
}

/// The most that the kept pictures of one filter take, in bytes.
const MOST_BYTES: usize = 512 << 20;
/// Pictures that are kept beside those of the delay itself: the one that is shown and the newest.
const BESIDE: usize = 2;
/// Buffers that wait for the next picture at most.
const MOST_SPARE: usize = 2;

impl Prepare for Delay {
    fn prepare(&self, input: Size) -> Result<Kernel, PrepareError> {
        if self.seconds == 0.0 {
            return Ok(Kernel::Identity);
        }
        let room = MOST_BYTES / (input.pixels() * BYTES_PER_PIXEL);
        if room <= BESIDE {
            return Err(PrepareError::Because(format!("pictures of {input} are too large to be kept for a delay")));
        }
        let delay = Duration::from_secs_f32(self.seconds);
        Ok(Kernel::Time(Box::new(Memory::new(input, delay, room))))
    }
}

struct Memory {
    size: Size,
    /// Buffers that fit, the spare ones among them.
    room: usize,
    delay: Duration,
    /// The least time between two kept pictures.
    interval: Duration,
    /// The oldest first; it is the one that is shown.
    kept: VecDeque<(Instant, Vec<u8>)>,
    spare: Vec<Vec<u8>>,
    /// The picture of now is not among the kept ones, because it came too soon after the last.
    behind: bool,
}

impl Memory {
    /// `room` is above [`BESIDE`].
    fn new(size: Size, delay: Duration, room: usize) -> Self {
        let interval = delay.div_f64((room - BESIDE) as f64);
        Self { size, room, delay, interval, kept: VecDeque::new(), spare: Vec::new(), behind: false }
    }

    fn keep(&mut self, pixels: &[u8], moment: Moment) {
        let Moment { now, is_new } = moment;
        if let Some((last, newest)) = self.kept.back() {
            if !is_new && !self.behind && newest[..] == *pixels {
                return;
            }
            let too_soon = now.saturating_duration_since(*last) < self.interval;
            if too_soon || self.kept.len() >= self.room {
                self.behind = true;
                return;
            }
        }
        let mut buffer = self.spare.pop().unwrap_or_default();
        buffer.clear();
        buffer.extend_from_slice(pixels);
        self.kept.push_back((now, buffer));
        self.behind = false;
    }

    fn is_due(&self, at: Instant, now: Instant) -> bool {
        now.saturating_duration_since(at) >= self.delay
    }

    fn drop_oldest(&mut self) {
        let Some((_, buffer)) = self.kept.pop_front() else { return };
        if self.spare.len() < MOST_SPARE && self.kept.len() + self.spare.len() < self.room {
            self.spare.push(buffer);
        }
    }
}

impl TimeKernel for Memory {
    fn run(&mut self, pixels: &mut [u8], moment: Moment) -> Shown {
        // First what nobody needs any more, so that there is room.
        while self.kept.get(1).is_some_and(|(at, _)| self.is_due(*at, moment.now)) {
            self.drop_oldest();
        }
        self.keep(pixels, moment);
        // Until enough was seen, the first picture stands for what was before it.
        if let Some((_, oldest)) = self.kept.front() {
            pixels.copy_from_slice(oldest);
        }
        Shown::Yes
    }

    fn go_on_from(&mut self, older: Box<dyn Any>) {
        let Ok(older) = older.downcast::<Self>() else { return };
        if older.size != self.size {
            return;
        }
        (self.kept, self.spare, self.behind) = (older.kept, older.spare, older.behind);
        // A longer delay has fewer pictures a second.
        let mut last: Option<Instant> = None;
        let newest = self.kept.back().map(|(at, _)| *at);
        let interval = self.interval;
        self.kept.retain(|(at, _)| {
            let stays = Some(*at) == newest || last.is_none_or(|last| at.saturating_duration_since(last) >= interval);
            if stays {
                last = Some(*at);
            }
            stays
        });
    }

    fn goes_on(&self) -> bool {
        self.behind || self.kept.len() > 1
    }

    fn memory(&self) -> [usize; 2] {
        let now = self.kept.iter().map(|(_, buffer)| buffer).chain(&self.spare).map(Vec::len).sum();
        [now, self.room * self.size.pixels() * BYTES_PER_PIXEL]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size::new(4, 3);

    /// Shows a picture that is all `number` and gives the number that is shown instead.
    fn show(memory: &mut Memory, number: u32, moment: Moment) -> u32 {
        let mut pixels = number.to_le_bytes().repeat(SIZE.pixels());
        memory.run(&mut pixels, moment);
        pixels.first_chunk().map(|bytes| u32::from_le_bytes(*bytes)).expect("the picture is not empty")
    }

    #[test]
    fn little_room_means_fewer_pictures_and_never_a_shorter_delay() {
        let (start, delay) = (Instant::now(), Duration::from_secs(1));
        for (room, fps) in [(3, 30), (6, 60), (6, 7), (40, 60), (64, 250), (500, 144)] {
            let mut memory = Memory::new(SIZE, delay, room);
            let at = |number: u32| Duration::from_secs(1) * number / fps;
            for number in 0..1_000 {
                let now = at(number);
                let shown = show(&mut memory, number, Moment { now: start + now, is_new: true });
                let [bytes, most] = memory.memory();
                assert!(bytes <= most && most == room * SIZE.pixels() * BYTES_PER_PIXEL, "{room}: {bytes} of {most}");
                if now < delay {
                    assert_eq!(shown, 0);
                    continue;
                }
                let age = now - at(shown);
                let most = delay + memory.interval + at(1) + Duration::from_micros(1);
                assert!(age >= delay && age <= most, "{room} at {fps}: {number} is {age:?} old");
            }
        }
    }

    #[test]
    fn the_last_picture_comes_in_the_end_however_soon_it_came_after_another() {
        let (start, step) = (Instant::now(), Duration::from_millis(10));
        let mut memory = Memory::new(SIZE, Duration::from_secs(1), 6);
        for number in 0..=30 {
            show(&mut memory, number, Moment { now: start + step * number, is_new: true });
        }
        let (mut now, mut shown) = (start + step * 30, 0);
        while memory.goes_on() {
            now += step;
            assert!(now < start + Duration::from_secs(3), "it never ends");
            shown = show(&mut memory, 30, Moment { now, is_new: false });
        }
        assert_eq!(shown, 30);
    }

    #[test]
    fn a_longer_delay_keeps_fewer_of_the_pictures_it_takes_over_and_the_newest() {
        let start = Instant::now();
        let mut short = Memory::new(SIZE, Duration::from_secs(1), 12);
        for number in 0..20 {
            show(&mut short, number, Moment { now: start + Duration::from_millis(100) * number, is_new: true });
        }
        let mut long = Memory::new(SIZE, Duration::from_secs(5), 12);
        long.go_on_from(Box::new(short));
        assert!(long.kept.len() < 6, "{}", long.kept.len());
        assert_eq!(long.kept.back().map(|(at, _)| *at), Some(start + Duration::from_millis(1_900)));
    }
}
