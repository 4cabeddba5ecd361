//! A second process that lets go what is held when this one is killed: a button that stays down makes a desktop useless.

use std::collections::BTreeSet;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;

use super::event::Button;
use super::injector::{self, Action, InjectError, Injector};
use super::keys::{Key, KeyCode};

/// The argument that makes the program stand guard.
pub const ARGUMENT: &str = "guard";
/// Said at the end of a program that has let go everything itself.
const GOODBYE: &str = "bye";

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Says which program stands guard when it is started with [`ARGUMENT`]. Without one there is no guard: a program that
/// uses this library need not understand the argument.
pub fn use_program(path: PathBuf) {
    let _ = PROGRAM.set(path);
}

/// The real desktop, with somebody beside it who lets go where the system would not.
///
/// # Errors
/// As [`injector::desktop`].
pub fn desktop(folder: Option<&Path>) -> Result<Box<dyn Injector>, InjectError> {
    let desktop = injector::desktop(folder)?;
    // What is lent is taken back when we are gone, with everything that was held: a Wayland compositor does so when the
    // connection ends, and a second process could not reach the session of the first.
    Ok(if desktop.is_lent() { desktop } else { Box::new(Guarded::new(desktop)) })
}

/// Tells the guard of everything that goes down and comes up.
pub struct Guarded {
    inner: Box<dyn Injector>,
    guard: Option<(Child, ChildStdin)>,
}

impl Guarded {
    pub fn new(inner: Box<dyn Injector>) -> Self {
        let guard = PROGRAM.get().and_then(|program| {
            start(program)
                .inspect_err(|error| tracing::warn!("nobody would let go what is held if this program died: {error}"))
                .ok()
        });
        Self { inner, guard }
    }

    fn tell(&mut self, line: &str) {
        let Some((_, pipe)) = &mut self.guard else { return };
        if let Err(error) = writeln!(pipe, "{line}") {
            tracing::warn!("the guard process is gone: {error}");
            self.guard = None;
        }
    }
}

fn start(program: &PathBuf) -> std::io::Result<(Child, ChildStdin)> {
    let mut command = Command::new(program);
    command.arg(ARGUMENT).stdin(Stdio::piped()).stdout(Stdio::null());
    // Ctrl-C in a terminal goes to the whole group, and whoever stands guard has to be the last.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn()?;
    let pipe = child.stdin.take().ok_or_else(|| std::io::Error::other("its input is no pipe"))?;
    Ok((child, pipe))
}

impl Injector for Guarded {
    fn spares_own_windows(&self) -> bool {
        self.inner.spares_own_windows()
    }

    fn inject(&mut self, action: Action) -> Result<(), InjectError> {
        let (before, after) = match action {
            Action::Press(button) => (Some(Held::Button(button)), None),
            Action::Release(button) => (None, Some(Held::Button(button))),
            Action::KeyDown(key) => (Some(Held::Key(key)), None),
            Action::KeyUp(key) => (None, Some(Held::Key(key))),
            // Modifiers are down for a moment.
            Action::Type(_) => (Some(Held::Typing), Some(Held::Typing)),
            Action::MoveTo(_) | Action::MoveBy { .. } | Action::Scroll { .. } => (None, None),
        };
        // Said before it is done, so that no kill comes between the two.
        if let Some(held) = before {
            self.tell(&format!("+{}", held.to_text()));
        }
        let result = self.inner.inject(action);
        if let Some(held) = after {
            self.tell(&format!("-{}", held.to_text()));
        } else if let (Some(held), Err(InjectError::OwnWindow)) = (before, &result) {
            self.tell(&format!("-{}", held.to_text()));
        }
        result
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.tell(GOODBYE);
        if let Some((mut child, pipe)) = self.guard.take() {
            drop(pipe);
            let _ = child.wait();
        }
    }
}

/// Something that is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    Button(Button),
    Key(Key),
    Typing,
}

impl Held {
    fn to_text(self) -> String {
        match self {
            Self::Button(Button::Left) => "button left".to_owned(),
            Self::Button(Button::Right) => "button right".to_owned(),
            Self::Button(Button::Middle) => "button middle".to_owned(),
            Self::Key(Key::At(code)) => format!("key {}", code.name()),
            Self::Key(Key::Bearing(character)) => format!("character {}", u32::from(character)),
            Self::Typing => "typing".to_owned(),
        }
    }

