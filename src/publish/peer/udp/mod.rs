//! One UDP port for the media of everybody. The library opens a socket for each connection and address; here each of them
//! is an end of the one that there is, and what arrives is given to whom it belongs.

mod description;
mod socket;
mod stun;
mod table;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::sync::Notify;
use webrtc::runtime::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};

pub use socket::SharedRuntime;
use table::Table;

/// Network to one session and address: a second of what a publisher sends. The newest wins.
const DATAGRAMS_WAITING: usize = 512;
/// The largest thing the system hands over at once.
const RECEIVE_BYTES: usize = 64 * 1024;
/// A socket that has nothing but errors to give is not asked all the time.
const ERROR_PAUSE: Duration = Duration::from_millis(5);
/// For all sessions together; the system may give less.
const SOCKET_BYTES: usize = 2 * 1024 * 1024;

/// The port that all sessions share.
pub struct UdpPort {
    port: u16,
    /// The pumps own the sockets, so that these close when publishing ends, whoever still holds a session then.
    v4: Option<Weak<Real>>,
    v6: Option<Weak<Real>>,
    table: Mutex<Table<Inbox>>,
    strangers: AtomicU64,
}

/// Reads one real socket for as long as it runs.
pub struct Pump {
    port: Arc<UdpPort>,
    socket: Arc<Real>,
}

/// One session's place at the port; without anybody who holds it, the port forgets the session.
pub struct Lease {
    port: Arc<UdpPort>,
    id: u64,
}

/// A socket of the system.
struct Real {
    io: UdpSocket,
    state: UdpSocketState,
    /// Bound to all addresses, so that each packet has to say where it comes from.
    anywhere: bool,
    /// Whoever waits until the system takes more; tokio remembers only one of them.
    blocked: Mutex<Vec<Waker>>,
    is_full: Notify,
}

/// What waits for one session at one address.
#[derive(Default)]
struct Inbox(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    datagrams: VecDeque<(Box<[u8]>, SocketAddr)>,
    reader: Option<Waker>,
    /// Datagrams that nobody took in time.
    dropped: u64,
}

/// What the port has seen; for those who look for leaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortUse {
    pub port: u16,
    pub sessions: usize,
    /// Names, addresses and open questions that lead to a session.
    pub entries: usize,
    /// Packets that were nobody's.
    pub strangers: u64,
}

