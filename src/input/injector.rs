//! What is done to the desktop, and who does it.

use std::path::Path;
use std::sync::Arc;

use super::event::Button;
use super::keys::Key;
use crate::geometry::{Desktop, Point};

/// One thing to do on the desktop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Action {
    MoveTo(Point<Desktop>),
    /// By so many pixels from where the pointer is.
    MoveBy {
        dx: i32,
        dy: i32,
    },
    Press(Button),
    Release(Button),
    /// Whole wheel notches, positive to the right and down.
    Scroll {
        dx: i32,
        dy: i32,
    },
    KeyDown(Key),
    KeyUp(Key),
    /// Presses and releases whatever types this character, and leaves the modifiers as they were.
    Type(char),
}

/// Why the desktop can't be clicked on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InjectError {
    #[error("the pointer can't be controlled in this session: {0}")]
    Unavailable(String),
    #[error("the desktop refused an event: {0}")]
    Refused(String),
    /// Lenscast's own windows are deaf, so that no viewer allows himself more.
    #[error("it was meant for Lenscast's own window")]
    OwnWindow,
    /// The person at the host is being asked.
    #[error("the desktop asks whether it may be controlled; answer its dialog on this computer's screen")]
    Asking,
    /// The desktop or its user said no, and is asked again only on demand.
    #[error("{0}")]
    Denied(String),
    /// This one thing can't be done, and everything else can.
    #[error("{0}")]
    Skipped(String),
}

impl InjectError {
    /// Another injector would be no better off, and on some desktops it would ask the user anew.
    pub fn keeps_injector(&self) -> bool {
        match self {
            Self::OwnWindow | Self::Asking | Self::Denied(_) | Self::Skipped(_) => true,
            Self::Unavailable(_) | Self::Refused(_) => false,
        }
    }

    /// Concerns one event, and says nothing of the next.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::OwnWindow | Self::Skipped(_))
    }

    /// A place on a screen that the desktop's user did not share.
    #[cfg(all(target_os = "linux", feature = "wayland"))]
    pub(super) fn not_shared() -> Self {
        let advice = "that screen was not chosen in the desktop's dialog; ask again and choose every screen";
        Self::Denied(advice.to_owned())
    }
}

/// Rung from any thread when what an injector says of itself may have changed.
pub type Bell = Arc<dyn Fn() + Send + Sync>;

/// Something that carries actions out.
pub trait Injector: Send {
    /// # Errors
    /// When the desktop refuses; unless the error keeps the injector, the caller makes a new one.
    fn inject(&mut self, action: Action) -> Result<(), InjectError>;

    /// Whether actions can be carried out now.
    ///
    /// # Errors
    /// What stands in the way, of desktops that ask their user first.
    fn ready(&mut self) -> Result<(), InjectError> {
        Ok(())
    }

    /// Gives it the bell to ring when [`Self::ready`] may answer something else.
    fn set_bell(&mut self, _bell: Bell) {}

    /// Whether it refuses what would be done to one of our own windows.
    fn spares_own_windows(&self) -> bool {
        false
    }

    /// Whether the desktop lends itself for as long as this injector lives, and shows that it does: then it is given
    /// back as soon as nobody may control it.
    fn is_lent(&self) -> bool {
        false
    }
}

/// Whether the desktop of this session is Wayland's. A Wayland socket within an X11 session is some program's own.
#[cfg(target_os = "linux")]
pub(super) fn is_wayland() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    is_set("WAYLAND_DISPLAY") && std::env::var_os("XDG_SESSION_TYPE").is_none_or(|kind| kind != "x11")
}

/// Whether the desktop asks its user before anything can be injected; then it is good to ask early.
pub fn asks_first() -> bool {
    #[cfg(target_os = "linux")]
    return is_wayland();
    #[cfg(not(target_os = "linux"))]
    false
}

/// The real desktop of this session. In `folder` a desktop's permission is kept, so that it need not ask again.
///
/// # Errors
/// When it can't be controlled; the sentence says why.
pub fn desktop(folder: Option<&Path>) -> Result<Box<dyn Injector>, InjectError> {
    #[cfg(target_os = "linux")]
    {
        if is_wayland() {
            return wayland(folder);
        }
        if !super::x11::is_session() {
            let advice = "there is neither an X11 nor a Wayland desktop here; start Lenscast in one";
            return Err(InjectError::Unavailable(advice.to_owned()));
        }
        Ok(Box::new(super::x11::X11Injector::open()?))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = folder;
        Ok(Box::new(super::native::NativeInjector::open()?))
    }
}

#[cfg(all(target_os = "linux", feature = "wayland"))]
fn wayland(folder: Option<&Path>) -> Result<Box<dyn Injector>, InjectError> {
    use super::wayland::{Place, WaylandInjector};
    let place = Place { bus: None, folder: folder.map(Path::to_owned) };
    Ok(Box::new(WaylandInjector::open(place)))
}

#[cfg(all(target_os = "linux", not(feature = "wayland")))]
fn wayland(_folder: Option<&Path>) -> Result<Box<dyn Injector>, InjectError> {
    let advice = "this Lenscast was built without Wayland; build it with the feature `wayland`, or log in to X11";
    Err(InjectError::Denied(advice.to_owned()))
}