    fn from_text(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(' ').unwrap_or((text, ""));
        match (kind, rest) {
            ("button", "left") => Some(Self::Button(Button::Left)),
            ("button", "right") => Some(Self::Button(Button::Right)),
            ("button", "middle") => Some(Self::Button(Button::Middle)),
            ("key", name) => KeyCode::named(name).map(|code| Self::Key(Key::At(code))),
            ("character", number) => {
                number.parse().ok().and_then(char::from_u32).map(|letter| Self::Key(Key::Bearing(letter)))
            }
            ("typing", "") => Some(Self::Typing),
            _ => None,
        }
    }

    /// What lets it go.
    fn releases(self) -> Vec<Action> {
        match self {
            Self::Button(button) => vec![Action::Release(button)],
            Self::Key(key) => vec![Action::KeyUp(key)],
            Self::Typing => ["ShiftLeft", "ShiftRight", "AltRight"]
                .into_iter()
                .filter_map(KeyCode::named)
                .map(|code| Action::KeyUp(Key::At(code)))
                .collect(),
        }
    }
}

/// Reads what goes down and comes up until the other end is gone, and lets go what is down then. This is all that the
/// guard process does.
///
/// # Errors
/// When the desktop can't be reached.
pub fn stand_guard(
    input: impl BufRead,
    desktop: impl FnOnce() -> Result<Box<dyn Injector>, InjectError>,
) -> Result<(), InjectError> {
    let Some(held) = held_at_the_end(input) else { return Ok(()) };
    if held.is_empty() {
        return Ok(());
    }
    let mut desktop = desktop()?;
    for action in held.into_iter().rev().flat_map(Held::releases) {
        desktop.inject(action)?;
    }
    Ok(())
}

/// What was down when the other end broke off, in the order in which it went down; `None` when it said goodbye.
fn held_at_the_end(input: impl BufRead) -> Option<Vec<Held>> {
    let mut held: Vec<Held> = Vec::new();
    let mut unknown = BTreeSet::new();
    for line in input.lines().map_while(Result::ok) {
        if line == GOODBYE {
            return None;
        }
        let (sign, text) = line.split_at_checked(1).unwrap_or_default();
        match (sign, Held::from_text(text)) {
            ("+", Some(thing)) => {
                if !held.contains(&thing) {
                    held.push(thing);
                }
            }
            ("-", Some(thing)) => held.retain(|other| *other != thing),
            _ => {
                if unknown.len() < 8 && unknown.insert(line.clone()) {
                    tracing::warn!("the guard was told something it does not know: {line}");
                }
            }
        }
    }
    Some(held)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    struct Recorder(Arc<Mutex<Vec<Action>>>);

    impl Injector for Recorder {
        fn inject(&mut self, action: Action) -> Result<(), InjectError> {
            self.0.lock().unwrap().push(action);
            Ok(())
        }
    }

    fn guarded(lines: &str) -> Vec<Action> {
        let done = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&done);
        stand_guard(lines.as_bytes(), move || Ok(Box::new(Recorder(record)))).unwrap();
        std::mem::take(&mut *done.lock().unwrap())
    }

    #[test]
    fn what_is_down_when_the_other_end_breaks_off_is_let_go_the_newest_first() {
        let c = Key::Bearing('c');
        let control = Key::At(KeyCode::named("ControlLeft").unwrap());
        let lines = "+button left\n+key ControlLeft\n+character 99\n-button left\n+button right\n-button right\n";
        assert_eq!(guarded(lines), [Action::KeyUp(c), Action::KeyUp(control)]);
        assert_eq!(guarded("+typing\n").len(), 3);
    }

    #[test]
    fn after_a_goodbye_and_when_nothing_is_down_nothing_is_done() {
        assert_eq!(guarded("+button left\nbye\n"), []);
        assert_eq!(guarded("+button left\n-button left\n"), []);
        assert_eq!(guarded("+nonsense\n\nüx\n+button\n"), []);
    }

    #[test]
    fn everything_that_can_be_held_is_understood() {
        let key = |name| Held::Key(Key::At(KeyCode::named(name).unwrap()));
        for held in [
            Held::Button(Button::Left),
            Held::Button(Button::Right),
            Held::Button(Button::Middle),
            key("F24"),
            Held::Key(Key::Bearing('ß')),
            Held::Typing,
        ] {
            assert_eq!(Held::from_text(&held.to_text()), Some(held));
        }
    }
}
