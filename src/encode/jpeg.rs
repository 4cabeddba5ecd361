//! JPEG: encoded once for all who watch MJPEG or ask for a snapshot.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::jpeg_codec::JpegCodec;
use super::types::{EncodeError, EncodedJpeg, EncoderStats};
use crate::frame::Frame;
use crate::frame::FrameSink;
use crate::util::{Demand, Latest, LatestReader, Mailbox, Ticket, Worker};

/// How long the thread sleeps at most before it looks whether it is still wanted.
const NAP: Duration = Duration::from_millis(500);

/// The newest JPEG for as long as the ticket is held; `None` until the first one is encoded.
pub type JpegSubscription = (LatestReader<Option<Arc<EncodedJpeg>>>, Ticket);

struct Shared {
    mailbox: Mailbox<Arc<Frame>>,
    /// The newest processed picture, for the next one who comes while the screen stands still.
    newest: Mutex<Option<Arc<Frame>>>,
    encoded: Latest<Option<Arc<EncodedJpeg>>>,
    stats: Mutex<EncoderStats>,
}

/// One JPEG encoder for all. It runs only while somebody holds a subscription.
pub struct JpegHub {
    demand: Arc<Demand>,
    shared: Arc<Shared>,
    worker: Mutex<Worker>,
}

impl JpegHub {
    /// Starts the thread. `quality` is 1 to 100; `demand` is the root that capture waits for.
    pub fn start(demand: &Arc<Demand>, quality: &LatestReader<u8>) -> Arc<Self> {
        let demand = Demand::child(demand);
        let shared = Arc::new(Shared {
            mailbox: Mailbox::default(),
            newest: Mutex::default(),
            encoded: Latest::new(None),
            stats: Mutex::default(),
        });
        let worker = {
            let (demand, shared, quality) = (Arc::clone(&demand), Arc::clone(&shared), quality.clone());
            Worker::start("encode-jpeg", move || run(&demand, &shared, quality.clone()))
        };
        Arc::new(Self { demand, shared, worker: Mutex::new(worker) })
    }

    /// JPEGs from now on, beginning with the newest picture even if the screen stands still.
    pub fn subscribe(&self) -> JpegSubscription {
        let newest = self.shared.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.demand.is_wanted() {
            // What was encoded for the last viewer may be an hour old.
            self.shared.encoded.publish(None);
        }
        let subscription = (self.shared.encoded.reader(), self.demand.want());
        if let Some(frame) = newest.as_ref().filter(|_| self.demand.count() == 1) {
            self.shared.mailbox.put(Arc::clone(frame));
        }
        subscription
    }

    pub fn stats(&self) -> EncoderStats {
        let stats = *self.shared.stats.lock().unwrap_or_else(PoisonError::into_inner);
        EncoderStats { viewers: self.demand.count(), ..stats }
    }

    /// Ends the thread; waits for it until `deadline`.
    pub fn stop(&self, deadline: Instant) {
        self.shared.mailbox.close();
        self.worker.lock().unwrap_or_else(PoisonError::into_inner).join(deadline);
    }
}

impl FrameSink for JpegHub {
    fn offer(&self, frame: &Arc<Frame>) {
        *self.shared.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(frame));
        if self.demand.is_wanted() {
            self.shared.mailbox.put(Arc::clone(frame));
        }
    }

    fn clear(&self) {
        *self.shared.newest.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

fn run(demand: &Demand, shared: &Shared, mut quality: LatestReader<u8>) {
    let mut encoder = None;
    loop {
        let frame = match shared.mailbox.take(NAP) {
            Ok(Some(frame)) if demand.is_wanted() => frame,
            Ok(_) => continue,
            Err(_) => return,
        };
        let started = Instant::now();
        let data = match encode_with(&mut encoder, &frame, quality.get()) {
            Ok(data) => data,
            Err(error) => {
                tracing::warn!("{error}; the frame is left out");
                encoder = None;
                continue;
            }
        };
        {
            let mut stats = shared.stats.lock().unwrap_or_else(PoisonError::into_inner);
            stats.encoded += 1;
            stats.keyframes += 1;
            stats.bytes += data.len() as u64;
            stats.ms = started.elapsed().as_secs_f32() * 1e3;
        }
        let (size, geometry) = (frame.size, Arc::clone(&frame.geometry));
        let jpeg = EncodedJpeg { data, size, frame_id: frame.id, times: frame.times, geometry };
        shared.encoded.publish(Some(Arc::new(jpeg)));
    }
}

/// Encodes with the kept encoder, which is made when it is first needed.
fn encode_with(kept: &mut Option<JpegCodec>, frame: &Frame, quality: u8) -> Result<Vec<u8>, EncodeError> {
    let codec = match kept {
        Some(codec) => codec,
        None => kept.insert(JpegCodec::new()?),
    };
    codec.encode(frame, quality)
}

/// One JPEG of a frame: baseline, 4:2:0, without metadata. `quality` is 1 to 100.
///
/// # Errors
/// When the encoder refuses the picture, for example because a side is over 65,500 pixels.
pub fn encode_jpeg(frame: &Frame, quality: u8) -> Result<Vec<u8>, EncodeError> {
    JpegCodec::new()?.encode(frame, quality)
}
