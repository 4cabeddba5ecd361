//! The threads around a video codec, one for each size: each takes the newest frame, encodes it once, and gives it to
//! all who watch at this size.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::intake::{Intake, Work};
use super::overload::{Overload, Relief};
use super::types::{EncodeError, EncodedVideo, EncoderStats, Rung, VideoCodec, VideoConfig, VideoSink};
use crate::frame::Frame;
use crate::frame::FrameSink;
use crate::geometry::Size;
use crate::util::{Demand, LatestReader, Ticket, Worker};

/// Forced keyframes are at least this far apart, whoever asks: a storm of requests must not eat the bitrate.
const KEYFRAME_GAP: Duration = Duration::from_millis(500);
/// A picture that stopped moving is encoded again a few times, because the last frame of a motion is the blurriest.
const SHARPEN_AFTER: Duration = Duration::from_millis(150);
const SHARPEN_TIMES: u32 = 4;
/// An encoder shares its bitrate out among the frames of the rate it was told. Where fewer come, each may take more, up
/// to this factor; without it a link would never be used up when filters or the source are slow.
const MOST_SHARE: f64 = 2.0;
/// How long the thread sleeps at most before it looks whether it is still wanted.
const NAP: Duration = Duration::from_millis(500);
/// Bitrates that differ by less than one part in so many are the same to an encoder.
const SAME_BITRATE: u32 = 32;

/// What a codec says of the frame it wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bits {
    pub keyframe: bool,
    pub size: Size,
}

/// A video codec: turns frames into bits.
pub trait Codec {
    /// Appends one encoded frame to `output`; nothing when the rate control skipped the frame.
    ///
    /// # Errors
    /// When the encoder refuses the picture; it has to be opened again.
    fn encode(&mut self, frame: &Frame, keyframe: bool, output: &mut Vec<u8>) -> Result<Bits, EncodeError>;

    /// Aims at another bitrate from the next frame on, without a keyframe.
    ///
    /// # Errors
    /// When the encoder refuses it; it has to be opened again.
    fn set_bitrate(&mut self, kbps: u32) -> Result<(), EncodeError>;
}

/// What the encoders of all sizes share.
struct Common {
    codec: VideoCodec,
    output: Mutex<Option<Arc<dyn VideoSink>>>,
    overload: Mutex<Overload>,
    config: Mutex<LatestReader<VideoConfig>>,
}

/// What belongs to the encoder of one size.
struct Shared {
    rung: Rung,
    common: Arc<Common>,
    intake: Intake,
    /// What the viewers' links carry, in kbit/s; the setting counts where it is lower.
    ceiling_kbps: AtomicU32,
}

impl Common {
    fn config(&self) -> VideoConfig {
        self.config.lock().unwrap_or_else(PoisonError::into_inner).get()
    }

    fn overload(&self) -> MutexGuard<'_, Overload> {
        self.overload.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// What to encode now for a setting that speaks of the full size.
    fn config(&self, full: VideoConfig, relief: Relief) -> VideoConfig {
        let ceiling = self.ceiling_kbps.load(Ordering::Relaxed);
        let config = self.rung.config(full);
        let kbps = config.bitrate_kbps.min(ceiling);
        VideoConfig { bitrate_kbps: if relief.half_bitrate { kbps / 2 } else { kbps }, ..config }
    }
}

/// The encoders of one codec, one for each size. Each runs only while somebody holds a [`Ticket`] for it.
pub struct VideoHub {
    common: Arc<Common>,
    /// As in [`Rung::ALL`].
    rungs: [(Arc<Shared>, Mutex<Worker>); 3],
}

