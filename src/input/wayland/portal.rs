//! Calls of the desktop's portal over D-Bus.
//!
//! A call answers with the path of a request, and the real answer comes later as a signal of that path: after a dialog
//! was answered, perhaps. So the portal's signals are listened to before anything is asked, and nothing is missed.

use std::collections::HashMap;
use std::time::Duration;

use zbus::blocking::{Connection, MessageIterator, Proxy, connection};
use zbus::message::Type;
use zbus::names::OwnedUniqueName;
use zbus::zvariant::{DynamicType, ObjectPath, OwnedObjectPath, OwnedValue, Value};
use zbus::{MatchRule, Message};

use super::trouble::Trouble;

pub const DESTINATION: &str = "org.freedesktop.portal.Desktop";
pub const PATH: &str = "/org/freedesktop/portal/desktop";
const REQUEST: &str = "org.freedesktop.portal.Request";
const SESSION: &str = "org.freedesktop.portal.Session";
/// For the answers to calls, which come at once; what waits for a person comes as a signal and has no limit.
const ANSWER: Duration = Duration::from_secs(20);
/// Signals that wait while we do something else; the portal sends few.
const MOST_WAITING: usize = 64;

/// Options and results, as all of the portal's calls have them.
pub type Options<'a> = HashMap<&'static str, Value<'a>>;
pub type Results = HashMap<String, OwnedValue>;

/// A connection to the portal.
pub struct Portal {
    connection: Connection,
    signals: MessageIterator,
    /// Grows with every name that we make up.
    names: u32,
    /// Ends everything when the portal closes it.
    session: Option<OwnedObjectPath>,
}

impl From<zbus::Error> for Trouble {
    fn from(error: zbus::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// The bus of this address, or the session's own.
pub fn connect(bus: Option<&str>) -> Result<Connection, Trouble> {
    let builder = match bus {
        Some(address) => connection::Builder::address(address),
        None => connection::Builder::session(),
    };
    builder.and_then(|builder| builder.method_timeout(ANSWER).build()).map_err(|error| {
        tracing::debug!("no session bus: {error}");
        Trouble::NoBus
    })
}

impl Portal {
    /// Starts the portal, if it does not run yet, and listens to it; also tells the version of one of its interfaces.
    pub fn open(connection: Connection, interface: &'static str) -> Result<(Self, u32), Trouble> {
        let version: u32 = Proxy::new(&connection, DESTINATION, PATH, interface)?
            .get_property("version")
            .map_err(|error| without(&error))?;
        // Only with the unique name can signals be told from those that anybody else might send.
        let owner: OwnedUniqueName = zbus::blocking::fdo::DBusProxy::new(&connection)?
            .get_name_owner(DESTINATION.try_into().map_err(zbus::Error::from)?)
            .map_err(|error| Trouble::Failed(error.to_string()))?;
        let rule = MatchRule::builder().msg_type(Type::Signal).sender(owner.as_str())?.build();
        let signals = MessageIterator::for_match_rule(rule, &connection, Some(MOST_WAITING))?;
        Ok((Self { connection, signals, names: 0, session: None }, version))
    }

    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// A name for a request or a session, as a part of a path.
    pub fn name(&mut self) -> Value<'static> {
        self.names += 1;
        Value::from(format!("lenscast_{}_{}", std::process::id(), self.names))
    }

    pub fn proxy(&self, interface: &'static str) -> Result<Proxy<'static>, Trouble> {
        Ok(Proxy::new_owned(self.connection.clone(), DESTINATION, PATH, interface)?)
    }

    /// Calls what answers with a request, and waits for that: for minutes where a person is asked.
    pub fn ask<B>(&mut self, interface: &'static str, method: &'static str, body: &B) -> Result<Results, Trouble>
    where
        B: serde::Serialize + DynamicType,
    {
        let request: OwnedObjectPath = self.proxy(interface)?.call(method, body)?;
        loop {
            let signal = self.next()?;
            if !is(&signal, &request, REQUEST, "Response") {
                continue;
            }
            let (response, results): (u32, Results) = signal.body().deserialize()?;
            return match response {
                0 => Ok(results),
                1 => Err(Trouble::Refused),
                _ => Err(Trouble::Failed(format!("{method} was broken off"))),
            };
        }
    }

    /// Makes a session, whose end is ours as well.
    pub fn create_session(&mut self, interface: &'static str) -> Result<OwnedObjectPath, Trouble> {
        let options = Options::from([("handle_token", self.name()), ("session_handle_token", self.name())]);
        let results = self.ask(interface, "CreateSession", &(options,))?;
        // The portal's interfaces disagree about the type.
        let path = match results.get("session_handle").map(|value| &**value) {
            Some(Value::Str(path)) => ObjectPath::try_from(path.as_str()).ok().map(OwnedObjectPath::from),
            Some(Value::ObjectPath(path)) => Some(path.to_owned().into()),
            _ => None,
        };
        let path = path.ok_or_else(|| Trouble::Failed("it made no session".to_owned()))?;
        self.session = Some(path.clone());
        Ok(path)
    }

    /// The portal's next signal.
    ///
    /// # Errors
    /// When the session or the whole connection was closed.
    pub fn next(&mut self) -> Result<Message, Trouble> {
        let signal = self.signals.next().ok_or(Trouble::Closed)?.map_err(|_| Trouble::Closed)?;
        match &self.session {
            Some(session) if is(&signal, session, SESSION, "Closed") => Err(Trouble::Closed),
            _ => Ok(signal),
        }
    }
}

/// Ends a session without waiting for anything.
pub fn close(connection: &Connection, session: &ObjectPath<'_>) {
    let closed = Proxy::new(connection, DESTINATION, session.to_owned(), SESSION)
        .and_then(|proxy| proxy.call_noreply("Close", &()));
    if let Err(error) = closed {
        tracing::debug!("the portal's session can't be closed: {error}");
    }
}

/// Whether a message is this signal.
pub fn is(message: &Message, path: &ObjectPath<'_>, interface: &str, member: &str) -> bool {
    let header = message.header();
    header.path() == Some(path)
        && header.interface().is_some_and(|name| name == interface)
        && header.member().is_some_and(|name| name == member)
}

/// What it means that an interface of the portal has no version.
fn without(error: &zbus::Error) -> Trouble {
    tracing::debug!("the portal's version can't be read: {error}");
    let name = match error {
        zbus::Error::MethodError(name, ..) => name.as_str().to_owned(),
        zbus::Error::FDO(error) => zbus::DBusError::name(&**error).to_string(),
        _ => return Trouble::Failed(error.to_string()),
    };
    let name = name.strip_prefix("org.freedesktop.DBus.Error.").unwrap_or_default();
    match name {
        "ServiceUnknown" | "NameHasNoOwner" => Trouble::NoPortal,
        "NoReply" | "Timeout" | "TimedOut" | "Disconnected" => Trouble::Failed(error.to_string()),
        _ if name.starts_with("Spawn") => Trouble::NoPortal,
        // The bus knows the portal, and the portal does not know the interface.
        _ => Trouble::NoRemoteDesktop,
    }
}
