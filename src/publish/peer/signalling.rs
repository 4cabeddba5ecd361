//! The requests by which WHEP and WHIP begin, feed and describe a session: what both say in the same words.

use std::time::Duration;

use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_MAX_AGE, ALLOW, CONTENT_TYPE, ETAG,
    HOST, IF_MATCH, LINK, LOCATION, ORIGIN,
};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;
use webrtc::peer_connection::{PeerConnection, RTCIceCandidateInit};

use super::super::Shared;
use super::super::access::same_host;
use super::super::admit::Pass;
use super::super::http::{Problem, is_type, read_body};
use super::super::roles::Role;
use super::super::webrtc::offer::{OfferError, is_usable_candidate};
use super::ice_server::IceServer;
use super::setup::ConnectError;

/// The longest offer or fragment, in bytes.
const SDP_BYTES: usize = 64 * 1024;
/// A fragment with more candidates than this is no browser's.
const MOST_CANDIDATES: usize = 64;
/// Making an answer takes milliseconds; beyond this the client has given up anyway.
const ANSWER_TIME: Duration = Duration::from_secs(8);
const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");
const OFFER: &str = "application/sdp";
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

pub type Answer = Result<Response, Problem>;

/// What a session is known by.
#[derive(Debug, Clone)]
pub struct Names {
    /// 128 random bits in hexadecimal: whoever does not know it can't end the session.
    pub name: String,
    /// Strong, with its quotes.
    pub etag: String,
}

/// The body of a `PATCH`, and the session it means.
pub struct Fragment {
    tag: Vec<u8>,
    pub text: String,
}

impl Names {
    /// # Errors
    /// When the system has no random numbers.
    pub fn new() -> Result<Self, Problem> {
        Ok(Self { name: unguessable()?, etag: new_etag()? })
    }

    /// The answer to the offer that began the session at this path.
    pub fn created(&self, path: &str, answer: String, servers: &[IceServer]) -> Response {
        let headers =
            [(CONTENT_TYPE, OFFER.to_owned()), (LOCATION, format!("{path}/{}", self.name)), (ETAG, self.etag.clone())];
        with_servers((StatusCode::CREATED, headers, answer).into_response(), servers)
    }
}

impl Fragment {
    /// Reads a `PATCH`, which has to name what it changes.
    ///
    /// # Errors
    /// When it is something else.
    pub async fn read(request: Request) -> Result<Self, Problem> {
        if !is_type(request.headers(), &[FRAGMENT]) {
            return Err(Problem::new(415, format!("Candidates are `{FRAGMENT}`.")));
        }
        let Some(tag) = request.headers().get(IF_MATCH).map(|tag| tag.as_bytes().to_vec()) else {
            return Err(Problem::new(428, "`If-Match` has to name the session's `ETag`."));
        };
        let text = read_text(request, "The fragment is not text.").await?;
        Ok(Self { tag, text })
    }

    /// Whether ICE is to begin anew.
    pub fn restarts(&self) -> bool {
        self.tag == b"*"
    }

    /// Gives the candidates to the session, if it is the one that is meant.
    ///
    /// # Errors
    /// When it is another, or when there is something wrong with a candidate.
    pub async fn trickle(&self, etag: &str, connection: &dyn PeerConnection) -> Answer {
        if self.tag != etag.as_bytes() {
            return Err(Problem::new(412, "`If-Match` is not the session's `ETag`."));
        }
        let candidates = candidates(&self.text);
        if candidates.len() > MOST_CANDIDATES {
            return Err(Problem::new(400, format!("A fragment has at most {MOST_CANDIDATES} candidates.")));
        }
        for candidate in candidates {
            if let Err(error) = connection.add_ice_candidate(candidate).await {
                return Err(Problem::new(400, format!("A candidate was not understood: {error}.")));
            }
        }
        Ok(StatusCode::NO_CONTENT.into_response())
    }
}

/// Refuses what is no offer by its type.
///
/// # Errors
/// When it is of another type.
pub fn expect_offer(headers: &HeaderMap) -> Result<(), Problem> {
    if is_type(headers, &[OFFER]) { Ok(()) } else { Err(Problem::new(415, "An offer is `application/sdp`.")) }
}

