//! What lets programs and remembered devices in for longer than a run: kept as digests, in a file of its owner's alone.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::secret::Digest;
use crate::publish::roles::Roles;
use crate::util::write_private;

const VERSION: u32 = 1;
/// Of each kind; a list that nobody can read to its end protects nobody.
pub const MOST_KEYS: usize = 64;
/// A file of ours is never this large.
const MOST_BYTES: u64 = 1 << 20;
/// Origins whose pages may show one token's picture.
const MOST_ORIGINS: usize = 8;

/// Why the keys can't be read or changed. The sentence is for the user.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error("{path} can't be read: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} can't be written: {source}; choose another folder or free some space")]
    Write { path: PathBuf, source: io::Error },
    #[error("{path} is damaged ({reason}); nobody whom it remembered is let in. Move it away to begin anew")]
    Damaged { path: PathBuf, reason: String },
    #[error("there are {MOST_KEYS} already; remove one first")]
    Full,
    #[error("there is one of this name already; choose another name, or remove it first")]
    NameTaken,
    #[error("a name has 1 to 40 characters")]
    Name,
    #[error("`{0}` is not an origin; write it as http://homeassistant.local:8123")]
    Origin(String),
    #[error("there is none called `{0}`")]
    Unknown(String),
    #[error("the system gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

/// What a program, or a device that was let in before, is known by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    pub name: String,
    pub roles: Roles,
    digest: Digest,
    /// The day on which it was made, as 2026-11-21.
    #[serde(default)]
    pub made: String,
    /// The pages that may show this token's picture in an `<img>`; none but a token has any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<String>,
}

/// Everything that is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    version: u32,
    #[serde(default)]
    pub tokens: Vec<Key>,
    #[serde(default)]
    pub devices: Vec<Key>,
}

impl Default for Keys {
    fn default() -> Self {
        Self { version: VERSION, tokens: Vec::new(), devices: Vec::new() }
    }
}

impl Key {
    pub fn new(name: String, roles: Roles, secret: &str, made: String) -> Self {
        Self { name, roles, digest: Digest::of(secret.as_bytes()), made, origins: Vec::new() }
    }

    pub fn digest(&self) -> Digest {
        self.digest
    }
}

impl Keys {
    pub fn token(&self, digest: Digest) -> Option<&Key> {
        find(&self.tokens, digest)
    }

    pub fn device(&self, digest: Digest) -> Option<&Key> {
        find(&self.devices, digest)
    }

    /// Adds a token.
    ///
    /// # Errors
    /// When the name or an origin is none, the name is taken, or there are too many.
    pub fn add_token(&mut self, mut key: Key, origins: &[String]) -> Result<(), KeysError> {
        key.name = clean_name(&key.name).ok_or(KeysError::Name)?;
        if self.tokens.iter().any(|known| known.name == key.name) {
            return Err(KeysError::NameTaken);
        }
        if self.tokens.len() >= MOST_KEYS {
            return Err(KeysError::Full);
        }
        let read = |text: &String| origin(text).ok_or_else(|| KeysError::Origin(text.clone()));
        key.origins = origins.iter().take(MOST_ORIGINS).map(read).collect::<Result<_, _>>()?;
        self.tokens.push(key);
        Ok(())
    }

    /// Remembers a device; the oldest is forgotten where there are too many.
    pub fn add_device(&mut self, key: Key) {
        if self.devices.len() >= MOST_KEYS {
            self.devices.remove(0);
        }
        self.devices.push(key);
    }

    /// Removes a token by its name.
    ///
    /// # Errors
    /// When there is none.
    pub fn remove_token(&mut self, name: &str) -> Result<(), KeysError> {
        let place = self.tokens.iter().position(|key| key.name == name);
        place.map(|place| drop(self.tokens.remove(place))).ok_or_else(|| KeysError::Unknown(name.to_owned()))
    }

    /// Gives a device another name, if it is remembered.
    pub fn rename_device(&mut self, digest: Digest, name: &str) {
        for key in self.devices.iter_mut().filter(|key| key.digest == digest) {
            key.name = name.to_owned();
        }
    }

    pub fn remove_device(&mut self, digest: Digest) {
        self.devices.retain(|key| key.digest != digest);
    }
}

/// Looks at all of them, whichever fits.
fn find(keys: &[Key], digest: Digest) -> Option<&Key> {
    keys.iter().fold(None, |found, key| if key.digest == digest { Some(key) } else { found })
}

/// A name as it may be shown to people: no control characters, none that turn the writing round, at most 40.
pub fn clean_name(text: &str) -> Option<String> {
    let hidden = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let shown: String = text.chars().map(|letter| if letter.is_whitespace() { ' ' } else { letter }).collect();
    let shown: String = shown.chars().filter(|letter| !hidden(*letter)).take(40).collect();
    let shown = shown.trim();
    (!shown.is_empty()).then(|| shown.to_owned())
}

/// An origin as browsers write it: scheme, host, port where it is not the usual one.
pub fn origin(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches('/').to_ascii_lowercase();
    let (scheme, authority) = text.split_once("://")?;
    let usual = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return None,
    };
    let fine = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_' | ':' | '[' | ']');
    if authority.is_empty() || !authority.chars().all(fine) {
        return None;
    }
    Some(format!("{scheme}://{}", authority.strip_suffix(usual).unwrap_or(authority)))
}

