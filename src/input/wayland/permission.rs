//! Asks the desktop for its pointer and keyboard: `org.freedesktop.portal.RemoteDesktop`.

use std::os::fd::OwnedFd;

use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};

use super::places::Area;
use super::portal::{Options, Portal, Results};
use super::token::TokenFile;
use super::trouble::Trouble;

pub const REMOTE_DESKTOP: &str = "org.freedesktop.portal.RemoteDesktop";
const SCREEN_CAST: &str = "org.freedesktop.portal.ScreenCast";
/// Kinds of devices and sources, and how long a permission holds, as the portal numbers them.
const KEYBOARD_AND_POINTER: u32 = 1 | 2;
const MONITORS: u32 = 1;
const UNTIL_REVOKED: u32 = 2;
/// Since this version there are restore tokens and libei.
const WITH_EIS: u32 = 2;

/// What the person at the desktop allowed.
pub struct Permission {
    pub session: OwnedObjectPath,
    /// The screens that were shared, by the number that the portal's own way of pointing needs.
    pub streams: Vec<(u32, Option<Area>)>,
    /// Where events go in; `None` from portals that are too old for it.
    pub eis: Option<OwnedFd>,
}

/// Asks, and waits for the answer. `began` is told of the session before anybody is asked.
///
/// # Errors
/// When it can't be had; a token that was no use is forgotten.
pub fn ask(
    portal: &mut Portal,
    version: u32,
    token: &TokenFile,
    began: impl FnOnce(&OwnedObjectPath),
) -> Result<Permission, Trouble> {
    let session = portal.create_session(REMOTE_DESKTOP)?;
    began(&session);
    select_devices(portal, &session, version, token)?;
    select_screens(portal, &session)?;
    // Without a window of ours that the dialog could belong to: under Wayland its name would have to be exported first.
    let options = Options::from([("handle_token", portal.name())]);
    let answer = portal.ask(REMOTE_DESKTOP, "Start", &(&session, "", options));
    let granted = answer.inspect_err(|trouble| {
        if *trouble == Trouble::Refused {
            token.replace(None);
        }
    })?;
    token.replace(granted.get("restore_token").and_then(|value| <&str>::try_from(value).ok()));
    let devices = granted.get("devices").and_then(|value| u32::try_from(value).ok());
    if devices.is_some_and(|devices| devices & KEYBOARD_AND_POINTER == 0) {
        return Err(Trouble::NothingAllowed);
    }
    let streams = streams(&granted);
    let eis = if version >= WITH_EIS { connect_to_eis(portal, &session) } else { None };
    Ok(Permission { session, streams, eis })
}

fn select_devices(
    portal: &mut Portal,
    session: &OwnedObjectPath,
    version: u32,
    token: &TokenFile,
) -> Result<(), Trouble> {
    let mut options = Options::from([("handle_token", portal.name()), ("types", KEYBOARD_AND_POINTER.into())]);
    if version >= WITH_EIS {
        options.insert("persist_mode", UNTIL_REVOKED.into());
        if let Some(token) = token.read() {
            options.insert("restore_token", token.into());
        }
    }
    // A token that the portal does not take would stand in the way for ever.
    let selected = portal.ask(REMOTE_DESKTOP, "SelectDevices", &(session, options));
    selected.map(|_| ()).inspect_err(|_| token.replace(None))
}

/// Also asks for all screens: GNOME's compositor, for one, lets a pointer jump only to places of screens that the same
/// session shares. Their pictures are not taken here.
fn select_screens(portal: &mut Portal, session: &OwnedObjectPath) -> Result<(), Trouble> {
    let known = portal.proxy(SCREEN_CAST)?.get_property::<u32>("version");
    if let Err(error) = known {
        tracing::debug!("the portal shares no screens: {error}");
        return Ok(());
    }
    let options =
        Options::from([("handle_token", portal.name()), ("types", MONITORS.into()), ("multiple", true.into())]);
    portal.ask(SCREEN_CAST, "SelectSources", &(session, options)).map(|_| ())
}

fn connect_to_eis(portal: &Portal, session: &OwnedObjectPath) -> Option<OwnedFd> {
    let connected = portal.proxy(REMOTE_DESKTOP).and_then(|proxy| {
        let fd: zbus::zvariant::OwnedFd = proxy.call("ConnectToEIS", &(session, Options::new()))?;
        Ok(fd.into())
    });
    // A portal's part for a desktop may be older than the portal itself.
    connected.inspect_err(|trouble| tracing::info!("without libei: {trouble}")).ok()
}

/// `a(ua{sv})`: the screens with their places; anything that is not understood is left out.
fn streams(granted: &Results) -> Vec<(u32, Option<Area>)> {
    let Some(Value::Array(streams)) = granted.get("streams").map(|value: &OwnedValue| &**value) else {
        return Vec::new();
    };
    let stream = |value: &Value<'_>| -> Option<(u32, Option<Area>)> {
        let Value::Structure(fields) = value else { return None };
        let [Value::U32(node), Value::Dict(properties)] = fields.fields() else { return None };
        let pair = |name: &'static str| -> Option<(f64, f64)> {
            let (_, value) =
                properties.iter().find(|(key, _)| matches!(key, Value::Str(key) if key.as_str() == name))?;
            let value = if let Value::Value(inner) = value { inner } else { value };
            let Value::Structure(pair) = value else { return None };
            let [Value::I32(x), Value::I32(y)] = pair.fields() else { return None };
            Some((f64::from(*x), f64::from(*y)))
        };
        let (width, height) = pair("size").unzip();
        let area = width.zip(height).map(|(width, height)| {
            let (x, y) = pair("position").unwrap_or_default();
            Area { x, y, width, height }
        });
        Some((*node, area))
    };
    streams.iter().filter_map(stream).collect()
}
