//! Makes the desktop move and click.

use enigo::{Axis, Coordinate, Direction, Enigo, Mouse, Settings};

use super::event::Button;
use crate::geometry::{Desktop, Point};

/// One thing to do on the desktop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Action {
    MoveTo(Point<Desktop>),
    Press(Button),
    Release(Button),
    /// Whole wheel notches, positive to the right and down.
    Scroll {
        dx: i32,
        dy: i32,
    },
}

/// Why the desktop can't be clicked on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InjectError {
    #[error("the pointer can't be controlled in this session: {0}")]
    Unavailable(String),
    #[error("the desktop refused a pointer event: {0}")]
    Refused(String),
}

/// Something that carries actions out.
pub trait Injector: Send {
    /// # Errors
    /// When the desktop refuses; the caller makes a new injector.
    fn inject(&mut self, action: Action) -> Result<(), InjectError>;
}

/// The desktop's real pointer.
pub struct EnigoInjector(Enigo);

impl EnigoInjector {
    /// # Errors
    /// When this session has no pointer to control.
    pub fn new() -> Result<Self, InjectError> {
        // The default sleeps 12 ms after each event, which makes 37 ms a click.
        let settings = Settings { linux_delay: 0, open_prompt_to_get_permissions: false, ..Settings::default() };
        Enigo::new(&settings).map(Self).map_err(|error| InjectError::Unavailable(error.to_string()))
    }
}

impl Injector for EnigoInjector {
    fn inject(&mut self, action: Action) -> Result<(), InjectError> {
        let name = |button| match button {
            Button::Left => enigo::Button::Left,
            Button::Right => enigo::Button::Right,
            Button::Middle => enigo::Button::Middle,
        };
        let result = match action {
            // Pixel `i` covers `[i, i + 1)`, so the pixel under a position is its floor.
            Action::MoveTo(at) => self.0.move_mouse(at.x.floor() as i32, at.y.floor() as i32, Coordinate::Abs),
            Action::Press(button) => self.0.button(name(button), Direction::Press),
            Action::Release(button) => self.0.button(name(button), Direction::Release),
            Action::Scroll { dx, dy } => {
                let mut result = Ok(());
                for (length, axis) in [(dx, Axis::Horizontal), (dy, Axis::Vertical)] {
                    if length != 0 && result.is_ok() {
                        result = self.0.scroll(length, axis);
                    }
                }
                result
            }
        };
        result.map_err(|error| InjectError::Refused(error.to_string()))
    }
}
