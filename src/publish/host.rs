//! What the publisher asks of the rest of the program, so that it knows neither the engine nor the settings.

use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

use super::access::AccessPolicy;
use super::admit::Door;
use super::peer::IceServer;
use crate::encode::{Grade, JpegHub, JpegSubscription, Rung, VideoCodec, VideoConfig, VideoHub, VideoSink};
use crate::filter::ChainError;
use crate::input::{BatonWish, InputEvent};
use crate::receive::Inbox;
use crate::util::Ticket;

/// The program behind the publisher. Every method is called on the publisher's threads and returns without waiting.
pub trait Host: Send + Sync + 'static {
    /// Who may do what now; asked at every request and every message, so that a change counts at once.
    fn access(&self) -> AccessPolicy;

    /// Who is let in; the same one every time.
    fn door(&self) -> Arc<Door>;

    /// The answer of `GET /state`.
    fn state(&self) -> Value;

    /// The chain as remote clients see it.
    fn chain(&self) -> Value;

    /// Applies a JSON Merge Patch to the chain and gives the chain as it is now.
    ///
    /// # Errors
    /// When the patch can't be applied; nothing of it is applied then.
    fn patch_chain(&self, patch: &Value) -> Result<Value, ChainError>;

    /// Every filter with its parameters.
    fn filters(&self) -> Value;

    /// An instant on the clock that viewers see, in microseconds.
    fn clock_us(&self, at: Instant) -> u64;

    /// What a viewer did with the pointer or the keyboard; only called while it is allowed.
    fn input(&self, session: u64, event: InputEvent);

    /// A viewer asks for the control of the desktop, or gives it away.
    fn wish_control(&self, session: u64, wish: BatonWish);

    /// Releases what a session holds, and the control of the desktop; the session may go on.
    fn end_pointer(&self, session: u64);

    /// STUN and TURN servers, for this computer and for viewers; asked at every session.
    fn ice_servers(&self) -> Vec<IceServer> {
        Vec::new()
    }

    /// Where a published picture goes; a host without a place for one takes none.
    fn inbox(&self) -> Option<Arc<Inbox>> {
        None
    }
}

/// Where JPEGs come from: one encoder for each size and quality, which runs only while somebody holds a ticket.
pub trait JpegSource: Send + Sync + 'static {
    /// The newest JPEG, `None` while nobody wants any, and the wish that keeps them coming.
    fn subscribe(&self, rung: Rung, grade: Grade) -> JpegSubscription;
}

/// Where the frames of one codec come from: one encoder for each size, which runs only while somebody holds a ticket.
pub trait VideoSource: Send + Sync + 'static {
    fn codec(&self) -> VideoCodec;

    /// The setting, which speaks of the full size.
    fn config(&self) -> VideoConfig;

    /// The largest size that this machine can encode now.
    fn largest(&self) -> Rung;

    /// Wants frames of this size; the first one is a keyframe, also while the picture stands still.
    fn want(&self, rung: Rung) -> Ticket;

    /// Asks for a keyframe soon; the source limits how often it gives one.
    fn request_keyframe(&self, rung: Rung);

    /// What the links of this size's viewers carry, in kbit/s: the encoder stays below it, and below its setting.
    /// `None` is no limit.
    fn set_ceiling(&self, rung: Rung, kbps: Option<u32>);

    /// Who takes every encoded frame, called on the encoder's thread; replaces whoever took them before.
    fn set_output(&self, output: Arc<dyn VideoSink>);
}

impl JpegSource for JpegHub {
    fn subscribe(&self, rung: Rung, grade: Grade) -> JpegSubscription {
        Self::subscribe(self, rung, grade)
    }
}

impl VideoSource for VideoHub {
    fn codec(&self) -> VideoCodec {
        Self::codec(self)
    }

    fn config(&self) -> VideoConfig {
        Self::config(self)
    }

    fn largest(&self) -> Rung {
        self.relief().largest
    }

    fn want(&self, rung: Rung) -> Ticket {
        Self::want(self, rung)
    }

    fn request_keyframe(&self, rung: Rung) {
        Self::request_keyframe(self, rung);
    }

    fn set_ceiling(&self, rung: Rung, kbps: Option<u32>) {
        Self::set_ceiling(self, rung, kbps);
    }

    fn set_output(&self, output: Arc<dyn VideoSink>) {
        Self::set_output(self, output);
    }
}
