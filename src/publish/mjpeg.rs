//! MJPEG: every frame becomes one part once for each size and quality, and each client gets the newest part whenever it can
//! take one.

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
use crate::encode::{EncodedJpeg, Grade, Rung};
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

/// Which JPEGs a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Choice {
    pub rung: Rung,
    pub grade: Grade,
}

/// One pump for each size and quality.
#[derive(Debug, Default)]
pub struct PartPumps([[Arc<PartPump>; Grade::ALL.len()]; Rung::ALL.len()]);

/// Makes the parts of one size and quality while somebody wants them.
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

impl Choice {
    /// Reads `size` and `quality` of a query; the rest of it is somebody else's.
    ///
    /// # Errors
    /// When a value is none; the sentence is for the client.
    pub fn from_query(query: Option<&str>) -> Result<Self, &'static str> {
        let mut choice = Self::default();
        for (name, value) in query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('=')) {
            match name {
                "size" => {
                    let rung = Rung::ALL.into_iter().find(|rung| rung.id() == value);
                    choice.rung = rung.ok_or("`size` is `full`, `half` or `quarter`.")?;
                }
                "quality" => {
                    let quality = value.parse().ok().filter(|quality| (1..=100).contains(quality));
                    choice.grade = quality.map(Grade::nearest).ok_or("`quality` is a whole number from 1 to 100.")?;
                }
                _ => {}
            }
        }
        Ok(choice)
    }
}

impl PartPumps {
    pub fn subscribe(&self, choice: Choice) -> Parts {
        self.0[choice.rung.index()][choice.grade.index()].subscribe()
    }

    /// What has to run for as long as the publisher does.
    pub fn tasks(
        &self,
        source: &Arc<dyn JpegSource>,
        host: &Arc<dyn Host>,
    ) -> impl Iterator<Item = impl Future<Output = ()> + Send + use<>> {
        let choices = Rung::ALL.into_iter().flat_map(|rung| Grade::ALL.map(|grade| Choice { rung, grade }));
        choices.map(|choice| {
            let pump = Arc::clone(&self.0[choice.rung.index()][choice.grade.index()]);
            let (source, host) = (Arc::clone(source), Arc::clone(host));
            async move { pump.run(choice, source, host).await }
        })
    }
}

impl PartPump {
    async fn run(&self, choice: Choice, source: Arc<dyn JpegSource>, host: Arc<dyn Host>) {
        let mut wishes = self.wishes.subscribe();
        let mut number = 0;
        loop {
            if wishes.wait_for(|&wishes| wishes > 0).await.is_err() {
                return;
            }
            let (mut frames, ticket) = source.subscribe(choice.rung, choice.grade);
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

    fn subscribe(self: &Arc<Self>) -> Parts {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_and_quality_are_read_and_what_is_neither_is_refused() {
        let read = |query: &str| Choice::from_query(Some(query));
        assert_eq!(Choice::from_query(None), Ok(Choice::default()));
        assert_eq!(read("action=stream&t=1"), Ok(Choice::default()));
        assert_eq!(read("size=half"), Ok(Choice { rung: Rung::Half, grade: Grade::Setting }));
        for (quality, grade) in
            [(1, Grade::Low), (50, Grade::Low), (51, Grade::Middle), (71, Grade::High), (100, Grade::High)]
        {
            assert_eq!(read(&format!("quality={quality}&size=quarter")), Ok(Choice { rung: Rung::Quarter, grade }));
        }
        for wrong in
            ["size=", "size=huge", "size=Half", "quality=0", "quality=101", "quality=-5", "quality=8e1", "quality="]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
