//! WHIP (RFC 9725), the receiving side: one publisher at a time sends its picture to this computer.

mod assembly;
mod connection;
mod depacketize;
mod offer;
mod place;
mod session;

use std::sync::Arc;

use axum::extract::{Extension, Path, Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_MAX_AGE, ALLOW, CONTENT_TYPE, ETAG,
    IF_MATCH, LOCATION,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use super::Shared;
use super::admit::Pass;
use super::http::{Peer, Problem, is_type, read_body};
use super::webrtc::connection::ConnectError;
use super::webrtc::offer::OfferError;
use super::webrtc::sessions::{hexadecimal, random};
use super::webrtc::whep::{ACCEPT_POST, ANSWER_TIME, MOST_CANDIDATES, SDP_BYTES, candidates};
use crate::receive::{Codec, Seat};
use place::{Handle, Negotiation};
use session::Session;

pub use place::Place;

const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

type Answer = Result<Response, Problem>;

/// `POST /whip`
pub async fn create(
    State(shared): State<Arc<Shared>>,
    Extension(Peer(address)): Extension<Peer>,
    Extension(pass): Extension<Pass>,
    request: Request,
) -> Answer {
    if !shared.host.access().publish {
        return Err(Problem::new(403, "This host does not let anybody publish to it; its user can allow it."));
    }
    if !is_type(request.headers(), &["application/sdp"]) {
        return Err(Problem::new(415, "An offer is `application/sdp`."));
    }
    let body = read_body(request.into_body(), SDP_BYTES).await?;
    let sdp = std::str::from_utf8(&body).map_err(|_| Problem::new(400, "The offer is not text."))?;
    let offer = offer::read(sdp, Codec::available()).map_err(|error| refuse_offer(&error))?;
    let seat = seat(&shared, address, offer.video.codec)?;
    let connection = match timeout(ANSWER_TIME, connection::connect(&offer, &shared.certificate, shared.bound)).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return Err(refuse_connection(&error)),
        Err(_) => return Err(Problem::new(503, "This host is too busy to begin a session.").retry_after(5)),
    };
    let Ok((name, etag)) = name().and_then(|name| Ok((name, etag()?))) else {
        let _ = connection.peer.close().await;
        return Err(Problem::new(503, "The system has no random numbers.").retry_after(5));
    };
    let answer = connection.answer.clone();
    let headers =
        [(CONTENT_TYPE, "application/sdp".to_owned()), (LOCATION, format!("/whip/{name}")), (ETAG, etag.clone())];
    let first = Negotiation { etag, offer: offer.sdp, gathered: connection.gathered.clone() };
    let handle = Arc::new(Handle::new(name, address, Arc::clone(&connection.peer), first));
    shared.whip.take(Arc::clone(&handle));
    tracing::info!("{address} publishes to this computer ({})", offer.video.codec.id());
    let (shared, codec) = (Arc::clone(&shared), offer.video.codec);
    Session { shared, seat, codec, colors_id: offer.video.colors_id, handle, connection, pass }.spawn();
    Ok((StatusCode::CREATED, headers, answer).into_response())
}

