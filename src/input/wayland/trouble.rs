//! Why a Wayland desktop can't be controlled, each in one sentence that says what to do.

/// What stands in the way. None of it goes away by trying again at once: who is asked too often says no for ever.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    #[error("no desktop's message bus was found; start Lenscast from within the desktop")]
    NoBus,
    #[error(
        "the desktop's portal does not run; install xdg-desktop-portal and its part for your desktop, and log in again"
    )]
    NoPortal,
    #[error(
        "this desktop offers no remote control, as most built on wlroots; log in to GNOME, KDE Plasma or an X11 session"
    )]
    NoRemoteDesktop,
    #[error("it was refused in the desktop's dialog; if that was a mistake, ask again and allow it")]
    Refused,
    #[error("neither pointer nor keyboard was allowed in the desktop's dialog; ask again and allow them")]
    NothingAllowed,
    #[error("the desktop ended the remote control; ask again to go on")]
    Closed,
    #[error("the desktop's portal failed ({0}); ask again, and if that does not help log out and in")]
    Failed(String),
}
