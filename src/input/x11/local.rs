//! What the person at the host does with the real mouse and keyboard: it comes first.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use x11rb::connection::Connection;
use x11rb::errors::ReplyOrIdError;
use x11rb::protocol::Event;
use x11rb::protocol::xinput::{ConnectionExt as _, EventMask, XIEventMask};
use x11rb::rust_connection::RustConnection;

use super::super::local::{LocalAct, LocalWatch};
use crate::util::spawn_named;

/// Masters of all kinds, and all devices.
const ALL_MASTERS: u16 = 1;
const ALL_DEVICES: u16 = 0;
/// How long the end of the thread may take.
const TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };

/// Listens to the server's real devices, for as long as it is kept.
pub struct LocalInput {
    stop: Arc<AtomicBool>,
}

impl LocalInput {
    /// Calls `act` on a thread of its own. A server without the X Input Extension is never heard of.
    pub fn start(act: impl Fn(LocalAct) + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&stop);
        let here = super::is_session();
        spawn_named("local-input", move || {
            if here && let Err(error) = listen(&act, &ended) {
                tracing::warn!("the local mouse and keyboard can't be listened to, so they don't come first: {error}");
            }
        });
        Self { stop }
    }
}

impl Drop for LocalInput {
    fn drop(&mut self) {
        // The thread ends within a tick; nobody waits for it, because this may be the window's thread.
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn listen(act: &impl Fn(LocalAct), stop: &AtomicBool) -> Result<(), Box<dyn std::error::Error>> {
    let (connection, screen) = x11rb::connect(None)?;
    let root = connection.setup().roots[screen].root;
    connection.xinput_xi_query_version(2, 2)?.reply()?;
    let events = XIEventMask::RAW_MOTION
        | XIEventMask::RAW_BUTTON_PRESS
        | XIEventMask::RAW_KEY_PRESS
        | XIEventMask::RAW_KEY_RELEASE;
    connection.xinput_xi_select_events(root, &[EventMask { deviceid: ALL_MASTERS, mask: vec![events] }])?.check()?;
    let mut injected = injected_devices(&connection)?;
    let mut known: BTreeSet<u16> = injected.clone();
    let mut watch = LocalWatch::default();
    while !stop.load(Ordering::Relaxed) {
        while let Some(event) = connection.poll_for_event()? {
            let source = match &event {
                Event::XinputRawMotion(event) | Event::XinputRawButtonPress(event) => event.sourceid,
                Event::XinputRawKeyPress(event) | Event::XinputRawKeyRelease(event) => event.sourceid,
                _ => continue,
            };
            if known.insert(source) {
                // A device that was plugged in meanwhile, or made by another program that injects.
                injected = injected_devices(&connection)?;
            }
            if injected.contains(&source) {
                continue;
            }
            let now = Instant::now();
            let done = match event {
                Event::XinputRawMotion(_) => watch.moved(now),
                Event::XinputRawButtonPress(_) => Some(LocalAct::Active),
                Event::XinputRawKeyPress(event) => watch.key(event.detail, true),
                Event::XinputRawKeyRelease(event) => watch.key(event.detail, false),
                _ => None,
            };
            if let Some(done) = done {
                act(done);
            }
        }
        let stream = connection.stream();
        match poll(&mut [PollFd::new(stream, PollFlags::IN)], Some(&TICK)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(std::io::Error::from(error).into()),
        }
    }
    Ok(())
}

/// The devices through which programs inject, ours among them.
fn injected_devices(connection: &RustConnection) -> Result<BTreeSet<u16>, ReplyOrIdError> {
    let devices = connection.xinput_xi_query_device(ALL_DEVICES)?.reply()?.infos;
    let injects = |name: &[u8]| String::from_utf8_lossy(name).contains("XTEST");
    Ok(devices.iter().filter(|device| injects(&device.name)).map(|device| device.deviceid).collect())
}