impl UdpPort {
    /// Opens the port at this address, or at all of the computer's, of both kinds where there are both. It has to be called
    /// within tokio's runtime.
    ///
    /// # Errors
    /// When the port is taken, or the address is not this computer's.
    pub fn open(bound: IpAddr, port: u16) -> io::Result<(Arc<Self>, Vec<Pump>)> {
        let (v4, v6) = match bound {
            IpAddr::V4(address) if !address.is_unspecified() => (Some(Real::open(bound, port)?), None),
            IpAddr::V6(address) if !address.is_unspecified() => (None, Some(Real::open(bound, port)?)),
            _ => {
                let v4 = Real::open(Ipv4Addr::UNSPECIFIED.into(), port);
                let port = v4.as_ref().map_or(Ok(port), |v4| v4.io.local_addr().map(|address| address.port()))?;
                match (v4, Real::open(Ipv6Addr::UNSPECIFIED.into(), port)) {
                    (Err(error), Err(_)) => return Err(error),
                    // A port that only half belongs to us would be a riddle to whoever opens it in a firewall.
                    (Err(error), _) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
                    (_, Err(error)) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
                    (v4, v6) => (v4.ok(), v6.ok()),
                }
            }
        };
        let real: Vec<Arc<Real>> = v4.iter().chain(&v6).map(Arc::clone).collect();
        let port = real.first().map_or(Ok(port), |real| real.io.local_addr().map(|address| address.port()))?;
        let weak = |real: Option<Arc<Real>>| real.as_ref().map(Arc::downgrade);
        let (v4, v6) = (weak(v4), weak(v6));
        let shared = Arc::new(Self { port, v4, v6, table: Mutex::default(), strangers: AtomicU64::new(0) });
        let pumps = real.into_iter().map(|socket| Pump { port: Arc::clone(&shared), socket }).collect();
        Ok((shared, pumps))
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// A place for one more session.
    pub fn lease(self: &Arc<Self>) -> Arc<Lease> {
        let id = self.table().enter();
        Arc::new(Lease { port: Arc::clone(self), id })
    }

    pub fn usage(&self) -> PortUse {
        let (sessions, entries) = self.table().size();
        PortUse { port: self.port, sessions, entries, strangers: self.strangers.load(Ordering::Relaxed) }
    }

    /// Whether there is a socket for addresses of this kind.
    fn serves(&self, address: IpAddr) -> bool {
        if address.is_ipv4() { self.v4.is_some() } else { self.v6.is_some() }
    }

    fn socket_for(&self, address: IpAddr) -> Option<Weak<Real>> {
        if address.is_ipv4() { self.v4.clone() } else { self.v6.clone() }
    }

    fn table(&self) -> MutexGuard<'_, Table<Inbox>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pump {
    /// Runs until the task ends.
    pub async fn run(self) {
        let Self { port, socket } = self;
        tokio::select! {
            () = socket.wake_blocked() => {}
            () = receive(&port, &socket) => {}
        }
    }
}

async fn receive(port: &UdpPort, socket: &Real) {
    let mut buffer = vec![0; RECEIVE_BYTES];
    loop {
        let meta = match poll_fn(|cx| socket.poll_receive(cx, &mut buffer)).await {
            Ok(meta) => meta,
            Err(error) => {
                // What one receiver refused comes back as an error here on some systems; the others go on.
                tracing::trace!("receiving over UDP failed: {error}");
                tokio::time::sleep(ERROR_PAUSE).await;
                continue;
            }
        };
        for packet in buffer[..meta.len].chunks(meta.stride.max(1)) {
            let inbox = port.table().find(packet, meta.addr, meta.dst_ip.map(|address| address.to_canonical()));
            match inbox {
                Some(inbox) => inbox.put(packet, meta.addr),
                None => {
                    port.strangers.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }
}

impl Real {
    fn open(address: IpAddr, port: u16) -> io::Result<Arc<Self>> {
        let address = SocketAddr::new(address, port);
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        // Both only make losses rarer.
        let _ = socket.set_recv_buffer_size(SOCKET_BYTES);
        let _ = socket.set_send_buffer_size(SOCKET_BYTES);
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        let io = UdpSocket::from_std(socket.into())?;
        let state = UdpSocketState::new(UdpSockRef::from(&io))?;
        let (anywhere, blocked, is_full) = (address.ip().is_unspecified(), Mutex::default(), Notify::new());
        Ok(Arc::new(Self { io, state, anywhere, blocked, is_full }))
    }

    fn poll_receive(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<RecvMeta>> {
        loop {
            std::task::ready!(self.io.poll_recv_ready(cx))?;
            let mut meta = [RecvMeta::default()];
            let received = self.io.try_io(Interest::READABLE, || {
                let mut buffers = [IoSliceMut::new(buffer)];
                match self.state.recv(UdpSockRef::from(&self.io), &mut buffers, &mut meta)? {
                    0 => Err(io::ErrorKind::WouldBlock.into()),
                    _ => Ok(()),
                }
            });
            match received {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                received => return Poll::Ready(received.map(|()| meta[0])),
            }
        }
    }

    /// Many sessions send here, each from a task of its own.
    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let send = || {
            let sent = self.io.try_io(Interest::WRITABLE, || {
                self.state.try_send(UdpSockRef::from(&self.io), transmit).map(|()| transmit.contents.len())
            });
            match sent {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
                sent => Poll::Ready(sent),
            }
        };
        if let Poll::Ready(sent) = send() {
            return Poll::Ready(sent);
        }
        self.blocked.lock().unwrap_or_else(PoisonError::into_inner).push(cx.waker().clone());
        self.is_full.notify_one();
        // There may have been room before anybody was told to look for it.
        send()
    }

    /// Wakes whoever waits for room, whenever there is some again.
    async fn wake_blocked(&self) {
        loop {
            self.is_full.notified().await;
            // An error shows to those who send.
            let _ = self.io.writable().await;
            let blocked = std::mem::take(&mut *self.blocked.lock().unwrap_or_else(PoisonError::into_inner));
            blocked.into_iter().for_each(Waker::wake);
        }
    }
}

impl Inbox {
    fn put(&self, packet: &[u8], from: SocketAddr) {
        let reader = {
            let mut waiting = self.lock();
            if waiting.datagrams.len() >= DATAGRAMS_WAITING {
                waiting.datagrams.pop_front();
                waiting.dropped += 1;
            }
            waiting.datagrams.push_back((packet.into(), from));
            waiting.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    fn poll_take(&self, cx: &Context<'_>) -> Poll<(Box<[u8]>, SocketAddr)> {
        let mut waiting = self.lock();
        if let Some(datagram) = waiting.datagrams.pop_front() {
            return Poll::Ready(datagram);
        }
        // Whoever only looks whether there is something has a waker that wakes nobody; it must not take the place of one
        // that does.
        if !cx.waker().will_wake(Waker::noop()) {
            waiting.reader = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// Makes a description of the library's ready for the other side, and listens for it from now on.
    pub fn publish(&self, sdp: &str) -> String {
        let mut table = self.port.table();
        description::ufrags(sdp).for_each(|ufrag| table.add_ufrag(self.id, ufrag));
        drop(table);
        description::with_port(sdp, self.port.port)
    }

    /// Those of the addresses that can be served.
    pub fn served(&self, mut addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
        addresses.retain(|address| self.port.serves(address.ip()));
        addresses
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.port.table().leave(self.id);
    }
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lease").field("id", &self.id).finish_non_exhaustive()
    }
}