impl VideoHub {
    /// Starts the threads; `demand` is the root that capture waits for.
    pub fn start(codec: VideoCodec, demand: &Arc<Demand>, config: &LatestReader<VideoConfig>) -> Arc<Self> {
        let common = Arc::new(Common {
            codec,
            output: Mutex::default(),
            overload: Mutex::default(),
            config: Mutex::new(config.clone()),
        });
        let rungs = Rung::ALL.map(|rung| {
            let shared = Arc::new(Shared {
                rung,
                common: Arc::clone(&common),
                intake: Intake::new(demand),
                ceiling_kbps: AtomicU32::new(u32::MAX),
            });
            let name = match rung {
                Rung::Full => format!("encode-{}", codec.id()),
                Rung::Half | Rung::Quarter => format!("encode-{}-{}", codec.id(), rung.divisor()),
            };
            let worker = {
                let shared = Arc::clone(&shared);
                Worker::start(&name, move || run(&shared))
            };
            (shared, Mutex::new(worker))
        });
        Arc::new(Self { common, rungs })
    }

    pub fn codec(&self) -> VideoCodec {
        self.common.codec
    }

    /// The setting, which speaks of the full size.
    pub fn config(&self) -> VideoConfig {
        self.common.config()
    }

    /// What is given up because the machine can't keep up.
    pub fn relief(&self) -> Relief {
        self.common.overload().relief(self.config().fps)
    }

    /// Sets who gets the encoded frames of all sizes, in place of whoever got them before.
    pub fn set_output(&self, output: Arc<dyn VideoSink>) {
        *self.common.output.lock().unwrap_or_else(PoisonError::into_inner) = Some(output);
    }

    /// Encodes this size from now on until the ticket is dropped, beginning with a keyframe.
    pub fn want(&self, rung: Rung) -> Ticket {
        self.shared(rung).intake.want_keyframe()
    }

    /// Makes the next frame of this size a keyframe, of the newest picture if the screen stands still; at most two a
    /// second.
    pub fn request_keyframe(&self, rung: Rung) {
        self.shared(rung).intake.request_keyframe();
    }

    /// Stays below this bitrate from the next frame on; `None` leaves only the setting.
    pub fn set_ceiling(&self, rung: Rung, kbps: Option<u32>) {
        self.shared(rung).ceiling_kbps.store(kbps.unwrap_or(u32::MAX), Ordering::Relaxed);
    }

    /// All sizes together.
    pub fn stats(&self) -> EncoderStats {
        EncoderStats::sum(Rung::ALL.map(|rung| self.stats_of(rung)))
    }

    pub fn stats_of(&self, rung: Rung) -> EncoderStats {
        self.shared(rung).intake.stats()
    }

    /// Ends the threads; waits for them until `deadline`.
    pub fn stop(&self, deadline: Instant) {
        for (shared, _) in &self.rungs {
            shared.intake.close();
        }
        for (_, worker) in &self.rungs {
            worker.lock().unwrap_or_else(PoisonError::into_inner).join(deadline);
        }
    }

    fn shared(&self, rung: Rung) -> &Shared {
        &self.rungs[rung.index()].0
    }
}

impl FrameSink for VideoHub {
    fn offer(&self, frame: &Arc<Frame>) {
        self.rungs.iter().for_each(|(shared, _)| shared.intake.offer(frame));
    }

    fn clear(&self) {
        self.rungs.iter().for_each(|(shared, _)| shared.intake.clear());
    }
}

/// A codec by itself, without the thread; for measurements and tests.
///
/// # Errors
/// When the encoder can't be made, or was left out of this build.
pub fn open_codec(codec: VideoCodec, config: VideoConfig) -> Result<Box<dyn Codec>, EncodeError> {
    open_rung(codec, Rung::Full, config)
}

fn open_rung(codec: VideoCodec, rung: Rung, config: VideoConfig) -> Result<Box<dyn Codec>, EncodeError> {
    match codec {
        VideoCodec::H264 => Ok(Box::new(super::h264::H264::new(rung, config)?)),
        #[cfg(feature = "vp8")]
        VideoCodec::Vp8 => Ok(Box::new(super::vp8::Vp8::new(rung, config))),
        #[cfg(not(feature = "vp8"))]
        VideoCodec::Vp8 => Err(EncodeError::Vp8("this Lenscast was built without VP8".to_owned())),
    }
}

