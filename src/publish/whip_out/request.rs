//! Asks the server over HTTP. The client blocks, so each request runs where blocking is allowed.

use std::time::Duration;

use ureq::Agent;
use ureq::http::{HeaderMap, Response};

use super::super::peer::IceServer;
use super::Target;
use super::headers;
use super::session::Ended;

/// A server answers an offer in less, or never.
const REQUEST_TIME: Duration = Duration::from_secs(10);
const CONNECT_TIME: Duration = Duration::from_secs(4);
/// The longest answer that is read, in bytes.
const ANSWER_BYTES: u64 = 64 * 1024;
/// Load balancers point to a server, which may point to one more.
const MOST_REDIRECTS: usize = 4;

/// The server that is published to.
#[derive(Clone)]
pub struct Server {
    agent: Agent,
    url: String,
    token: String,
    /// What it offered so far; used from the next session on.
    pub ice_servers: Vec<IceServer>,
}

/// What came back on an offer.
pub struct Created {
    pub answer: String,
    /// Where to say goodbye.
    pub location: Option<String>,
    pub ice_servers: Vec<IceServer>,
}

/// Why an offer was not taken.
#[derive(Debug)]
pub enum Refusal {
    /// Another codec may be taken.
    Codec(String),
    Other(Ended),
}

impl Server {
    pub fn new(target: &Target) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT_TIME))
            .timeout_global(Some(REQUEST_TIME))
            .user_agent(concat!("Lenscast/", env!("CARGO_PKG_VERSION")));
        let agent = config.build().into();
        Self { agent, url: target.url.clone(), token: target.token.clone(), ice_servers: Vec::new() }
    }

    /// Publishes an offer, wherever the server points to.
    pub async fn post(&self, offer: String) -> Result<Created, Refusal> {
        let server = self.clone();
        let posted = tokio::task::spawn_blocking(move || server.post_blocking(&offer)).await;
        posted.unwrap_or_else(|_| Err(failed("the request broke off".to_owned())))
    }

    /// Says goodbye; a server that does not hear it notices by itself.
    pub async fn delete(&self, location: String) {
        let server = self.clone();
        let deleted = tokio::task::spawn_blocking(move || {
            server.agent.delete(&location).header("Authorization", server.bearer()).call()
        });
        match deleted.await {
            Ok(Ok(answer)) => tracing::debug!("the server said goodbye with {}", answer.status()),
            Ok(Err(error)) => tracing::debug!("the server did not hear the goodbye: {error}"),
            Err(_) => {}
        }
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    fn post_blocking(&self, offer: &str) -> Result<Created, Refusal> {
        let mut url = self.url.clone();
        for _ in 0..=MOST_REDIRECTS {
            let mut request = self.agent.post(&url).header("Content-Type", "application/sdp");
            if !self.token.is_empty() {
                request = request.header("Authorization", self.bearer());
            }
            let mut answer = request.send(offer).map_err(|error| failed(unreachable(&error)))?;
            let status = answer.status().as_u16();
            match status {
                200 | 201 => return created(&url, &mut answer),
                307 | 308 => url = self.redirected(&url, answer.headers())?,
                _ => return Err(refused(status, &mut answer)),
            }
        }
        Err(failed("the server points from one address to the next without end".to_owned()))
    }

    /// Where a redirect leads; the token never leaves an encrypted connection for one that is not.
    fn redirected(&self, url: &str, headers: &HeaderMap) -> Result<String, Refusal> {
        let next = text(headers, "location").and_then(|location| headers::resolve(url, location));
        match next {
            Some(next) if self.token.is_empty() || next.starts_with("https://") || url.starts_with("http://") => {
                Ok(next)
            }
            Some(_) => Err(failed("the server points to an address without encryption".to_owned())),
            None => Err(failed("the server points to nowhere".to_owned())),
        }
    }
}

fn created(url: &str, answer: &mut Response<ureq::Body>) -> Result<Created, Refusal> {
    let location = text(answer.headers(), "location").and_then(|location| headers::resolve(url, location));
    let links = answer.headers().get_all("link").iter().filter_map(|link| link.to_str().ok());
    let ice_servers = headers::ice_servers(links);
    let body = answer.body_mut().with_config().limit(ANSWER_BYTES).read_to_string();
    let sdp = body.map_err(|error| failed(format!("its answer can't be read ({error})")))?;
    if !sdp.starts_with("v=0") {
        return Err(failed("it does not answer like a WHIP server; check the address".to_owned()));
    }
    // A section without a port is one that the server does not take.
    if sdp.lines().any(|line| line.starts_with("m=video 0 ")) {
        return Err(Refusal::Codec("it takes none of this computer's video codecs".to_owned()));
    }
    Ok(Created { answer: sdp, location, ice_servers })
}

fn refused(status: u16, answer: &mut Response<ureq::Body>) -> Refusal {
    let final_refusal = |reason: String| Refusal::Other(Ended::Refused(reason));
    match status {
        401 | 403 => final_refusal(format!("it refused the token ({status}); check it")),
        404 | 410 => failed(format!("there is nothing at this address ({status}); check it")),
        405 => final_refusal("this address takes no WHIP (405); check it".to_owned()),
        406 | 415 | 422 | 488 => Refusal::Codec(format!("it does not take this computer's video ({status})")),
        _ => {
            let after = text(answer.headers(), "retry-after").and_then(|after| after.trim().parse::<u64>().ok());
            let after = Duration::from_secs(after.unwrap_or(0).min(120));
            let reason = match status {
                409 => "somebody else publishes there (409)".to_owned(),
                429 | 503 => format!("it is too busy now ({status})"),
                500.. => format!("it has trouble of its own ({status})"),
                _ => format!("it refused the offer ({status})"),
            };
            Refusal::Other(Ended::Failed { reason, after })
        }
    }
}

fn failed(reason: String) -> Refusal {
    Refusal::Other(Ended::Failed { reason, after: Duration::ZERO })
}

fn unreachable(error: &ureq::Error) -> String {
    match error {
        ureq::Error::HostNotFound => "there is no computer of this name; check the address".to_owned(),
        ureq::Error::Timeout(_) => "it does not answer".to_owned(),
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            "nothing listens there; check the address, or whether the server runs".to_owned()
        }
        other => format!("it can't be reached ({other})"),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
