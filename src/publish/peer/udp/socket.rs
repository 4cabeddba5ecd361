//! The shared port as the library sees it: a runtime whose UDP sockets are ends of that port.

use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::ReadBuf;
use tokio::net::UdpSocket;
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, RecvMeta, Runtime, TokioRuntime,
    Transmit,
};

use super::stun::{self, Packet};
use super::{Inbox, Lease, Real};

/// The runtime of one connection: tokio's, but for UDP.
#[derive(Debug)]
pub struct SharedRuntime {
    tokio: TokioRuntime,
    lease: Arc<Lease>,
    /// A TURN server tells its clients apart by their ports alone, so towards it each connection needs its own.
    asks_servers: bool,
    servers: Arc<Mutex<Vec<SocketAddr>>>,
}

/// One of this computer's addresses at the shared port, for one connection.
struct End {
    /// What the library takes it for; only the address means something.
    local: SocketAddr,
    lease: Arc<Lease>,
    socket: Weak<Real>,
    inbox: Arc<Inbox>,
    /// The connection's own port, towards TURN servers.
    own: Option<UdpSocket>,
    servers: Arc<Mutex<Vec<SocketAddr>>>,
}

impl SharedRuntime {
    pub fn new(lease: Arc<Lease>, asks_servers: bool) -> Self {
        Self { tokio: TokioRuntime, lease, asks_servers, servers: Arc::default() }
    }
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl Runtime for SharedRuntime {
    fn spawn(&self, future: Boxed<'static, ()>) -> Box<dyn JoinHandle> {
        self.tokio.spawn(future)
    }

    /// The library has bound a socket of its own to this address, which shows that the address is there; what it gets
    /// instead has the same address. Its port is only a name then.
    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let local = socket.local_addr()?;
        let unserved = || io::Error::new(io::ErrorKind::AddrNotAvailable, "the UDP port has no address of this kind");
        let real = self.lease.port.socket_for(local.ip()).ok_or_else(unserved)?;
        let inbox = Arc::new(Inbox::default());
        self.lease.port.table().add_end(self.lease.id, local.ip(), Arc::clone(&inbox));
        let own = if self.asks_servers {
            socket.set_nonblocking(true)?;
            Some(UdpSocket::from_std(socket)?)
        } else {
            None
        };
        let (lease, servers) = (Arc::clone(&self.lease), Arc::clone(&self.servers));
        Ok(Arc::new(End { local, lease, socket: real, inbox, own, servers }))
    }

    fn wrap_tcp_listener(&self, listener: std::net::TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        self.tokio.wrap_tcp_listener(listener)
    }

    fn connect_tcp<'a>(&'a self, remote: SocketAddr) -> Boxed<'a, io::Result<Arc<dyn AsyncTcpStream>>> {
        self.tokio.connect_tcp(remote)
    }

    fn resolve_host<'a>(&'a self, host: &'a str) -> Boxed<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move {
            let found = self.tokio.resolve_host(host).await?;
            // The only hosts that the library looks up are the servers it was given.
            self.servers.lock().unwrap_or_else(PoisonError::into_inner).extend(&found);
            Ok(found)
        })
    }

    fn sleep(&self, duration: Duration) -> Boxed<'static, ()> {
        self.tokio.sleep(duration)
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        self.tokio.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        self.tokio.block_on(future);
    }

    fn yield_now(&self) -> Boxed<'static, ()> {
        self.tokio.yield_now()
    }

    fn name(&self) -> &'static str {
        self.tokio.name()
    }
}

impl End {
    fn own_towards(&self, destination: SocketAddr) -> Option<&UdpSocket> {
        let own = self.own.as_ref()?;
        self.servers.lock().unwrap_or_else(PoisonError::into_inner).contains(&destination).then_some(own)
    }
}

/// A `Binding` request asks a STUN server which port it sees, so it has to come from the shared one.
fn is_binding_request(packet: &[u8]) -> bool {
    packet.starts_with(&[0, 1]) && matches!(stun::read(packet), Packet::Request { .. })
}

impl AsyncUdpSocket for End {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let asks = is_binding_request(transmit.contents);
        if !asks && let Some(own) = self.own_towards(transmit.destination) {
            return own.poll_send_to(cx, transmit.contents, transmit.destination);
        }
        // Publishing ends; what is sent now is nobody's business any more.
        let Some(real) = self.socket.upgrade() else { return Poll::Ready(Ok(transmit.contents.len())) };
        if asks {
            self.lease.port.table().note_sent(self.lease.id, transmit.contents);
        }
        let transmit = Transmit {
            destination: transmit.destination,
            ecn: transmit.ecn,
            contents: transmit.contents,
            segment_size: transmit.segment_size,
            src_ip: real.anywhere.then(|| self.local.ip()),
        };
        real.poll_send(cx, &transmit)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let (Some(buffer), Some(meta)) = (buffers.first_mut(), meta.first_mut()) else { return Poll::Ready(Ok(0)) };
        let mut fill = |bytes: usize, from: SocketAddr| {
            *meta = RecvMeta::default();
            meta.len = bytes;
            meta.stride = bytes.max(1);
            meta.addr = from;
            Poll::Ready(Ok(1))
        };
        if let Poll::Ready((datagram, from)) = self.inbox.poll_take(cx) {
            let bytes = datagram.len().min(buffer.len());
            buffer[..bytes].copy_from_slice(&datagram[..bytes]);
            return fill(bytes, from);
        }
        let Some(own) = &self.own else { return Poll::Pending };
        let mut read = ReadBuf::new(buffer);
        let from = std::task::ready!(own.poll_recv_from(cx, &mut read))?;
        let bytes = read.filled().len();
        fill(bytes, from)
    }

    fn max_gso_segments(&self) -> usize {
        self.socket.upgrade().map_or(1, |real| real.state.max_gso_segments())
    }
}

impl std::fmt::Debug for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("End").field("local", &self.local).finish_non_exhaustive()
    }
}
