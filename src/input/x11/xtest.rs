//! Carries actions out on an X server.

use std::collections::HashMap;

use x11rb::connection::Connection;
use x11rb::errors::{ConnectionError, ReplyError};
use x11rb::protocol::Event;
use x11rb::protocol::xproto::*;
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use super::super::event::Button;
use super::super::injector::{Action, InjectError, Injector};
use super::super::keys::Key;
use super::keymap::{Keymap, Stroke, symbol_of};
use crate::util::own_windows;

/// Linux's key numbers start at 0 and X's at 8.
const EVDEV_OFFSET: u8 = 8;
const LEVEL3_SHIFT: u32 = xkeysym::key::ISO_Level3_Shift;
/// A detail of XTEST: motion is by so much, and not to there.
const RELATIVE: u8 = 1;

/// The X server's pointer and keyboard.
pub struct X11Injector {
    connection: RustConnection,
    root: Window,
    keymap: Keymap,
    /// Keys that type nothing of themselves, and what was lent to them; the longest ago first.
    spare: Vec<(u8, Option<char>)>,
    /// What was pressed for each key, because the map may change before it comes up.
    pressed: HashMap<Key, u8>,
}

impl From<ConnectionError> for InjectError {
    fn from(error: ConnectionError) -> Self {
        Self::Refused(error.to_string())
    }
}

impl From<ReplyError> for InjectError {
    fn from(error: ReplyError) -> Self {
        Self::Refused(error.to_string())
    }
}

impl X11Injector {
    /// Connects to the server that `DISPLAY` names.
    ///
    /// # Errors
    /// When there is none, or it has no XTEST extension.
    pub fn open() -> Result<Self, InjectError> {
        let unavailable = |error: &dyn std::fmt::Display| InjectError::Unavailable(error.to_string());
        let (connection, screen) = x11rb::connect(None).map_err(|error| unavailable(&error))?;
        let root = connection.setup().roots[screen].root;
        let version = connection.xtest_get_version(2, 2).map_err(|error| unavailable(&error))?;
        version.reply().map_err(|_| unavailable(&"this X server lacks the XTEST extension"))?;
        let mut injector =
            Self { connection, root, keymap: Keymap::default(), spare: Vec::new(), pressed: HashMap::new() };
        injector.read_keymap()?;
        injector.spare = injector.keymap.spare().into_iter().map(|keycode| (keycode, None)).collect();
        Ok(injector)
    }

    fn read_keymap(&mut self) -> Result<(), InjectError> {
        let (first, last) = (self.connection.setup().min_keycode, self.connection.setup().max_keycode);
        let reply = self.connection.get_keyboard_mapping(first, last - first + 1)?.reply()?;
        self.keymap = Keymap::new(first, reply.keysyms_per_keycode, reply.keysyms);
        Ok(())
    }

    /// Reads the map again where somebody chose another layout.
    fn refresh(&mut self) -> Result<(), InjectError> {
        let mut changed = false;
        while let Some(event) = self.connection.poll_for_event()? {
            changed |= matches!(event, Event::MappingNotify(event) if event.request != Mapping::POINTER);
        }
        if changed { self.read_keymap() } else { Ok(()) }
    }

    fn fake(&self, kind: u8, detail: u8, x: i16, y: i16) -> Result<(), InjectError> {
        self.connection.xtest_fake_input(kind, detail, x11rb::CURRENT_TIME, self.root, x, y, 0)?;
        Ok(())
    }

    fn key(&self, keycode: u8, down: bool) -> Result<(), InjectError> {
        self.fake(if down { KEY_PRESS_EVENT } else { KEY_RELEASE_EVENT }, keycode, 0, 0)
    }

    fn keycode(&mut self, key: Key) -> Result<u8, InjectError> {
        match key {
            Key::At(code) => Ok(code.evdev() + EVDEV_OFFSET),
            Key::Bearing(character) => Ok(self.stroke(character)?.0.keycode),
        }
    }

    /// How a character is typed now, and which modifiers and locks are on.
    fn stroke(&mut self, character: char) -> Result<(Stroke, KeyButMask), InjectError> {
        self.refresh()?;
        let mask = self.connection.query_pointer(self.root)?.reply()?.mask;
        // Bits 13 and 14 are the group, the layout that is on.
        let group = usize::from((u16::from(mask) >> 13) & 3);
        let stroke = match self.keymap.stroke(character, group) {
            Some(stroke) => stroke,
            None => Stroke { keycode: self.lend(character)?, shift: false, level3: false },
        };
        Ok((stroke, mask))
    }

    /// A spare key that types this character from now on, whatever is held with it.
    fn lend(&mut self, character: char) -> Result<u8, InjectError> {
        if let Some((keycode, _)) = self.spare.iter().find(|(_, lent)| *lent == Some(character)) {
            return Ok(*keycode);
        }
        let place = self.spare.iter().position(|(_, lent)| lent.is_none()).unwrap_or(0);
        if self.spare.is_empty() {
            return Err(InjectError::Refused(format!("no key is left to type {character:?} with")));
        }
        let (keycode, _) = self.spare.remove(place);
        self.spare.push((keycode, Some(character)));
        self.connection.change_keyboard_mapping(1, keycode, 2, &[symbol_of(character); 2])?;
        self.connection.sync().map_err(InjectError::from)?;
        Ok(keycode)
    }

