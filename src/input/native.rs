//! Windows and macOS, through `enigo`.

use enigo::{Axis, Coordinate, Direction, Enigo, Keyboard, Mouse, Settings};

use super::event::Button;
use super::injector::{Action, InjectError, Injector};
use super::keys::{Key, KeyCode};
use super::local::LocalAct;

/// The desktop's real pointer and keyboard.
pub struct NativeInjector(Enigo);

impl NativeInjector {
    /// # Errors
    /// When this session has no pointer to control.
    pub fn open() -> Result<Self, InjectError> {
        let settings = Settings { open_prompt_to_get_permissions: false, ..Settings::default() };
        Enigo::new(&settings).map(Self).map_err(|error| InjectError::Unavailable(error.to_string()))
    }

    fn key(&mut self, key: Key, direction: Direction) -> enigo::InputResult<()> {
        let key = match key {
            Key::Bearing(character) => Some(enigo::Key::Unicode(character)),
            Key::At(code) => meaning(code),
        };
        // A key that this keyboard lacks does nothing.
        key.map_or(Ok(()), |key| self.0.key(key, direction))
    }
}

impl Injector for NativeInjector {
    fn inject(&mut self, action: Action) -> Result<(), InjectError> {
        let name = |button| match button {
            Button::Left => enigo::Button::Left,
            Button::Right => enigo::Button::Right,
            Button::Middle => enigo::Button::Middle,
        };
        let result = match action {
            // Pixel `i` covers `[i, i + 1)`, so the pixel under a position is its floor.
            Action::MoveTo(at) => self.0.move_mouse(at.x.floor() as i32, at.y.floor() as i32, Coordinate::Abs),
            Action::MoveBy { dx, dy } => self.0.move_mouse(dx, dy, Coordinate::Rel),
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
            Action::KeyDown(key) => self.key(key, Direction::Press),
            Action::KeyUp(key) => self.key(key, Direction::Release),
            Action::Type(character) => self.0.text(character.encode_utf8(&mut [0; 4])),
        };
        result.map_err(|error| InjectError::Refused(error.to_string()))
    }
}

/// The real mouse and keyboard are not listened to on these systems yet: here viewers do not wait for them.
pub struct LocalInput;

impl LocalInput {
    pub fn start(_act: impl Fn(LocalAct) + Send + 'static) -> Self {
        Self
    }
}

/// What the key at this place does on a keyboard with the US layout.
fn meaning(code: KeyCode) -> Option<enigo::Key> {
    let name = code.name();
    let character = |name: &str| name.chars().next().map(|letter| enigo::Key::Unicode(letter.to_ascii_lowercase()));
    if let Some(rest) = name.strip_prefix("Key").or(name.strip_prefix("Digit")).or(name.strip_prefix("Numpad"))
        && rest.len() == 1
    {
        return character(rest);
    }
    Some(match name {
        "Escape" => enigo::Key::Escape,
        "Backspace" => enigo::Key::Backspace,
        "Tab" => enigo::Key::Tab,
        "Enter" | "NumpadEnter" => enigo::Key::Return,
        "ControlLeft" => enigo::Key::LControl,
        "ControlRight" => enigo::Key::RControl,
        "ShiftLeft" => enigo::Key::LShift,
        "ShiftRight" => enigo::Key::RShift,
        "AltLeft" | "AltRight" => enigo::Key::Alt,
        "MetaLeft" | "MetaRight" => enigo::Key::Meta,
        "CapsLock" => enigo::Key::CapsLock,
        "Space" => enigo::Key::Space,
        "Home" => enigo::Key::Home,
        "End" => enigo::Key::End,
        "PageUp" => enigo::Key::PageUp,
        "PageDown" => enigo::Key::PageDown,
        "ArrowUp" => enigo::Key::UpArrow,
        "ArrowDown" => enigo::Key::DownArrow,
        "ArrowLeft" => enigo::Key::LeftArrow,
        "ArrowRight" => enigo::Key::RightArrow,
        "Delete" => enigo::Key::Delete,
        "F1" => enigo::Key::F1,
        "F2" => enigo::Key::F2,
        "F3" => enigo::Key::F3,
        "F4" => enigo::Key::F4,
        "F5" => enigo::Key::F5,
        "F6" => enigo::Key::F6,
        "F7" => enigo::Key::F7,
        "F8" => enigo::Key::F8,
        "F9" => enigo::Key::F9,
        "F10" => enigo::Key::F10,
        "F11" => enigo::Key::F11,
        "F12" => enigo::Key::F12,
        "AudioVolumeMute" => enigo::Key::VolumeMute,
        "AudioVolumeDown" => enigo::Key::VolumeDown,
        "AudioVolumeUp" => enigo::Key::VolumeUp,
        "MediaTrackNext" => enigo::Key::MediaNextTrack,
        "MediaPlayPause" => enigo::Key::MediaPlayPause,
        "MediaTrackPrevious" => enigo::Key::MediaPrevTrack,
        _ => {
            let printed = [
                ("Minus", "-"),
                ("Equal", "="),
                ("BracketLeft", "["),
                ("BracketRight", "]"),
                ("Semicolon", ";"),
                ("Quote", "'"),
                ("Backquote", "`"),
                ("Backslash", "\\"),
                ("Comma", ","),
                ("Period", "."),
                ("Slash", "/"),
                ("NumpadMultiply", "*"),
                ("NumpadSubtract", "-"),
                ("NumpadAdd", "+"),
                ("NumpadDecimal", "."),
                ("NumpadDivide", "/"),
                ("IntlBackslash", "\\"),
            ];
            return printed.iter().find(|(known, _)| *known == name).and_then(|(_, printed)| character(printed));
        }
    })
}
