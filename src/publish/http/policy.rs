//! The one gate every request passes: who may, from which origin, and the headers that every answer carries.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, AUTHORIZATION, CACHE_CONTROL,
    CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY, SEC_WEBSOCKET_PROTOCOL, USER_AGENT, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::super::Shared;
use super::super::access::{Credentials, Need, Refusal};
use super::assets;
use super::problem::Problem;

/// Scripts, styles and pictures come from here alone; `data:` and `blob:` are pictures that the page made itself.
const CONTENT_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    media-src 'self' blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// What kind of URL a request goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Target {
    need: Need,
    whep: bool,
    picture: bool,
    /// A GET, but what comes of it can change things, so its origin counts.
    socket: bool,
}

/// Lets a request through to its route, or answers it here.
pub async fn gate(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let target = target(request.method(), request.uri().path(), request.uri().query());
    let policy = shared.host.access();
    let word = target.socket.then(|| secret_of_socket(request.headers())).flatten();
    let mut given = credentials(&request, target.whep);
    given.changes |= target.socket;
    given.authorization = given.authorization.or(word.as_deref());
    let checked = policy.check(target.need, &given);
    let mut response = match checked {
        Ok(()) => next.run(request).await,
        Err(Refusal::ForeignOrigin) => {
            Problem::new(403, "A page from another address may not change anything here.").into_response()
        }
        Err(Refusal::Secret) => refuse(request.headers()),
    };
    let open = target.picture && policy.watch_anyone;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static(if open { "cross-origin" } else { "same-origin" }));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if target.whep {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Location, ETag, Link, Retry-After"));
    }
    response
}

/// What a request brings along, for the policy to judge.
pub fn credentials(request: &Request, any_origin: bool) -> Credentials<'_> {
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    Credentials {
        authorization: text(AUTHORIZATION),
        // An origin that is no text is a foreign one.
        origin: request.headers().get(ORIGIN).map(|origin| origin.to_str().unwrap_or_default()),
        host: text(HOST),
        changes: !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS),
        any_origin,
    }
}

/// A page can give its WebSocket no header but the names of protocols, so the secret is one of them: `secret.` and the
/// secret in hexadecimal. It comes back as what an `Authorization` header would carry.
pub fn secret_of_socket(headers: &HeaderMap) -> Option<String> {
    let mut names = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    let digits = names.find_map(|names| names.split(',').find_map(|name| name.trim().strip_prefix("secret.")))?;
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let byte = |pair: &[u8; 2]| u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok();
    let secret = pairs.iter().map(byte).collect::<Option<Vec<u8>>>().filter(|_| rest.is_empty())?;
    Some(format!("Bearer {}", String::from_utf8(secret).ok()?))
}

/// What a request is about. What is not known here needs the secret, so that a forgotten route is a closed one.
fn target(method: &Method, path: &str, query: Option<&str>) -> Target {
    let target = |need| Target { need, whep: false, picture: false, socket: false };
    let picture = Target { need: Need::Watch, whep: false, picture: true, socket: false };
    if path == "/whep" || path.starts_with("/whep/") {
        let need = if *method == Method::OPTIONS { Need::Nothing } else { Need::Watch };
        return Target { need, whep: true, picture: false, socket: false };
    }
    if path == "/whip" || path.starts_with("/whip/") {
        let need = if *method == Method::OPTIONS { Need::Nothing } else { Need::Change };
        return Target { need, whep: true, picture: false, socket: false };
    }
    match path {
        "/" if action(query).is_some() => picture,
        "/" => target(Need::Nothing),
        "/stream" | "/video_feed" | "/stream.mjpg" | "/snapshot" | "/snapshot.jpg" => picture,
        "/ws" => Target { socket: true, ..target(Need::Watch) },
        "/state" | "/api/v1/clock" => target(Need::Watch),
        _ if assets::find(path).is_some() => target(Need::Nothing),
        _ => target(Need::Change),
    }
}

/// The `action` of mjpg-streamer's URLs, which many players have built in.
pub fn action(query: Option<&str>) -> Option<&str> {
    query?.split('&').find_map(|pair| pair.strip_prefix("action="))
}

/// The refusal, with the challenge that makes players send the password they have.
fn refuse(headers: &HeaderMap) -> Response {
    let mut response =
        Problem::new(401, "The secret is missing or wrong; open the link that Lenscast shows.").into_response();
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let bearer = text(AUTHORIZATION).get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer"));
    // A browser answers the Basic challenge with a window of its own, also when it was the page that asked.
    let page = text(USER_AGENT).starts_with("Mozilla/") && !text(ACCEPT).contains("text/html");
    let challenge = if bearer || page { "Bearer" } else { "Basic realm=\"Lenscast\", charset=\"UTF-8\"" };
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_watches_and_what_changes_are_told_apart() {
        let need = |method, path, query| target(&method, path, query).need;
        for (path, query) in
            [("/stream", None), ("/snapshot.jpg", None), ("/", Some("action=stream")), ("/state", None)]
        {
            assert_eq!(need(Method::GET, path, query), Need::Watch, "{path}");
        }
        for path in ["/api/v1/chain", "/api/v1/pointer", "/api/v1/filters", "/nonsense", "/viewer/nonsense"] {
            assert_eq!(need(Method::GET, path, None), Need::Change, "{path}");
        }
        assert_eq!(need(Method::GET, "/ws", None), Need::Watch);
        assert_eq!(need(Method::GET, "/", None), Need::Nothing);
        assert_eq!(need(Method::OPTIONS, "/whep", None), Need::Nothing);
        assert_eq!(need(Method::DELETE, "/whep/1", None), Need::Watch);
        for method in [Method::POST, Method::PATCH, Method::DELETE, Method::GET, Method::HEAD] {
            assert_eq!(need(method.clone(), "/whip", None), Need::Change);
            assert_eq!(need(method, "/whip/1", None), Need::Change);
        }
    }

    #[test]
    fn a_socket_carries_the_secret_among_its_protocols() {
        let read = |names: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(SEC_WEBSOCKET_PROTOCOL, names.parse().expect("it is a header"));
            secret_of_socket(&headers)
        };
        assert_eq!(read("lenscast, secret.613162").as_deref(), Some("Bearer a1b"));
        for wrong in ["lenscast", "secret.6", "secret.zz", "secret.+1", "secret.ff"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
