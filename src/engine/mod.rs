//! The only place that wires modules to threads: capture to pipeline, pipeline to encoders, encoders to viewers, and
//! their pointers back to the desktop.

mod beside;
mod command;
mod files;
mod handle;
mod headless;
mod host;
mod links;
mod local;
mod marks;
mod peek;
mod processing;
mod sharing;
mod signals;
mod snapshot;
mod status;
mod supervisor;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use crate::encode::Rung;
pub use crate::publish::{
    DeviceInfo, Digest, DoorView, GuestInfo, KeyFile, KeysError, LogLine, NewToken, OutgoingState, Prompt, Role, Roles,
    TokenInfo, Transport, Verdict, ViewerInfo, Visitor, host_name, log_path, new_key, origin, read_log,
};
pub use command::{Command, Event};
pub use files::{files_now, reader as filter_files};
pub use handle::{Handle, Waker};
pub use headless::{Greeting, serve};
pub use host::describe_filters;
pub use peek::{Peek, PeekTicket, SmallPicture};
pub use sharing::mistake_in;
pub use signals::end_on_signal;
pub use snapshot::SnapshotError;
pub use status::{ControlStatus, EncoderStatus, FrameCounts, OutgoingStatus, ShareState, Status};

use crate::capture::{CaptureReport, CaptureThread, CaptureWish};
use crate::encode::{JpegHub, VideoCodec, VideoConfig, VideoHub};
use crate::input::{self, InputHub, guard, noted};
use crate::publish::{self, Door};
use crate::settings::{Settings, Store};
use crate::util::Latest;
use processing::Processing;
use supervisor::Supervisor;

/// How long each part may take to end.
const ENDING: Duration = Duration::from_secs(2);

/// The running program without its face.
pub struct Engine {
    handle: Handle,
    parts: Arc<Parts>,
    capture: CaptureThread,
    processing: Processing,
    supervisor: Option<Supervisor>,
}

/// What several threads share.
struct Parts {
    handle: Handle,
    jpeg: Arc<JpegHub>,
    video: Vec<Arc<VideoHub>>,
    input: Arc<InputHub>,
    local: local::Local,
    marks: Arc<marks::Marks>,
    wish: Latest<CaptureWish>,
    video_config: Latest<VideoConfig>,
    jpeg_quality: Latest<u8>,
    processing: Arc<processing::Shared>,
    /// Who is let in.
    door: Arc<Door>,
    /// Zero of the clock that viewers see.
    started: Instant,
}

