//! The settings on disk: one JSON file, versioned, read with care and written so that a crash leaves the old one whole.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Entry, IceServer, Outgoing, PreviewRate, Reach, Settings, Share, Theme};
use crate::capture::SourceId;
use crate::filter::Chain;
use crate::util;

/// The version written into settings files.
const VERSION: u32 = 1;
/// A settings file is never this large; one that is was not written by this program.
const MOST_BYTES: u64 = 4 << 20;

/// Why settings or a chain could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("{path} can't be read: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path} can't be written: {source}; choose another folder or free some space")]
    Write { path: PathBuf, source: std::io::Error },
    #[error("{path} is not a settings file: {reason}")]
    Damaged { path: PathBuf, reason: String },
}

/// What is written. Missing fields get their defaults; fields of later versions are left alone.
#[derive(Serialize, Deserialize)]
struct Document {
    version: u32,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    fps: Option<u32>,
    #[serde(default)]
    chains: BTreeMap<String, Value>,
    #[serde(default)]
    watch_anyone: Option<bool>,
    #[serde(default)]
    entry: Option<Entry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    hosts: Vec<String>,
    #[serde(default)]
    most_viewers: Option<u32>,
    #[serde(default)]
    reach: Option<Reach>,
    #[serde(default)]
    port: Option<u16>,
    /// Missing or null: the same number as `port`.
    #[serde(default)]
    udp_port: Option<u16>,
    #[serde(default)]
    ice_servers: Vec<IceServer>,
    #[serde(default)]
    jpeg_quality: Option<u8>,
    #[serde(default)]
    bitrate_kbps: Option<u32>,
    #[serde(default)]
    whip_url: Option<String>,
    /// Only where the user wants it kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    whip_token: Option<String>,
    #[serde(default)]
    preview: Option<PreviewRate>,
    #[serde(default)]
    theme: Option<Theme>,
}

/// Where the settings live: `LENSCAST_CONFIG_DIR`, or the system's folder for configuration.
pub fn folder() -> Option<PathBuf> {
    match std::env::var_os("LENSCAST_CONFIG_DIR") {
        Some(folder) if !folder.is_empty() => Some(folder.into()),
        _ => dirs::config_dir().map(|folder| folder.join("lenscast")),
    }
}

/// Reads the settings; a missing file gives the defaults.
///
/// # Errors
/// When the file can't be read or is damaged. It is left where it is.
pub fn load(path: &Path) -> Result<Settings, FileError> {
    let read = |source| FileError::Read { path: path.to_owned(), source };
    let damaged = |reason: String| FileError::Damaged { path: path.to_owned(), reason };
    match fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Settings::default()),
        Err(error) => return Err(read(error)),
        Ok(about) if about.len() > MOST_BYTES => return Err(damaged("it is far too large".to_owned())),
        Ok(_) => {}
    }
    let text = fs::read_to_string(path).map_err(read)?;
    let document: Document = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
    if document.version > VERSION {
        return Err(damaged(format!("it was written by a newer Lenscast (version {})", document.version)));
    }
    let mut settings = Settings::default();
    for (source, chain) in &document.chains {
        // A source or a chain that this version does not understand is no reason to lose the others.
        match (source.parse::<SourceId>(), Chain::from_value(chain)) {
            (Ok(source), Ok(chain)) => {
                settings.chains.insert(source, chain);
            }
            (Err(error), _) => tracing::warn!("{}: {error}", path.display()),
            (_, Err(error)) => tracing::warn!("{}: the chain of {source}: {error}", path.display()),
        }
    }
    if let Some(source) = document.source.and_then(|source| source.parse().ok()) {
        settings.source = source;
    }
    let Share { on, control, tune, accept, secret, .. } = Share::default();
    let share = &settings.share;
    settings.share = Share {
        on,
        control,
        tune,
        accept,
        secret,
        watch_anyone: document.watch_anyone.unwrap_or(share.watch_anyone),
        entry: document.entry.unwrap_or(share.entry),
        hosts: document.hosts,
        most_viewers: document.most_viewers.unwrap_or(share.most_viewers),
        reach: document.reach.unwrap_or(share.reach),
        port: document.port.unwrap_or(share.port),
        udp_port: document.udp_port,
        ice_servers: usable(document.ice_servers),
        jpeg_quality: document.jpeg_quality.unwrap_or(share.jpeg_quality),
        bitrate_kbps: document.bitrate_kbps.unwrap_or(share.bitrate_kbps),
    };
    settings.outgoing = Outgoing {
        on: false,
        url: document.whip_url.unwrap_or_default(),
        keep_token: document.whip_token.is_some(),
        token: document.whip_token.unwrap_or_default(),
    };
    settings.fps = document.fps.unwrap_or(settings.fps);
    settings.preview = document.preview.unwrap_or(settings.preview);
    settings.theme = document.theme.unwrap_or(settings.theme);
    settings.clamp();
    Ok(settings)
}

/// A server with a mistake is no reason to lose the others.
fn usable(mut servers: Vec<IceServer>) -> Vec<IceServer> {
    servers.retain(|server| {
        server.check().inspect_err(|error| tracing::warn!("a STUN or TURN server is left out: {error}")).is_ok()
    });
    servers
}

