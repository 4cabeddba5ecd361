//! The HTTP server: our own accept loop, because the limits that keep a stranger from tying it up are set there.

mod api;
mod assets;
mod connection;
mod enter;
mod policy;
mod problem;
mod router;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::Shared;
use super::access::Via;
use super::viewers::MOST_VIEWERS;
pub use api::{is_type, too_many_viewers};
use connection::WatchedStream;
pub use enter::{Knock, read_knock};
pub use problem::Problem;
pub use router::ROUTES;

/// More connections than this at once are turned away.
const MOST_CONNECTIONS: usize = 2 * MOST_VIEWERS;
/// So that no single machine takes all of them.
const MOST_FROM_ONE: usize = 16;
/// The first byte of a TLS hello, and how soon it and the rest of the hello have to be here.
const TLS_HELLO: u8 = 0x16;
const HELLO_TIME: Duration = Duration::from_secs(5);
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
    let tls = tls(&shared).await;
    let router = router::router(shared);
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let crowd = Arc::new(Crowd::default());
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
        let peer = peer.ip().to_canonical();
        match (Arc::clone(&places).try_acquire_owned(), Crowd::enter(&crowd, peer)) {
            (Ok(place), Some(in_crowd)) => {
                let (router, tls) = (router.clone(), tls.clone());
                connections.spawn(async move {
                    talk(stream, peer, router, tls).await;
                    drop((place, in_crowd));
                });
            }
            _ => {
                connections.spawn(turn_away(stream));
            }
        }
    }
    drop(listener);
    connections.shutdown().await;
}

/// What answers a TLS hello; none where there is no certificate, which is said once and leaves HTTP as it is.
async fn tls(shared: &Arc<Shared>) -> Option<TlsAcceptor> {
    let shared = Arc::clone(shared);
    // A certificate may have to be made, and is kept in a file.
    let made = tokio::task::spawn_blocking(move || {
        let mut names = shared.names.clone();
        names.extend(shared.host.access().hosts);
        names.extend(super::local_addresses().iter().map(ToString::to_string));
        shared.door.identity(&names).map(|identity| Arc::clone(&identity.config))
    });
    match made.await {
        Ok(Ok(config)) => Some(TlsAcceptor::from(config)),
        Ok(Err(error)) => {
            tracing::error!("{error}; there is no HTTPS");
            None
        }
        Err(error) => {
            tracing::error!("the certificate for HTTPS was not made: {error}");
            None
        }
    }
}

/// One port for both: a TLS hello begins with 22, and no request does.
async fn talk(stream: TcpStream, peer: IpAddr, router: Router, tls: Option<TlsAcceptor>) {
    // Both only make things faster; a socket that refuses them works as well.
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER);
    let Ok(local) = stream.local_addr() else { return };
    let mut first = [0];
    let Ok(Ok(1)) = timeout(HELLO_TIME, stream.peek(&mut first)).await else { return };
    let via = Via { local: local.ip().to_canonical(), secure: first[0] == TLS_HELLO };
    let router = router.layer(axum::Extension(Peer(peer))).layer(axum::Extension(via));
    match tls.filter(|_| via.secure) {
        Some(tls) => match timeout(HELLO_TIME, tls.accept(stream)).await {
            Ok(Ok(stream)) => answer(stream, router).await,
            Ok(Err(error)) => tracing::trace!("a TLS connection failed: {error}"),
            Err(_) => tracing::trace!("a TLS hello did not come in time"),
        },
        None => answer(stream, router).await,
    }
}

async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: Router) {
    let service = TowerToHyperService::new(router);
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADER_TIME).max_buf_size(HEADER_BYTES);
    let io = TokioIo::new(WatchedStream::new(stream));
    // A client that breaks off is no news.
    if let Err(error) = builder.serve_connection(io, service).with_upgrades().await {
        tracing::trace!("a connection ended: {error}");
    }
}

/// How many connections each address has.
#[derive(Debug, Default)]
struct Crowd(Mutex<HashMap<IpAddr, usize>>);

/// One of an address's places, given back when this is dropped.
struct InCrowd(Arc<Crowd>, IpAddr);

impl Crowd {
    fn enter(crowd: &Arc<Self>, address: IpAddr) -> Option<InCrowd> {
        let mut counts = crowd.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_insert(0);
        if *count >= MOST_FROM_ONE {
            return None;
        }
        *count += 1;
        Some(InCrowd(Arc::clone(crowd), address))
    }
}

impl Drop for InCrowd {
    fn drop(&mut self) {
        let mut counts = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.1);
            }
        }
    }
}

/// Says that there are too many, without reading what was asked.
async fn turn_away(stream: TcpStream) {
    const ANSWER: &[u8] =
        b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let _ = timeout(Duration::from_secs(1), async {
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
    match timeout(Duration::from_secs(10), axum::body::to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(Problem::new(413, format!("The body of this request has at most {limit} bytes."))),
        Err(_) => Err(Problem::new(408, "The body of the request did not come in time.".to_owned())),
    }
}
