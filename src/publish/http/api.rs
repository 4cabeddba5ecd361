//! The routes that answer at once: state, clock, chain, filters, pointer, snapshot; and the stream's beginning.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, RawQuery, Request, State};
use axum::http::header::{CONNECTION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::super::Shared;
use super::super::admit::Pass;
use super::super::agent;
use super::super::mjpeg::{BOUNDARY, Choice, StreamBody};
use super::super::pointer_post::Poster;
use super::super::protocol;
use super::super::roles::{Role, of_input};
use super::super::viewers::Transport;
use super::problem::Problem;
use super::{Peer, assets, read_body};
use crate::filter::ChainError;

/// The longest JSON body, in bytes.
pub const JSON_BYTES: usize = 16 * 1024;
/// A first picture takes a capture and an encoder to start; beyond this something is wrong.
const PICTURE_TIME: Duration = Duration::from_secs(5);

type Answer = Result<Response, Problem>;

/// `GET /`: the page, or what mjpg-streamer's clients ask for.
pub async fn root(state: State<Arc<Shared>>, peer: Extension<Peer>, pass: Extension<Pass>, request: Request) -> Answer {
    let query = RawQuery(request.uri().query().map(str::to_owned));
    match action(request.uri().query()) {
        None => Ok(assets::page()),
        Some("stream") => stream(state, peer, pass, query, request.headers().clone()).await,
        Some("snapshot") => snapshot(state, query).await,
        Some(_) => Err(Problem::new(404, "There are the actions `stream` and `snapshot`.")),
    }
}

/// `GET /stream`
pub async fn stream(
    State(shared): State<Arc<Shared>>,
    Extension(Peer(address)): Extension<Peer>,
    Extension(pass): Extension<Pass>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    let choice = choice(query.as_deref())?;
    let viewer = shared.enter((address, pass), Transport::Mjpeg, "jpeg", agent::named_by(&headers));
    let viewer = viewer.ok_or_else(too_many_viewers)?;
    viewer.note_rung(choice.rung.id());
    let body = Body::new(StreamBody::new(shared.parts.subscribe(choice), viewer));
    let mut response = body.into_response();
    // An answer in the manner of HTTP/1.0 ends with the connection; in 1.1 hyper would wrap each part into a chunk,
    // which the simplest of cameras' clients don't take apart.
    *response.version_mut() = Version::HTTP_10;
    let headers = response.headers_mut();
    let kind = format!("multipart/x-mixed-replace; boundary={BOUNDARY}");
    headers.insert(CONTENT_TYPE, HeaderValue::from_str(&kind).expect("letters, digits and dashes make a header"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

/// The size and quality that a query asks for.
fn choice(query: Option<&str>) -> Result<Choice, Problem> {
    Choice::from_query(query).map_err(|reason| Problem::new(400, reason))
}

/// `GET /snapshot`
pub async fn snapshot(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Answer {
    let mut parts = shared.parts.subscribe(choice(query.as_deref())?);
    let part = timeout(PICTURE_TIME, parts.first()).await.ok().flatten();
    let part = part.ok_or_else(|| Problem::new(503, "No picture came from the source in time.").retry_after(2))?;
    Ok(([(CONTENT_TYPE, "image/jpeg")], part.jpeg.data.clone()).into_response())
}

/// `GET /state`
pub async fn state(State(shared): State<Arc<Shared>>, Extension(pass): Extension<Pass>) -> Json<Value> {
    let mut state = shared.host.state();
    let roles = shared.roles(&pass);
    // What the host allows somebody, this one may still not do.
    for (name, role) in [("control", Role::Click), ("tune", Role::Tune)] {
        if !roles.has(role) && state[name] == true {
            state[name] = false.into();
        }
    }
    if state.is_object() {
        state["roles"] = json!(roles);
    }
    Json(state)
}

/// `GET /api/v1/clock`
pub async fn clock(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(json!({ "t_us": shared.host.clock_us(Instant::now()) }))
}

/// `GET /api/v1/chain`
pub async fn chain(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(shared.host.chain())
}

/// `GET /api/v1/filters`
pub async fn filters(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(shared.host.filters())
}

/// `PATCH /api/v1/chain`
pub async fn patch_chain(State(shared): State<Arc<Shared>>, request: Request) -> Answer {
    if !is_type(request.headers(), &["application/merge-patch+json", "application/json"]) {
        return Err(Problem::new(415, "A patch is `application/merge-patch+json` or `application/json`."));
    }
    let body = read_body(request.into_body(), JSON_BYTES).await?;
    let patch: Value =
        serde_json::from_slice(&body).map_err(|error| Problem::new(400, format!("The patch is not JSON: {error}.")))?;
    match shared.host.patch_chain(&patch) {
        Ok(chain) => Ok(Json(chain).into_response()),
        Err(ChainError::Json(error)) => Err(Problem::new(400, format!("The patch is not JSON: {error}."))),
        Err(error) => Err(Problem::new(422, error.to_string())),
    }
}

/// `POST /api/v1/pointer`
pub async fn pointer(
    State(shared): State<Arc<Shared>>,
    Extension(Peer(address)): Extension<Peer>,
    Extension(pass): Extension<Pass>,
    request: Request,
) -> Answer {
    let agent = agent::named_by(request.headers());
    let body = read_body(request.into_body(), JSON_BYTES).await?;
    let post = protocol::parse_pointer_post(&body).map_err(|error| {
        let status = if error == protocol::ProtocolError::NotJson { 400 } else { 422 };
        Problem::new(status, format!("This is not a list of pointer events: {error}."))
    })?;
    let roles = shared.roles(&pass);
    let allowed = roles.may_act() && post.events.iter().all(|event| of_input(event).is_none_or(|role| roles.has(role)));
    if !allowed {
        return Err(Problem::new(403, "The host does not allow control."));
    }
    let now = Instant::now();
    let poster = Poster { pass, roles, visitor: shared.visitor(&pass, address, agent) };
    let session = shared.pointers.note((&post.session, poster), &post.events, || shared.viewers.new_id(), now);
    let session = session.map_err(|_| Problem::new(503, "Too many pages use the pointer.").retry_after(5))?;
    if !post.events.is_empty() {
        shared.viewers.note_pointer_from(address, now);
    }
    for event in post.events {
        shared.host.input(session, event);
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Everything else.
pub async fn nothing_here() -> Problem {
    Problem::new(404, "There is nothing at this address.")
}

/// A known address, asked in a way it does not know.
pub async fn wrong_method() -> Problem {
    Problem::new(405, "This address does not take requests of this kind.")
}

pub fn too_many_viewers() -> Problem {
    Problem::new(503, "There are as many viewers as this host takes; try again later.").retry_after(10)
}

/// The `action` of mjpg-streamer's URLs, which many players have built in.
pub fn action(query: Option<&str>) -> Option<&str> {
    query?.split('&').find_map(|pair| pair.strip_prefix("action="))
}

/// Whether the `Content-Type`, without its parameters, is one of these.
pub fn is_type(headers: &HeaderMap, wanted: &[&str]) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    wanted.iter().any(|wanted| kind.eq_ignore_ascii_case(wanted))
}
