//! What the engine is doing, published as a whole at most ten times a second.

use std::net::IpAddr;
use std::sync::Arc;

use serde::Serialize;

use crate::capture::{CaptureState, SourceId, SourceList};
use crate::geometry::Size;
use crate::pipeline::PassReport;
use crate::publish::{DoorView, OutgoingState, ViewerInfo};

/// A snapshot of everything the window and `/state` show.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Status {
    pub sources: SourceList,
    pub capture: CaptureState,
    /// What is really captured: the test pattern when the wished source can't be had.
    pub source: Option<SourceId>,
    pub source_name: String,
    /// Size of the captured and of the processed picture.
    pub source_size: Option<Size>,
    pub output_size: Option<Size>,
    pub captured_fps: f32,
    pub filtered_fps: f32,
    /// Milliseconds of the last chain run.
    pub filter_ms: f32,
    pub frames: FrameCounts,
    /// Filters that could not be prepared: key in the chain, and why. They are bypassed.
    pub filter_errors: Vec<(u32, String)>,
    /// How the chain was compiled and what each pass costs.
    pub passes: Vec<PassReport>,
    pub share: ShareState,
    pub outgoing: OutgoingStatus,
    pub viewers: Vec<ViewerInfo>,
    /// Who is in, who asks, and what lets them.
    pub door: Arc<DoorView>,
    pub encoders: Vec<EncoderStatus>,
    pub control: ControlStatus,
}

/// Frames since the start, by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct FrameCounts {
    pub captured: u64,
    pub filtered: u64,
    /// Replaced by a newer frame because the filters were busy.
    pub dropped: u64,
}

/// Whether and where the picture can be watched.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ShareState {
    #[default]
    Off,
    /// `links` open the viewer page with its secret, best one first.
    On { links: Vec<String>, address: IpAddr, port: u16 },
    /// The sentence says why and what to do.
    Failed(String),
}

/// How publishing to a server goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutgoingStatus {
    /// The server's name.
    pub host: String,
    pub state: OutgoingState,
}

impl OutgoingStatus {
    /// One line for people; empty while nothing is published.
    pub fn sentence(&self) -> String {
        self.state.sentence(&self.host)
    }
}

/// One encoder; it runs only while it has viewers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EncoderStatus {
    pub codec: &'static str,
    pub viewers: usize,
    pub encoded: u64,
    pub keyframes: u64,
    /// Milliseconds of the last frame.
    pub ms: f32,
    pub kbps: f32,
    /// What it gives up because the machine can't keep up, in one sentence.
    pub gives_way: Option<String>,
}

/// The pointer that comes back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ControlStatus {
    pub allowed: bool,
    /// Why clicks can't be made here, in one sentence.
    pub unavailable: Option<String>,
    /// The desktop asks the person at the host just now.
    pub asking_desktop: bool,
    /// Events that came, that did something, and that were refused (padding, unknown epoch, out of range).
    pub received: u64,
    pub injected: u64,
    pub refused: u64,
    /// The session that has the desktop; nobody else can do anything meanwhile.
    pub holder: Option<u64>,
    /// The person at the host took it, and gives it back.
    pub taken: bool,
    /// The holder did something in the last seconds.
    pub busy: bool,
    /// Sessions that ask for it, the longest waiting first.
    pub asking: Vec<u64>,
    /// Viewers wait because somebody uses the real mouse or keyboard.
    pub local: bool,
}
