//! Starts and stops the publisher as the settings say.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::runtime::Runtime;

use super::host::EngineHost;
use super::links::{links, listening_address};
use super::status::ShareState;
use super::{Event, Parts};
use crate::publish::{self, PublishConfig, Publisher};
use crate::settings::{Reach, Share};

/// The publisher, while the picture is shared.
pub struct Sharing {
    runtime: Runtime,
    /// With what it was started; another port or reach needs a new one.
    running: Option<((Reach, u16), Publisher)>,
    /// What failed is not tried again until it is asked for anew.
    failed: Option<(Reach, u16)>,
    pub state: ShareState,
}

impl Sharing {
    /// # Errors
    /// When the system can't start the threads.
    pub fn new() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("publish")
            .enable_all()
            .build()?;
        Ok(Self { runtime, running: None, failed: None, state: ShareState::Off })
    }

    /// Brings the publisher to what the settings ask for; true when something changed.
    pub fn follow(&mut self, parts: &Arc<Parts>) -> bool {
        let share = parts.handle.store.get().share.clone();
        let wished = (share.reach, share.port);
        match &self.running {
            Some((current, _)) if share.on && *current == wished => return false,
            None if !share.on && self.state == ShareState::Off => return false,
            None if share.on && self.failed == Some(wished) => return false,
            _ => {}
        }
        self.stop();
        if share.on {
            self.start(parts, &share);
        }
        true
    }

    fn start(&mut self, parts: &Arc<Parts>, share: &Share) {
        let wished = (share.reach, share.port);
        let bind = SocketAddr::new(listening_address(share.reach), share.port);
        let host = Arc::new(EngineHost(Arc::downgrade(parts)));
        let video = parts.video.iter().map(|hub| Arc::clone(hub) as Arc<dyn publish::VideoSource>).collect();
        let runtime = self.runtime.handle();
        let started = Publisher::start(PublishConfig { bind }, host, parts.jpeg.clone(), video, runtime);
        match started {
            Ok(publisher) => {
                let address = publisher.address();
                let own = publish::local_addresses();
                let links = links(share, address.ip(), address.port(), &own);
                self.state = ShareState::On { links, address: address.ip(), port: address.port() };
                self.running = Some((wished, publisher));
            }
            Err(error) => {
                tracing::error!("{error}");
                parts.handle.tell(Event::Error(error.to_string()));
                self.state = ShareState::Failed(error.to_string());
                self.failed = Some(wished);
            }
        }
    }

    pub fn publisher(&self) -> Option<&Publisher> {
        self.running.as_ref().map(|(_, publisher)| publisher)
    }

    /// Ends every socket.
    pub fn stop(&mut self) {
        if let Some((_, publisher)) = self.running.take() {
            publisher.stop();
        }
        self.failed = None;
        self.state = ShareState::Off;
    }
}
