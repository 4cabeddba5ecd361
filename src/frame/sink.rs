//! Where processed frames go: the preview, the encoders, a recorder.

use std::sync::Arc;

use super::Frame;

/// Takes every processed frame. It is called on the pipeline's thread, so it only puts the frame into a mailbox.
pub trait FrameSink: Send + Sync {
    fn offer(&self, frame: &Arc<Frame>);

    /// The capture paused, because nobody looks: forget the newest frame, it would be shown as if it were live.
    fn clear(&self) {}
}
