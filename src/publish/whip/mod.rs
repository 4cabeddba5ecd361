//! WHIP (RFC 9725), the receiving side: one publisher at a time sends its picture to this computer.

mod assembly;
mod connection;
mod depacketize;
mod offer;
mod place;
mod session;
mod unnamed;

use std::sync::Arc;

use axum::extract::{Extension, Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::Shared;
use super::admit::Pass;
use super::http::{Peer, Problem};
use super::peer::signalling::{self, Answer, Fragment, Names, new_etag, no_session};
use super::roles::Role;
use crate::receive::{Codec, Seat};
use place::{Handle, Negotiation};
use session::Session;

pub use place::Place;

/// Where sessions begin.
const PATH: &str = "/whip";

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
    signalling::expect_offer(request.headers())?;
    let sdp = signalling::read_offer(request).await?;
    let offer = offer::read(&sdp, Codec::available()).map_err(|error| signalling::refuse_offer(&error))?;
    let seat = seat(&shared, address, offer.video.codec)?;
    let names = Names::new()?;
    let connection = signalling::connected("a publisher", connection::connect(&offer, &shared)).await?;
    let response = names.created(PATH, connection.answer.clone(), &shared.host.ice_servers());
    let Names { name, etag } = names;
    let first = Negotiation { etag, offer: offer.sdp, gathering: connection.peer.gathering.clone() };
    let handle = Arc::new(Handle::new(name, address, Arc::clone(&connection.peer.connection), first));
    shared.whip.take(Arc::clone(&handle));
    tracing::info!("{address} publishes to this computer ({})", offer.video.codec.id());
    let (shared, codec) = (Arc::clone(&shared), offer.video.codec);
    Session { shared, seat, codec, colors_id: offer.video.colors_id, handle, connection, pass }.spawn();
    Ok(response)
}

/// `GET` and `HEAD /whip`: that there is something here.
pub async fn look() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// `OPTIONS`: what a browser asks before a page from elsewhere may ask.
pub async fn options(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    signalling::options(&shared, &request, PATH, Role::Tune)
}

/// `PATCH` on a session: more candidates, or a restart of ICE.
pub async fn patch(State(shared): State<Arc<Shared>>, Path(name): Path<String>, request: Request) -> Answer {
    let handle = shared.whip.find(&name).ok_or_else(no_session)?;
    let fragment = Fragment::read(request).await?;
    let mut negotiation = handle.negotiation.lock().await;
    if fragment.restarts() {
        return restart(&handle, &mut negotiation, &fragment.text).await;
    }
    fragment.trickle(&negotiation.etag, handle.connection.as_ref()).await
}

/// Begins ICE anew with the publisher's new credentials; the picture goes on meanwhile.
async fn restart(handle: &Handle, negotiation: &mut Negotiation, fragment: &str) -> Answer {
    let (ufrag, pwd) = offer::credentials(fragment)
        .ok_or_else(|| Problem::new(400, "A restart of ICE names new `ice-ufrag` and `ice-pwd`."))?;
    let sdp = offer::restarted(&negotiation.offer, fragment, &ufrag, &pwd);
    let etag = new_etag()?;
    let restarting = negotiation.gathering.answer(handle.connection.as_ref(), &sdp);
    let answer = signalling::connected("a publisher", restarting).await?;
    negotiation.offer = sdp;
    negotiation.etag.clone_from(&etag);
    Ok(signalling::restarted(etag, offer::fragment_of(&answer)))
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
