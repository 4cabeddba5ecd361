//! Connecting to the X server and finding its monitors.

use x11rb::connection::Connection;
use x11rb::protocol::randr::ConnectionExt as _;
use x11rb::protocol::xproto::Window;
use x11rb::rust_connection::RustConnection;

use crate::capture::source::SourceError;
use crate::geometry::{Rect, Size};

/// Wraps what the X server or the connection said.
pub fn failed(error: impl std::fmt::Display) -> SourceError {
    SourceError::Screen(error.to_string())
}

/// A monitor of the X screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Monitor {
    pub name: String,
    pub area: Rect,
    pub primary: bool,
}

/// Name and size of every monitor.
///
/// # Errors
/// When the X server can't be reached.
pub fn monitors() -> Result<Vec<(String, Size)>, SourceError> {
    let (connection, screen) = x11rb::connect(None).map_err(failed)?;
    let root = connection.setup().roots[screen].root;
    let found = query_monitors(&connection, root)?;
    Ok(found.into_iter().map(|monitor| (monitor.name, Size::new(monitor.area.width, monitor.area.height))).collect())
}

/// The monitors; a server without RandR 1.5 has one, the whole screen.
pub fn query_monitors(connection: &RustConnection, root: Window) -> Result<Vec<Monitor>, SourceError> {
    let mut found = Vec::new();
    if let Ok(reply) = connection.randr_get_monitors(root, true).map_err(failed)?.reply() {
        for monitor in reply.monitors {
            found.push(Monitor {
                name: atom_name(connection, monitor.name)?,
                area: Rect {
                    x: i32::from(monitor.x),
                    y: i32::from(monitor.y),
                    width: u32::from(monitor.width),
                    height: u32::from(monitor.height),
                },
                primary: monitor.primary,
            });
        }
    }
    if found.is_empty() {
        let geometry = root_size(connection, root)?;
        found.push(Monitor {
            name: "screen".to_owned(),
            area: Rect { x: 0, y: 0, width: geometry.width, height: geometry.height },
            primary: true,
        });
    }
    Ok(found)
}

/// Size of the whole X screen.
pub fn root_size(connection: &RustConnection, root: Window) -> Result<Size, SourceError> {
    use x11rb::protocol::xproto::ConnectionExt as _;
    let geometry = connection.get_geometry(root).map_err(failed)?.reply().map_err(failed)?;
    Ok(Size::new(u32::from(geometry.width), u32::from(geometry.height)))
}

fn atom_name(connection: &RustConnection, atom: u32) -> Result<String, SourceError> {
    use x11rb::protocol::xproto::ConnectionExt as _;
    let reply = connection.get_atom_name(atom).map_err(failed)?.reply().map_err(failed)?;
    Ok(String::from_utf8_lossy(&reply.name).into_owned())
}

/// The wished monitor: by name or number, else the primary one, else the first.
pub fn choose<'a>(monitors: &'a [Monitor], wanted: Option<&str>) -> Result<&'a Monitor, SourceError> {
    let found = match wanted {
        None => monitors.iter().find(|monitor| monitor.primary).or(monitors.first()),
        Some(wanted) => monitors
            .iter()
            .find(|monitor| monitor.name == wanted)
            .or_else(|| wanted.parse::<usize>().ok().and_then(|index| monitors.get(index))),
    };
    found.ok_or_else(|| SourceError::NoSuchScreen(wanted.unwrap_or_default().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monitors_are_found_by_name_number_and_rank() {
        let area = Rect { x: 0, y: 0, width: 1, height: 1 };
        let monitor = |name: &str, primary| Monitor { name: name.to_owned(), area, primary };
        let monitors = [monitor("HDMI-1", false), monitor("eDP-1", true)];
        let name = |wanted| choose(&monitors, wanted).map(|monitor| monitor.name.clone()).ok();
        assert_eq!(name(None).as_deref(), Some("eDP-1"));
        assert_eq!(name(Some("HDMI-1")).as_deref(), Some("HDMI-1"));
        assert_eq!(name(Some("1")).as_deref(), Some("eDP-1"));
        assert_eq!(name(Some("2")), None);
    }
}
