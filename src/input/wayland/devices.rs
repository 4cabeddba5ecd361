//! The compositor's input devices as libei has them, and what each action is on which of them.

use std::fs::File;
use std::os::unix::fs::FileExt;

use reis::ei;
use reis::event::{Device, DeviceCapability, EiEvent, Keymap as KeymapFile};

use super::super::event::Button;
use super::super::injector::{Action, InjectError};
use super::super::keys::Key;
use super::super::x11::keymap::{Keymap, Stroke};
use super::keymap;
use super::places::{self, Area};
use super::trouble::Trouble;

/// Linux's numbers of buttons, of `input-event-codes.h`.
const LEFT: u32 = 0x110;
const RIGHT: u32 = 0x111;
const MIDDLE: u32 = 0x112;
/// A notch of the wheel, as libei counts.
const NOTCH: i32 = 120;
/// XKB's keycodes start at 8 and Linux's at 0.
const OFFSET: u8 = 8;
/// What a desktop may have kept to itself.
const POINTER: &str = "pointer";
const KEYBOARD: &str = "keyboard";
/// Caps Lock among XKB's modifiers.
const LOCK: u32 = 1 << 1;

struct Slot {
    device: Device,
    areas: Vec<Area>,
    /// It takes events now.
    emulates: bool,
}

/// What there is, and what is held on it.
#[derive(Default)]
pub struct Devices {
    slots: Vec<Slot>,
    /// Where the pointer was moved last: buttons and the wheel go there, too.
    pointer: Option<Device>,
    buttons: Vec<(u32, Device)>,
    /// What was pressed for each key, because the keymap may change before it comes up.
    keys: Vec<(Key, u32, Device)>,
    /// One keymap for each layout, the one that is on, and the locks.
    layouts: Vec<Keymap>,
    group: usize,
    locked: u32,
    /// Counts how often devices began to take events.
    sequence: u32,
}

impl Devices {
    /// Whether any device takes events.
    pub fn any(&self) -> bool {
        self.slots.iter().any(|slot| slot.emulates)
    }

