//! The token with which the desktop remembers that it was allowed, so that its user is asked once and not every time.

use std::fs;
use std::path::{Path, PathBuf};

use crate::util::write_private;

/// In the settings' folder, readable by its owner alone.
const NAME: &str = "desktop-permission.json";
/// Portals give names of a few dozen letters.
const MOST_BYTES: usize = 4096;

/// Where the token is kept; nowhere without a folder, and then everybody is asked every time.
#[derive(Debug, Clone, Default)]
pub struct TokenFile(Option<PathBuf>);

#[derive(serde::Serialize, serde::Deserialize)]
struct Document {
    restore_token: String,
}

impl TokenFile {
    pub fn within(folder: Option<&Path>) -> Self {
        Self(folder.map(|folder| folder.join(NAME)))
    }

    /// The token of the last session, if it is a sensible one.
    pub fn read(&self) -> Option<String> {
        let text = fs::read_to_string(self.0.as_ref()?).ok().filter(|text| text.len() <= MOST_BYTES)?;
        serde_json::from_str::<Document>(&text).ok().map(|document| document.restore_token)
    }

    /// Keeps the newest token. Each is good for one session, so without a new one the old one goes.
    pub fn replace(&self, token: Option<&str>) {
        let Some(path) = &self.0 else { return };
        let done = match token {
            Some(token) => serde_json::to_vec(&Document { restore_token: token.to_owned() })
                .map_err(std::io::Error::from)
                .and_then(|text| write_private(path, &text)),
            None => match fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            },
        };
        if let Err(error) = done {
            tracing::warn!("the desktop will ask again next time: {} can't be written: {error}", path.display());
        }
    }
}
