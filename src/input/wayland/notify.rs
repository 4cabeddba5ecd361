//! The portal's own way of pointing and typing, for portals that are too old for libei.

use zbus::blocking::{Connection, Proxy};
use zbus::zvariant::{DynamicType, OwnedObjectPath};

use super::super::event::Button;
use super::super::injector::{Action, InjectError};
use super::super::keys::Key;
use super::super::x11::keymap::symbol_of;
use super::permission::{Permission, REMOTE_DESKTOP};
use super::places::{self, Area};
use super::portal::{DESTINATION, Options, PATH};
use super::session::Hands;
use super::trouble::Trouble;

const VERTICAL: u32 = 0;
const HORIZONTAL: u32 = 1;

/// Sends every event as a call that nobody answers. The end of the session lets go everything.
pub struct NotifyHands {
    portal: Proxy<'static>,
    session: OwnedObjectPath,
    streams: Vec<(u32, Option<Area>)>,
}

impl NotifyHands {
    /// # Errors
    /// When the connection is gone.
    pub fn new(connection: &Connection, permission: Permission) -> Result<Self, Trouble> {
        let portal = Proxy::new_owned(connection.clone(), DESTINATION, PATH, REMOTE_DESKTOP)?;
        Ok(Self { portal, session: permission.session, streams: permission.streams })
    }

    fn call<B: serde::Serialize + DynamicType>(&self, method: &'static str, body: &B) -> Result<(), InjectError> {
        self.portal.call_noreply(method, body).map_err(|_| InjectError::Denied(Trouble::Closed.to_string()))
    }

    fn button(&self, button: Button, down: bool) -> Result<(), InjectError> {
        let code: i32 = match button {
            Button::Left => 0x110,
            Button::Right => 0x111,
            Button::Middle => 0x112,
        };
        self.call("NotifyPointerButton", &(&self.session, Options::new(), code, u32::from(down)))
    }

    fn symbol(&self, character: char, down: bool) -> Result<(), InjectError> {
        // Symbols have 29 bits.
        let symbol = symbol_of(character).cast_signed();
        self.call("NotifyKeyboardKeysym", &(&self.session, Options::new(), symbol, u32::from(down)))
    }

    fn key(&self, key: Key, down: bool) -> Result<(), InjectError> {
        match key {
            Key::Bearing(character) => self.symbol(character, down),
            Key::At(code) => {
                let code = i32::from(code.evdev());
                self.call("NotifyKeyboardKeycode", &(&self.session, Options::new(), code, u32::from(down)))
            }
        }
    }
}

impl Hands for NotifyHands {
    fn carry_out(&mut self, action: Action) -> Result<(), InjectError> {
        match action {
            Action::MoveTo(at) => {
                let placed = self.streams.iter().filter_map(|&(node, area)| Some((node, area?)));
                // A single screen without a place is the whole desktop.
                let (node, x, y) = match (places::find(placed, (at.x, at.y)), &*self.streams) {
                    (Some((node, area, (x, y))), _) => (node, x - area.x, y - area.y),
                    (None, &[(node, None)]) => (node, at.x, at.y),
                    (None, _) => return Err(InjectError::not_shared()),
                };
                self.call("NotifyPointerMotionAbsolute", &(&self.session, Options::new(), node, x, y))
            }
            Action::MoveBy { dx, dy } => {
                self.call("NotifyPointerMotion", &(&self.session, Options::new(), f64::from(dx), f64::from(dy)))
            }
            Action::Press(button) => self.button(button, true),
            Action::Release(button) => self.button(button, false),
            Action::Scroll { dx, dy } => {
                for (axis, notches) in [(VERTICAL, dy), (HORIZONTAL, dx)] {
                    if notches != 0 {
                        self.call("NotifyPointerAxisDiscrete", &(&self.session, Options::new(), axis, notches))?;
                    }
                }
                Ok(())
            }
            Action::KeyDown(key) => self.key(key, true),
            Action::KeyUp(key) => self.key(key, false),
            // The compositor finds the key and what has to be held with it.
            Action::Type(character) => self.symbol(character, true).and_then(|()| self.symbol(character, false)),
        }
    }
}