    /// Takes in what the compositor says.
    ///
    /// # Errors
    /// When it says goodbye.
    pub fn note(&mut self, event: &EiEvent, serial: u32) -> Result<(), Trouble> {
        match event {
            EiEvent::SeatAdded(event) => event.seat.bind_capabilities(
                DeviceCapability::Pointer
                    | DeviceCapability::PointerAbsolute
                    | DeviceCapability::Button
                    | DeviceCapability::Scroll
                    | DeviceCapability::Keyboard
                    | DeviceCapability::Text,
            ),
            EiEvent::DeviceAdded(event) => self.add(&event.device),
            EiEvent::DeviceResumed(event) => {
                if let Some(slot) = self.slots.iter_mut().find(|slot| slot.device == event.device) {
                    slot.emulates = true;
                    self.sequence = self.sequence.wrapping_add(1);
                    event.device.device().start_emulating(serial, self.sequence);
                }
            }
            EiEvent::DevicePaused(event) => {
                if let Some(slot) = self.slots.iter_mut().find(|slot| slot.device == event.device) {
                    slot.emulates = false;
                }
                self.forget(&event.device);
            }
            EiEvent::DeviceRemoved(event) => {
                self.slots.retain(|slot| slot.device != event.device);
                self.forget(&event.device);
            }
            EiEvent::KeyboardModifiers(event) => {
                self.locked = event.locked;
                self.group = event.group as usize;
            }
            EiEvent::Disconnected(event) => {
                tracing::debug!("the compositor says goodbye: {:?} {:?}", event.reason, event.explanation);
                return Err(Trouble::Closed);
            }
            // Seats go with their devices; everything else is for those who receive events.
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, device: &Device) {
        // Since its third version a device waits for this.
        if device.device().version() >= 3 {
            device.device().ready();
        }
        if let Some(file) = device.keymap() {
            match read(file) {
                Ok(text) => self.layouts = keymap::parse(&text),
                Err(error) => tracing::warn!("the desktop's keymap can't be read, so nothing can be typed: {error}"),
            }
            self.group = 0;
            self.locked = 0;
        }
        let areas = device.regions().iter().map(|region| Area {
            x: f64::from(region.x),
            y: f64::from(region.y),
            width: f64::from(region.width),
            height: f64::from(region.height),
        });
        self.slots.push(Slot { device: device.clone(), areas: areas.collect(), emulates: false });
    }

    /// The compositor has let go what was held on this device.
    fn forget(&mut self, device: &Device) {
        self.buttons.retain(|(_, other)| other != device);
        self.keys.retain(|(.., other)| other != device);
        if self.pointer.as_ref() == Some(device) {
            self.pointer = None;
        }
    }

    /// A device that can do this: the one that moved the pointer, if it can.
    fn able<T: ei::Interface>(&self, what: &str) -> Result<(Device, T), InjectError> {
        let last = self.slots.iter().filter(|slot| self.pointer.as_ref() == Some(&slot.device));
        let mut slots = last.chain(&self.slots).filter(|slot| slot.emulates);
        slots.find_map(|slot| Some((slot.device.clone(), slot.device.interface::<T>()?))).ok_or_else(|| lacking(what))
    }

    /// Does it, as far as the desktop lets us. What was asked for is on its way when the connection is flushed.
    pub fn carry_out(&mut self, action: Action, serial: u32) -> Result<(), InjectError> {
        match action {
            Action::MoveTo(at) => {
                let areas = self
                    .slots
                    .iter()
                    .filter(|slot| slot.emulates)
                    .flat_map(|slot| slot.areas.iter().map(move |&area| (slot, area)));
                let pointers = areas
                    .filter_map(|(slot, area)| Some(((slot, slot.device.interface::<ei::PointerAbsolute>()?), area)));
                let pointers: Vec<_> = pointers.collect();
                if pointers.is_empty() {
                    return Err(lacking(POINTER));
                }
                let found = places::find(pointers.into_iter(), (at.x, at.y));
                let ((slot, pointer), _, (x, y)) = found.ok_or_else(InjectError::not_shared)?;
                pointer.motion_absolute(x as f32, y as f32);
                let device = slot.device.clone();
                frame(&device, serial);
                self.pointer = Some(device);
            }
            Action::MoveBy { dx, dy } => {
                let (device, pointer) = self.able::<ei::Pointer>(POINTER)?;
                pointer.motion_relative(dx as f32, dy as f32);
                frame(&device, serial);
                self.pointer = Some(device);
            }
            Action::Press(button) => {
                let (device, interface) = self.able::<ei::Button>(POINTER)?;
                let code = code(button);
                interface.button(code, ei::button::ButtonState::Press);
                frame(&device, serial);
                self.buttons.push((code, device));
            }
            Action::Release(button) => {
                let code = code(button);
                // On the device where it went down; one that is gone has let it go.
                if let Some(place) = self.buttons.iter().position(|(held, _)| *held == code) {
                    let (_, device) = self.buttons.remove(place);
                    if let Some(interface) = device.interface::<ei::Button>() {
                        interface.button(code, ei::button::ButtonState::Released);
                        frame(&device, serial);
                    }
                }
            }
            Action::Scroll { dx, dy } => {
                let (device, scroll) = self.able::<ei::Scroll>(POINTER)?;
                scroll.scroll_discrete(dx.saturating_mul(NOTCH), dy.saturating_mul(NOTCH));
                frame(&device, serial);
            }
            Action::KeyDown(key) => {
                let (device, keyboard) = self.able::<ei::Keyboard>(KEYBOARD)?;
                let code = match key {
                    Key::At(code) => u32::from(code.evdev()),
                    Key::Bearing(character) => evdev(self.stroke(character)?.keycode),
                };
                press(&device, &keyboard, code, true, serial);
                self.keys.push((key, code, device));
            }
            Action::KeyUp(key) => {
                if let Some(place) = self.keys.iter().position(|(held, ..)| *held == key) {
                    let (_, code, device) = self.keys.remove(place);
                    if let Some(keyboard) = device.interface::<ei::Keyboard>() {
                        press(&device, &keyboard, code, false, serial);
                    }
                }
            }
            Action::Type(character) => self.type_character(character, serial)?,
        }
        Ok(())
    }

    fn layout(&self) -> Option<&Keymap> {
        self.layouts.get(self.group).or(self.layouts.first())
    }

    fn stroke(&self, character: char) -> Result<Stroke, InjectError> {
        self.layout()
            .and_then(|layout| layout.stroke(character, 0))
            .ok_or_else(|| InjectError::Skipped(format!("no key of the desktop's layout types {character:?}")))
    }

    /// Types one character with the modifiers that it needs for just so long; one that no key has goes as text, where
    /// the compositor takes that.
    fn type_character(&mut self, character: char, serial: u32) -> Result<(), InjectError> {
        let stroke = match self.stroke(character) {
            Ok(stroke) => stroke,
            Err(untypable) => {
                let (device, text) = self.able::<ei::Text>(KEYBOARD).map_err(|_| untypable)?;
                text.utf8(character.encode_utf8(&mut [0; 4]));
                frame(&device, serial);
                return Ok(());
            }
        };
        let (device, keyboard) = self.able::<ei::Keyboard>(KEYBOARD)?;
        let bearing = |symbol| self.layout().and_then(|layout| layout.bearing(symbol)).map(evdev);
        let shifts = [xkeysym::key::Shift_L, xkeysym::key::Shift_R].map(bearing);
        let level3 = [bearing(xkeysym::key::ISO_Level3_Shift), None];
        let caps = self.locked & LOCK != 0 && character.is_alphabetic();
        // What has to change for this character. Only our own keys are known at once: what the compositor says of its
        // modifiers comes later than the next character.
        let mut changes: Vec<(u32, bool)> = Vec::new();
        for (keys, wanted) in [(shifts, stroke.shift != caps), (level3, stroke.level3)] {
            let is_held = |code: &u32| self.keys.iter().any(|(_, held, _)| held == code);
            let held: Vec<u32> = keys.into_iter().flatten().filter(is_held).collect();
            if wanted && held.is_empty() {
                changes.extend(keys.into_iter().flatten().next().map(|code| (code, true)));
            } else if !wanted {
                changes.extend(held.into_iter().map(|code| (code, false)));
            }
        }
        for &(code, down) in &changes {
            press(&device, &keyboard, code, down, serial);
        }
        press(&device, &keyboard, evdev(stroke.keycode), true, serial);
        press(&device, &keyboard, evdev(stroke.keycode), false, serial);
        for &(code, down) in changes.iter().rev() {
            press(&device, &keyboard, code, !down, serial);
        }
        Ok(())
    }
}

fn lacking(what: &str) -> InjectError {
    InjectError::Denied(format!("the desktop gave no {what}; ask again and allow it in the desktop's dialog"))
}

fn code(button: Button) -> u32 {
    match button {
        Button::Left => LEFT,
        Button::Right => RIGHT,
        Button::Middle => MIDDLE,
    }
}

fn evdev(keycode: u8) -> u32 {
    u32::from(keycode.saturating_sub(OFFSET))
}

/// A key in a frame of its own: down and up within one would be nothing.
fn press(device: &Device, keyboard: &ei::Keyboard, code: u32, down: bool, serial: u32) {
    keyboard.key(code, if down { ei::keyboard::KeyState::Press } else { ei::keyboard::KeyState::Released });
    frame(device, serial);
}

/// Ends one event, with the time in microseconds of the clock that libei names.
fn frame(device: &Device, serial: u32) {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let microseconds = now.tv_sec.saturating_mul(1_000_000).saturating_add(now.tv_nsec / 1_000);
    device.device().frame(serial, u64::try_from(microseconds).unwrap_or(0));
}

fn read(file: &KeymapFile) -> std::io::Result<String> {
    let mut text = vec![0; (file.size as usize).min(keymap::MOST_BYTES)];
    // From the start, wherever others who hold the same file have read to.
    File::from(file.fd.try_clone()?).read_exact_at(&mut text, 0)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
