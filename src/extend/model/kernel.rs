//! The model as the pipeline runs it, and the thread that it runs on.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::aside::{Aside, Terms};
use super::super::link::{Answer, Link, Trouble};
use super::filter::{Model, ModelResult};
use super::network::Network;
use crate::filter::area::GaussianBlur;
use crate::filter::bands::for_each_band;
use crate::filter::kernel::{AreaKernel, Kernel, Moment, Prepare, PrepareError, Shown, TimeKernel};
use crate::frame::BYTES_PER_PIXEL;
use crate::geometry::Size;
use crate::util::Worker;

/// How long the answer to this very frame is waited for, if the model has been that fast lately; as with programs.
const WAIT: Duration = Duration::from_millis(25);
/// A model that takes longer for a picture is bypassed.
const SLOW: Duration = Duration::from_secs(1);
/// How often an idle thread looks around.
const NAP: Duration = Duration::from_secs(1);

pub(super) struct ModelKernel {
    model: Model,
    network: Arc<Network>,
    size: Size,
    /// From the first frame on.
    link: Option<Running>,
    aside: Aside,
    params: Arc<str>,
    blur: Option<Box<dyn AreaKernel>>,
    blurred: Vec<u8>,
}

/// A thread at work; it ends when this is dropped, after the run that it is in.
struct Running(Arc<Link>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl ModelKernel {
    pub(super) fn new(model: Model, network: Arc<Network>, size: Size) -> Result<Self, PrepareError> {
        let blur = match (model.result, GaussianBlur { sigma: model.blur }.prepare(size)?) {
            (ModelResult::Blur, Kernel::Area(blur)) => Some(blur),
            _ => None,
        };
        let aside = Aside::new(size);
        Ok(Self { model, network, size, link: None, aside, params: "".into(), blur, blurred: Vec::new() })
    }

    fn is_picture(&self) -> bool {
        self.model.result == ModelResult::Picture
    }

    fn start(&self) -> Running {
        let link = Arc::new(Link::default());
        let (thread, network, is_picture) = (Arc::clone(&link), Arc::clone(&self.network), self.is_picture());
        // Nobody joins it: it ends with its link, and a run that takes long must hold up nothing.
        Worker::start("model", move || serve(&thread, &network, is_picture));
        Running(link)
    }

    /// Puts the answer to work.
    fn show(&mut self, answer: &[u8], pixels: &mut [u8]) {
        let (width, amount) = (self.size.width as usize, (self.model.amount * 256.0).round() as u32);
        let stride = width * BYTES_PER_PIXEL;
        if self.is_picture() {
            for_each_band(pixels, stride, |first, band| {
                let answer = &answer[first * stride..][..band.len()];
                for (pixel, answer) in chunks(band).iter_mut().zip(answer.as_chunks::<BYTES_PER_PIXEL>().0) {
                    for (level, other) in pixel[..3].iter_mut().zip(answer) {
                        *level = mixed(*level, *other, amount);
                    }
                }
            });
            return;
        }
        if let Some(blur) = &mut self.blur {
            self.blurred.resize(pixels.len(), 0);
            blur.run(pixels, &mut self.blurred);
        }
        let (blurred, invert, result) = (&self.blurred, self.model.invert, self.model.result);
        for_each_band(pixels, stride, |first, band| {
            for (at, pixel) in chunks(band).iter_mut().enumerate() {
                let at = first * width + at;
                let mask = if invert { 255 - answer[at] } else { answer[at] };
                match result {
                    ModelResult::Transparent => {
                        let kept = mixed(255, mask, amount);
                        pixel[3] = ((u32::from(pixel[3]) * u32::from(kept) + 127) / 255) as u8;
                    }
                    ModelResult::Mask => {
                        for level in &mut pixel[..3] {
                            *level = mixed(*level, mask, amount);
                        }
                    }
                    ModelResult::Blur | ModelResult::Picture => {
                        let background = (255 - u32::from(mask)) * amount / 255;
                        // Without a blur there is no background to show.
                        if let Some(blurred) = blurred.get(at * BYTES_PER_PIXEL..at * BYTES_PER_PIXEL + 3) {
                            for (level, other) in pixel[..3].iter_mut().zip(blurred) {
                                *level = mixed(*level, *other, background);
                            }
                        }
                    }
                }
            }
        });
    }
}

fn chunks(band: &mut [u8]) -> &mut [[u8; BYTES_PER_PIXEL]] {
    band.as_chunks_mut().0
}

/// `amount` of 256 parts of the way from `level` to `other`, rounded.
fn mixed(level: u8, other: u8, amount: u32) -> u8 {
    ((u32::from(level) * (256 - amount) + u32::from(other) * amount + 128) >> 8) as u8
}

/// Runs the model on the newest frame, again and again, until the link is closed.
fn serve(link: &Link, network: &Network, is_picture: bool) {
    let mut has_failed = false;
    let mut has_run = false;
    while let Ok(job) = link.take(NAP) {
        let Some(job) = job else { continue };
        // What failed on one picture would fail on each; it is tried again when something was changed.
        if has_failed && !job.retry {
            continue;
        }
        let started = Instant::now();
        let made = network.run(&job.pixels, job.size, || link.is_closing());
        has_failed = made.is_err();
        match made {
            Ok(Some(levels)) => {
                let bytes = if is_picture { BYTES_PER_PIXEL } else { 1 };
                let mut pixels = link.pool.take(job.size.pixels() * bytes);
                if is_picture {
                    levels.stretch_picture(job.size, &mut pixels);
                } else {
                    levels.stretch_mask(job.size, &mut pixels);
                }
                // The first run also warms up.
                let took = std::mem::replace(&mut has_run, true).then(|| started.elapsed());
                link.note_answer(Answer { number: job.number, at: job.at, pixels: Arc::new(pixels) }, took);
            }
            Ok(None) => {}
            Err(sentence) => {
                tracing::warn!("the filter ONNX model: {sentence}");
                link.note_trouble(Trouble { sentence, given_up: true });
            }
        }
    }
}

impl TimeKernel for ModelKernel {
    fn run(&mut self, pixels: &mut [u8], moment: Moment) -> Shown {
        let link = self.link.take().unwrap_or_else(|| self.start());
        let answer_bytes = self.size.pixels() * if self.is_picture() { BYTES_PER_PIXEL } else { 1 };
        let terms =
            Terms { name: "ONNX model", params: &self.params, animated: false, wait: WAIT, slow: SLOW, answer_bytes };
        if let Some(answer) = self.aside.run(&link.0, pixels, moment, &terms) {
            self.show(&answer, pixels);
        }
        self.link = Some(link);
        Shown::Yes
    }

    fn go_on_from(&mut self, older: Box<dyn Any>) {
        let Ok(older) = older.downcast::<Self>() else { return };
        // What else can be changed concerns only how its answer is shown.
        if Arc::ptr_eq(&older.network, &self.network) && older.is_picture() == self.is_picture() {
            self.link = older.link;
            self.aside.go_on_from(older.aside, true);
        }
    }

    fn goes_on(&self) -> bool {
        !self.aside.is_settled()
    }

    fn memory(&self) -> [usize; 2] {
        let [now, most] = self.aside.memory();
        [now + self.blurred.len(), most + self.size.pixels() * BYTES_PER_PIXEL]
    }

    fn aside(&self) -> Option<Duration> {
        self.aside.took()
    }

    fn complaint(&self) -> Option<String> {
        self.aside.complaint()
    }
}