/// The text of an offer.
///
/// # Errors
/// When it is no text, or more than an offer has.
pub async fn read_offer(request: Request) -> Result<String, Problem> {
    read_text(request, "The offer is not text.").await
}

/// Waits for a connection that is being made, and puts what went wrong into words.
///
/// # Errors
/// When it can't be made, or not in time.
pub async fn connected<T>(who: &str, connecting: impl Future<Output = Result<T, ConnectError>>) -> Result<T, Problem> {
    match timeout(ANSWER_TIME, connecting).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(ConnectError::Offer(error))) => {
            Err(Problem::new(400, format!("This offer can't be answered: {error}.")))
        }
        Ok(Err(error)) => {
            tracing::warn!("{who} could not be answered: {error}");
            Err(Problem::new(503, "This host could not begin a session now.").retry_after(5))
        }
        Err(_) => Err(Problem::new(503, "This host is too busy to begin a session.").retry_after(5)),
    }
}

/// What a browser asks before a page from elsewhere may ask, and what a page asks that wants to know the STUN and TURN
/// servers before its offer; `path` is where sessions begin. Whoever may not begin one hears of no server.
pub fn options(shared: &Shared, request: &Request, path: &str, role: Role) -> Response {
    let methods = if request.uri().path() == path { "POST, GET, HEAD, OPTIONS" } else { "PATCH, DELETE, OPTIONS" };
    let headers = [
        (ALLOW, methods),
        (ACCEPT_POST, OFFER),
        (ACCESS_CONTROL_ALLOW_METHODS, methods),
        (ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type, If-Match"),
        (ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    let response = (StatusCode::NO_CONTENT, headers).into_response();
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let pass = request.extensions().get::<Pass>().copied().unwrap_or(Pass::Anyone);
    // Where anyone may watch, that is no word about the servers to pages from elsewhere.
    let own = text(ORIGIN).is_none_or(|origin| same_host(origin, text(HOST)));
    let known = shared.roles(&pass).has(role) && (own || pass != Pass::Anyone);
    if known { with_servers(response, &shared.host.ice_servers()) } else { response }
}

/// One header a server, because some clients take a header for one.
fn with_servers(mut response: Response, servers: &[IceServer]) -> Response {
    for link in servers.iter().filter_map(IceServer::link) {
        response.headers_mut().append(LINK, link);
    }
    response
}

/// The answer to a restart of ICE.
pub fn restarted(etag: String, fragment: String) -> Response {
    (StatusCode::OK, [(CONTENT_TYPE, FRAGMENT.to_owned()), (ETAG, etag)], fragment).into_response()
}

pub fn no_session() -> Problem {
    Problem::new(404, "There is no such session; it may have ended.")
}

pub fn refuse_offer(error: &OfferError) -> Problem {
    let status = match error {
        OfferError::Malformed(_) => 400,
        OfferError::Unsupported(_) => 422,
    };
    Problem::new(status, error.to_string())
}

/// The mark of one state of a session; another one after each restart.
///
/// # Errors
/// When the system has no random numbers.
pub fn new_etag() -> Result<String, Problem> {
    unguessable().map(|name| format!("\"{name}\""))
}

/// A number that nobody can guess.
///
/// # Errors
/// When the system has no random numbers.
pub fn random<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

fn unguessable() -> Result<String, Problem> {
    let bytes = random::<16>().map_err(|_| Problem::new(503, "The system has no random numbers.").retry_after(5))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

async fn read_text(request: Request, complaint: &str) -> Result<String, Problem> {
    let body = read_body(request.into_body(), SDP_BYTES).await?;
    String::from_utf8(body.into()).map_err(|_| Problem::new(400, complaint))
}

/// The candidates of a fragment that can be reached; the others are the client's own affair.
fn candidates(fragment: &str) -> Vec<RTCIceCandidateInit> {
    let mut mid = None;
    let mut found = Vec::new();
    for line in fragment.lines() {
        if let Some(name) = line.strip_prefix("a=mid:") {
            mid = Some(name.trim().to_owned());
        } else if line.starts_with("a=candidate:") && is_usable_candidate(line) {
            let candidate = line.trim_start_matches("a=").to_owned();
            found.push(RTCIceCandidateInit { candidate, sdp_mid: mid.clone(), ..RTCIceCandidateInit::default() });
        }
    }
    found
}
