//! A network that loses packets: a UDP relay on this machine, which drops every so many media packets on their way to the
//! viewer. ICE sees it as the host's address.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Runs until it is dropped.
pub struct LossyRelay {
    shared: Arc<Shared>,
    port: u16,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    host: Mutex<Option<SocketAddr>>,
    dropped: AtomicU64,
    /// One media packet in this many is lost; 0 loses none.
    one_in: AtomicU64,
    ending: AtomicBool,
}

impl LossyRelay {
    /// Loses one media packet in `one_in`.
    pub fn start(one_in: u64) -> Self {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let port = socket.local_addr().unwrap().port();
        let shared = Arc::new(Shared { one_in: AtomicU64::new(one_in), ..Shared::default() });
        let seen = Arc::clone(&shared);
        let thread = std::thread::spawn(move || relay(&socket, &seen));
        Self { shared, port, thread: Some(thread) }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sets where the host listens; packets from elsewhere are the viewer's.
    pub fn connect(&self, host: SocketAddr) {
        *self.shared.host.lock().unwrap() = Some(host);
    }

    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// From now on loses one media packet in `one_in`, or none for 0.
    pub fn lose(&self, one_in: u64) {
        self.shared.one_in.store(one_in, Ordering::Relaxed);
    }
}

impl Drop for LossyRelay {
    fn drop(&mut self) {
        self.shared.ending.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn relay(socket: &UdpSocket, shared: &Shared) {
    let mut viewer = None;
    let mut media = 0_u64;
    let mut packet = [0; 2_048];
    while !shared.ending.load(Ordering::Relaxed) {
        let Ok((length, from)) = socket.recv_from(&mut packet) else { continue };
        let Some(host) = *shared.host.lock().unwrap() else { continue };
        if from != host {
            viewer = Some(from);
            let _ = socket.send_to(&packet[..length], host);
            continue;
        }
        // RTP and RTCP begin with version 2 (RFC 7983); payload types 64 to 95 are RTCP's.
        let is_media = (128..192).contains(&packet[0]) && !(192..224).contains(&packet[1]);
        media += u64::from(is_media);
        let one_in = shared.one_in.load(Ordering::Relaxed);
        if is_media && one_in > 0 && media.is_multiple_of(one_in) {
            shared.dropped.fetch_add(1, Ordering::Relaxed);
        } else if let Some(viewer) = viewer {
            let _ = socket.send_to(&packet[..length], viewer);
        }
    }
}
