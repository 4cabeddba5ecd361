//! What somebody may do here, as a small set; and which of it each message needs, in one exhaustive place.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::protocol::PageMessage;
use crate::input::{BatonWish, InputEvent, PointerKind};

/// One thing that a guest may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees the picture and the figures about it.
    Watch,
    /// Shows a named pointer in the picture; nothing is clicked.
    Point,
    /// Moves and clicks the pointer of this computer.
    Click,
    /// Types on the keyboard of this computer.
    Type,
    /// Moves the sliders of the filters.
    Tune,
}

/// A set of roles; written as the list of their names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Roles(u8);

impl Role {
    pub const ALL: [Self; 5] = [Self::Watch, Self::Point, Self::Click, Self::Type, Self::Tune];

    pub const fn id(self) -> &'static str {
        match self {
            Self::Watch => "watch",
            Self::Point => "point",
            Self::Click => "click",
            Self::Type => "type",
            Self::Tune => "tune",
        }
    }

    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.id() == id)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl Roles {
    pub const NONE: Self = Self(0);
    pub const WATCH: Self = Self(Role::Watch.bit());
    pub const ALL: Self = Self(31);

    pub const fn has(self, role: Role) -> bool {
        self.0 & role.bit() != 0
    }

    /// With one more. Whoever may do anything may watch: nobody clicks blindly.
    pub const fn with(self, role: Role) -> Self {
        Self(self.0 | role.bit() | Role::Watch.bit())
    }

    /// Without one; without watching nothing is left.
    pub const fn without(self, role: Role) -> Self {
        match role {
            Role::Watch => Self::NONE,
            Role::Point | Role::Click | Role::Type | Role::Tune => Self(self.0 & !role.bit()),
        }
    }

    /// What both sets have.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether something of the desktop could be moved or held at all: with the pointer or on the keyboard.
    pub const fn may_act(self) -> bool {
        self.has(Role::Click) || self.has(Role::Type)
    }

    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.has(*role))
    }

    /// The roles of these names; names of a later version count for nothing.
    pub fn from_ids<'a>(ids: impl IntoIterator<Item = &'a str>) -> Self {
        ids.into_iter().filter_map(Role::from_id).collect()
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<T: IntoIterator<Item = Role>>(roles: T) -> Self {
        roles.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for Roles {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.iter()).finish()
    }
}

/// `watch, click`
impl fmt::Display for Roles {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.iter().map(Role::id).collect();
        formatter.write_str(&names.join(", "))
    }
}

impl Serialize for Roles {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Role::id))
    }
}

impl<'de> Deserialize<'de> for Roles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        Ok(Self::from_ids(names.iter().map(String::as_str)))
    }
}

/// The role without which a message is not carried out; `None` for what does nothing to anybody. There is no wildcard
/// here, so that a new message does not compile before somebody has decided.
pub fn needed(message: &PageMessage) -> Option<Role> {
    match message {
        // Whoever hears them is connected, and connected is only who may watch.
        PageMessage::Ping { .. } | PageMessage::Report(_) | PageMessage::Unknown => None,
        PageMessage::Quality(_) | PageMessage::Ack { .. } => Some(Role::Watch),
        PageMessage::Input(event) => of_input(event),
        PageMessage::Point(_) => Some(Role::Point),
        // Whoever has it by typing has it by clicking.
        PageMessage::Control(BatonWish::Ask | BatonWish::GiveAway) => Some(Role::Click),
    }
}

/// The role that one event needs; letting go is never refused.
pub fn of_input(event: &InputEvent) -> Option<Role> {
    match event {
        InputEvent::Pointer(event) => match event.kind {
            PointerKind::Move | PointerKind::MoveBy { .. } | PointerKind::Down(_) | PointerKind::Scroll { .. } => {
                Some(Role::Click)
            }
            PointerKind::Up(_) | PointerKind::Release => None,
        },
        InputEvent::Key(key) => key.down.then_some(Role::Type),
        InputEvent::Text(_) => Some(Role::Type),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_written_as_its_names_and_read_back() {
        let roles = Roles::NONE.with(Role::Click).with(Role::Tune);
        assert_eq!(serde_json::to_string(&roles).unwrap(), r#"["watch","click","tune"]"#);
        let read: Roles = serde_json::from_str(r#"["tune","fly","click"]"#).unwrap();
        assert_eq!((read, read.to_string().as_str()), (roles, "watch, click, tune"));
        assert!(serde_json::from_str::<Roles>("7").is_err());
    }

    #[test]
    fn without_watching_nothing_is_left() {
        assert_eq!(Roles::ALL.without(Role::Watch), Roles::NONE);
        assert!(!Roles::ALL.without(Role::Click).has(Role::Click));
        assert_eq!(Roles::ALL, Role::ALL.into_iter().collect());
    }
}
