//! The user's whole document: what is captured, the chains, how it is shared, how the window looks.

pub mod file;
mod ice;
mod preset_folder;
pub mod presets;
mod store;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use ice::{IceServer, IceServerError};
pub use preset_folder::{Damaged, FolderError, Listing, OwnPreset, PresetFolder};
pub use store::Store;

use crate::capture::SourceId;
use crate::filter::Chain;

/// Everything a user can set. Immutable once published; changes go through [`Store::edit`].
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub source: SourceId,
    /// Frames a second asked of the source, 1..=120.
    pub fps: u32,
    /// Each source has a chain of its own.
    pub chains: BTreeMap<SourceId, Chain>,
    pub share: Share,
    pub outgoing: Outgoing,
    pub preview: PreviewRate,
    pub theme: Theme,
}

/// How the picture is shared. `on`, `control`, `tune` and `accept` are never saved: they are off when the program starts.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    pub on: bool,
    /// Viewers with the right to it may use the pointer; the standing link gives it.
    pub control: bool,
    /// Whoever has the link sees the filters' sliders on the page and moves them.
    pub tune: bool,
    /// Whoever has the link may publish a picture to this computer, over WHIP.
    pub accept: bool,
    /// Whoever reaches the port may watch without the link's secret (never click).
    pub watch_anyone: bool,
    /// How others come in.
    pub entry: Entry,
    /// Names under which this computer is reached beside its own; requests for other names are refused.
    pub hosts: Vec<String>,
    /// Viewers at a time, 1..=64.
    pub most_viewers: u32,
    pub reach: Reach,
    /// 0 lets the system choose a free port.
    pub port: u16,
    /// Of all WebRTC media: `None` is the same number as `port`, 0 lets the system choose.
    pub udp_port: Option<u16>,
    /// STUN and TURN servers for this computer and for viewers; without any, nothing outside the network is asked.
    pub ice_servers: Vec<IceServer>,
    /// 1..=100.
    pub jpeg_quality: u8,
    /// Kilobits a second of each video encoder, 200..=50,000.
    pub bitrate_kbps: u32,
    /// Of the standing link; it counts only where the entry is [`Entry::Link`]. Made anew for each start.
    pub secret: String,
}

/// The server that the picture is published to. `on` is never saved, and `token` only where the user wants it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outgoing {
    pub on: bool,
    /// Of the WHIP endpoint; it may name a secret stream, so it is no more shown than the token.
    pub url: String,
    pub token: String,
    /// Whether the token is written into the settings' file.
    pub keep_token: bool,
}

/// Who can reach the port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// This computer only.
    Loopback,
    /// Every computer on the network.
    Network,
    /// One address of this computer.
    Address(std::net::IpAddr),
}

/// How others come in, beside remembered devices and long-lived tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// By a one-time link or a code, and the host is asked about each of them.
    Approve,
    /// By a one-time link or a code, to watch.
    Invited,
    /// Whoever has the standing link, which holds until the program ends.
    Link,
}

/// How often the window shows a new picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PreviewRate {
    Off,
    Five,
    Fifteen,
    Thirty,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    System,
    Dark,
    Light,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            source: SourceId::Screen(None),
            fps: 30,
            chains: BTreeMap::new(),
            share: Share::default(),
            outgoing: Outgoing::default(),
            preview: PreviewRate::Thirty,
            theme: Theme::Dark,
        }
    }
}

impl Default for Share {
    fn default() -> Self {
        Self {
            on: false,
            control: false,
            tune: false,
            accept: false,
            watch_anyone: false,
            entry: Entry::Approve,
            hosts: Vec::new(),
            most_viewers: 16,
            reach: Reach::Network,
            port: 8080,
            udp_port: None,
            ice_servers: Vec::new(),
            jpeg_quality: 80,
            bitrate_kbps: 8_000,
            secret: String::new(),
        }
    }
}

impl PreviewRate {
    /// Pictures a second; `None` when there is no preview.
    pub const fn per_second(self) -> Option<u32> {
        match self {
            Self::Off => None,
            Self::Five => Some(5),
            Self::Fifteen => Some(15),
            Self::Thirty => Some(30),
        }
    }
}

impl Settings {
    /// The chain of the current source.
    pub fn chain(&self) -> Chain {
        self.chains.get(&self.source).cloned().unwrap_or_default()
    }

    pub fn chain_mut(&mut self) -> &mut Chain {
        self.chains.entry(self.source.clone()).or_default()
    }

    /// Brings every number into its range; settings come from files and from programs.
    pub fn clamp(&mut self) {
        self.fps = self.fps.clamp(1, 120);
        self.share.jpeg_quality = self.share.jpeg_quality.clamp(1, 100);
        self.share.most_viewers = self.share.most_viewers.clamp(1, 64);
        self.share.bitrate_kbps = self.share.bitrate_kbps.clamp(200, 50_000);
    }
}
