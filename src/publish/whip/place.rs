//! The one publisher there can be, and what later requests reach of it.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as AsyncMutex, watch};
use webrtc::peer_connection::PeerConnection;

use super::super::peer::setup::Gathering;

/// A session's name, and how to end it.
pub struct Handle {
    /// 128 random bits in hexadecimal: whoever does not know it can't end the session.
    pub name: String,
    pub address: IpAddr,
    pub connection: Arc<dyn PeerConnection>,
    /// One request at a time changes the session.
    pub negotiation: AsyncMutex<Negotiation>,
    end: watch::Sender<bool>,
}

/// What a restart of ICE starts from and changes.
pub struct Negotiation {
    /// Strong, with its quotes; another one after each restart.
    pub etag: String,
    /// The offer as it is now.
    pub offer: String,
    pub gathering: Gathering,
}

impl Handle {
    pub fn new(name: String, address: IpAddr, connection: Arc<dyn PeerConnection>, first: Negotiation) -> Self {
        let (negotiation, end) = (AsyncMutex::new(first), watch::Sender::new(false));
        Self { name, address, connection, negotiation, end }
    }

    pub fn end(&self) {
        self.end.send_replace(true);
    }

    /// Resolves when the session has to go.
    pub async fn ended(&self) {
        let mut end = self.end.subscribe();
        // The sender lives in `self`, so waiting can't fail while somebody waits.
        let _ = end.wait_for(|end| *end).await;
    }
}

/// Where the publisher is found.
#[derive(Default)]
pub struct Place {
    current: Mutex<Option<Arc<Handle>>>,
    taken: watch::Sender<bool>,
}

impl Place {
    pub fn take(&self, handle: Arc<Handle>) {
        *self.lock() = Some(handle);
        self.taken.send_replace(true);
    }

    pub fn find(&self, name: &str) -> Option<Arc<Handle>> {
        self.lock().clone().filter(|handle| handle.name == name)
    }

    /// Forgets a session that has ended; one that came after it stays.
    pub fn leave(&self, handle: &Arc<Handle>) {
        let mut current = self.lock();
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, handle)) {
            *current = None;
            drop(current);
            self.taken.send_replace(false);
        }
    }

    /// Ends the session, and waits for it, at most for `limit`.
    pub async fn clear(&self, limit: Duration) {
        if let Some(handle) = self.lock().clone() {
            handle.end();
        }
        let mut taken = self.taken.subscribe();
        let _ = tokio::time::timeout(limit, taken.wait_for(|taken| !*taken)).await;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Handle>>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