/// The file of the keys. The program and `lenscast token` may change it at the same time: each change locks it, reads
/// what is there, and writes the whole.
#[derive(Debug, Clone)]
pub struct KeyFile(PathBuf);

impl KeyFile {
    /// In the folder of the settings.
    pub fn inside(folder: &Path) -> Self {
        Self(folder.join("access.json"))
    }

    /// What is remembered; nothing where there is no file.
    ///
    /// # Errors
    /// When it can't be read or is damaged.
    pub fn read(&self) -> Result<Keys, KeysError> {
        let read = |source| KeysError::Read { path: self.0.clone(), source };
        let damaged = |reason: String| KeysError::Damaged { path: self.0.clone(), reason };
        match fs::metadata(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Keys::default()),
            Err(error) => return Err(read(error)),
            Ok(about) if about.len() > MOST_BYTES => return Err(damaged("it is far too large".to_owned())),
            Ok(_) => {}
        }
        let text = fs::read_to_string(&self.0).map_err(read)?;
        let keys: Keys = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        if keys.version > VERSION {
            return Err(damaged("a newer Lenscast wrote it".to_owned()));
        }
        Ok(keys)
    }

    /// Changes what is remembered, and gives it as it is now.
    ///
    /// # Errors
    /// When the change fails, or the file can't be read or written; it is as it was then.
    pub fn edit(&self, change: impl FnOnce(&mut Keys) -> Result<(), KeysError>) -> Result<Keys, KeysError> {
        let write = |source| KeysError::Write { path: self.0.clone(), source };
        let folder = self.0.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(write)?;
        let lock = File::create(folder.join(".access.lock")).map_err(write)?;
        lock.lock().map_err(write)?;
        let mut keys = self.read()?;
        let before = keys.clone();
        change(&mut keys)?;
        if keys != before {
            let text = serde_json::to_string_pretty(&keys)
                .map_err(|error| KeysError::Damaged { path: self.0.clone(), reason: error.to_string() })?;
            write_private(&self.0, text.as_bytes()).map_err(write)?;
        }
        Ok(keys)
    }

    /// Changes whenever the file does.
    pub fn stamp(&self) -> Option<std::time::SystemTime> {
        fs::metadata(&self.0).and_then(|about| about.modified()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key::new(name.to_owned(), Roles::WATCH, name, String::new())
    }

    fn folder(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("lenscast-keys-{}-{name}", std::process::id()))
    }

    #[test]
    fn tokens_are_kept_as_digests_and_found_by_their_secret() {
        let folder = folder("kept");
        let file = KeyFile::inside(&folder);
        assert_eq!(file.read().unwrap(), Keys::default());
        let origins = ["http://Dashboard.local:8123/".to_owned()];
        let keys = file.edit(|keys| keys.add_token(key("t0k3n"), &origins)).unwrap();
        assert_eq!(file.read().unwrap(), keys);
        let found = keys.token(Digest::of(b"t0k3n")).unwrap();
        assert_eq!(found.origins, ["http://dashboard.local:8123"]);
        assert!(keys.device(Digest::of(b"t0k3n")).is_none() && keys.token(Digest::of(b"other")).is_none());
        assert!(matches!(file.edit(|keys| keys.add_token(key("t0k3n"), &[])), Err(KeysError::NameTaken)));
        assert!(matches!(file.edit(|keys| keys.remove_token("nobody")), Err(KeysError::Unknown(_))));
        file.edit(|keys| keys.remove_token("t0k3n")).unwrap();
        assert!(file.read().unwrap().tokens.is_empty());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_damaged_file_lets_nobody_in_and_is_left_as_it_is() {
        let folder = folder("damaged");
        let file = KeyFile::inside(&folder);
        fs::create_dir_all(&folder).unwrap();
        for text in ["", "[]", r#"{"version":2}"#, r#"{"version":1,"tokens":[{"name":"a","roles":[],"digest":"00"}]}"#]
        {
            fs::write(folder.join("access.json"), text).unwrap();
            assert!(matches!(file.read(), Err(KeysError::Damaged { .. })), "{text}");
            assert!(file.edit(|_| Ok(())).is_err());
            assert_eq!(fs::read_to_string(folder.join("access.json")).unwrap(), text);
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn names_and_origins_are_cleaned_or_refused() {
        assert_eq!(clean_name("  Ann\u{202e}a\n\tB\u{0}  ").as_deref(), Some("Anna  B"));
        assert_eq!(clean_name(&"x".repeat(100)).unwrap().len(), 40);
        assert_eq!(clean_name(" \u{200b}\n"), None);
        assert_eq!(origin("HTTPS://Example.org:443/").as_deref(), Some("https://example.org"));
        for wrong in ["", "null", "*", "ftp://a", "http://", "http://a/b", "http://a b", "http://u@a"] {
            assert_eq!(origin(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn too_many_tokens_are_refused_and_the_oldest_device_gives_way() {
        let mut keys = Keys::default();
        for number in 0..MOST_KEYS {
            keys.add_token(key(&number.to_string()), &[]).unwrap();
            keys.add_device(key(&number.to_string()));
        }
        assert!(matches!(keys.add_token(key("more"), &[]), Err(KeysError::Full)));
        keys.add_device(key("more"));
        assert_eq!(keys.devices.len(), MOST_KEYS);
        assert!(keys.device(Digest::of(b"0")).is_none() && keys.device(Digest::of(b"more")).is_some());
    }
}
