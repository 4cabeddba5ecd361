//! The door over HTTP: something is shown, the host is asked where it wants to be, and a session comes back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{Extension, Path, Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::super::Shared;
use super::super::access::Via;
use super::super::admit::{Credential, Entry, Visitor};
use super::super::agent;
use super::super::roles::{Role, Roles};
use super::api::{JSON_BYTES, is_type};
use super::policy::cookie_name;
use super::problem::Problem;
use super::{Peer, read_body};

/// Every refusal comes this long after its request, whatever was wrong.
const REFUSED_AFTER: Duration = Duration::from_millis(400);
/// What is longer than this was never given out.
const LONGEST_WORD: usize = 128;

type Answer = Result<Response, Problem>;

/// What a page says at the door.
#[derive(Debug, PartialEq, Eq)]
pub struct Knock {
    pub credential: Credential,
    pub name: String,
    pub wished: Roles,
}

/// Reads the body of `POST /api/v1/enter`.
///
/// # Errors
/// One sentence about what is not of its form; it says nothing about what is right.
pub fn read_knock(bytes: &[u8]) -> Result<Knock, &'static str> {
    let body: Value = serde_json::from_slice(bytes).map_err(|_| "The body has to be a JSON object.")?;
    let body = body.as_object().ok_or("The body has to be a JSON object.")?;
    let word = |name: &str| match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(word)) if word.len() <= LONGEST_WORD => Ok(Some(word.clone())),
        Some(_) => Err("`token`, `code`, `device`, `name` and `role` are short texts."),
    };
    let credential = match (word("token")?, word("code")?, word("device")?) {
        (Some(token), None, None) => Credential::Token(token),
        // People write it in groups.
        (None, Some(code), None) => Credential::Code(code.chars().filter(|c| !matches!(c, ' ' | '-')).collect()),
        (None, None, Some(device)) => Credential::Device(device),
        _ => return Err("One of `token`, `code` and `device` is needed, and only one."),
    };
    let wished = word("role")?.and_then(|role| Role::from_id(&role)).unwrap_or(Role::Watch);
    Ok(Knock { credential, name: word("name")?.unwrap_or_default(), wished: Roles::WATCH.with(wished) })
}

/// `POST /api/v1/enter`
pub async fn enter(
    State(shared): State<Arc<Shared>>,
    Extension(Peer(address)): Extension<Peer>,
    Extension(via): Extension<Via>,
    request: Request,
) -> Answer {
    let came = Instant::now();
    if !is_type(request.headers(), &["application/json"]) {
        return Err(Problem::new(415, "The body is `application/json`."));
    }
    let browser = agent::named_by(request.headers());
    let body = read_body(request.into_body(), JSON_BYTES).await?;
    let knock = read_knock(&body).map_err(|mistake| Problem::new(422, mistake))?;
    let visitor = Visitor { name: knock.name, address, browser };
    let entry = shared.door.enter(&knock.credential, visitor, knock.wished, &shared.host.access(), Instant::now());
    answer(&shared, via, entry, came).await
}

/// `GET /api/v1/enter/NAME`: what became of a request that waits. The name is known to nobody but the page that made it.
pub async fn poll(
    State(shared): State<Arc<Shared>>,
    Extension(via): Extension<Via>,
    Path(name): Path<String>,
) -> Answer {
    let came = Instant::now();
    let entry = shared.door.poll(&name, came);
    answer(&shared, via, entry, came).await
}

async fn answer(shared: &Shared, via: Via, entry: Entry, came: Instant) -> Answer {
    match entry {
        Entry::Allowed(admission) => {
            let secure = if via.secure { "; Secure" } else { "" };
            let name = cookie_name(shared.port);
            let cookie = format!("{name}={}; Path=/; HttpOnly; SameSite=Strict{secure}", admission.session);
            let mut headers = HeaderMap::new();
            headers.insert(SET_COOKIE, cookie.parse().expect("digits and letters make a header"));
            let body = json!({ "state": "in", "session": admission.session, "roles": admission.roles,
                "device": admission.device });
            Ok((headers, Json(body)).into_response())
        }
        Entry::Waiting { name } => {
            Ok((StatusCode::ACCEPTED, Json(json!({ "state": "waiting", "id": name }))).into_response())
        }
        Entry::Refused => {
            tokio::time::sleep_until((came + REFUSED_AFTER).into()).await;
            Err(Problem::new(
                403,
                "You were not let in. Ask for a new link or code, and wait a little before you try it.",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_knock_is_one_credential_a_name_and_a_wish() {
        let knock = read_knock(br#"{"code":"1234-5678","name":"Anna","role":"click"}"#).unwrap();
        assert_eq!(knock.credential, Credential::Code("12345678".to_owned()));
        assert_eq!((knock.name.as_str(), knock.wished), ("Anna", Roles::WATCH.with(Role::Click)));
        assert_eq!(read_knock(br#"{"token":"t","role":"fly"}"#).unwrap().wished, Roles::WATCH);
        let long = format!(r#"{{"token":"{}"}}"#, "x".repeat(129));
        for wrong in
            ["", "[]", "{}", r#"{"token":7}"#, r#"{"token":"a","code":"b"}"#, r#"{"token":"a","name":[]}"#, &long]
        {
            assert!(read_knock(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
