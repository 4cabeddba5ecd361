//! A network that can be made bad: a seeded UDP relay on this machine between one viewer and the host, which loses, holds
//! back, reorders, repeats and damages packets as it is told to. ICE sees it as the host's address.

use std::collections::{BinaryHeap, HashMap};
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::random::Random;

/// How long a thread waits for a packet before it looks whether the relay ends.
const NAP: Duration = Duration::from_millis(50);
/// How much later than its turn a reordered packet comes.
const REORDERED_BY: Duration = Duration::from_millis(20);

/// What happens to packets that go one way. The default lets everything through at once.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Conditions {
    /// The share of packets that is lost, each by itself.
    pub loss: f64,
    pub bursts: Option<Bursts>,
    pub delay: Duration,
    /// Up to this much is added to the delay, without one packet overtaking another.
    pub jitter: Duration,
    /// The share of packets that comes after later ones.
    pub reorder: f64,
    pub duplicate: f64,
    /// The share of packets of which one bit is turned over.
    pub corrupt: f64,
    pub rate: Option<Rate>,
    /// Nothing comes through.
    pub dead: bool,
}

/// Losses in a row, by a model of two states (Gilbert's).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bursts {
    /// The chance that a burst begins with a packet.
    pub begin: f64,
    /// How many packets a burst takes on average.
    pub packets: f64,
}

/// A narrow link and the queue before it; what does not fit into the queue is lost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    pub kbps: u32,
    pub queue: Duration,
}

impl Conditions {
    pub fn losing(loss: f64) -> Self {
        Self { loss, ..Self::default() }
    }

    pub fn dead() -> Self {
        Self { dead: true, ..Self::default() }
    }

    pub fn limited(kbps: u32, queue: Duration) -> Self {
        Self { rate: Some(Rate { kbps, queue }), ..Self::default() }
    }
}

/// One direction: what becomes of each packet, by the conditions and the random numbers alone.
pub struct Path {
    conditions: Conditions,
    random: Random,
    in_burst: bool,
    /// When the link has sent what was given to it.
    link_free: Option<Instant>,
    /// No packet that keeps its place leaves before this.
    last: Option<Instant>,
}

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fate {
    pub at: Instant,
    /// The bit that is turned over, counted over the whole packet.
    pub damaged: Option<usize>,
}

impl Path {
    pub fn new(seed: u64, conditions: Conditions) -> Self {
        Self { conditions, random: Random::new(seed), in_burst: false, link_free: None, last: None }
    }

    /// When a packet of so many bytes comes out: never, once or twice.
    pub fn pass(&mut self, bytes: usize, now: Instant) -> Vec<Fate> {
        let conditions = self.conditions;
        if conditions.dead || self.is_lost() {
            return Vec::new();
        }
        let mut at = now;
        if let Some(rate) = conditions.rate {
            let begins = self.link_free.map_or(now, |free| free.max(now));
            if begins.saturating_duration_since(now) > rate.queue {
                return Vec::new();
            }
            at = begins + Duration::from_secs_f64(bytes as f64 * 8.0 / (f64::from(rate.kbps) * 1_000.0));
            self.link_free = Some(at);
        }
        at += conditions.delay + conditions.jitter.mul_f64(self.random.unit());
        if self.happens(conditions.reorder) {
            at += REORDERED_BY;
        } else {
            at = self.last.map_or(at, |last| last.max(at));
            self.last = Some(at);
        }
        let damaged = self.happens(conditions.corrupt).then(|| self.random.below(bytes.max(1) * 8));
        let times = if self.happens(conditions.duplicate) { 2 } else { 1 };
        vec![Fate { at, damaged }; times]
    }

    fn is_lost(&mut self) -> bool {
        if let Some(bursts) = self.conditions.bursts {
            let change = if self.in_burst { 1.0 / bursts.packets } else { bursts.begin };
            if self.happens(change) {
                self.in_burst = !self.in_burst;
            }
        } else {
            self.in_burst = false;
        }
        // Drawn in any case, so that a burst does not change what comes after it.
        let lost = self.random.unit() < self.conditions.loss;
        lost || self.in_burst
    }

