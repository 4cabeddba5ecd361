//! JPEG: encoded once for all who watch MJPEG or ask for a snapshot.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::intake::Intake;
use super::jpeg_codec::JpegCodec;
use super::types::{EncodeError, EncodedJpeg, EncoderStats};
use crate::frame::Frame;
use crate::frame::FrameSink;
use crate::util::{Demand, Latest, LatestReader, Ticket, Worker};

/// How long the thread sleeps at most before it looks whether it is still wanted.
const NAP: Duration = Duration::from_millis(500);

/// The newest JPEG for as long as the ticket is held; `None` until the first one is encoded.
pub type JpegSubscription = (LatestReader<Option<Arc<EncodedJpeg>>>, Ticket);

struct Shared {
    intake: Intake,
    encoded: Latest<Option<Arc<EncodedJpeg>>>,
}

/// One JPEG encoder for all. It runs only while somebody holds a subscription.
pub struct JpegHub {
    shared: Arc<Shared>,
    worker: Mutex<Worker>,
}

impl JpegHub {
    /// Starts the thread. `quality` is 1 to 100; `demand` is the root that capture waits for.
    pub fn start(demand: &Arc<Demand>, quality: &LatestReader<u8>) -> Arc<Self> {
        let shared = Arc::new(Shared { intake: Intake::new(demand), encoded: Latest::new(None) });
        let worker = {
            let (shared, quality) = (Arc::clone(&shared), quality.clone());
            Worker::start("encode-jpeg", move || run(&shared, quality.clone()))
        };
        Arc::new(Self { shared, worker: Mutex::new(worker) })
    }

    /// JPEGs from now on, beginning with the newest picture even if the screen stands still.
    pub fn subscribe(&self) -> JpegSubscription {
        let encoded = &self.shared.encoded;
        // What was encoded for the last viewer may be an hour old.
        let ticket = self.shared.intake.want_afresh(|| encoded.publish(None));
        (encoded.reader(), ticket)
    }

    pub fn stats(&self) -> EncoderStats {
        self.shared.intake.stats()
    }

    /// Ends the thread; waits for it until `deadline`.
    pub fn stop(&self, deadline: Instant) {
        self.shared.intake.close();
        self.worker.lock().unwrap_or_else(PoisonError::into_inner).join(deadline);
    }
}

impl FrameSink for JpegHub {
    fn offer(&self, frame: &Arc<Frame>) {
        self.shared.intake.offer(frame);
    }

    fn clear(&self) {
        self.shared.intake.clear();
    }
}

fn run(shared: &Shared, mut quality: LatestReader<u8>) {
    let mut encoder = None;
    loop {
        let Ok(work) = shared.intake.take(NAP) else { return };
        let Some(frame) = work.and_then(|work| work.frame).filter(|_| shared.intake.is_wanted()) else { continue };
        let started = Instant::now();
        let data = match encode_with(&mut encoder, &frame, quality.get()) {
            Ok(data) => data,
            Err(error) => {
                tracing::warn!("{error}; the frame is left out");
                encoder = None;
                continue;
            }
        };
        shared.intake.note(data.len(), true, started.elapsed());
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