/// Writes the settings, without what belongs to one run alone (sharing, control, the secret).
///
/// # Errors
/// When the folder can't be written to; the file is as it was then.
pub fn save(path: &Path, settings: &Settings) -> Result<(), FileError> {
    let share = &settings.share;
    let document = Document {
        version: VERSION,
        source: Some(settings.source.to_string()),
        fps: Some(settings.fps),
        chains: settings.chains.iter().map(|(source, chain)| (source.to_string(), chain.to_json())).collect(),
        watch_anyone: Some(share.watch_anyone),
        entry: Some(share.entry),
        hosts: share.hosts.clone(),
        most_viewers: Some(share.most_viewers),
        reach: Some(share.reach),
        port: Some(share.port),
        udp_port: share.udp_port,
        ice_servers: share.ice_servers.clone(),
        jpeg_quality: Some(share.jpeg_quality),
        bitrate_kbps: Some(share.bitrate_kbps),
        whip_url: Some(settings.outgoing.url.clone()),
        whip_token: settings.outgoing.keep_token.then(|| settings.outgoing.token.clone()),
        preview: Some(settings.preview),
        theme: Some(settings.theme),
    };
    let text = serde_json::to_string_pretty(&document)
        .map_err(|error| FileError::Damaged { path: path.to_owned(), reason: error.to_string() })?;
    // A token for a server or a TURN server's password may be among them.
    util::write_private(path, text.as_bytes()).map_err(|source| FileError::Write { path: path.to_owned(), source })
}

/// [`util::write_whole`] with a sentence for the user where it fails.
///
/// # Errors
/// When the folder can't be written to.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    util::write_whole(path, bytes).map_err(|source| FileError::Write { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter;

    fn file(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("lenscast-settings-{}-{name}", std::process::id())).join("settings.json")
    }

    #[test]
    fn settings_read_back_as_they_were_but_never_shared_or_controlled() {
        let path = file("round-trip");
        let mut settings = Settings { source: SourceId::Pattern, fps: 24, ..Settings::default() };
        settings.chain_mut().add(filter::create("crop").unwrap());
        settings.share = Share {
            on: true,
            control: true,
            tune: true,
            accept: true,
            secret: "s".to_owned(),
            port: 9,
            entry: Entry::Link,
            hosts: vec!["cast.example".to_owned()],
            most_viewers: 3,
            ..Share::default()
        };
        save(&path, &settings).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let off = Share { on: false, control: false, tune: false, accept: false, ..settings.share.clone() };
        let expected = Settings { share: Share { secret: String::new(), ..off }, ..settings };
        assert_eq!(load(&path).unwrap(), expected);
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn the_token_of_a_server_is_kept_only_where_that_is_wanted() {
        let path = file("token");
        let url = "https://media.example/whip".to_owned();
        let outgoing = Outgoing { on: true, url, token: "t0k3n".to_owned(), keep_token: false };
        let mut settings = Settings { outgoing, ..Settings::default() };
        save(&path, &settings).unwrap();
        assert!(!fs::read_to_string(&path).unwrap().contains("t0k3n"));
        let expected = Outgoing { on: false, token: String::new(), ..settings.outgoing.clone() };
        assert_eq!(load(&path).unwrap().outgoing, expected);
        settings.outgoing.keep_token = true;
        save(&path, &settings).unwrap();
        assert_eq!(load(&path).unwrap().outgoing, Outgoing { on: false, ..settings.outgoing });
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn servers_are_kept_and_one_with_a_mistake_takes_none_of_the_others_along() {
        let path = file("servers");
        let mut settings = Settings::default();
        settings.share.udp_port = Some(0);
        let servers =
            ["turn:turn.example,me,s3cr3t", "stun:stun.example"].map(|text| text.parse::<IceServer>().unwrap());
        settings.share.ice_servers = servers.to_vec();
        save(&path, &settings).unwrap();
        assert_eq!(load(&path).unwrap(), settings);
        let damaged = fs::read_to_string(&path).unwrap().replace("turn:turn.example", "turn:a, b");
        write_whole(&path, damaged.as_bytes()).unwrap();
        assert_eq!(load(&path).unwrap().share.ice_servers, servers[1..]);
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_missing_file_is_the_defaults_and_a_damaged_one_is_said_so() {
        let path = file("damaged");
        assert_eq!(load(&path).unwrap(), Settings::default());
        write_whole(&path, b"{\"version\": 1, \"fps\": \"many\"}").unwrap();
        assert!(load(&path).unwrap_err().to_string().contains("is not a settings file"));
        write_whole(&path, b"{\"version\": 1, \"fps\": 4000, \"chains\": {\"pattern\": 7}}").unwrap();
        assert_eq!(load(&path).unwrap().fps, 120);
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_folder_that_can_not_be_written_is_a_clear_error() {
        let error = write_whole(Path::new("/proc/lenscast/settings.json"), b"x").unwrap_err();
        assert!(error.to_string().contains("can't be written"));
    }
}
