//! How viewers get the picture and send the pointer back: HTTP, MJPEG, WebSockets and WebRTC.

mod access;
mod admit;
mod agent;
mod host;
mod http;
mod mjpeg;
mod peer;
mod pointer_post;
mod protocol;
mod roles;
mod talk;
mod viewers;
mod webrtc;
mod websocket;
mod whip;
mod whip_out;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::encode::Rung;

pub use access::{AccessPolicy, Asked, Need, Openness, Refusal, Via, host_name, word_of};
pub use admit::*;
pub use host::{Host, JpegSource, VideoSource};
pub use http::{Knock, read_knock};
pub use protocol::PointAt;
pub use protocol::{PageMessage, PointerPost, ProtocolError, parse_message, parse_pointer_post};
pub use roles::{Role, Roles, needed};
pub use viewers::{DEFAULT_VIEWERS, MOST_VIEWERS, Transport, ViewerInfo};

use mjpeg::PartPumps;
use peer::{Certificate, Pump, UdpPort};
pub use peer::{CertificateError, IceServer, PortUse, local_addresses};
use pointer_post::PointerSessions;
use viewers::{ViewerPlace, Viewers};
use webrtc::{Broadcast, Sessions};
pub use whip_out::{Outgoing, OutgoingState, Target};

/// How long sessions get to say goodbye before the sockets are closed under them.
const GOODBYE: Duration = Duration::from_millis(600);
/// All of stopping together.
const STOP_TIME: Duration = Duration::from_secs(1);
/// How often silent pages are looked for.
const SILENCE_CHECK: Duration = Duration::from_millis(50);
/// A state this old is asked for again; each viewer is told four times a second at most.
const STATE_AGE: Duration = Duration::from_millis(200);

/// Where to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishConfig {
    /// Port 0 lets the system choose one.
    pub bind: SocketAddr,
    /// The UDP port of all WebRTC media: `None` is the number of the TCP port, 0 any that is free.
    pub udp_port: Option<u16>,
}

impl PublishConfig {
    /// With the same number for TCP and UDP.
    pub fn new(bind: SocketAddr) -> Self {
        Self { bind, udp_port: None }
    }
}

