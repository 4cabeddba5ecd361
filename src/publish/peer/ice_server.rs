//! A STUN or TURN server, as a setting names it, as a `Link` header carries it, and as the library wants it.

use axum::http::HeaderValue;
use webrtc::peer_connection::RTCIceServer;

/// A STUN or TURN server.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct IceServer {
    /// Such as `turn:host:3478?transport=udp`.
    pub url: String,
    pub username: String,
    pub credential: String,
}

impl std::fmt::Debug for IceServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // What opens the server stays out of every log.
        f.debug_struct("IceServer").field("url", &self.url).finish_non_exhaustive()
    }
}

impl IceServer {
    /// As the value of a `Link` header (RFC 9725); `None` for what no header can carry.
    pub fn link(&self) -> Option<HeaderValue> {
        let mut link = format!("<{}>; rel=\"ice-server\"", self.url);
        if !self.username.is_empty() {
            let Self { username, credential, .. } = self;
            link += &format!("; username=\"{username}\"; credential=\"{credential}\"; credential-type=\"password\"");
        }
        HeaderValue::try_from(link).ok()
    }

    /// As the library's configuration has it.
    pub fn for_library(&self) -> RTCIceServer {
        RTCIceServer {
            urls: vec![self.url.clone()],
            username: self.username.clone(),
            credential: self.credential.clone(),
        }
    }
}