impl Engine {
    /// Starts every thread. Nothing is captured until somebody wants a picture. `saved_as` is the file that follows
    /// the settings, if there is one; in `folder` are keys, certificate and log, which last no longer than the program
    /// without it.
    ///
    /// # Errors
    /// When the system gives no random numbers for the link's secret.
    pub fn start(mut settings: Settings, saved_as: Option<PathBuf>, folder: Option<PathBuf>) -> anyhow::Result<Self> {
        if settings.share.secret.is_empty() {
            settings.share.secret = publish::new_secret()?;
        }
        let store = Arc::new(Store::new(settings));
        let settings = store.get();
        let (handle, commands) = Handle::new(store);
        let demand = Arc::clone(&handle.demand);
        let wish = Latest::new(wish_of(&settings, 0));
        let video_config = Latest::new(video_config_of(&settings));
        let jpeg_quality = Latest::new(settings.share.jpeg_quality);
        let jpeg = JpegHub::start(&demand, &jpeg_quality.reader());
        let codecs = VideoCodec::ALL.into_iter().filter(|codec| *codec != VideoCodec::Vp8 || cfg!(feature = "vp8"));
        let video: Vec<_> = codecs.map(|codec| VideoHub::start(codec, &demand, &video_config.reader())).collect();
        let kept_in = folder.clone();
        let unseen = Arc::clone(&handle.unseen);
        let make = move || Ok(noted(guard::desktop(kept_in.as_deref())?, &unseen));
        let input = InputHub::start(Box::new(make));
        handle.add_sink(jpeg.clone());
        for hub in &video {
            handle.add_sink(hub.clone());
        }
        let marks = Arc::<marks::Marks>::default();
        let (processing, shared) = Processing::start(handle.clone(), Arc::clone(&input), Arc::clone(&marks));
        let capture = {
            let (shared, peek) = (Arc::clone(&shared), Arc::clone(&handle.peek));
            let inbox = Arc::clone(&handle.inbox);
            CaptureThread::start(demand, wish.reader(), inbox, move |report| match report {
                CaptureReport::Picture { picture, wished } => {
                    peek.offer(&picture, &wished);
                    shared.picture(picture, wished);
                }
                CaptureReport::State { state, source, name } => {
                    peek.clear();
                    shared.capture_state(state, source, name);
                }
            })
        };
        let local = local::Local::new(handle.clone(), Arc::clone(&input));
        let parts = Arc::new(Parts {
            handle: handle.clone(),
            jpeg,
            video,
            input,
            local,
            marks,
            wish,
            video_config,
            jpeg_quality,
            processing: shared,
            door: Arc::new(Door::new(folder)),
            started: Instant::now(),
        });
        let changed = Arc::downgrade(&parts);
        handle.store.set_listener(Box::new(move || {
            if let Some(parts) = changed.upgrade() {
                parts.settings_changed();
            }
        }));
        // A listener hears of changes only; whether control is allowed from the start has to be said once.
        parts.settings_changed();
        let supervisor = Supervisor::start(Arc::clone(&parts), commands, saved_as)?;
        Ok(Self { handle, parts, capture, processing, supervisor: Some(supervisor) })
    }

    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Ends everything, in the order in which it matters: what is pressed, then the viewers, the encoders, the filters
    /// and the capture. A part that hangs is left behind after its time.
    pub fn shutdown(mut self) {
        self.parts.input.stop(Instant::now() + ENDING);
        if let Some(supervisor) = self.supervisor.take() {
            supervisor.stop(Instant::now() + ENDING);
        }
        let deadline = Instant::now() + ENDING;
        self.parts.jpeg.stop(deadline);
        for hub in &self.parts.video {
            hub.stop(deadline);
        }
        self.processing.stop(Instant::now() + ENDING);
        self.capture.stop(Instant::now() + ENDING);
    }
}

impl Parts {
    /// Passes on what changed in the settings; on the thread that changed them, so that it is in the next frame.
    fn settings_changed(&self) {
        let settings = self.handle.store.get();
        let publish_if_new = |wish: CaptureWish| {
            self.wish.update(|current| {
                let wish = CaptureWish { attempt: current.attempt, ..wish };
                let differs = wish != *current;
                *current = wish;
                differs
            });
        };
        publish_if_new(wish_of(&settings, 0));
        let video = video_config_of(&settings);
        self.video_config.update(|current| std::mem::replace(current, video) != video);
        let quality = settings.share.jpeg_quality;
        self.jpeg_quality.update(|current| std::mem::replace(current, quality) != quality);
        let control_begins = self.input.allow(settings.share.on && settings.share.control);
        if control_begins && input::asks_first() {
            // Now the person is here who switched it on, and can answer.
            self.input.open();
        }
        self.local.follow(settings.share.on);
        self.processing.settings_changed();
    }

    /// Opens the source again, whatever became of it.
    fn retry_source(&self) {
        self.wish.update(|wish| {
            wish.attempt = wish.attempt.wrapping_add(1);
            true
        });
    }

    /// An instant on the clock that viewers see.
    fn clock_us(&self, at: Instant) -> u64 {
        // Frames can be a little older than the engine's start only in theory; they count as its start.
        u64::try_from(at.saturating_duration_since(self.started).as_micros()).unwrap_or(u64::MAX)
    }
}

fn wish_of(settings: &Settings, attempt: u32) -> CaptureWish {
    CaptureWish { source: settings.source.clone(), fps: settings.fps, attempt }
}

fn video_config_of(settings: &Settings) -> VideoConfig {
    VideoConfig { bitrate_kbps: settings.share.bitrate_kbps, fps: settings.fps }
}