/// Why publishing could not begin. The sentence is for the user.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    #[error("Port {0} is in use by another program; choose another port")]
    PortTaken(u16),
    #[error("Port {0} needs administrator rights; choose a port above 1023")]
    PortForbidden(u16),
    #[error("This computer has no address {0}; choose another one")]
    NoSuchAddress(IpAddr),
    #[error("Listening on {0} failed: {1}")]
    Listen(SocketAddr, #[source] std::io::Error),
    #[error("No UDP port can be opened at {0}: {1}")]
    Udp(IpAddr, #[source] std::io::Error),
    #[error("Sharing over WebRTC failed: {0}")]
    Certificate(#[from] CertificateError),
}

/// What the encoders make, cut into packets once for all who get it: viewers here, and a server elsewhere.
#[derive(Clone)]
pub struct Broadcasts(Vec<Arc<Broadcast>>);

impl Broadcasts {
    /// Connects to the encoders for good; whoever was connected to them before gets nothing more.
    pub fn connect(video: Vec<Arc<dyn VideoSource>>) -> Self {
        Self(video.into_iter().map(Broadcast::connect).collect())
    }
}

/// What every request and every session can reach.
struct Shared {
    host: Arc<dyn Host>,
    bound: IpAddr,
    port: u16,
    /// How this computer calls itself.
    names: Vec<String>,
    door: Arc<Door>,
    udp: Arc<UdpPort>,
    viewers: Arc<Viewers>,
    parts: PartPumps,
    jpeg: Arc<dyn JpegSource>,
    /// A place for each WebSocket; all are free once all are closed.
    sockets: Arc<Semaphore>,
    broadcasts: Vec<Arc<Broadcast>>,
    sessions: Sessions,
    whip: whip::Place,
    pointers: PointerSessions,
    certificate: Certificate,
    state: Mutex<Option<(Instant, Arc<Value>)>>,
}

/// The server. It runs on the runtime it was given until it is stopped or dropped.
pub struct Publisher {
    address: SocketAddr,
    shared: Arc<Shared>,
    runtime: Handle,
    stop: watch::Sender<bool>,
    tasks: Mutex<Option<Tasks>>,
    /// What the user should know although it works.
    notice: Option<String>,
}

/// What runs while the publisher does.
struct Tasks {
    http: JoinHandle<()>,
    /// Ended as they are, after the sessions.
    others: Vec<JoinHandle<()>>,
}

impl Publisher {
    /// Listens, and serves from now on.
    ///
    /// # Errors
    /// When the address can't be listened on; the error says what to do.
    pub fn start(
        config: PublishConfig,
        host: Arc<dyn Host>,
        jpeg: Arc<dyn JpegSource>,
        video: Vec<Arc<dyn VideoSource>>,
        runtime: &Handle,
    ) -> Result<Self, PublishError> {
        Self::start_with(config, host, jpeg, &Broadcasts::connect(video), runtime)
    }

    /// The same with encoders that others get their frames from, too.
    ///
    /// # Errors
    /// When the address can't be listened on; the error says what to do.
    pub fn start_with(
        config: PublishConfig,
        host: Arc<dyn Host>,
        jpeg: Arc<dyn JpegSource>,
        video: &Broadcasts,
        runtime: &Handle,
    ) -> Result<Self, PublishError> {
        let listener = listen(config.bind)?;
        let failed = |error| PublishError::Listen(config.bind, error);
        let address = listener.local_addr().map_err(failed)?;
        // Registering a socket with the runtime needs to be inside of it.
        let inside = runtime.enter();
        let (udp, pumps, notice) = open_udp(address, config.udp_port)?;
        let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
        drop(inside);
        let shared = Arc::new(Shared {
            host: Arc::clone(&host),
            bound: address.ip(),
            port: address.port(),
            names: own_names(),
            door: host.door(),
            udp,
            viewers: Arc::default(),
            parts: PartPumps::default(),
            jpeg: Arc::clone(&jpeg),
            sockets: Arc::new(Semaphore::new(MOST_VIEWERS)),
            broadcasts: video.0.clone(),
            sessions: Sessions::default(),
            whip: whip::Place::default(),
            pointers: PointerSessions::default(),
            certificate: Certificate::generate()?,
            state: Mutex::default(),
        });
        let stop = watch::Sender::new(false);
        let mut others = vec![runtime.spawn(watch_over(Arc::clone(&shared)))];
        others.extend(shared.parts.tasks(&jpeg, &host).map(|task| runtime.spawn(task)));
        others.extend(pumps.into_iter().map(|pump| runtime.spawn(pump.run())));
        let http = runtime.spawn(http::serve(listener, Arc::clone(&shared), stop.subscribe()));
        let tasks = Mutex::new(Some(Tasks { http, others }));
        Ok(Self { address, shared, runtime: runtime.clone(), stop, tasks, notice })
    }

    /// Where it listens, with the port that was chosen.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A sentence for the user about what is not as it was wished for.
    pub fn notice(&self) -> Option<&str> {
        self.notice.as_deref()
    }

    /// The UDP port of all WebRTC media, and what it has to do.
    pub fn udp(&self) -> PortUse {
        self.shared.udp.usage()
    }

    /// Who watches now.
    pub fn viewers(&self) -> Vec<ViewerInfo> {
        self.shared.viewers.list(Instant::now())
    }

    /// Sessions over WebRTC that are not closed yet; for tests and for those who look for leaks.
    pub fn sessions(&self) -> usize {
        self.shared.sessions.count()
    }

    /// Ends one viewer's session; false when there is no such viewer.
    pub fn disconnect(&self, id: u64) -> bool {
        self.shared.viewers.disconnect(id)
    }

    /// Sends a viewer this size, whatever it chose itself; `None` leaves it to the viewer again. False when there is no
    /// such viewer. Viewers of MJPEG have what they asked for and stay with it.
    pub fn pin(&self, id: u64, rung: Option<Rung>) -> bool {
        self.shared.viewers.pin(id, rung)
    }

    /// Releases every pointer, says goodbye to every viewer and closes every socket, within a second. It may be called
    /// from any thread, and a second time, when it does nothing.
    pub fn stop(&self) {
        let Some(tasks) = self.tasks.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        let (shared, stop) = (Arc::clone(&self.shared), self.stop.clone());
        let (done, wait) = std::sync::mpsc::channel();
        self.runtime.spawn(async move {
            for session in shared.pointers.drain() {
                shared.host.end_pointer(session);
            }
            stop.send_replace(true);
            shared.viewers.disconnect_all();
            let closed = shared.sockets.acquire_many(MOST_VIEWERS as u32);
            let _ = tokio::join!(
                shared.sessions.emptied(GOODBYE),
                tokio::time::timeout(GOODBYE, closed),
                shared.whip.clear(GOODBYE)
            );
            let Tasks { mut http, others } = tasks;
            // The server closes its connections by itself; what takes longer than that is cut off.
            if tokio::time::timeout(Duration::from_millis(100), &mut http).await.is_err() {
                tracing::trace!("HTTP was still running when publishing stopped");
                http.abort();
                let _ = http.await;
            }
            for task in others {
                task.abort();
                // Only then are its sockets closed, and the next publisher may want their ports.
                let _ = task.await;
            }
            let _ = done.send(());
        });
        if wait.recv_timeout(STOP_TIME).is_err() {
            tracing::warn!("publishing did not stop in time");
        }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    /// What somebody may do at this moment.
    fn roles(&self, pass: &Pass) -> Roles {
        self.door.roles(pass, &self.host.access())
    }

    /// Takes a place in the table of viewers; a guest has the name that the host knows.
    fn enter(
        &self,
        (address, pass): (IpAddr, Pass),
        transport: Transport,
        codec: &'static str,
        agent: Option<String>,
    ) -> Option<ViewerPlace> {
        let place = self.viewers.enter((address, pass), transport, codec, self.host.access().most_viewers)?;
        let known = self.door.name(&pass);
        if !matches!(pass, Pass::Guest(_)) {
            self.door.note_entered(self.visitor(&pass, address, agent.clone()), self.roles(&pass));
        }
        place.set_agent(agent.clone());
        place.set_name(known.or(agent));
        Some(place)
    }

    /// Who it is that came in like this, for the log.
    fn visitor(&self, pass: &Pass, address: IpAddr, browser: Option<String>) -> Visitor {
        let way = match pass {
            Pass::Standing(_) => "Standing link",
            Pass::Token(_) | Pass::Guest(_) | Pass::Anyone => "Anyone",
        };
        Visitor { name: self.door.name(pass).unwrap_or_else(|| way.to_owned()), address, browser }
    }

    /// The program's state, at most a fifth of a second old.
    fn state(&self, now: Instant) -> Arc<Value> {
        let kept = self.state.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, state)) = kept
            && now.saturating_duration_since(at) < STATE_AGE
        {
            return state;
        }
        let state = Arc::new(self.host.state());
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::clone(&state)));
        state
    }
}

