//! WHEP: the handful of requests that begin, feed and end a session.

use std::sync::Arc;

use axum::extract::{Extension, Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};

use super::super::Shared;
use super::super::admit::Pass;
use super::super::agent;
use super::super::http::{Peer, Problem, too_many_viewers};
use super::super::peer::signalling::{self, Answer, Fragment, Names, no_session};
use super::super::roles::Role;
use super::super::viewers::Transport;
use super::connection;
use super::offer;
use super::session::Session;
use super::sessions::SessionHandle;
use crate::encode::VideoCodec;

/// Where sessions begin.
const PATH: &str = "/whep";

/// `POST /whep`
pub async fn create(
    State(shared): State<Arc<Shared>>,
    Extension(Peer(address)): Extension<Peer>,
    Extension(pass): Extension<Pass>,
    request: Request,
) -> Answer {
    signalling::expect_offer(request.headers())?;
    let forced = forced_codec(request.uri().query())?;
    let name = agent::named_by(request.headers());
    let sdp = signalling::read_offer(request).await?;
    let available: Vec<VideoCodec> = shared.broadcasts.iter().map(|broadcast| broadcast.codec()).collect();
    let offer = offer::read(&sdp, &available, forced).map_err(|error| signalling::refuse_offer(&error))?;
    let broadcast = shared.broadcasts.iter().find(|broadcast| broadcast.codec() == offer.codec.codec);
    let broadcast = Arc::clone(broadcast.ok_or_else(|| Problem::new(422, "There is no encoder for this codec."))?);
    let place = shared.enter((address, pass), Transport::Webrtc, offer.codec.codec.id(), name);
    let place = place.ok_or_else(too_many_viewers)?;

    let names = Names::new()?;
    let connecting = connection::connect(&offer, &broadcast, &shared, address);
    let connection = signalling::connected("a viewer", connecting).await?;
    let response = names.created(PATH, connection.answer.clone(), &shared.host.ice_servers());
    let handle = Arc::new(SessionHandle {
        names,
        viewer: Arc::clone(place.viewer()),
        connection: Arc::clone(&connection.peer.connection),
    });
    shared.sessions.insert(Arc::clone(&handle));
    Session { shared: Arc::clone(&shared), place, handle, connection, broadcast }.spawn();
    Ok(response)
}

/// `GET` and `HEAD /whep`: that there is something here, and what it takes.
pub async fn look() -> Response {
    ([(CONTENT_TYPE, "application/sdp")], "").into_response()
}

/// `OPTIONS`: what a browser asks before a page from elsewhere may ask.
pub async fn options(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    signalling::options(&shared, &request, PATH, Role::Watch)
}

/// `PATCH` on a session: more of the client's candidates.
pub async fn trickle(State(shared): State<Arc<Shared>>, Path(name): Path<String>, request: Request) -> Answer {
    let session = shared.sessions.find(&name).ok_or_else(no_session)?;
    let fragment = Fragment::read(request).await?;
    if fragment.restarts() {
        return Err(Problem::new(422, "ICE can't be restarted here; begin a new session."));
    }
    fragment.trickle(&session.names.etag, session.connection.as_ref()).await
}

/// `DELETE` on a session
pub async fn end(State(shared): State<Arc<Shared>>, Path(name): Path<String>, method: Method) -> Answer {
    let session = shared.sessions.find(&name).ok_or_else(no_session)?;
    tracing::debug!("{method} ends the session of viewer {}", session.viewer.id);
    shared.viewers.disconnect(session.viewer.id);
    // OBS takes exactly this for a goodbye that was heard.
    Ok(StatusCode::OK.into_response())
}

fn forced_codec(query: Option<&str>) -> Result<Option<VideoCodec>, Problem> {
    let Some(wanted) = query.and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("codec="))) else {
        return Ok(None);
    };
    let codec = VideoCodec::ALL.into_iter().find(|codec| codec.id() == wanted);
    codec.map(Some).ok_or_else(|| Problem::new(400, "`codec` is `h264` or `vp8`."))
}
