//! JPEG: encoded once for all who watch it at the same size and quality, or ask for a snapshot.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x4;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

use super::intake::Intake;
use super::jpeg_codec::JpegCodec;
use super::types::{EncodeError, EncodedJpeg, EncoderStats, Grade, Rung};
use crate::frame::{Frame, FrameSink};
use crate::geometry::Size;
use crate::util::{Demand, Latest, LatestReader, Ticket, Worker};

/// How long the thread sleeps at most before it looks whether it is still wanted.
const NAP: Duration = Duration::from_millis(500);

/// The newest JPEG for as long as the ticket is held; `None` until the first one is encoded.
pub type JpegSubscription = (LatestReader<Option<Arc<EncodedJpeg>>>, Ticket);

struct Shared {
    intake: Intake,
    /// In the order of [`Grade::ALL`].
    outputs: [Output; 4],
}

/// What is encoded at one quality, and who wants it.
struct Output {
    demand: Arc<Demand>,
    encoded: Latest<Option<Arc<EncodedJpeg>>>,
}

/// One JPEG encoder for each size. It runs only while somebody holds a subscription to that size, and encodes once for each
/// quality that somebody wants.
pub struct JpegHub {
    /// Full, half and quarter.
    rungs: [Encoder; 3],
}

/// The encoder of one size.
struct Encoder {
    shared: Arc<Shared>,
    worker: Mutex<Worker>,
}

impl JpegHub {
    /// Starts the threads. `quality` is 1 to 100; `demand` is the root that capture waits for.
    pub fn start(demand: &Arc<Demand>, quality: &LatestReader<u8>) -> Arc<Self> {
        let start = |name, rung| {
            let intake = Intake::new(demand);
            let outputs = Grade::ALL.map(|_| Output { demand: intake.part(), encoded: Latest::new(None) });
            let shared = Arc::new(Shared { intake, outputs });
            let worker = {
                let (shared, quality) = (Arc::clone(&shared), quality.clone());
                Worker::start(name, move || run(&shared, rung, quality.clone()))
            };
            Encoder { shared, worker: Mutex::new(worker) }
        };
        let rungs = [
            start("encode-jpeg", Rung::Full),
            start("encode-jpeg-2", Rung::Half),
            start("encode-jpeg-4", Rung::Quarter),
        ];
        Arc::new(Self { rungs })
    }

    /// JPEGs of this size and quality from now on, beginning with the newest picture even if the screen stands still.
    pub fn subscribe(&self, rung: Rung, grade: Grade) -> JpegSubscription {
        let Encoder { shared, .. } = &self.rungs[rung.index()];
        let Output { demand, encoded } = &shared.outputs[grade.index()];
        // What was encoded for the last viewer may be an hour old.
        let ticket = shared.intake.want_afresh(demand, || encoded.publish(None));
        (encoded.reader(), ticket)
    }

    /// What all sizes encoded together; the time is that of the largest at work.
    pub fn stats(&self) -> EncoderStats {
        EncoderStats::sum(self.rungs.iter().map(|encoder| encoder.shared.intake.stats()))
    }

    /// Ends the threads; waits for them until `deadline`.
    pub fn stop(&self, deadline: Instant) {
        for encoder in &self.rungs {
            encoder.shared.intake.close();
        }
        for encoder in &self.rungs {
            encoder.worker.lock().unwrap_or_else(PoisonError::into_inner).join(deadline);
        }
    }
}

impl FrameSink for JpegHub {
    fn offer(&self, frame: &Arc<Frame>) {
        self.rungs.iter().for_each(|encoder| encoder.shared.intake.offer(frame));
    }

    fn clear(&self) {
        self.rungs.iter().for_each(|encoder| encoder.shared.intake.clear());
    }
}

fn run(shared: &Shared, rung: Rung, mut quality: LatestReader<u8>) {
    let mut encoder = None;
    let mut resizer = Resizer::new();
    loop {
        let Ok(work) = shared.intake.take(NAP) else { return };
        let Some(frame) = work.and_then(|work| work.frame).filter(|_| shared.intake.is_wanted()) else { continue };
        let started = Instant::now();
        let smaller = shrink(&mut resizer, &frame, rung);
        let encoded = smaller.and_then(|small| {
            let picture = small.as_ref().unwrap_or(&frame);
            encode_all(shared, &mut encoder, (&frame, picture), quality.get(), started)
        });
        if let Err(error) = encoded {
            tracing::warn!("{error}; the frame is left out");
            encoder = None;
        }
    }
}

/// Encodes the picture that a frame is at this size once for each quality that somebody wants.
fn encode_all(
    shared: &Shared,
    encoder: &mut Option<JpegCodec>,
    (frame, picture): (&Frame, &Frame),
    setting: u8,
    mut started: Instant,
) -> Result<(), EncodeError> {
    for (grade, output) in Grade::ALL.into_iter().zip(&shared.outputs) {
        let is_this = |jpeg: &EncodedJpeg| (jpeg.frame_id, jpeg.times) == (frame.id, frame.times);
        // Somebody who came for another quality while the picture stands still had it made again; these have it.
        let has_it = || output.encoded.reader().get().is_some_and(|jpeg| is_this(&jpeg));
        if !output.demand.is_wanted() || has_it() {
            continue;
        }
        let data = encode_with(encoder, picture, grade.quality(setting))?;
        shared.intake.note(data.len(), true, started.elapsed());
        let (size, geometry, encoded) = (picture.size, Arc::clone(&frame.geometry), Instant::now());
        let jpeg = EncodedJpeg { data, size, frame_id: frame.id, times: frame.times, encoded, geometry };
        output.encoded.publish(Some(Arc::new(jpeg)));
        started = encoded;
    }
    Ok(())
}

/// The size of a rung: at least a pixel, and even where the codec likes it so.
fn rung_size(full: Size, rung: Rung) -> Size {
    let side = |side: u32| match side / rung.divisor() {
        side if rung == Rung::Full || side < 2 => side.max(1),
        side => side & !1,
    };
    Size::new(side(full.width), side(full.height))
}

/// The picture at the size of a rung; `None` where that is its own.
fn shrink(resizer: &mut Resizer, frame: &Frame, rung: Rung) -> Result<Option<Frame>, EncodeError> {
    let size = rung_size(frame.size, rung);
    if size == frame.size || frame.size.is_empty() {
        return Ok(None);
    }
    let failed = |error: &dyn std::fmt::Display| EncodeError::Convert(error.to_string());
    let mut pixels = vec![0; frame.pixels.len().min(size.width as usize * size.height as usize * 4)];
    {
        let from = TypedImageRef::<U8x4>::from_buffer(frame.size.width, frame.size.height, &frame.pixels);
        let from = from.map_err(|error| failed(&error))?;
        let to = TypedImage::<U8x4>::from_buffer(size.width, size.height, &mut pixels);
        let mut to = to.map_err(|error| failed(&error))?;
        // Whole blocks are averaged, so that thin strokes turn pale instead of vanishing.
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Box)).use_alpha(false);
        resizer.resize_typed(&from, &mut to, &options).map_err(|error| failed(&error))?;
    }
    Ok(Some(Frame { size, pixels: Arc::new(pixels.into()), ..frame.clone() }))
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