/// The thread: its state is the codec, which exists only while it is wanted.
struct Running {
    encoder: Option<(VideoConfig, Box<dyn Codec>)>,
    last_keyframe: Option<Instant>,
    keyframe_wanted: bool,
    last: Option<Arc<Frame>>,
    last_timestamp: Option<u32>,
    sharpened: u32,
    encoded: Option<Instant>,
    pace: Pace,
}

/// How far apart frames come while the picture moves.
#[derive(Debug, Default)]
struct Pace {
    last: Option<Instant>,
    seconds: f64,
}

impl Pace {
    /// Notes a frame; gives the bitrate to tell the encoder so that it makes what is wanted.
    fn bitrate(&mut self, config: VideoConfig, now: Instant) -> u32 {
        let usual = 1.0 / f64::from(config.fps.max(1));
        let since = self.last.replace(now).map(|last| now.saturating_duration_since(last).as_secs_f64());
        // After a pause the next frames come as fast as they can.
        let since = since.filter(|seconds| *seconds < 4.0 * usual).unwrap_or(usual);
        let before = if self.seconds == 0.0 { usual } else { self.seconds };
        self.seconds = 0.95 * before + 0.05 * since;
        (f64::from(config.bitrate_kbps) * (self.seconds / usual).clamp(1.0, MOST_SHARE)) as u32
    }
}

fn run(shared: &Shared) {
    let mut state = Running {
        encoder: None,
        last_keyframe: None,
        keyframe_wanted: false,
        last: None,
        last_timestamp: None,
        sharpened: 0,
        encoded: None,
        pace: Pace::default(),
    };
    loop {
        let Ok(work) = shared.intake.take(state.patience()) else { return };
        if !shared.intake.is_wanted() {
            // The next viewer starts with a keyframe of a new encoder; nothing old is kept for it.
            state.encoder = None;
            state.last = None;
            state.keyframe_wanted = false;
            continue;
        }
        let now = Instant::now();
        let Some(frame) = state.choose(work, now) else { continue };
        let full = shared.common.config();
        let relief = shared.common.overload().relief(full.fps);
        let keyframe = state.keyframe_wanted && state.may_force(now);
        if state.is_too_soon(relief, now) && !keyframe {
            // Should it be the last of a motion, it is what is encoded once the picture stands still.
            state.last = Some(frame);
            continue;
        }
        let result = state.encode(shared, shared.config(full, relief), &frame, keyframe, now);
        let taken = now.elapsed();
        if shared.common.overload().on_frame(shared.rung, taken, full.fps, now) {
            let relief = shared.common.overload().relief(full.fps);
            tracing::info!("{}: {}", shared.common.codec.id(), relief.sentence().unwrap_or_else(|| "keeps up".into()));
        }
        match result {
            Ok(Some(encoded)) => {
                shared.intake.note(encoded.data.len(), encoded.keyframe, taken);
                let output = shared.common.output.lock().unwrap_or_else(PoisonError::into_inner).clone();
                if let Some(output) = output {
                    output.encoded(encoded);
                }
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!("{error}; the encoder starts again with the next frame");
                state.encoder = None;
            }
        }
        state.last = Some(frame);
    }
}

impl Running {
    fn may_force(&self, now: Instant) -> bool {
        self.last_keyframe.is_none_or(|at| now.saturating_duration_since(at) >= KEYFRAME_GAP)
    }

    /// Whether a frame now would be more than the relief allows; they come unevenly, so a little early is in time.
    fn is_too_soon(&self, relief: Relief, now: Instant) -> bool {
        let gap = relief.fps.map_or(Duration::ZERO, |fps| Duration::from_secs(1) / fps.max(1) * 4 / 5);
        self.encoded.is_some_and(|at| now.saturating_duration_since(at) < gap)
    }

