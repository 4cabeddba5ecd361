//! What a viewer did with the pointer, as it came over the wire.

/// A mouse button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Button {
    Left,
    Right,
    Middle,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PointerKind {
    Move,
    Down(Button),
    Up(Button),
    /// Wheel notches, positive to the right and down; at most 20 an event.
    Scroll {
        dx: f32,
        dy: f32,
    },
    /// Lets everything go.
    Release,
}

/// One event of one session.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PointerEvent {
    pub kind: PointerKind,
    /// Fractions of the shown picture, 0..=1; `None` where the event has no position.
    pub position: Option<(f64, f64)>,
    /// The geometry of the frame the viewer saw.
    pub epoch: Option<u32>,
    /// Grows with each event of a session, so that a late move is not taken for a new one.
    pub seq: u64,
}
