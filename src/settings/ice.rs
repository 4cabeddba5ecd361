//! STUN and TURN servers, as the user names them.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A server that helps viewers and this computer to find a way to each other.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct IceServer {
    /// Such as `stun:host` or `turn:host:3478?transport=udp`.
    pub url: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub username: String,
    /// Handed to every viewer, so it is no secret of this computer's and is saved; it is never logged all the same.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub credential: String,
}

/// Why something is no server. The sentence is for the user, and says nothing of what was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IceServerError {
    #[error("a server begins with stun:, stuns:, turn: or turns:, and a name follows")]
    Scheme,
    #[error("a TURN server needs a user and a password (URL,USER,PASSWORD on the command line)")]
    Credential,
    #[error(
        "a server is URL or URL,USER,PASSWORD, without spaces, quotes, commas, semicolons or < and > in any of them"
    )]
    Letters,
}

impl IceServer {
    /// # Errors
    /// When it is nothing that can be asked, or can't be handed on to viewers.
    pub fn check(&self) -> Result<(), IceServerError> {
        let rest = ["stun:", "stuns:", "turn:", "turns:"].iter().find_map(|scheme| self.url.strip_prefix(scheme));
        let rest = rest.ok_or(IceServerError::Scheme)?;
        if rest.is_empty() || rest.starts_with('/') {
            return Err(IceServerError::Scheme);
        }
        // Some clients cut the header that carries them at every comma, quoted or not.
        let fits = |letter: char| letter.is_ascii_graphic() && !"\"\\<>,;".contains(letter);
        if ![&self.url, &self.username, &self.credential].iter().all(|text| text.chars().all(fits)) {
            return Err(IceServerError::Letters);
        }
        if self.url.starts_with("turn") && (self.username.is_empty() || self.credential.is_empty()) {
            return Err(IceServerError::Credential);
        }
        Ok(())
    }
}

impl FromStr for IceServer {
    type Err = IceServerError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, ',').map(|part| part.trim().to_owned());
        let mut next = || parts.next().unwrap_or_default();
        let server = Self { url: next(), username: next(), credential: next() };
        server.check().map(|()| server)
    }
}

impl std::fmt::Debug for IceServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // What opens the server stays out of every log.
        f.debug_struct("IceServer").field("url", &self.url).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_read_as_they_are_typed() {
        let server = |text: &str| text.parse::<IceServer>();
        let turn = server("turn:turn.example:3478?transport=udp,me,s3cr3t").expect("it is one");
        assert_eq!(
            (turn.url.as_str(), turn.username.as_str(), turn.credential.as_str()),
            ("turn:turn.example:3478?transport=udp", "me", "s3cr3t")
        );
        assert!(server("stun:[fd00::1]:3478").is_ok());
        for (text, error) in [
            ("http://turn.example", IceServerError::Scheme),
            ("stun:", IceServerError::Scheme),
            ("turn:turn.example", IceServerError::Credential),
            ("turn:turn.example,me,a,b", IceServerError::Letters),
            ("turn:turn.example,me,a\"b", IceServerError::Letters),
            ("stun:a b", IceServerError::Letters),
            ("stun:a\r\nSet-Cookie: x", IceServerError::Letters),
        ] {
            assert_eq!(server(text), Err(error), "{text}");
        }
        assert!(!format!("{turn:?}").contains("s3cr3t"));
    }
}