/// Releases what pages hold that fell silent or lost their right, ends who may not watch any more, and writes down who
/// controls.
async fn watch_over(shared: Arc<Shared>) {
    let mut tick = tokio::time::interval(SILENCE_CHECK);
    let mut changes = shared.door.changes();
    let mut controlling: BTreeMap<u64, Visitor> = BTreeMap::new();
    // What each viewer could do with the desktop when it was looked at last.
    let mut acting: BTreeMap<u64, Roles> = BTreeMap::new();
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            // The door lives as long as the server; were it gone, the tick would do.
            Ok(()) = changes.changed() => {}
        }
        let now = Instant::now();
        shared.door.tick(now);
        let policy = shared.host.access();
        let revoked = shared.pointers.revoked(|pass| shared.door.roles(pass, &policy));
        for session in shared.pointers.silent(now).into_iter().chain(revoked) {
            shared.host.end_pointer(session);
        }
        let mut now_controlling = BTreeMap::new();
        let mut now_acting = BTreeMap::new();
        for viewer in shared.viewers.all() {
            let roles = shared.door.roles(&viewer.pass, &policy);
            if !roles.has(Role::Watch) {
                viewer.end();
            }
            // The host may have given its guest another name.
            if matches!(viewer.pass, Pass::Guest(_))
                && let Some(name) = shared.door.name(&viewer.pass)
            {
                viewer.set_name(Some(name));
            }
            let lost = acting.get(&viewer.id).is_some_and(|before| {
                [Role::Click, Role::Type].into_iter().any(|role| before.has(role) && !roles.has(role))
            });
            if lost {
                shared.host.end_pointer(viewer.id);
            }
            now_acting.insert(viewer.id, roles);
            // Over MJPEG it is a session of requests that controls, which names itself below.
            if !lost && viewer.transport != Transport::Mjpeg && viewer.controls(now) {
                let visitor = shared.visitor(&viewer.pass, viewer.address, viewer.agent());
                now_controlling.insert(viewer.id, visitor);
            }
        }
        now_controlling.extend(shared.pointers.controlling(now));
        // Whoever acts here now must not do so a moment longer than the token holds, which another process may have
        // removed; everybody else hears of that from the engine, a little later.
        if (now_acting.values().any(|roles: &Roles| roles.may_act()) || !shared.pointers.is_empty())
            && shared.door.keys_changed()
        {
            let door = Arc::clone(&shared.door);
            // A damaged file is told of by the engine, which looks at it as well.
            let _ = tokio::task::spawn_blocking(move || door.follow_keys()).await;
        }
        for (id, visitor) in &now_controlling {
            if !controlling.contains_key(id) {
                shared.door.note_control(visitor.clone(), true);
            }
        }
        for (id, visitor) in controlling {
            if !now_controlling.contains_key(&id) {
                shared.door.note_control(visitor, false);
            }
        }
        (controlling, acting) = (now_controlling, now_acting);
    }
}

