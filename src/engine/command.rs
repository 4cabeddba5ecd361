//! What is asked of the engine once, and what it reports once; everything lasting is settings or status.

use std::path::PathBuf;

use crate::encode::Rung;
use crate::publish::{Digest, Role, Roles, Verdict};

/// Something to do, once. Bounded channel of 64; a full one means the engine is stuck and the newest is refused.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Look again for screens and cameras.
    RefreshSources,
    /// Open the source again after it failed.
    RetrySource,
    /// End one viewer's session.
    Disconnect {
        viewer: u64,
    },
    /// Send one viewer this size; `None` leaves it to the viewer again.
    Pin {
        viewer: u64,
        rung: Option<Rung>,
    },
    /// Write the newest processed picture to a file; its ending says PNG or JPEG.
    SaveSnapshot {
        path: PathBuf,
    },
    /// End every session now, and not at the next look at the settings.
    StopSharing,
    /// One viewer has the control of the desktop from now on; `None` leaves it to the first who does something.
    GiveControl {
        viewer: Option<u64>,
    },
    /// The person at the host has it, and nobody else until it is given away.
    TakeControl,
    /// Ask the desktop again for its pointer and keyboard.
    AskDesktop,
    /// Release everything that is held and take the pointer away from everybody (`share.control` becomes false).
    StopControl,
    /// Answers whoever asks to come in.
    Answer {
        request: u64,
        verdict: Verdict,
    },
    /// Gives a guest a role, or takes it.
    SetRole {
        guest: u64,
        role: Role,
        given: bool,
    },
    /// Gives a guest another name, which a remembered device keeps.
    RenameGuest {
        guest: u64,
        name: String,
    },
    /// Ends a guest's session at once; the device is forgotten.
    RemoveGuest {
        guest: u64,
    },
    ForgetDevice {
        device: Digest,
    },
    /// Another one-time link beside those that still hold.
    Invite,
    /// Another code; the old one is worthless.
    RenewCode,
    /// Makes a long-lived token; the status shows its secret until it is hidden.
    AddToken {
        name: String,
        roles: Roles,
        origins: Vec<String>,
    },
    HideNewToken,
    RemoveToken {
        name: String,
    },
    /// Writes the log of who was let in to a file.
    ExportLog {
        path: PathBuf,
    },
}

/// Something that happened, once; the window shows it for a few seconds. Bounded channel of 64, the oldest goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Info(String),
    Warning(String),
    Error(String),
}
