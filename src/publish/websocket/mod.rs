//! `GET /ws`: JPEG frames and the control messages over one WebSocket, for networks that let WebRTC not through.

mod auto;
mod frames;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Extension, Request, State};
use axum::response::Response;
use futures_util::stream::SplitStream;
use futures_util::{SinkExt, StreamExt};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::Shared;
use super::admit::Pass;
use super::agent;
use super::http::{Peer, Problem, too_many_viewers};
use super::protocol::{HostMessage, LONGEST_MESSAGE, PROTOCOL_VERSION};
use super::talk::{TICK, Talk, Wish};
use super::viewers::{Transport, ViewerPlace};
use frames::{Told, send_frames};

/// The name of what is spoken; the page asks for it, and a page of another time won't get it.
const PROTOCOL: &str = "lenscast";
/// Session to socket. A page that does not read misses messages; its frames go on when it reads again.
const MESSAGES_WAITING: usize = 64;
/// A client that does not even answer pings for so long is gone, though its socket has not noticed.
const SILENT: Duration = Duration::from_secs(10);
/// Saying goodbye is a courtesy.
const GOODBYE: Duration = Duration::from_millis(200);

/// `GET /ws`
pub async fn open(
    State(shared): State<Arc<Shared>>,
    Extension(Peer(address)): Extension<Peer>,
    Extension(pass): Extension<Pass>,
    socket: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let socket = socket.map_err(|_| Problem::new(426, "This address speaks WebSocket only."))?;
    let open = Arc::clone(&shared.sockets).try_acquire_owned().map_err(|_| too_many_viewers())?;
    let name = agent::named_by(request.headers());
    let place = shared.enter((address, pass), Transport::Websocket, "jpeg", name).ok_or_else(too_many_viewers)?;
    let socket = socket.protocols([PROTOCOL]).max_message_size(LONGEST_MESSAGE).max_frame_size(LONGEST_MESSAGE);
    // Whatever is buffered here would only grow old: what the system's buffer takes is enough.
    Ok(socket.write_buffer_size(0).on_upgrade(async move |socket| {
        let id = place.id;
        run(socket, shared, place).await;
        tracing::info!("viewer {id} left its WebSocket");
        drop(open);
    }))
}

/// From the first frame to the last; whichever side ends first ends the other.
async fn run(socket: WebSocket, shared: Arc<Shared>, place: ViewerPlace) {
    let (mut sink, stream) = socket.split();
    let (messages, waiting) = mpsc::channel(MESSAGES_WAITING);
    let told = watch::Sender::new(Told::default());
    let viewer = Arc::clone(place.viewer());
    let hello = HostMessage::Hello {
        protocol: PROTOCOL_VERSION,
        version: env!("CARGO_PKG_VERSION"),
        codec: "jpeg",
        id: place.id,
        sizes: true,
    };
    // The channel is empty and has places.
    let _ = messages.try_send(hello);
    let talk = Talk::new(Arc::clone(&shared), Arc::clone(&viewer), Instant::now());
    tokio::select! {
        () = listen(stream, talk, &messages, &told) => {}
        () = send_frames(&mut sink, waiting, told.subscribe(), &shared, &viewer) => {}
        () = viewer.ended() => {}
    }
    let _ = timeout(GOODBYE, sink.send(Message::Close(None))).await;
}

/// Reads what the page says until it says no more.
async fn listen(
    mut stream: SplitStream<WebSocket>,
    mut talk: Talk,
    messages: &mpsc::Sender<HostMessage>,
    told: &watch::Sender<Told>,
) {
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Instant::now();
    loop {
        let answer = tokio::select! {
            message = stream.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    heard = Instant::now();
                    let (answer, wish) = talk.on_message(text.as_bytes(), Instant::now());
                    match wish {
                        Some(Wish::Quality(quality)) => told.send_modify(|told| told.quality = quality),
                        Some(Wish::Ack { frame }) => told.send_modify(|told| told.acked = Some(frame)),
                        None => {}
                    }
                    answer
                }
                // Pings are answered by the library.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_))) => {
                    heard = Instant::now();
                    None
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            },
            _ = tick.tick() => {
                let now = Instant::now();
                if now.saturating_duration_since(heard) > SILENT {
                    return;
                }
                talk.on_tick(now)
            }
        };
        if let Some(answer) = answer {
            let _ = messages.try_send(answer);
        }
    }
}
