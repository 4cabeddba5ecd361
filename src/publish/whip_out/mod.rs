//! WHIP (RFC 9725), the sending side: publishes the processed picture to a server elsewhere, which serves the many.

mod backoff;
mod connection;
mod headers;
mod request;
mod session;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Broadcasts;
use super::peer::{Certificate, CertificateError};
use backoff::Backoff;
use request::Server;
use session::{Ended, Session};

/// Where to publish to.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    pub url: String,
    /// Empty for a server that wants none.
    pub token: String,
}

/// How publishing goes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum OutgoingState {
    #[default]
    Off,
    Connecting,
    Connected {
        kbps: u32,
        codec: &'static str,
    },
    /// It is tried again after this many seconds.
    Waiting {
        reason: String,
        seconds: u64,
    },
    /// Trying again would change nothing before the user does.
    Refused {
        reason: String,
    },
}

/// Publishes until it is stopped or dropped.
pub struct Outgoing {
    state: Arc<Mutex<OutgoingState>>,
    host: String,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
    runtime: Handle,
}

/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_millis(900);
/// A session that lasted for so long was a good one: what ends it is tried again at once.
const GOOD: Duration = Duration::from_secs(30);

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The token stays out of every log.
        f.debug_struct("Target").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Target {
    /// The server's name, for people; addresses may carry secrets in their paths.
    pub fn host(&self) -> String {
        let rest = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        authority.rsplit('@').next().unwrap_or_default().to_owned()
    }

    /// Why nothing can be published there, if so.
    pub fn mistake(&self) -> Option<&'static str> {
        let known = ["http://", "https://"].iter().any(|scheme| self.url.starts_with(scheme));
        if !known || self.host().is_empty() {
            return Some("The address of a WHIP server begins with https:// or http://");
        }
        let plain = |text: &str| text.bytes().all(|byte| (0x21..0x7f).contains(&byte));
        if !plain(&self.url) {
            return Some("The address has spaces or letters that an address can't have");
        }
        (!plain(&self.token)).then_some("The token has spaces or letters that a token can't have")
    }
}

impl OutgoingState {
    /// One line for people.
    pub fn sentence(&self, host: &str) -> String {
        match self {
            Self::Off => String::new(),
            Self::Connecting => format!("Publishing to {host}: connecting…"),
            Self::Connected { kbps, .. } => {
                format!("Publishing to {host}: connected, {:.1} Mbit/s", f64::from(*kbps) / 1e3)
            }
            Self::Waiting { reason, seconds } => {
                format!("Publishing to {host}: {reason}; trying again in {seconds} s")
            }
            Self::Refused { reason } => format!("Publishing to {host}: {reason}"),
        }
    }
}

impl Outgoing {
    /// Begins, and goes on whatever happens to the server.
    ///
    /// # Errors
    /// When WebRTC can't be set up at all.
    pub fn start(target: Target, broadcasts: &Broadcasts, runtime: &Handle) -> Result<Self, CertificateError> {
        let certificate = Certificate::generate()?;
        let state = Arc::new(Mutex::new(OutgoingState::Connecting));
        let stop = watch::Sender::new(false);
        let host = target.host();
        let run = Run {
            server: Server::new(&target),
            host: host.clone(),
            broadcasts: broadcasts.clone(),
            certificate,
            state: Arc::clone(&state),
            stop: stop.subscribe(),
        };
        let task = Some(runtime.spawn(run.run()));
        Ok(Self { state, host, stop, task, runtime: runtime.clone() })
    }

