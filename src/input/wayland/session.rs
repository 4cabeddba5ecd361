//! The injector of a Wayland desktop, and the thread that asks for permission and waits for its end.
//!
//! Everything that takes time happens on that thread: the injector is there at once, and says what it waits for. It
//! never asks twice of itself. Whoever wants to be asked again makes another one.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zbus::blocking::Connection;
use zbus::zvariant::OwnedObjectPath;

use super::super::injector::{Action, Bell, InjectError, Injector};
use super::ei::{self, News};
use super::notify::NotifyHands;
use super::permission::{self, REMOTE_DESKTOP};
use super::portal::{self, Portal};
use super::token::TokenFile;
use super::trouble::Trouble;
use crate::util::spawn_named;

/// Carries actions out, once it is allowed.
pub(super) trait Hands: Send {
    fn carry_out(&mut self, action: Action) -> Result<(), InjectError>;
}

/// Where the desktop is, and where its permission is kept.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// The message bus's address; the session's own without one.
    pub bus: Option<String>,
    /// The settings' folder. Without one the desktop asks every time.
    pub folder: Option<PathBuf>,
}

enum Stage {
    Asking,
    Ready(Box<dyn Hands>),
    Ended(Trouble),
}

struct Inner {
    stage: Stage,
    connection: Option<Connection>,
    session: Option<OwnedObjectPath>,
    bell: Option<Bell>,
    /// The injector is gone.
    dropped: bool,
}

struct Shared(Mutex<Inner>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes on, unless it has ended.
    fn set(&self, stage: Stage) {
        let (before, bell) = {
            let mut inner = self.lock();
            if matches!(inner.stage, Stage::Ended(_)) || inner.dropped {
                return;
            }
            (std::mem::replace(&mut inner.stage, stage), inner.bell.clone())
        };
        // Closing the connection to the compositor is nothing to do under a lock.
        drop(before);
        if let Some(bell) = bell {
            bell();
        }
    }

    fn end(&self, trouble: Trouble) {
        let is_news = {
            let inner = self.lock();
            !inner.dropped && !matches!(inner.stage, Stage::Ended(_))
        };
        if is_news {
            // Without a window nobody sees the banner.
            tracing::warn!("viewers can't control this desktop: {trouble}");
        }
        self.set(Stage::Ended(trouble));
        self.hang_up();
    }

    /// Ends the portal's session, and with it whatever dialog is still open.
    fn hang_up(&self) {
        let (connection, session) = {
            let mut inner = self.lock();
            (inner.connection.take(), inner.session.take())
        };
        let Some(connection) = connection else { return };
        if let Some(session) = session {
            portal::close(&connection, &session);
        }
        // The portal ends what a client leaves behind, so this is enough even while an answer is waited for.
        let _ = connection.close();
    }
}

/// The pointer and keyboard of a Wayland desktop, for as long as its user allows it.
pub struct WaylandInjector(Arc<Shared>);

impl WaylandInjector {
    /// Begins to ask, and returns at once.
    pub fn open(place: Place) -> Self {
        let inner = Inner { stage: Stage::Asking, connection: None, session: None, bell: None, dropped: false };
        let shared = Arc::new(Shared(Mutex::new(inner)));
        let thread = Arc::clone(&shared);
        spawn_named("wayland-portal", move || {
            let Err(trouble) = run(&thread, &place);
            thread.end(trouble);
        });
        Self(shared)
    }
}

/// Asks, and then waits for the session's end.
fn run(shared: &Arc<Shared>, place: &Place) -> Result<std::convert::Infallible, Trouble> {
    let connection = portal::connect(place.bus.as_deref())?;
    {
        let mut inner = shared.lock();
        if inner.dropped {
            return Err(Trouble::Closed);
        }
        inner.connection = Some(connection.clone());
    }
    let (mut portal, version) = Portal::open(connection, REMOTE_DESKTOP)?;
    let token = TokenFile::within(place.folder.as_deref());
    let mut permission = permission::ask(&mut portal, version, &token, |session| {
        shared.lock().session = Some(session.clone());
    })?;
    match permission.eis.take() {
        Some(fd) => {
            // Weak, so that the thread that reads does not keep what it reads for.
            let weak = Arc::downgrade(shared);
            ei::start(fd, move |news| {
                let Some(shared) = weak.upgrade() else { return };
                match news {
                    News::Ready(hands) => shared.set(Stage::Ready(Box::new(hands))),
                    News::Ended(trouble) => shared.end(trouble),
                }
            });
        }
        None => shared.set(Stage::Ready(Box::new(NotifyHands::new(portal.connection(), permission)?))),
    }
    loop {
        portal.next()?;
    }
}

impl Injector for WaylandInjector {
    fn inject(&mut self, action: Action) -> Result<(), InjectError> {
        match &mut self.0.lock().stage {
            Stage::Ready(hands) => hands.carry_out(action),
            Stage::Asking => Err(InjectError::Asking),
            Stage::Ended(trouble) => Err(InjectError::Denied(trouble.to_string())),
        }
    }

    fn ready(&mut self) -> Result<(), InjectError> {
        match &self.0.lock().stage {
            Stage::Ready(_) => Ok(()),
            Stage::Asking => Err(InjectError::Asking),
            Stage::Ended(trouble) => Err(InjectError::Denied(trouble.to_string())),
        }
    }

    fn set_bell(&mut self, bell: Bell) {
        self.0.lock().bell = Some(bell);
    }

    fn is_lent(&self) -> bool {
        true
    }
}

impl Drop for WaylandInjector {
    fn drop(&mut self) {
        let before = {
            let mut inner = self.0.lock();
            inner.dropped = true;
            inner.bell = None;
            std::mem::replace(&mut inner.stage, Stage::Ended(Trouble::Closed))
        };
        drop(before);
        self.0.hang_up();
    }
}
