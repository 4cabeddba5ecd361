//! Starts and stops the publisher as the settings say.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::Runtime;

use super::host::EngineHost;
use super::links::{links, listening_address, places};
use super::status::{OutgoingStatus, ShareState};
use super::{Event, Parts};
use crate::publish::{self, Broadcasts, OutgoingState, PublishConfig, Publisher, Target};
use crate::settings::{Entry, Outgoing, Reach, Share};

/// Where is listened; another one needs another publisher.
type Place = (Reach, u16, Option<u16>);

/// The publisher, while the picture is shared.
pub struct Sharing {
    runtime: Runtime,
    /// With what it was started; another place needs a new one.
    running: Option<(Place, Publisher)>,
    /// What failed is not tried again until it is asked for anew.
    failed: Option<Place>,
    pub state: ShareState,
    /// Where the page can be opened, without scheme and secret.
    places: Vec<String>,
    /// Made with the first who needs it, and kept: two would take each other's frames.
    broadcasts: Option<Broadcasts>,
    publishing: Publishing,
}

/// The server elsewhere.
enum Publishing {
    No,
    /// With what it was started.
    To(Outgoing, publish::Outgoing),
    /// What failed is not tried again before something is changed.
    Failed(Outgoing, String),
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
        Ok(Self {
            runtime,
            running: None,
            failed: None,
            state: ShareState::Off,
            places: Vec::new(),
            broadcasts: None,
            publishing: Publishing::No,
        })
    }

    /// Brings the publisher to what the settings ask for; true when something changed.
    pub fn follow(&mut self, parts: &Arc<Parts>) -> bool {
        self.follow_outgoing(parts);
        let share = parts.handle.store.get().share.clone();
        let wished = (share.reach, share.port, share.udp_port);
        match &self.running {
            Some((current, _)) if share.on && *current == wished => {
                self.tend(parts, Instant::now());
                return false;
            }
            None if !share.on && self.state == ShareState::Off => return false,
            None if share.on && self.failed == Some(wished) => return false,
            _ => {}
        }
        self.stop();
        // Sessions, invitations and codes belong to one time of sharing.
        parts.door.clear();
        if share.on {
            self.start(parts, &share);
        }
        true
    }

    fn start(&mut self, parts: &Arc<Parts>, share: &Share) {
        let wished = (share.reach, share.port, share.udp_port);
        let bind = SocketAddr::new(listening_address(share.reach), share.port);
        let config = PublishConfig { bind, udp_port: share.udp_port };
        let host = Arc::new(EngineHost(Arc::downgrade(parts)));
        let video = self.broadcasts(parts);
        let runtime = self.runtime.handle();
        let started = Publisher::start_with(config, host, parts.jpeg.clone(), &video, runtime);
        match started {
            Ok(publisher) => {
                if let Some(notice) = publisher.notice() {
                    parts.handle.tell(Event::Warning(notice.to_owned()));
                }
                let address = publisher.address();
                let own = publish::local_addresses();
                self.places = places(address.ip(), address.port(), &own);
                let links = links(share, &self.places, None);
                self.state = ShareState::On { links, address: address.ip(), port: address.port() };
                self.tend(parts, Instant::now());
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

    /// Keeps an invitation and a code at hand while they are what lets people in, and the links as they are now.
    fn tend(&mut self, parts: &Parts, now: Instant) {
        let share = &parts.handle.store.get().share;
        let view = parts.door.view(now);
        let mut token = view.invitation.map(|(token, _)| token);
        if share.entry != Entry::Link {
            if token.is_none() {
                token = parts.door.invite(now).ok();
            }
            if view.code.is_none()
                && let Err(error) = parts.door.renew_code(now)
            {
                tracing::error!("there is no code: the system gives no random numbers: {error}");
            }
        }
        if let ShareState::On { links: shown, .. } = &mut self.state {
            *shown = links(share, &self.places, token.as_deref());
        }
    }

    fn broadcasts(&mut self, parts: &Parts) -> Broadcasts {
        let video = || parts.video.iter().map(|hub| Arc::clone(hub) as Arc<dyn publish::VideoSource>).collect();
        self.broadcasts.get_or_insert_with(|| Broadcasts::connect(video())).clone()
    }

    /// Publishes to the server that the settings name, or to none.
    fn follow_outgoing(&mut self, parts: &Parts) {
        // Whether the token is kept changes nothing about publishing.
        let wished = Outgoing { keep_token: false, ..parts.handle.store.get().outgoing.clone() };
        match &self.publishing {
            Publishing::No if !wished.on => return,
            Publishing::To(current, _) | Publishing::Failed(current, _) if *current == wished => return,
            _ => {}
        }
        self.publishing = Publishing::No;
        if !wished.on {
            return;
        }
        let target = target_of(&wished);
        let started = match target.mistake() {
            Some(mistake) => Err(mistake.to_owned()),
            None => {
                let broadcasts = self.broadcasts(parts);
                publish::Outgoing::start(target, &broadcasts, self.runtime.handle()).map_err(|error| error.to_string())
            }
        };
        self.publishing = match started {
            Ok(running) => Publishing::To(wished, running),
            Err(reason) => {
                tracing::error!("{reason}");
                parts.handle.tell(Event::Error(reason.clone()));
                Publishing::Failed(wished, reason)
            }
        };
    }

    pub fn outgoing(&self) -> OutgoingStatus {
        match &self.publishing {
            Publishing::No => OutgoingStatus::default(),
            Publishing::To(_, running) => OutgoingStatus { host: running.host().to_owned(), state: running.state() },
            Publishing::Failed(wished, reason) => OutgoingStatus {
                host: target_of(wished).host(),
                state: OutgoingState::Refused { reason: reason.clone() },
            },
        }
    }

    /// Ends everything, also what is published elsewhere.
    pub fn end(&mut self) {
        self.publishing = Publishing::No;
        self.stop();
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

/// Why nothing can be published with these settings, if so.
pub fn mistake_in(outgoing: &Outgoing) -> Option<&'static str> {
    target_of(outgoing).mistake()
}

fn target_of(outgoing: &Outgoing) -> Target {
    Target { url: outgoing.url.trim().to_owned(), token: outgoing.token.trim().to_owned() }
}