    pub fn state(&self) -> OutgoingState {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn host(&self) -> &str {
        &self.host
    }

    /// Says goodbye to the server and ends, within a second or two. A second call does nothing.
    pub fn stop(&mut self) {
        self.stop.send_replace(true);
        let Some(mut task) = self.task.take() else { return };
        let (done, wait) = std::sync::mpsc::channel();
        self.runtime.spawn(async move {
            if tokio::time::timeout(GOODBYE, &mut task).await.is_err() {
                task.abort();
            }
            let _ = done.send(());
        });
        if wait.recv_timeout(2 * GOODBYE).is_err() {
            tracing::warn!("publishing to {} did not stop in time", self.host);
        }
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The task.
struct Run {
    server: Server,
    host: String,
    broadcasts: Broadcasts,
    certificate: Certificate,
    state: Arc<Mutex<OutgoingState>>,
    stop: watch::Receiver<bool>,
}

impl Run {
    async fn run(mut self) {
        let mut backoff = Backoff::default();
        while !*self.stop.borrow() {
            self.tell(OutgoingState::Connecting);
            let begun = tokio::time::Instant::now();
            let ended = self.attempt().await;
            let (reason, after) = match ended {
                Ended::Asked => break,
                Ended::Refused(reason) => {
                    self.tell(OutgoingState::Refused { reason });
                    let _ = self.stop.wait_for(|stop| *stop).await;
                    break;
                }
                Ended::Failed { reason, after } => (reason, after),
            };
            if begun.elapsed() > GOOD {
                backoff = Backoff::default();
            }
            let pause = backoff.next(random_byte()).max(after);
            self.tell(OutgoingState::Waiting { reason, seconds: pause.as_secs_f64().ceil() as u64 });
            let _ = tokio::time::timeout(pause, self.stop.wait_for(|stop| *stop)).await;
        }
        self.tell(OutgoingState::Off);
    }

    /// One session with the first codec that the server takes.
    async fn attempt(&mut self) -> Ended {
        let mut last = Ended::Refused("this Lenscast has no video encoder".to_owned());
        for broadcast in self.broadcasts.0.clone() {
            let (state, codec) = (Arc::clone(&self.state), broadcast.codec().id());
            let host = self.host.clone();
            let tell = move |kbps| tell(&state, &host, OutgoingState::Connected { kbps, codec });
            let session = Session { broadcast, certificate: &self.certificate, server: &mut self.server };
            match session.run(self.stop.clone(), tell).await {
                Ok(ended) => return ended,
                // The next codec may be the one.
                Err(refused) => last = refused,
            }
        }
        last
    }

    fn tell(&self, state: OutgoingState) {
        tell(&self.state, &self.host, state);
    }
}

/// Notes the state, and logs it where it is another one and not only another bitrate.
fn tell(current: &Mutex<OutgoingState>, host: &str, state: OutgoingState) {
    let mut current = current.lock().unwrap_or_else(PoisonError::into_inner);
    if *current == state {
        return;
    }
    let same_kind = std::mem::discriminant(&*current) == std::mem::discriminant(&state);
    match &state {
        OutgoingState::Waiting { .. } | OutgoingState::Refused { .. } => tracing::warn!("{}", state.sentence(host)),
        OutgoingState::Connected { .. } if !same_kind => tracing::info!("Publishing to {host}: connected"),
        _ => {}
    }
    *current = state;
}

/// Without randomness the pause is not spread, which hurts nobody alone.
fn random_byte() -> u8 {
    super::peer::signalling::random::<1>().map_or(0, |[byte]| byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str, token: &str) -> Target {
        Target { url: url.to_owned(), token: token.to_owned() }
    }

    #[test]
    fn only_addresses_that_can_be_published_to_are_taken_and_tokens_stay_hidden() {
        assert_eq!(target("https://user:pass@media.example:8443/whip?key=1", "t").host(), "media.example:8443");
        assert_eq!(target("https://media.example/whip", "").mistake(), None);
        for wrong in ["", "media.example", "ftp://media.example", "https://", "https://media.example/a b"] {
            assert!(target(wrong, "").mistake().is_some(), "{wrong}");
        }
        assert!(target("https://media.example", "a\r\nX: y").mistake().is_some());
        assert!(!format!("{:?}", target("https://media.example", "hidden")).contains("hidden"));
    }

    #[test]
    fn the_state_is_said_in_one_line() {
        let said = |state: OutgoingState| state.sentence("media.example");
        assert_eq!(
            said(OutgoingState::Connected { kbps: 2_480, codec: "h264" }),
            "Publishing to media.example: connected, 2.5 Mbit/s"
        );
        let reason = "it refused the token (401); check it".to_owned();
        assert_eq!(
            said(OutgoingState::Refused { reason }),
            "Publishing to media.example: it refused the token (401); check it"
        );
    }
}