    fn happens(&mut self, share: f64) -> bool {
        share > 0.0 && self.random.unit() < share
    }
}

/// The relay; it runs until it is dropped.
pub struct Impaired {
    shared: Arc<Shared>,
    address: SocketAddr,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    /// The side of the viewer.
    front: UdpSocket,
    host: Mutex<Option<SocketAddr>>,
    /// One socket towards the host for each address of the viewer, as a router that translates addresses has them.
    flows: Mutex<HashMap<SocketAddr, Arc<UdpSocket>>>,
    readers: Mutex<Vec<JoinHandle<()>>>,
    down: Mutex<Path>,
    up: Mutex<Path>,
    waiting: Mutex<BinaryHeap<Waiting>>,
    more: Condvar,
    counts: Counts,
    ending: AtomicBool,
}

/// Packets that went to the viewer.
#[derive(Debug, Default)]
struct Counts {
    taken: AtomicU64,
    dropped: AtomicU64,
    bytes: AtomicU64,
}

/// A packet that is held back. The order is that of a heap whose top is due first.
struct Waiting {
    at: Instant,
    number: u64,
    packet: Vec<u8>,
    socket: Option<Arc<UdpSocket>>,
    to: SocketAddr,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Waiting {}
impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

impl Impaired {
    /// A relay without any impairment yet. The seed is printed, so that a failing test shows it.
    pub fn start(seed: u64) -> Self {
        println!("the network's seed is {seed}");
        let front = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        front.set_read_timeout(Some(NAP)).unwrap();
        let address = front.local_addr().unwrap();
        let shared = Arc::new(Shared {
            front,
            host: Mutex::default(),
            flows: Mutex::default(),
            readers: Mutex::default(),
            down: Mutex::new(Path::new(seed, Conditions::default())),
            up: Mutex::new(Path::new(seed + 1, Conditions::default())),
            waiting: Mutex::default(),
            more: Condvar::new(),
            counts: Counts::default(),
            ending: AtomicBool::new(false),
        });
        let (reading, sending) = (Arc::clone(&shared), Arc::clone(&shared));
        let threads =
            vec![std::thread::spawn(move || from_viewer(&reading)), std::thread::spawn(move || send_due(&sending))];
        Self { shared, address, threads }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets where the host listens.
    pub fn connect(&self, host: SocketAddr) {
        *self.shared.host.lock().unwrap() = Some(host);
    }

    /// The answer with this relay as the only candidate, and the host behind it.
    pub fn stand_before(&self, answer: &str) -> String {
        let is_local = |line: &&str| line.starts_with("a=candidate:") && line.contains(" 127.0.0.1 ");
        let candidate = answer.lines().find(is_local).expect("the host offers its loopback address");
        let port = candidate.split(' ').nth(5).expect("a candidate has a port");
        self.connect(format!("127.0.0.1:{port}").parse().expect("the port is a number"));
        let kept = answer.lines().filter(|line| !line.starts_with("a=candidate:") || *line == candidate);
        let own = format!(" 127.0.0.1 {} ", self.address.port());
        kept.map(|line| line.replace(&format!(" 127.0.0.1 {port} "), &own) + "\r\n").collect()
    }

    /// What happens from now on to packets for the viewer.
    pub fn down(&self, conditions: Conditions) {
        self.shared.down.lock().unwrap().conditions = conditions;
    }

    /// What happens from now on to packets for the host.
    pub fn up(&self, conditions: Conditions) {
        self.shared.up.lock().unwrap().conditions = conditions;
    }

    /// The same for both directions.
    pub fn both(&self, conditions: Conditions) {
        self.down(conditions);
        self.up(conditions);
    }

    /// From now on the host sees the viewer at other ports, as when a router forgets what it translated.
    pub fn change_ports(&self) {
        let viewers: Vec<SocketAddr> = self.shared.flows.lock().unwrap().drain().map(|(viewer, _)| viewer).collect();
        viewers.into_iter().for_each(|viewer| drop(flow(&self.shared, viewer)));
    }

    /// Packets for the viewer that came in so far.
    pub fn taken(&self) -> u64 {
        self.shared.counts.taken.load(Ordering::Relaxed)
    }

    /// Those of them that were lost.
    pub fn dropped(&self) -> u64 {
        self.shared.counts.dropped.load(Ordering::Relaxed)
    }

    /// Bytes for the viewer that came in so far, those of lost packets included.
    pub fn bytes(&self) -> u64 {
        self.shared.counts.bytes.load(Ordering::Relaxed)
    }
}

impl Drop for Impaired {
    fn drop(&mut self) {
        self.shared.ending.store(true, Ordering::Relaxed);
        self.shared.more.notify_all();
        let readers = std::mem::take(&mut *self.shared.readers.lock().unwrap());
        for thread in self.threads.drain(..).chain(readers) {
            thread.join().unwrap();
        }
    }
}

/// The socket for one address of the viewer, with its reader.
fn flow(shared: &Arc<Shared>, viewer: SocketAddr) -> Arc<UdpSocket> {
    let mut flows = shared.flows.lock().unwrap();
    let socket = flows.entry(viewer).or_insert_with(|| {
        let socket = Arc::new(UdpSocket::bind(("127.0.0.1", 0)).unwrap());
        socket.set_read_timeout(Some(NAP)).unwrap();
        let (shared_there, socket_there) = (Arc::clone(shared), Arc::clone(&socket));
        let reader = std::thread::spawn(move || from_host(&shared_there, &socket_there, viewer));
        shared.readers.lock().unwrap().push(reader);
        socket
    });
    Arc::clone(socket)
}

fn from_viewer(shared: &Arc<Shared>) {
    let mut packet = [0; 2_048];
    while !shared.ending.load(Ordering::Relaxed) {
        let Ok((length, viewer)) = shared.front.recv_from(&mut packet) else { continue };
        let Some(host) = *shared.host.lock().unwrap() else { continue };
        let socket = flow(shared, viewer);
        let fates = shared.up.lock().unwrap().pass(length, Instant::now());
        shared.send(&packet[..length], &fates, Some(&socket), host);
    }
}

fn from_host(shared: &Shared, socket: &Arc<UdpSocket>, viewer: SocketAddr) {
    let mut packet = [0; 2_048];
    while !shared.ending.load(Ordering::Relaxed) {
        let Ok((length, _)) = socket.recv_from(&mut packet) else { continue };
        if !shared.flows.lock().unwrap().get(&viewer).is_some_and(|current| Arc::ptr_eq(current, socket)) {
            // The router has forgotten this port.
            continue;
        }
        let fates = shared.down.lock().unwrap().pass(length, Instant::now());
        shared.counts.taken.fetch_add(1, Ordering::Relaxed);
        shared.counts.bytes.fetch_add(length as u64, Ordering::Relaxed);
        shared.counts.dropped.fetch_add(u64::from(fates.is_empty()), Ordering::Relaxed);
        shared.send(&packet[..length], &fates, None, viewer);
    }
}

impl Shared {
    fn send(&self, packet: &[u8], fates: &[Fate], socket: Option<&Arc<UdpSocket>>, to: SocketAddr) {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        if fates.is_empty() {
            return;
        }
        let mut waiting = self.waiting.lock().unwrap();
        for fate in fates {
            let mut packet = packet.to_vec();
            if let Some(bit) = fate.damaged {
                packet[bit / 8] ^= 1 << (bit % 8);
            }
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            waiting.push(Waiting { at: fate.at, number, packet, socket: socket.map(Arc::clone), to });
        }
        drop(waiting);
        self.more.notify_one();
    }
}

fn send_due(shared: &Shared) {
    let mut waiting = shared.waiting.lock().unwrap();
    while !shared.ending.load(Ordering::Relaxed) {
        let now = Instant::now();
        let wait = waiting.peek().map_or(NAP, |first| first.at.saturating_duration_since(now));
        if !wait.is_zero() {
            waiting = shared.more.wait_timeout(waiting, wait.min(NAP)).unwrap().0;
            continue;
        }
        let Some(due) = waiting.pop() else { continue };
        drop(waiting);
        let _ = due.socket.as_deref().unwrap_or(&shared.front).send_to(&due.packet, due.to);
        waiting = shared.waiting.lock().unwrap();
    }
}
