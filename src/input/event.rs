//! What a viewer did with the pointer and the keyboard, as it came over the wire.

use super::keys::KeyCode;

/// A mouse button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Button {
    Left,
    Right,
    Middle,
}

/// What happened to the pointer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PointerKind {
    Move,
    /// A motion without a place, for programs that catch the pointer; in fractions of the shown picture.
    MoveBy {
        dx: f64,
        dy: f64,
    },
    Down(Button),
    Up(Button),
    /// Wheel notches, positive to the right and down; at most 20 an event.
    Scroll {
        dx: f32,
        dy: f32,
    },
    /// Lets everything go, keys as well.
    Release,
}

/// One event of one session.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PointerEvent {
    pub kind: PointerKind,
    /// Fractions of the shown picture, 0..=1; `None` where the event has no position: a press or the wheel is meant for
    /// where the pointer is then.
    pub position: Option<(f64, f64)>,
    /// The geometry of the frame the viewer saw.
    pub epoch: Option<u32>,
    /// Grows with each event of a session, so that a late move is not taken for a new one.
    pub seq: u64,
    /// When it happened, in milliseconds of the page's clock.
    pub time: Option<f64>,
}

/// A key went down or came up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KeyEvent {
    /// Which key it was on the viewer's keyboard.
    pub code: KeyCode,
    /// The character that it typed there; `None` asks for the key at the same place of the host's keyboard.
    pub character: Option<char>,
    pub down: bool,
    /// When it happened, in milliseconds of the page's clock.
    pub time: Option<f64>,
}

/// Anything a viewer does to the desktop.
#[derive(Debug, Clone, PartialEq)]
pub enum InputEvent {
    Pointer(PointerEvent),
    Key(KeyEvent),
    /// Characters to type, one after the other.
    Text(String),
}

impl InputEvent {
    /// Lets something go: such an event is never left out, whatever happens.
    pub fn lets_go(&self) -> bool {
        match self {
            Self::Pointer(event) => matches!(event.kind, PointerKind::Up(_) | PointerKind::Release),
            Self::Key(event) => !event.down,
            Self::Text(_) => false,
        }
    }

    /// May leave something held, until another event or the end of its session.
    pub fn holds(&self) -> bool {
        match self {
            Self::Pointer(event) => matches!(event.kind, PointerKind::Down(_)),
            Self::Key(event) => event.down,
            Self::Text(_) => false,
        }
    }

    /// Lets go everything that its session holds.
    pub fn releases_all(&self) -> bool {
        matches!(self, Self::Pointer(event) if event.kind == PointerKind::Release)
    }

    /// When it happened, in milliseconds of the page's clock.
    pub fn time(&self) -> Option<f64> {
        match self {
            Self::Pointer(event) => event.time,
            Self::Key(event) => event.time,
            Self::Text(_) => None,
        }
    }
}
