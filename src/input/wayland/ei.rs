//! The connection to the compositor's input through libei: a thread reads what devices there are, and whoever injects
//! writes to the same socket.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reis::PendingRequestResult;
use reis::ei;
use reis::event::{Connection, EiEventConverter};
use reis::handshake::{EiHandshaker, HandshakeResp};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::super::injector::{Action, InjectError};
use super::devices::Devices;
use super::session::Hands;
use super::trouble::Trouble;
use crate::util::spawn_named;

/// Shown by the compositor.
const NAME: &str = "Lenscast";
/// For the handshake, and for the first device to come.
const SETUP: Duration = Duration::from_secs(5);
/// Devices come one after the other: when nothing came for so long, all are there.
const SETTLED: Duration = Duration::from_millis(100);
/// How long a compositor may leave our events lying.
const MOST_BLOCKED: Timespec = Timespec { tv_sec: 0, tv_nsec: 250_000_000 };

/// Writes events to the compositor. Dropping it ends the connection, and with it the compositor lets go everything.
pub struct EiHands {
    context: ei::Context,
    connection: Connection,
    socket: UnixStream,
    devices: Arc<Mutex<Devices>>,
}

/// What the reading thread says.
pub enum News {
    Ready(EiHands),
    /// The last thing it says.
    Ended(Trouble),
}

/// Starts the thread that reads; it says `tell` when events can be injected, and when that is over.
pub fn start(fd: OwnedFd, mut tell: impl FnMut(News) + Send + 'static) {
    spawn_named("wayland-input", move || {
        let ended = match read(fd, &mut tell) {
            Ok(()) => Trouble::Closed,
            Err(trouble) => trouble,
        };
        tell(News::Ended(ended));
    });
}

fn failed(error: &dyn std::fmt::Display) -> Trouble {
    Trouble::Failed(format!("its input connection broke: {error}"))
}

fn read(fd: OwnedFd, tell: &mut impl FnMut(News)) -> Result<(), Trouble> {
    let socket = UnixStream::from(fd);
    let ours = socket.try_clone().map_err(|error| failed(&error))?;
    let context = ei::Context::new(socket).map_err(|error| failed(&error))?;
    let begin = Instant::now();
    let mut converter = EiEventConverter::new(&context, handshake(&context, begin)?);
    let connection = converter.connection().clone();
    let devices = Arc::new(Mutex::new(Devices::default()));
    let mut hands = Some(EiHands {
        context: context.clone(),
        connection: connection.clone(),
        socket: ours,
        devices: Arc::clone(&devices),
    });
    loop {
        while let Some(event) = pending(&context)? {
            converter.handle_event(event).map_err(|error| failed(&error))?;
        }
        {
            let mut devices = lock(&devices);
            while let Some(event) = converter.next_event() {
                devices.note(&event, connection.serial())?;
            }
            // What can't be sent now goes with the next event.
            let _ = context.flush();
        }
        let timeout = hands.is_some().then_some(SETTLED);
        if !wait(&context, timeout)? {
            let any = lock(&devices).any();
            if (any || begin.elapsed() > SETUP)
                && let Some(hands) = hands.take()
            {
                tell(News::Ready(hands));
            }
            continue;
        }
        if !receive(&context)? {
            return Ok(());
        }
    }
}

fn handshake(context: &ei::Context, begin: Instant) -> Result<HandshakeResp, Trouble> {
    let mut handshaker = EiHandshaker::new(NAME, ei::handshake::ContextType::Sender);
    loop {
        while let Some(event) = pending(context)? {
            if let Some(done) = handshaker.handle_event(event).map_err(|error| failed(&error))? {
                return Ok(done);
            }
        }
        let left = SETUP.saturating_sub(begin.elapsed());
        if left.is_zero() || !wait(context, Some(left))? {
            return Err(failed(&"nobody answers"));
        }
        if !receive(context)? {
            return Err(Trouble::Closed);
        }
    }
}

/// The next message that was read whole.
fn pending(context: &ei::Context) -> Result<Option<ei::Event>, Trouble> {
    loop {
        return match context.pending_event() {
            None => Ok(None),
            Some(PendingRequestResult::Request(event)) => Ok(Some(event)),
            Some(PendingRequestResult::ParseError(error)) => Err(failed(&error)),
            // Of an object that we have let go meanwhile.
            Some(PendingRequestResult::InvalidObject(_)) => continue,
        };
    }
}

/// Whether there is something to read.
fn wait(context: &ei::Context, timeout: Option<Duration>) -> Result<bool, Trouble> {
    let timeout = timeout.map(|timeout| Timespec {
        tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(timeout.subsec_nanos()),
    });
    match poll(&mut [PollFd::new(context, PollFlags::IN)], timeout.as_ref()) {
        Ok(count) => Ok(count > 0),
        Err(Errno::INTR) => Ok(true),
        Err(error) => Err(failed(&error)),
    }
}

/// Reads what is there; not when the other end is gone.
fn receive(context: &ei::Context) -> Result<bool, Trouble> {
    use std::io::ErrorKind;
    match context.read() {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => Ok(false),
        Err(error) => Err(failed(&error)),
    }
}

fn lock(devices: &Mutex<Devices>) -> MutexGuard<'_, Devices> {
    devices.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hands for EiHands {
    fn carry_out(&mut self, action: Action) -> Result<(), InjectError> {
        let done = lock(&self.devices).carry_out(action, self.connection.serial());
        let gone = || InjectError::Denied(Trouble::Closed.to_string());
        match self.context.flush() {
            Ok(()) => done,
            Err(Errno::AGAIN) => {
                // The compositor is busy; events are kept in order, so this one may be waited for a little.
                let _ = poll(&mut [PollFd::new(&self.socket, PollFlags::OUT)], Some(&MOST_BLOCKED));
                self.context.flush().map_err(|_| gone()).and(done)
            }
            Err(_) => Err(gone()),
        }
    }
}

impl Drop for EiHands {
    fn drop(&mut self) {
        self.connection.connection().disconnect();
        let _ = self.connection.flush();
        // Ends the thread that reads.
        let _ = self.socket.shutdown(std::net::Shutdown::Both);
    }
}