    /// Types one character, with the modifiers that it needs for just so long.
    fn type_character(&mut self, character: char) -> Result<(), InjectError> {
        let (stroke, mask) = self.stroke(character)?;
        let caps = mask.contains(KeyButMask::LOCK) && character.is_alphabetic();
        let pressed = self.connection.query_keymap()?.reply()?.keys;
        let is_down = |keycode: u8| pressed[usize::from(keycode / 8)] & (1 << (keycode % 8)) != 0;
        // What has to change for this character: which keys, and whether they go down.
        let mut changes: Vec<(u8, bool)> = Vec::new();
        let shifts: Vec<u8> =
            [xkeysym::key::Shift_L, xkeysym::key::Shift_R].iter().filter_map(|&key| self.keymap.bearing(key)).collect();
        let level3: Vec<u8> = self.keymap.bearing(LEVEL3_SHIFT).into_iter().collect();
        for (keys, on, wanted) in [
            (&shifts, mask.contains(KeyButMask::SHIFT), stroke.shift != caps),
            (&level3, level3.iter().any(|&key| is_down(key)), stroke.level3),
        ] {
            if wanted && !on {
                changes.extend(keys.first().map(|&key| (key, true)));
            } else if on && !wanted {
                changes.extend(keys.iter().filter(|&&key| is_down(key)).map(|&key| (key, false)));
            }
        }
        for &(key, down) in &changes {
            self.key(key, down)?;
        }
        self.key(stroke.keycode, true)?;
        self.key(stroke.keycode, false)?;
        for &(key, down) in changes.iter().rev() {
            self.key(key, !down)?;
        }
        Ok(())
    }

    /// Whether what is done now would be done to one of our own windows.
    fn is_ours(&self, action: Action) -> Result<bool, InjectError> {
        let Some(own) = own_windows() else { return Ok(false) };
        let mask = self.connection.setup().resource_id_mask;
        let ours = |window: Window| window & !mask == own & !mask;
        match action {
            Action::Press(_) | Action::Scroll { .. } => {
                let mut window = self.connection.query_pointer(self.root)?.reply()?.child;
                // Frames hold windows that hold windows; no desktop nests them deeper.
                for _ in 0..32 {
                    if window == x11rb::NONE || ours(window) {
                        break;
                    }
                    window = self.connection.query_pointer(window)?.reply()?.child;
                }
                Ok(window != x11rb::NONE && ours(window))
            }
            Action::KeyDown(_) | Action::Type(_) => {
                let focus = self.connection.get_input_focus()?.reply()?.focus;
                // 0 is none and 1 the root.
                Ok(focus > 1 && ours(focus))
            }
            Action::MoveTo(_) | Action::MoveBy { .. } | Action::Release(_) | Action::KeyUp(_) => Ok(false),
        }
    }
}

impl Injector for X11Injector {
    fn spares_own_windows(&self) -> bool {
        true
    }

    fn inject(&mut self, action: Action) -> Result<(), InjectError> {
        if self.is_ours(action)? {
            return Err(InjectError::OwnWindow);
        }
        let number = |button| match button {
            Button::Left => 1,
            Button::Middle => 2,
            Button::Right => 3,
        };
        let pixel = |at: f64| at.floor().clamp(f64::from(i16::MIN), f64::from(i16::MAX)) as i16;
        match action {
            // Pixel `i` covers `[i, i + 1)`, so the pixel under a position is its floor.
            Action::MoveTo(at) => self.fake(MOTION_NOTIFY_EVENT, 0, pixel(at.x), pixel(at.y))?,
            Action::MoveBy { dx, dy } => {
                self.fake(MOTION_NOTIFY_EVENT, RELATIVE, pixel(f64::from(dx)), pixel(f64::from(dy)))?;
            }
            Action::Press(button) => self.fake(BUTTON_PRESS_EVENT, number(button), 0, 0)?,
            Action::Release(button) => self.fake(BUTTON_RELEASE_EVENT, number(button), 0, 0)?,
            Action::Scroll { dx, dy } => {
                // X has a button for each direction of the wheel: 4 to 7 are up, down, left and right.
                for (notches, forth, back) in [(dy, 5, 4), (dx, 7, 6)] {
                    for _ in 0..notches.unsigned_abs() {
                        let button = if notches > 0 { forth } else { back };
                        self.fake(BUTTON_PRESS_EVENT, button, 0, 0)?;
                        self.fake(BUTTON_RELEASE_EVENT, button, 0, 0)?;
                    }
                }
            }
            Action::KeyDown(key) => {
                let keycode = self.keycode(key)?;
                self.key(keycode, true)?;
                self.pressed.insert(key, keycode);
            }
            Action::KeyUp(key) => {
                let keycode = match self.pressed.remove(&key) {
                    Some(keycode) => keycode,
                    None => self.keycode(key)?,
                };
                self.key(keycode, false)?;
            }
            Action::Type(character) => self.type_character(character)?,
        }
        // The server has done it when this returns, and has said so if it is gone.
        self.connection.sync()?;
        Ok(())
    }
}

impl Drop for X11Injector {
    fn drop(&mut self) {
        // The lent keys type nothing again.
        for (keycode, lent) in &self.spare {
            if lent.is_some() {
                let _ = self.connection.change_keyboard_mapping(1, *keycode, 1, &[0]);
            }
        }
        let _ = self.connection.sync();
    }
}
