//! The table of sessions under way, by the name in their `Location`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use webrtc::peer_connection::PeerConnection;

use super::super::peer::signalling::Names;
use super::super::viewers::Viewer;

/// What a later request can reach of a session.
pub struct SessionHandle {
    pub names: Names,
    pub viewer: Arc<Viewer>,
    pub connection: Arc<dyn PeerConnection>,
}

/// All sessions; each one leaves the table when its connection is closed.
#[derive(Default)]
pub struct Sessions {
    entries: Mutex<HashMap<String, Arc<SessionHandle>>>,
    count: watch::Sender<usize>,
}

impl Sessions {
    pub fn insert(&self, handle: Arc<SessionHandle>) {
        let count = {
            let mut entries = self.lock();
            entries.insert(handle.names.name.clone(), handle);
            entries.len()
        };
        self.count.send_replace(count);
    }

    pub fn find(&self, name: &str) -> Option<Arc<SessionHandle>> {
        self.lock().get(name).cloned()
    }

    pub fn remove(&self, name: &str) {
        let count = {
            let mut entries = self.lock();
            entries.remove(name);
            entries.len()
        };
        self.count.send_replace(count);
    }

    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// Waits until every session has closed its connection, at most for `limit`.
    pub async fn emptied(&self, limit: Duration) {
        let mut count = self.count.subscribe();
        let _ = tokio::time::timeout(limit, count.wait_for(|&count| count == 0)).await;
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<SessionHandle>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