    /// How long to wait for a frame before there is something else to do.
    fn patience(&self) -> Duration {
        match (&self.encoder, self.keyframe_wanted, self.sharpened) {
            (Some(_), true, _) => Duration::from_millis(50),
            (Some(_), false, times) if times < SHARPEN_TIMES => SHARPEN_AFTER,
            _ => NAP,
        }
    }

    /// The frame to encode now: a new one, or the last one again for a keyframe or to sharpen it.
    fn choose(&mut self, work: Option<Work>, now: Instant) -> Option<Arc<Frame>> {
        let work = work.unwrap_or_default();
        self.keyframe_wanted |= work.keyframe || self.encoder.is_none();
        match work.frame {
            Some(frame) if self.last.as_ref().is_none_or(|last| !Arc::ptr_eq(last, &frame)) => {
                self.sharpened = 0;
                Some(frame)
            }
            _ if self.keyframe_wanted => self.last.clone().filter(|_| self.may_force(now)),
            _ if self.sharpened < SHARPEN_TIMES => {
                self.sharpened += 1;
                self.last.clone()
            }
            _ => None,
        }
    }

    fn encode(
        &mut self,
        shared: &Shared,
        config: VideoConfig,
        frame: &Arc<Frame>,
        keyframe: bool,
        now: Instant,
    ) -> Result<Option<EncodedVideo>, EncodeError> {
        let codec = shared.common.codec;
        self.encoded = Some(now);
        let (current, encoder) = match &mut self.encoder {
            Some(current) if current.0.fps == config.fps => current,
            other => other.insert((config, open_rung(codec, shared.rung, config)?)),
        };
        let wanted = self.pace.bitrate(config, now);
        if current.bitrate_kbps.abs_diff(wanted) > current.bitrate_kbps / SAME_BITRATE {
            encoder.set_bitrate(wanted)?;
            *current = VideoConfig { bitrate_kbps: wanted, ..config };
        }
        let mut data = Vec::with_capacity(64 * 1_024);
        let bits = encoder.encode(frame, keyframe, &mut data)?;
        if data.is_empty() {
            return Ok(None);
        }
        if bits.keyframe {
            self.last_keyframe = Some(now);
            self.keyframe_wanted = false;
        }
        let shown_again = self.last.as_ref().is_some_and(|last| Arc::ptr_eq(last, frame));
        let rtp_timestamp = self.timestamp(if shown_again { now } else { frame.times.captured });
        Ok(Some(EncodedVideo {
            codec,
            rung: shared.rung,
            data,
            keyframe: bits.keyframe,
            size: bits.size,
            frame_id: frame.id,
            rtp_timestamp,
            times: frame.times,
            encoded: Instant::now(),
            geometry: Arc::clone(&frame.geometry),
        }))
    }

    /// 90 kHz since the program's first frame; always growing, because a player drops what goes back.
    fn timestamp(&mut self, at: Instant) -> u32 {
        static START: OnceLock<Instant> = OnceLock::new();
        let start = *START.get_or_init(|| at);
        let ticks = (at.saturating_duration_since(start).as_micros() * 9 / 100) as u32;
        let timestamp = match self.last_timestamp {
            Some(last) if ticks.wrapping_sub(last) as i32 <= 0 => last.wrapping_add(90),
            _ => ticks,
        };
        self.last_timestamp = Some(timestamp);
        timestamp
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_frames_get_a_larger_share_and_a_pause_changes_nothing() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let config = VideoConfig { bitrate_kbps: 1_000, fps: 30 };
        let mut told = |ms| pace.bitrate(config, start + Duration::from_millis(ms));
        let fast = (0..60).map(|frame| told(frame * 33)).last();
        assert!(fast.is_some_and(|kbps| (1_000..1_010).contains(&kbps)), "{fast:?}");
        let slow = (0..100).map(|frame| told(2_000 + frame * 50)).last();
        assert!(slow.is_some_and(|kbps| (1_480..1_510).contains(&kbps)), "{slow:?}");
        let after = told(60_000);
        assert!((1_400..1_510).contains(&after), "{after}");
    }
}
