//! The HTTP server: our own accept loop, because the limits that keep a stranger from tying it up are set there.

mod api;
mod assets;
mod connection;
mod policy;
mod problem;
mod router;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::Shared;
pub use api::{is_type, too_many_viewers};
use connection::WatchedStream;
pub use policy::{credentials, secret_of_socket};
pub use problem::Problem;

/// More connections than this at once are turned away.
const MOST_CONNECTIONS: usize = 64;
/// A request's headers have to be here this soon, and be this small.
const HEADER_TIME: Duration = Duration::from_secs(5);
const HEADER_BYTES: usize = 16 * 1024;
/// Small, so that what waits in the kernel for a slow client is a frame or two and not a second of them.
const SEND_BUFFER: usize = 128 * 1024;
/// How long to wait when the system has no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The address a request came from.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// Accepts connections until `stop` becomes true, then closes all of them.
pub async fn serve(listener: TcpListener, shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    let router = router::router(shared);
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            // The set is swept as connections end, so that it does not grow.
            Some(_) = connections.join_next() => continue,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!("a connection could not be accepted: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        match Arc::clone(&places).try_acquire_owned() {
            Ok(place) => {
                let router = router.clone();
                connections.spawn(async move {
                    talk(stream, peer, router).await;
                    drop(place);
                });
            }
            Err(_) => {
                connections.spawn(turn_away(stream));
            }
        }
    }
    drop(listener);
    connections.shutdown().await;
}

async fn talk(stream: TcpStream, peer: SocketAddr, router: Router) {
    // Both only make things faster; a socket that refuses them works as well.
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER);
    let peer = Peer(peer.ip().to_canonical());
    let service = TowerToHyperService::new(router.layer(axum::Extension(peer)));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADER_TIME).max_buf_size(HEADER_BYTES);
    let io = TokioIo::new(WatchedStream::new(stream));
    // A client that breaks off is no news.
    if let Err(error) = builder.serve_connection(io, service).with_upgrades().await {
        tracing::trace!("a connection ended: {error}");
    }
}

/// Says that there are too many, without reading what was asked.
async fn turn_away(stream: TcpStream) {
    const ANSWER: &[u8] =
        b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let _ = tokio::time::timeout(Duration::from_secs(1), async {
        stream.writable().await?;
        // Fits into every socket's empty buffer.
        stream.try_write(ANSWER)?;
        // Closing with a request unread would take the answer back.
        stream.readable().await?;
        stream.try_read(&mut [0; HEADER_BYTES])
    })
    .await;
}

/// The whole body of a request, if it is not larger than `limit` and comes in time.
pub async fn read_body(body: Body, limit: usize) -> Result<axum::body::Bytes, Problem> {
    match tokio::time::timeout(Duration::from_secs(10), axum::body::to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(Problem::new(413, format!("The body of this request has at most {limit} bytes."))),
        Err(_) => Err(Problem::new(408, "The body of the request did not come in time.".to_owned())),
    }
}
