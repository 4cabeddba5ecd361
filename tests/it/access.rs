//! Who is let in, what each may do, and everybody else who tries.

#[cfg(target_os = "linux")]
mod attack;
mod door;
mod fuzzed;
mod matrix;
#[cfg(target_os = "linux")]
mod page;
mod policy;
#[cfg(unix)]
mod programs;
mod timing;
mod tls;

use std::net::SocketAddr;
use std::time::Instant;

use lenscast::publish::{Roles, Verdict};
use serde_json::{Value, json};

use crate::support::studio::{Server, eventually};
use crate::support::wire::{Answer, ask_bare};

const JSON: &str = "Content-Type: application/json\r\n";

/// Shows something at the door.
fn knock(address: SocketAddr, body: &Value) -> Answer {
    ask_bare(address, "POST", "/api/v1/enter", JSON, &body.to_string())
}

/// A session with these roles, got as a page gets it: by a one-time link, and the host says yes.
fn enter(server: &Server, name: &str, roles: Roles, remember: bool) -> Value {
    let address = server.publisher.address();
    let token = server.host.door.invite(Instant::now()).expect("there are random numbers");
    let waiting = knock(address, &json!({ "token": token, "name": name, "role": "click" }));
    assert_eq!((waiting.status, &waiting.json()["state"]), (202, &json!("waiting")));
    let path = format!("/api/v1/enter/{}", waiting.json()["id"].as_str().expect("a name to ask by"));
    assert_eq!(ask_bare(address, "GET", &path, "", "").status, 202);
    answer(server, Verdict::Allow { roles, remember });
    let answer = ask_bare(address, "GET", &path, "", "");
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    answer.json()
}

/// Answers whoever is asked about, as soon as somebody is.
fn answer(server: &Server, verdict: Verdict) {
    let door = &server.host.door;
    eventually("the host is asked", || door.view(Instant::now()).prompt.is_some());
    let prompt = door.view(Instant::now()).prompt.expect("it was there a moment ago");
    door.answer(prompt.id, verdict, Instant::now());
}

fn bearer(word: &str) -> String {
    format!("Authorization: Bearer {word}\r\n")
}

fn session_of(entered: &Value) -> String {
    entered["session"].as_str().expect("a session").to_owned()
}