/// Every URL and the methods it takes, for tests over all of them.
pub fn routes() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    http::ROUTES.iter().map(|route| (route.path, route.methods))
}

/// The names that this computer gives itself, in small letters.
pub fn own_names() -> Vec<String> {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let variable = || ["COMPUTERNAME", "HOSTNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    let asked = || {
        let output = std::process::Command::new("hostname").output().ok()?;
        String::from_utf8(output.stdout).ok()
    };
    let name = kernel.or_else(variable).or_else(asked).unwrap_or_default().trim().to_ascii_lowercase();
    let Some(first) = name.split('.').next().filter(|first| !first.is_empty()) else { return Vec::new() };
    let mut names = vec![first.to_owned(), format!("{first}.local")];
    if !names.contains(&name) {
        names.push(name);
    }
    names
}

/// The port, what reads it, and what the user should know.
type OpenUdp = (Arc<UdpPort>, Vec<Pump>, Option<String>);

/// Opens the port that was wished for, or another one.
fn open_udp(address: SocketAddr, wished: Option<u16>) -> Result<OpenUdp, PublishError> {
    let number = wished.unwrap_or(address.port());
    match UdpPort::open(address.ip(), number) {
        Ok((udp, pumps)) => Ok((udp, pumps, None)),
        Err(error) if number != 0 => {
            let (udp, pumps) =
                UdpPort::open(address.ip(), 0).map_err(|error| PublishError::Udp(address.ip(), error))?;
            let reason = match error.kind() {
                ErrorKind::AddrInUse => "is in use by another program".to_owned(),
                ErrorKind::PermissionDenied => "needs administrator rights".to_owned(),
                _ => format!("can't be opened ({error})"),
            };
            let notice = format!("UDP port {number} {reason}; video over WebRTC uses UDP port {} instead", udp.port());
            tracing::warn!("{notice}");
            Ok((udp, pumps, Some(notice)))
        }
        Err(error) => Err(PublishError::Udp(address.ip(), error)),
    }
}

fn listen(bind: SocketAddr) -> Result<std::net::TcpListener, PublishError> {
    let explain = |error: std::io::Error| match error.kind() {
        ErrorKind::AddrInUse => PublishError::PortTaken(bind.port()),
        ErrorKind::PermissionDenied => PublishError::PortForbidden(bind.port()),
        ErrorKind::AddrNotAvailable => PublishError::NoSuchAddress(bind.ip()),
        _ => PublishError::Listen(bind, error),
    };
    let open = || {
        let socket = Socket::new(Domain::for_address(bind), Type::STREAM, Some(Protocol::TCP))?;
        // On Unix this only forgives connections of before that are still closing; on Windows it would share the port.
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&bind.into())?;
        socket.listen(128)?;
        Ok(socket.into())
    };
    open().map_err(explain)
}
