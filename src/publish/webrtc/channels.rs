//! The data channels of one viewer: what comes in goes to the session, in order and bounded.

use std::sync::Arc;

use axum::body::Bytes;
use tokio::sync::mpsc;
use webrtc::data_channel::{DataChannel, DataChannelEvent};

/// Channels to session. Reliable channels wait when it is full, which slows the page down; moves are dropped.
pub const EVENTS_WAITING: usize = 256;

/// The channels of the protocol, by their labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelKind {
    Control,
    Pointer,
    Moves,
}

/// What happened on a channel.
pub enum ChannelEvent {
    /// Open, and can be sent to.
    Open(ChannelKind, Arc<dyn DataChannel>),
    /// The channels differ in how they carry a message, not in what may be said.
    Message(Bytes),
    Closed(ChannelKind),
}

impl ChannelKind {
    fn from_label(label: &str) -> Option<Self> {
        match label {
            "control" => Some(Self::Control),
            "pointer" => Some(Self::Pointer),
            "moves" => Some(Self::Moves),
            _ => None,
        }
    }
}

/// Listens to one channel until it closes or the session is gone. Channels of other labels are closed.
pub async fn listen(channel: Arc<dyn DataChannel>, events: mpsc::Sender<ChannelEvent>) {
    let label = channel.label().await.unwrap_or_default();
    let Some(kind) = ChannelKind::from_label(&label) else {
        let _ = channel.close().await;
        return;
    };
    if events.send(ChannelEvent::Open(kind, Arc::clone(&channel))).await.is_err() {
        return;
    }
    loop {
        let event = tokio::select! {
            event = channel.poll() => event,
            () = events.closed() => return,
        };
        match event {
            Some(DataChannelEvent::OnMessage(message)) => {
                let message = ChannelEvent::Message(message.data.freeze());
                let gone = match kind {
                    ChannelKind::Moves => matches!(events.try_send(message), Err(mpsc::error::TrySendError::Closed(_))),
                    ChannelKind::Control | ChannelKind::Pointer => events.send(message).await.is_err(),
                };
                if gone {
                    return;
                }
            }
            Some(DataChannelEvent::OnClose) | None => break,
            Some(_) => {}
        }
    }
    let _ = events.send(ChannelEvent::Closed(kind)).await;
}
