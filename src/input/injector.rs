//! What is done to the desktop, and who does it.

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
}

/// Something that carries actions out.
pub trait Injector: Send {
    /// # Errors
    /// When the desktop refuses; unless it was for our own window, the caller makes a new injector.
    fn inject(&mut self, action: Action) -> Result<(), InjectError>;
}

/// The real desktop of this session.
///
/// # Errors
/// When it can't be controlled; the sentence says why.
pub fn desktop() -> Result<Box<dyn Injector>, InjectError> {
    #[cfg(target_os = "linux")]
    {
        if !super::x11::is_session() {
            let advice = "it is no X11 session, and Lenscast can click in no other kind on Linux; log in to one";
            return Err(InjectError::Unavailable(advice.to_owned()));
        }
        Ok(Box::new(super::x11::X11Injector::open()?))
    }
    #[cfg(not(target_os = "linux"))]
    Ok(Box::new(super::native::NativeInjector::open()?))
}
