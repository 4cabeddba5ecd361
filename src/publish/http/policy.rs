//! The one gate every request passes: which host, from which page, with which right, and the headers that every answer
//! carries.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, AUTHORIZATION, CACHE_CONTROL,
    CONTENT_SECURITY_POLICY, COOKIE, HOST, ORIGIN, REFERER, REFERRER_POLICY, SEC_WEBSOCKET_PROTOCOL, USER_AGENT,
    WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::super::Shared;
use super::super::access::{AccessPolicy, Asked, Openness, Refusal, Via, shows, word_of};
use super::super::admit::Pass;
use super::problem::Problem;
use super::router::{Kind, kind_of};

/// Scripts, styles and pictures come from here alone; `data:` and `blob:` are pictures that the page made itself.
const CONTENT_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    media-src 'self' blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// How somebody was let in, and by what.
#[derive(Debug, Clone)]
struct Shown {
    pass: Pass,
    /// In a header that a page from elsewhere can't have the browser fill in.
    by_header: bool,
    /// The pages that may show the picture, where the token stood in the address.
    pages: Vec<String>,
}

/// Lets a request through to its route, or answers it here. The route finds the [`Pass`] among the request's extensions.
pub async fn gate(State(shared): State<Arc<Shared>>, mut request: Request, next: Next) -> Response {
    let kind = kind_of(request.uri().path());
    let policy = shared.host.access();
    let via = request.extensions().get::<Via>().copied();
    let checked = via.ok_or(Refusal::Host).and_then(|via| check(&shared, &policy, kind, via, &request));
    let framed = matches!(&checked, Ok(shown) if !shown.pages.is_empty());
    let mut response = match checked {
        Ok(shown) => {
            request.extensions_mut().insert(shown.pass);
            next.run(request).await
        }
        Err(refusal) => refuse(refusal, request.headers()),
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static(if framed { "cross-origin" } else { "same-origin" }));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if matches!(kind, Kind::Whep | Kind::Whip) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Location, ETag, Link, Retry-After"));
    }
    response
}

/// Every check, in the order in which they tell a stranger least.
fn check(shared: &Shared, policy: &AccessPolicy, kind: Kind, via: Via, request: &Request) -> Result<Shown, Refusal> {
    let asked = asked(request, kind);
    policy.check_host(&asked, via, &shared.names)?;
    let query = request.uri().query();
    let openness = kind.openness(query);
    let shown = shown(shared, policy, kind, request, &asked, openness);
    // What the browser sends by itself proves nothing about the page that asks.
    let proven = if shown.by_header { shown.pass } else { Pass::Anyone };
    policy.check_origin(&asked, via.secure, openness, (proven, &shown.pages))?;
    policy.check_need(kind.need(request.method(), query), shown.pass, shared.door.written(&shown.pass))?;
    Ok(shown)
}

/// What a request says of itself, for the policy to judge.
fn asked(request: &Request, kind: Kind) -> Asked<'_> {
    // What is no text is something foreign.
    let text = |name| request.headers().get(name).map(|value: &HeaderValue| value.to_str().unwrap_or_default());
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    // Two hosts are one too many; the one in the request's own line would be what a proxy followed.
    let hosts = request.headers().get_all(HOST).iter().count();
    let header = text(HOST).filter(|_| hosts == 1);
    let own_line = request.uri().authority().map(axum::http::uri::Authority::as_str);
    let agree = own_line.is_none() || own_line == header;
    Asked {
        host: header.map(|host| if agree { host } else { "" }),
        origin: text(ORIGIN),
        site: text(HeaderName::from_static("sec-fetch-site")),
        mode: text(HeaderName::from_static("sec-fetch-mode")),
        dest: text(HeaderName::from_static("sec-fetch-dest")),
        referer: text(REFERER),
        changes: !(reads || *request.method() == Method::OPTIONS) || kind == Kind::Socket,
        reads,
    }
}

/// What was shown: a header, the protocols of a socket, the address of a picture, or the session's cookie.
fn shown(
    shared: &Shared,
    policy: &AccessPolicy,
    kind: Kind,
    request: &Request,
    asked: &Asked<'_>,
    openness: Openness,
) -> Shown {
    let headers = request.headers();
    let known = |word: &[u8]| policy.standing(word).or_else(|| shared.door.pass_of(word));
    let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(word_of);
    let socket = || (kind == Kind::Socket).then(|| secret_of_socket(headers)).flatten();
    if let Some(pass) = authorization.or_else(socket).and_then(|word| known(&word)) {
        return Shown { pass, by_header: true, pages: Vec::new() };
    }
    if openness == Openness::Picture
        && let Some(pass) = token_of(request.uri().query()).and_then(|word| shared.door.pass_of(word.as_bytes()))
    {
        let pages = shared.door.origins_of(&pass);
        // In an address a token counts only where the host has named the page: addresses are copied and written down.
        if shows(asked, &pages) {
            return Shown { pass, by_header: false, pages };
        }
    }
    let pass = cookie(headers, &cookie_name(shared.port)).and_then(|word| shared.door.pass_of(word.as_bytes()));
    // A cookie goes along with whatever a page asks, so it counts only where that is a page of ours.
    let own = asked.origin.is_some() || !asked.changes || asked.site == Some("same-origin");
    Shown { pass: pass.filter(|_| own).unwrap_or(Pass::Anyone), by_header: false, pages: Vec::new() }
}

/// Cookies don't know ports, so the name does.
pub fn cookie_name(port: u16) -> String {
    format!("lenscast-{port}")
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(';')).find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

fn token_of(query: Option<&str>) -> Option<&str> {
    query?.split('&').find_map(|pair| pair.strip_prefix("token="))
}

/// A page can give its WebSocket no header but the names of protocols, so the secret is one of them: `secret.` and the
/// secret in hexadecimal.
pub fn secret_of_socket(headers: &HeaderMap) -> Option<Vec<u8>> {
    let mut names = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    let digits = names.find_map(|names| names.split(',').find_map(|name| name.trim().strip_prefix("secret.")))?;
    data_encoding::HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()
}

/// The refusal; one for a missing or wrong secret carries the challenge that makes players send the password they have.
fn refuse(refusal: Refusal, headers: &HeaderMap) -> Response {
    let problem = match refusal {
        Refusal::Host => Problem::new(
            421,
            "This is not an address of this computer as Lenscast knows it; add the name with --host-name.",
        ),
        Refusal::NoHost => Problem::new(400, "A request names the host it is for."),
        Refusal::ForeignOrigin => Problem::new(403, "A page from another address may not ask for this here."),
        Refusal::Role(role) => {
            Problem::new(403, format!("The host does not let you do this; it needs the right to {}.", role.id()))
        }
        Refusal::Secret => return challenge(headers),
    };
    problem.into_response()
}

fn challenge(headers: &HeaderMap) -> Response {
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
    fn a_socket_carries_the_secret_among_its_protocols() {
        let read = |names: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(SEC_WEBSOCKET_PROTOCOL, names.parse().expect("it is a header"));
            secret_of_socket(&headers)
        };
        assert_eq!(read("lenscast, secret.613162").as_deref(), Some(&b"a1b"[..]));
        for wrong in ["lenscast", "secret.6", "secret.zz", "secret.+1"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_cookie_of_this_port_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_static("a=1; lenscast-8081=no;lenscast-8080=yes; b"));
        assert_eq!(cookie(&headers, "lenscast-8080"), Some("yes"));
        assert_eq!(cookie(&headers, "lenscast-808"), None);
    }
}
