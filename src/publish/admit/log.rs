//! Who was let in, with what role, and when they controlled: lines of JSON for the host, and nothing secret in them.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};

use super::requests::Visitor;
use crate::publish::roles::Roles;
use crate::util::append_private;

/// A file that has grown to this is moved aside, and the one that was aside goes.
const MOST_BYTES: u64 = 1 << 20;
/// Lines kept for the window, and lines that may wait for the disk.
pub const MOST_LINES: usize = 200;

/// Something worth a line. What it is made of has no place for tokens, codes, descriptions or positions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    Asked(Visitor, Roles),
    Entered(Visitor, Roles),
    /// By the host, or because nobody answered.
    Denied(Visitor),
    /// What was shown at the door was wrong.
    Refused(Visitor),
    CodeRenewed,
    Roles(Visitor, Roles),
    /// Who it was, and what the host calls it from now on.
    Renamed(Visitor, String),
    Removed(Visitor),
    Left(Visitor),
    ControlBegan(Visitor),
    ControlEnded(Visitor),
    TokenMade {
        name: String,
        roles: Roles,
    },
    TokenRemoved {
        name: String,
    },
}

/// One line, as it is shown and as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// RFC 3339, to the second.
    pub at: String,
    pub text: String,
    #[serde(skip)]
    json: String,
}

/// The lines, on their way to the disk and to the window.
#[derive(Debug, Default)]
pub struct AccessLog {
    recent: Arc<Vec<LogLine>>,
    unwritten: VecDeque<String>,
}

impl Happening {
    fn parts(&self) -> (&'static str, Option<&Visitor>, Option<Roles>) {
        match self {
            Self::Asked(visitor, roles) => ("asked", Some(visitor), Some(*roles)),
            Self::Entered(visitor, roles) => ("entered", Some(visitor), Some(*roles)),
            Self::Denied(visitor) => ("denied", Some(visitor), None),
            Self::Refused(visitor) => ("refused", Some(visitor), None),
            Self::CodeRenewed => ("code_renewed", None, None),
            Self::Roles(visitor, roles) => ("roles", Some(visitor), Some(*roles)),
            Self::Renamed(visitor, _) => ("renamed", Some(visitor), None),
            Self::Removed(visitor) => ("removed", Some(visitor), None),
            Self::Left(visitor) => ("left", Some(visitor), None),
            Self::ControlBegan(visitor) => ("control_began", Some(visitor), None),
            Self::ControlEnded(visitor) => ("control_ended", Some(visitor), None),
            Self::TokenMade { roles, .. } => ("token_made", None, Some(*roles)),
            Self::TokenRemoved { .. } => ("token_removed", None, None),
        }
    }

    fn sentence(&self) -> String {
        let who = |visitor: &Visitor| {
            let browser = visitor.browser.as_deref().unwrap_or("unknown program");
            format!("{} ({browser}, {})", visitor.name, visitor.address)
        };
        match self {
            Self::Asked(visitor, roles) => format!("{} asked to come in: {roles}", who(visitor)),
            Self::Entered(visitor, roles) => format!("{} came in: {roles}", who(visitor)),
            Self::Denied(visitor) => format!("{} was not let in", who(visitor)),
            Self::Refused(visitor) => format!("Somebody showed a wrong link or code: {}", visitor.address),
            Self::CodeRenewed => "The code was changed after wrong tries".to_owned(),
            Self::Roles(visitor, roles) => format!("{} may now: {roles}", who(visitor)),
            Self::Renamed(visitor, name) => format!("{} is called {name} from now on", who(visitor)),
            Self::Removed(visitor) => format!("{} was removed", who(visitor)),
            Self::Left(visitor) => format!("{}: the session ended", who(visitor)),
            Self::ControlBegan(visitor) => format!("{} took the pointer", who(visitor)),
            Self::ControlEnded(visitor) => format!("{} let the pointer go", who(visitor)),
            Self::TokenMade { name, roles } => format!("Token “{name}” was made: {roles}"),
            Self::TokenRemoved { name } => format!("Token “{name}” was removed"),
        }
    }

