//! Turns one empty packet into all packets of a frame inside the WebRTC driver, so that a frame costs one wake-up and
//! its payloads are shared by all viewers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use rtc::interceptor::{Packet, StreamInfo, TaggedPacket};
use rtc::rtp;
use rtc::shared::error::Error;

use super::feed::Outgoing;
use super::packetizer::RECENT_FRAMES;
use super::passing::{Leaving, Step};

/// The extension that tells the receiver how long to hold frames back.
pub const PLAYOUT_DELAY_URI: &str = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay";
/// Minimum and maximum 0, 12 bits each: show every frame at once.
const AT_ONCE: [u8; 3] = [0; 3];
/// The extension that tells the receiver when the picture was captured, on the first packet of each frame.
pub const ABS_CAPTURE_TIME_URI: &str = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time";
/// From the beginning of 1900, where NTP counts from, to that of 1970.
const NTP_SECONDS: u64 = 2_208_988_800;
/// Session to driver. When the driver has this many frames to do it lags, and so does the viewer. More than a new
/// viewer gets at once to start with.
const FRAMES_AHEAD: usize = RECENT_FRAMES + 4;

/// Frames whose empty packet is on its way to the driver.
#[derive(Debug, Default)]
pub struct FrameQueue {
    frames: Mutex<VecDeque<Outgoing>>,
}

impl FrameQueue {
    /// False, and the frame is not taken, when the driver lags.
    pub fn push(&self, frame: Outgoing) -> bool {
        let mut frames = self.lock();
        let fits = frames.len() < FRAMES_AHEAD;
        if fits {
            frames.push_back(frame);
        }
        fits
    }

    fn pop(&self) -> Option<Outgoing> {
        self.lock().pop_front()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Outgoing>> {
        self.frames.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The interceptor nearest to the application.
pub struct Expander {
    queue: Arc<FrameQueue>,
    sequence: u16,
    playout_delay: Option<u8>,
    capture_time: Option<u8>,
}

impl Expander {
    /// `sequence` is the number of the first packet; random, as RTP wants it.
    pub fn new(queue: Arc<FrameQueue>, sequence: u16) -> Self {
        Self { queue, sequence, playout_delay: None, capture_time: None }
    }

    fn expand(
        &mut self,
        empty: &TaggedPacket,
        header: &rtp::Header,
        outgoing: &Outgoing,
        leaving: &mut Leaving,
    ) -> Result<(), Error> {
        let frame = &outgoing.frame;
        let last = frame.payloads.len().saturating_sub(1);
        for (index, payload) in frame.payloads.iter().enumerate() {
            let mut header = rtp::Header {
                sequence_number: self.sequence,
                timestamp: outgoing.rtp_timestamp,
                marker: index == last,
                ..header.clone()
            };
            if let Some(id) = self.playout_delay {
                header.set_extension(id, Bytes::from_static(&AT_ONCE))?;
            }
            if let Some(id) = self.capture_time.filter(|_| index == 0) {
                let captured = ntp_time(SystemTime::now(), frame.times.captured.elapsed());
                header.set_extension(id, Bytes::copy_from_slice(&captured.to_be_bytes()))?;
            }
            self.sequence = self.sequence.wrapping_add(1);
            let mut packet =
                TaggedPacket { now: empty.now, transport: empty.transport, message: empty.message.clone() };
            packet.message.packet = Packet::Rtp(rtp::Packet { header, payload: payload.clone() });
            leaving.push_back(packet);
        }
        Ok(())
    }
}

impl Step for Expander {
    fn bind(&mut self, stream: &StreamInfo) {
        let id = |uri| {
            let extension = stream.rtp_header_extensions.iter().find(|extension| extension.uri == uri)?;
            u8::try_from(extension.id).ok()
        };
        self.playout_delay = id(PLAYOUT_DELAY_URI);
        self.capture_time = id(ABS_CAPTURE_TIME_URI);
    }

    fn pass(&mut self, packet: TaggedPacket, leaving: &mut Leaving) -> Result<(), Error> {
        let header = match &packet.message.packet {
            Packet::Rtp(rtp) if rtp.payload.is_empty() => rtp.header.clone(),
            _ => {
                leaving.push_back(packet);
                return Ok(());
            }
        };
        match self.queue.pop() {
            Some(frame) => self.expand(&packet, &header, &frame, leaving),
            None => Ok(()),
        }
    }
}

/// A moment so long ago as NTP writes it: seconds, and in the lower half the parts of one.
fn ntp_time(now: SystemTime, ago: Duration) -> u64 {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default().saturating_sub(ago);
    let parts = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
    ((since.as_secs() + NTP_SECONDS) << 32) | parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_capture_time_is_ntp_s() {
        let now = UNIX_EPOCH + Duration::from_millis(10_250);
        assert_eq!(ntp_time(now, Duration::from_millis(750)), ((9 + NTP_SECONDS) << 32) | 0x8000_0000);
    }
}