/// `GET` and `HEAD /whip`: that there is something here.
pub async fn look() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// `OPTIONS`: what a browser asks before a page from elsewhere may ask.
pub async fn options(request: Request) -> Response {
    let methods = if request.uri().path() == "/whip" { "POST, GET, HEAD, OPTIONS" } else { "PATCH, DELETE, OPTIONS" };
    let headers = [
        (ALLOW, methods),
        (ACCEPT_POST, "application/sdp"),
        (ACCESS_CONTROL_ALLOW_METHODS, methods),
        (ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type, If-Match"),
        (ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// `PATCH` on a session: more candidates, or a restart of ICE.
pub async fn patch(State(shared): State<Arc<Shared>>, Path(name): Path<String>, request: Request) -> Answer {
    let handle = shared.whip.find(&name).ok_or_else(no_session)?;
    if !is_type(request.headers(), &[FRAGMENT]) {
        return Err(Problem::new(415, format!("Candidates are `{FRAGMENT}`.")));
    }
    let tag = request.headers().get(IF_MATCH).map(HeaderValue::as_bytes).map(<[u8]>::to_vec);
    let Some(tag) = tag else {
        return Err(Problem::new(428, "`If-Match` has to name the session's `ETag`."));
    };
    let body = read_body(request.into_body(), SDP_BYTES).await?;
    let fragment = std::str::from_utf8(&body).map_err(|_| Problem::new(400, "The fragment is not text."))?;
    let mut negotiation = handle.negotiation.lock().await;
    if tag == b"*" {
        return restart(&handle, &mut negotiation, fragment).await;
    }
    if tag != negotiation.etag.as_bytes() {
        return Err(Problem::new(412, "`If-Match` is not the session's `ETag`."));
    }
    let candidates = candidates(fragment);
    if candidates.len() > MOST_CANDIDATES {
        return Err(Problem::new(400, format!("A fragment has at most {MOST_CANDIDATES} candidates.")));
    }
    for candidate in candidates {
        if let Err(error) = handle.connection.add_ice_candidate(candidate).await {
            return Err(Problem::new(400, format!("A candidate was not understood: {error}.")));
        }
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Begins ICE anew with the publisher's new credentials; the picture goes on meanwhile.
async fn restart(handle: &Handle, negotiation: &mut Negotiation, fragment: &str) -> Answer {
    let (ufrag, pwd) = offer::credentials(fragment)
        .ok_or_else(|| Problem::new(400, "A restart of ICE names new `ice-ufrag` and `ice-pwd`."))?;
    let sdp = offer::restarted(&negotiation.offer, fragment, &ufrag, &pwd);
    let restarting = connection::answer(handle.connection.as_ref(), &sdp, &mut negotiation.gathered);
    let answer = match timeout(ANSWER_TIME, restarting).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Err(refuse_connection(&error)),
        Err(_) => return Err(Problem::new(503, "This host is too busy to begin again.").retry_after(5)),
    };
    let etag = etag().map_err(|_| Problem::new(503, "The system has no random numbers.").retry_after(5))?;
    negotiation.offer = sdp;
    negotiation.etag.clone_from(&etag);
    let headers = [(CONTENT_TYPE, FRAGMENT.to_owned()), (ETAG, etag)];
    Ok((StatusCode::OK, headers, offer::fragment_of(&answer)).into_response())
}

/// `DELETE` on a session
pub async fn end(State(shared): State<Arc<Shared>>, Path(name): Path<String>) -> Answer {
    shared.whip.find(&name).ok_or_else(no_session)?.end();
    // OBS takes exactly this for a goodbye that was heard.
    Ok(StatusCode::OK.into_response())
}

fn seat(shared: &Shared, address: std::net::IpAddr, codec: Codec) -> Result<Seat, Problem> {
    let nowhere = || Problem::new(403, "This host has no place for a published picture.");
    let inbox = shared.host.inbox().ok_or_else(nowhere)?;
    match inbox.enter(address, codec) {
        Ok(Some(seat)) => Ok(seat),
        Ok(None) => Err(Problem::new(409, "Somebody else publishes to this host; try again later.").retry_after(5)),
        Err(error) => {
            tracing::warn!("{error}");
            Err(Problem::new(503, "This host could not start a decoder.").retry_after(5))
        }
    }
}

fn name() -> Result<String, getrandom::Error> {
    random::<16>().map(|bytes| hexadecimal(&bytes))
}

fn etag() -> Result<String, getrandom::Error> {
    name().map(|name| format!("\"{name}\""))
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

fn refuse_connection(error: &ConnectError) -> Problem {
    if let ConnectError::Offer(error) = error {
        return Problem::new(400, format!("This offer can't be answered: {error}."));
    }
    tracing::warn!("a publisher could not be answered: {error}");
    Problem::new(503, "This host could not begin a session now.").retry_after(5)
}