    fn to_line(&self, at: String) -> LogLine {
        let (event, visitor, roles) = self.parts();
        let mut line = json!({ "at": at, "event": event });
        if let Some(visitor) = visitor {
            line["name"] = visitor.name.clone().into();
            line["address"] = visitor.address.to_string().into();
            line["browser"] = visitor.browser.clone().into();
        }
        if let Some(roles) = roles {
            line["roles"] = roles.iter().map(|role| Value::from(role.id())).collect();
        }
        if let Self::Renamed(_, name) = self {
            line["new_name"] = name.clone().into();
        }
        if let Self::TokenMade { name, .. } | Self::TokenRemoved { name } = self {
            line["name"] = name.clone().into();
        }
        LogLine { at, text: self.sentence(), json: line.to_string() }
    }
}

impl AccessLog {
    pub fn note(&mut self, happening: &Happening, at: String) {
        let line = happening.to_line(at);
        tracing::info!("{}", line.text);
        if self.unwritten.len() >= MOST_LINES {
            self.unwritten.pop_front();
        }
        self.unwritten.push_back(line.json.clone());
        let recent = Arc::make_mut(&mut self.recent);
        if recent.len() >= MOST_LINES {
            recent.remove(0);
        }
        recent.push(line);
    }

    /// The newest lines, the newest last.
    pub fn recent(&self) -> Arc<Vec<LogLine>> {
        Arc::clone(&self.recent)
    }

    pub fn take_unwritten(&mut self) -> VecDeque<String> {
        std::mem::take(&mut self.unwritten)
    }
}

/// Where the log is.
pub fn path(folder: &Path) -> PathBuf {
    folder.join("access.log")
}

fn older(path: &Path) -> PathBuf {
    path.with_extension("log.1")
}

/// Adds lines to the file; a file that has become too long is moved aside first.
///
/// # Errors
/// When it can't be written.
pub fn append(path: &Path, lines: &VecDeque<String>) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|about| about.len() >= MOST_BYTES) {
        fs::rename(path, older(path))?;
    }
    let mut text = String::new();
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
    append_private(path)?.write_all(text.as_bytes())
}

/// The whole log, the oldest line first; empty where there is none.
///
/// # Errors
/// When it can't be read.
pub fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    for path in [older(path), path.to_owned()] {
        match fs::read_to_string(&path) {
            Ok(part) => text.push_str(&part),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visitor() -> Visitor {
        Visitor { name: "Anna \"A\"\n".to_owned(), address: [192, 0, 2, 1].into(), browser: Some("Firefox".to_owned()) }
    }

    #[test]
    fn each_happening_is_one_line_of_json() {
        let mut log = AccessLog::default();
        let roles = Roles::WATCH;
        let all = [
            Happening::Asked(visitor(), roles),
            Happening::Entered(visitor(), roles),
            Happening::Denied(visitor()),
            Happening::Refused(visitor()),
            Happening::CodeRenewed,
            Happening::Roles(visitor(), roles),
            Happening::Removed(visitor()),
            Happening::Left(visitor()),
            Happening::ControlBegan(visitor()),
            Happening::ControlEnded(visitor()),
            Happening::TokenMade { name: "VLC".to_owned(), roles },
            Happening::TokenRemoved { name: "VLC".to_owned() },
        ];
        for happening in &all {
            log.note(happening, "2026-11-21T20:00:00Z".to_owned());
        }
        let lines = log.take_unwritten();
        assert_eq!(lines.len(), all.len());
        let read: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(lines.iter().all(|line| !line.contains('\n')));
        assert_eq!(read[1]["event"], "entered");
        assert_eq!(read[1]["roles"], json!(["watch"]));
        assert_eq!(read[10]["name"], "VLC");
        assert!(log.take_unwritten().is_empty());
        assert_eq!(log.recent().len(), all.len());
    }

    #[test]
    fn the_file_is_bounded_by_moving_it_aside_once() {
        let folder = std::env::temp_dir().join(format!("lenscast-log-{}", std::process::id()));
        let path = path(&folder);
        let lines: VecDeque<String> = std::iter::repeat_n("x".repeat(1_000), 200).collect();
        for _ in 0..20 {
            append(&path, &lines).unwrap();
        }
        let size = |path: &Path| fs::metadata(path).unwrap().len();
        assert!(size(&path) < MOST_BYTES + 201_000 && size(&older(&path)) < MOST_BYTES + 201_000);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
        assert!(read(&path).unwrap().len() as u64 > MOST_BYTES);
        fs::remove_dir_all(folder).unwrap();
    }
}
