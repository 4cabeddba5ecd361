//! WHEP: the handful of requests that begin, feed and end a session.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, Path, Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_MAX_AGE, ALLOW, CONTENT_TYPE, ETAG,
    IF_MATCH, LOCATION,
};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;
use webrtc::peer_connection::RTCIceCandidateInit;

use super::super::Shared;
use super::super::admit::Pass;
use super::super::agent;
use super::super::http::{Peer, Problem, is_type, read_body, too_many_viewers};
use super::super::viewers::Transport;
use super::connection::{self, ConnectError, Place};
use super::offer::{self, OfferError, is_usable_candidate};
use super::session::Session;
use super::sessions::{SessionHandle, hexadecimal, random};
use crate::encode::VideoCodec;

/// The longest offer or fragment, in bytes.
pub const SDP_BYTES: usize = 64 * 1024;
/// A fragment with more candidates than this is no browser's.
pub const MOST_CANDIDATES: usize = 64;
/// Making an answer takes milliseconds; beyond this the client has given up anyway.
pub const ANSWER_TIME: Duration = Duration::from_secs(8);
pub const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");

type Answer = Result<Response, Problem>;

/// `POST /whep`
pub async fn create(
    State(shared): State<Arc<Shared>>,
    Extension(Peer(address)): Extension<Peer>,
    Extension(pass): Extension<Pass>,
    request: Request,
) -> Answer {
    if !is_type(request.headers(), &["application/sdp"]) {
        return Err(Problem::new(415, "An offer is `application/sdp`."));
    }
    let forced = forced_codec(request.uri().query())?;
    let name = agent::named_by(request.headers());
    let body = read_body(request.into_body(), SDP_BYTES).await?;
    let sdp = std::str::from_utf8(&body).map_err(|_| Problem::new(400, "The offer is not text."))?;
    let available: Vec<VideoCodec> = shared.broadcasts.iter().map(|broadcast| broadcast.codec()).collect();
    let offer = offer::read(sdp, &available, forced).map_err(|error| refuse_offer(&error))?;
    let broadcast = shared.broadcasts.iter().find(|broadcast| broadcast.codec() == offer.codec.codec);
    let broadcast = Arc::clone(broadcast.ok_or_else(|| Problem::new(422, "There is no encoder for this codec."))?);
    let place = shared.enter((address, pass), Transport::Webrtc, offer.codec.codec.id(), name);
    let place = place.ok_or_else(too_many_viewers)?;

    let connecting =
        connection::connect(&offer, &broadcast, &shared.certificate, Place { viewer: address, bound: shared.bound });
    let connection = match timeout(ANSWER_TIME, connecting).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(ConnectError::Offer(error))) => {
            return Err(Problem::new(400, format!("This offer can't be answered: {error}.")));
        }
        Ok(Err(error)) => {
            tracing::warn!("a viewer could not be answered: {error}");
            return Err(Problem::new(503, "This host could not begin a session now.").retry_after(5));
        }
        Err(_) => return Err(Problem::new(503, "This host is too busy to begin a session.").retry_after(5)),
    };
    let unguessable = || random::<16>().map(|bytes| hexadecimal(&bytes));
    let names = unguessable().and_then(|name| Ok((name, unguessable()?)));
    let Ok((name, tag)) = names else {
        let _ = connection.peer.close().await;
        return Err(Problem::new(503, "The system has no random numbers.").retry_after(5));
    };
    let handle = Arc::new(SessionHandle {
        name,
        etag: format!("\"{tag}\""),
        viewer: Arc::clone(place.viewer()),
        connection: Arc::clone(&connection.peer),
    });
    let answer = connection.answer.clone();
    let headers = [
        (CONTENT_TYPE, "application/sdp".to_owned()),
        (LOCATION, format!("/whep/{}", handle.name)),
        (ETAG, handle.etag.clone()),
    ];
    shared.sessions.insert(Arc::clone(&handle));
    Session { shared: Arc::clone(&shared), place, handle, connection, broadcast }.spawn();
    Ok((StatusCode::CREATED, headers, answer).into_response())
}

/// `GET` and `HEAD /whep`: that there is something here, and what it takes.
pub async fn look() -> Response {
    ([(CONTENT_TYPE, "application/sdp")], "").into_response()
}

/// `OPTIONS`: what a browser asks before a page from elsewhere may ask.
pub async fn options(request: Request) -> Response {
    let methods = if request.uri().path() == "/whep" { "POST, GET, HEAD, OPTIONS" } else { "PATCH, DELETE, OPTIONS" };
    let headers = [
        (ALLOW, methods),
        (ACCEPT_POST, "application/sdp"),
        (ACCESS_CONTROL_ALLOW_METHODS, methods),
        (ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type, If-Match"),
        (ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// `PATCH` on a session: more of the client's candidates.
pub async fn trickle(State(shared): State<Arc<Shared>>, Path(name): Path<String>, request: Request) -> Answer {
    let session = shared.sessions.find(&name).ok_or_else(no_session)?;
    if !is_type(request.headers(), &["application/trickle-ice-sdpfrag"]) {
        return Err(Problem::new(415, "Candidates are `application/trickle-ice-sdpfrag`."));
    }
    match request.headers().get(IF_MATCH).map(HeaderValue::as_bytes) {
        None => return Err(Problem::new(428, "`If-Match` has to name the session's `ETag`.")),
        Some(b"*") => return Err(Problem::new(422, "ICE can't be restarted here; begin a new session.")),
        Some(tag) if tag != session.etag.as_bytes() => {
            return Err(Problem::new(412, "`If-Match` is not the session's `ETag`."));
        }
        Some(_) => {}
    }
    let body = read_body(request.into_body(), SDP_BYTES).await?;
    let fragment = std::str::from_utf8(&body).map_err(|_| Problem::new(400, "The fragment is not text."))?;
    let mut candidates = candidates(fragment);
    if candidates.len() > MOST_CANDIDATES {
        return Err(Problem::new(400, format!("A fragment has at most {MOST_CANDIDATES} candidates.")));
    }
    for candidate in candidates.drain(..) {
        if let Err(error) = session.connection.add_ice_candidate(candidate).await {
            return Err(Problem::new(400, format!("A candidate was not understood: {error}.")));
        }
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `DELETE` on a session
pub async fn end(State(shared): State<Arc<Shared>>, Path(name): Path<String>, method: Method) -> Answer {
    let session = shared.sessions.find(&name).ok_or_else(no_session)?;
    tracing::debug!("{method} ends the session of viewer {}", session.viewer.id);
    shared.viewers.disconnect(session.viewer.id);
    // OBS takes exactly this for a goodbye that was heard.
    Ok(StatusCode::OK.into_response())
}

fn no_session() -> Problem {
    Problem::new(404, "There is no such session; it may have ended.")
}

fn refuse_offer(error: &OfferError) -> Problem {
    let status = match error {
        OfferError::Malformed(_) => 400,
        OfferError::Unsupported(_) => 422,
    };
    Problem::new(status, error.to_string())
}

fn forced_codec(query: Option<&str>) -> Result<Option<VideoCodec>, Problem> {
    let Some(wanted) = query.and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("codec="))) else {
        return Ok(None);
    };
    let codec = VideoCodec::ALL.into_iter().find(|codec| codec.id() == wanted);
    codec.map(Some).ok_or_else(|| Problem::new(400, "`codec` is `h264` or `vp8`."))
}

/// The candidates of a fragment that can be reached; the others are the client's own affair.
pub fn candidates(fragment: &str) -> Vec<RTCIceCandidateInit> {
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
