//! MJPEG: every frame becomes one part once, and each client gets the newest part whenever it can take one.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use http_body::Frame;
use tokio::sync::watch;
use tokio::time::timeout;

use super::host::{Host, JpegSource};
use super::viewers::ViewerPlace;
use crate::encode::{EncodedJpeg, Rung};
use crate::util::{Latest, LatestReader};

/// Long, because VLC looks for it in the bytes of the pictures too; always the same line, because VLC wants that.
pub const BOUNDARY: &str = "lenscast-frame-7d3f9a52c81e4b06a97f";
/// This long after a burst the last frame is sent once more: browsers paint a part when the next one begins.
const AFTER_BURST: Duration = Duration::from_millis(100);
/// A picture that stands still is sent this often.
const STILL: Duration = Duration::from_secs(1);

/// One frame as every client gets it: headers, JPEG, and the line that begins the next part.
#[derive(Debug)]
pub struct Part {
    /// Counts the parts, so that a client knows how many it missed.
    number: u64,
    bytes: Bytes,
    pub jpeg: Arc<EncodedJpeg>,
}

/// Makes the parts while somebody wants them.
#[derive(Debug)]
pub struct PartPump {
    newest: Latest<Option<Arc<Part>>>,
    wishes: watch::Sender<usize>,
}

/// A client's end of the pump; without any the encoder stops.
#[derive(Debug)]
pub struct Parts {
    reader: LatestReader<Option<Arc<Part>>>,
    pump: Arc<PartPump>,
}

impl Default for PartPump {
    fn default() -> Self {
        Self { newest: Latest::new(None), wishes: watch::Sender::new(0) }
    }
}

impl PartPump {
    /// Runs for as long as the publisher does.
    pub async fn run(&self, source: Arc<dyn JpegSource>, host: Arc<dyn Host>) {
        let mut wishes = self.wishes.subscribe();
        let mut number = 0;
        loop {
            if wishes.wait_for(|&wishes| wishes > 0).await.is_err() {
                return;
            }
            let (mut frames, ticket) = source.subscribe(Rung::Full);
            let mut frame = frames.get();
            loop {
                if let Some(jpeg) = frame.take() {
                    number += 1;
                    self.newest.publish(Some(Arc::new(Part::new(number, jpeg, host.as_ref()))));
                }
                tokio::select! {
                    changed = frames.changed() => match changed {
                        Some(changed) => frame = changed,
                        None => return,
                    },
                    ended = wishes.wait_for(|&wishes| wishes == 0) => {
                        if ended.is_err() {
                            return;
                        }
                        break;
                    }
                }
            }
            drop(ticket);
            self.newest.publish(None);
        }
    }

    pub fn subscribe(self: &Arc<Self>) -> Parts {
        self.wishes.send_modify(|wishes| *wishes += 1);
        Parts { reader: self.newest.reader(), pump: Arc::clone(self) }
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        self.pump.wishes.send_modify(|wishes| *wishes -= 1);
    }
}

impl Parts {
    /// The newest part, or the next one if there is none yet; `None` when the source has ended.
    pub async fn first(&mut self) -> Option<Arc<Part>> {
        let mut part = self.reader.get();
        while part.is_none() {
            part = self.reader.changed().await?;
        }
        part
    }

    async fn next(&mut self) -> Option<Arc<Part>> {
        loop {
            if let Some(part) = self.reader.changed().await? {
                return Some(part);
            }
        }
    }
}

impl Part {
    fn new(number: u64, jpeg: Arc<EncodedJpeg>, host: &dyn Host) -> Self {
        let captured_us = host.clock_us(jpeg.times.captured);
        let head = format!(
            "Content-Type: image/jpeg\r\nContent-Length: {}\r\nX-Timestamp: {}.{:06}\r\nX-Frame: {}\r\nX-Geometry: {}\r\n\r\n",
            jpeg.data.len(),
            captured_us / 1_000_000,
            captured_us % 1_000_000,
            jpeg.frame_id,
            jpeg.geometry.epoch,
        );
        let tail = format!("\r\n--{BOUNDARY}\r\n");
        let mut bytes = Vec::with_capacity(head.len() + jpeg.data.len() + tail.len());
        bytes.extend_from_slice(head.as_bytes());
        bytes.extend_from_slice(&jpeg.data);
        bytes.extend_from_slice(tail.as_bytes());
        Self { number, bytes: bytes.into(), jpeg }
    }
}

/// The endless body of `GET /stream`. hyper asks for the next piece only once the socket took the last one, so a slow
/// client skips frames instead of queueing them.
pub struct StreamBody {
    next: Pin<Box<NextPiece>>,
}

/// The next bytes and where to go on after them; `None` at the end.
type NextPiece = dyn Future<Output = Option<(Bytes, StreamState)>> + Send;

struct StreamState {
    parts: Parts,
    viewer: ViewerPlace,
    last: Option<Arc<Part>>,
    repeated: bool,
}

impl StreamBody {
    pub fn new(parts: Parts, viewer: ViewerPlace) -> Self {
        let state = StreamState { parts, viewer, last: None, repeated: false };
        let opening = Bytes::from(format!("--{BOUNDARY}\r\n"));
        Self { next: Box::pin(std::future::ready(Some((opening, state)))) }
    }
}

impl StreamState {
    /// Waits for what has to be sent next; `None` ends the stream.
    async fn next(mut self) -> Option<(Bytes, Self)> {
        let viewer = Arc::clone(self.viewer.viewer());
        let part = tokio::select! {
            part = self.next_part() => part?,
            () = viewer.ended() => return None,
        };
        viewer.note_sent(part.bytes.len(), Instant::now());
        Some((part.bytes.clone(), self))
    }

    async fn next_part(&mut self) -> Option<Arc<Part>> {
        let Some(last) = &self.last else {
            let first = self.parts.first().await?;
            self.last = Some(Arc::clone(&first));
            return Some(first);
        };
        let patience = if self.repeated { STILL } else { AFTER_BURST };
        let Ok(next) = timeout(patience, self.parts.next()).await else {
            self.repeated = true;
            return Some(Arc::clone(last));
        };
        let next = next?;
        self.viewer.note_skipped(next.number.saturating_sub(last.number + 1));
        self.last = Some(Arc::clone(&next));
        self.repeated = false;
        Some(next)
    }
}

impl http_body::Body for StreamBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some((bytes, state)) = ready!(self.next.as_mut().poll(cx)) else {
            // Asked again after the end it has to say so again, not panic.
            self.next = Box::pin(std::future::ready(None));
            return Poll::Ready(None);
        };
        self.next = Box::pin(state.next());
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }
}
