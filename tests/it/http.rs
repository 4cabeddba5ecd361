//! The HTTP server from outside: who is let in, what is refused and how, and that it ends when it is told to.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use lenscast::input::PointerKind;
use lenscast::publish::{Host, JpegSource, MOST_VIEWERS, PublishConfig, PublishError, Publisher};
use serde_json::json;

use crate::support::studio::{SECRET, Server, Studio, TestHost, TestJpegs, eventually};
use crate::support::wire::{ask, ask_bare, connect, open, open_from};

/// `any:SECRET` in base64.
const BASIC: &str = "Basic YW55OmNvcnJlY3QtaG9yc2UtYmF0dGVyeQ==";

#[test]
fn the_secret_opens_what_it_should_and_nothing_else_does() {
    let (server, jpegs) = Server::with_test_jpegs();
    let address = server.publisher.address();
    jpegs.publish(1, b"a picture".to_vec());
    let bearer = format!("Authorization: Bearer {SECRET}\r\n");
    let basic = format!("Authorization: {BASIC}\r\n");
    let watch = ["/snapshot", "/snapshot.jpg", "/?action=snapshot", "/state", "/api/v1/clock"];
    let change = ["/api/v1/chain", "/api/v1/filters"];
    for path in watch.iter().chain(&change) {
        for wrong in ["", "Authorization: Bearer wrong\r\n", "Authorization: Basic d3Jvbmc6d3Jvbmc=\r\n"] {
            let refused = ask_bare(address, "GET", path, wrong, "");
            refused.assert_problem(401);
            assert!(refused.header("www-authenticate").is_some());
        }
        for right in [&bearer, &basic] {
            assert_eq!(ask_bare(address, "GET", path, right, "").status, 200, "{path}");
        }
    }
    ask_bare(address, "POST", "/api/v1/pointer", "", "{}").assert_problem(401);
    ask_bare(address, "POST", "/whep", "Content-Type: application/sdp\r\n", "v=0").assert_problem(401);

    server.host.access.lock().unwrap().watch_anyone = true;
    for path in watch {
        assert_eq!(ask_bare(address, "GET", path, "", "").status, 200, "{path}");
    }
    for path in change {
        ask_bare(address, "GET", path, "", "").assert_problem(401);
    }
    ask_bare(address, "POST", "/api/v1/pointer", "", "{}").assert_problem(401);
}

#[test]
fn the_page_needs_no_secret_and_carries_the_security_headers() {
    let (server, _jpegs) = Server::with_test_jpegs();
    let address = server.publisher.address();
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/viewer/main.js", "text/javascript; charset=utf-8"),
        ("/viewer/style.css", "text/css; charset=utf-8"),
        ("/favicon.ico", "image/svg+xml"),
    ] {
        let page = ask_bare(address, "GET", path, "", "");
        assert_eq!((page.status, page.header("content-type")), (200, Some(kind)), "{path}");
        assert!(!page.body.is_empty());
    }
    for (method, path) in [("GET", "/"), ("GET", "/nonsense"), ("DELETE", "/state")] {
        let answer = ask(address, method, path, "", "");
        let policy = answer.header("content-security-policy").expect("every answer has one");
        assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"));
    }
    ask(address, "GET", "/nonsense", "", "").assert_problem(404);
    ask(address, "GET", "/viewer/../../Cargo.toml", "", "").assert_problem(404);
    ask(address, "GET", "/viewer/..%2f..%2fCargo.toml", "", "").assert_problem(404);
    ask(address, "DELETE", "/state", "", "").assert_problem(405);
}

#[test]
fn a_foreign_page_changes_nothing() {
    let (server, _jpegs) = Server::with_test_jpegs();
    let address = server.publisher.address();
    let body = json!({ "session": "a", "events": [] }).to_string();
    let from = |origin: &str| ask(address, "POST", "/api/v1/pointer", &format!("Origin: {origin}\r\n"), &body);
    from("http://evil.example").assert_problem(403);
    from("null").assert_problem(403);
    assert_eq!(from(&format!("http://{address}")).status, 204);
    assert_eq!(ask(address, "POST", "/api/v1/pointer", "", &body).status, 204);
    // WHEP is guarded by the secret, which a foreign page can't know; it gets as far as its offer being read.
    let offer = "Origin: http://evil.example\r\nContent-Type: application/sdp\r\n";
    let whep = ask(address, "POST", "/whep", offer, "hello");
    whep.assert_problem(400);
    assert_eq!(whep.header("access-control-allow-origin"), Some("*"));
}

#[test]
fn malformed_requests_are_refused_in_plain_words_and_the_server_goes_on() {
    let (server, _jpegs) = Server::with_test_jpegs();
    let address = server.publisher.address();
    let json = "Content-Type: application/json\r\n";
    for (body, status) in [("", 400), ("{", 400), ("[]", 400), ("{}", 422), (r#"{"session": 7, "events": []}"#, 422)] {
        ask(address, "POST", "/api/v1/pointer", json, body).assert_problem(status);
    }
    let many = json!({ "session": "a", "events": vec![json!({ "kind": "release", "seq": 1 }); 65] }).to_string();
    ask(address, "POST", "/api/v1/pointer", json, &many).assert_problem(422);
    let deep = "[".repeat(10_000);
    ask(address, "PATCH", "/api/v1/chain", json, &deep).assert_problem(400);
    ask(address, "PATCH", "/api/v1/chain", json, "[]").assert_problem(422);
    ask(address, "PATCH", "/api/v1/chain", json, r#"{"filters": {"9": null}}"#).assert_problem(422);
    ask(address, "PATCH", "/api/v1/chain", "Content-Type: text/plain\r\n", "{}").assert_problem(415);
    ask(address, "PATCH", "/api/v1/chain", json, &" ".repeat(17 * 1024)).assert_problem(413);
    let sdp = "Content-Type: application/sdp\r\n";
    ask(address, "POST", "/whep", sdp, &"v=0\r\n".repeat(14_000)).assert_problem(413);
    ask(address, "POST", "/whep", json, "v=0").assert_problem(415);
    ask(address, "POST", "/whep?codec=h265", sdp, "v=0").assert_problem(400);
    ask(address, "PATCH", "/whep/nonsense", sdp, "").assert_problem(404);
    ask(address, "DELETE", "/whep/nonsense", "", "").assert_problem(404);

    // Not even HTTP, and headers without an end.
    let mut stream = connect(address);
    let _ = stream.write_all(b"\x15\x03\x01 this is no request\r\n\r\n");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.starts_with(b"HTTP/1.1 400"));
    let huge = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Huge: {}\r\n\r\n", "x".repeat(20_000));
    assert_eq!(open(address, &huge).status, 431);
    assert_eq!(ask(address, "GET", "/state", "", "").status, 200);
}

#[test]
fn the_chain_is_patched_over_http() {
    let (server, _jpegs) = Server::with_test_jpegs();
    let address = server.publisher.address();
    let patch =
        |body: &str| ask(address, "PATCH", "/api/v1/chain", "Content-Type: application/merge-patch+json\r\n", body);
    let chain = patch(r#"{"filters": {"new": {"filter": "grayscale"}}}"#).json();
    assert_eq!(chain["filters"]["1"]["filter"], "grayscale");
    assert_eq!(ask(address, "GET", "/api/v1/chain", "", "").json(), chain);
    assert_eq!(patch(r#"{"filters": {"1": null}}"#).json()["order"], json!([]));
}

#[test]
fn pointer_posts_reach_the_host_and_are_released_when_the_page_falls_silent() {
    let (server, _jpegs) = Server::with_test_jpegs();
    let address = server.publisher.address();
    let down = json!({ "session": "a", "events": [
        { "kind": "down", "x": 0.25, "y": 0.5, "button": "left", "epoch": 3, "seq": 0, "t": 1.5 }] });
    let post = |body: &str| ask(address, "POST", "/api/v1/pointer", "", body);
    assert_eq!(post(&down.to_string()).status, 204);
    eventually("what is held is released", || server.host.pointer.lock().unwrap().len() == 2);
    let events = server.host.pointer.lock().unwrap().clone();
    let (session, event) = events[0];
    assert!(matches!(event.expect("an event came first").kind, PointerKind::Down(_)));
    assert_eq!(events[1], (session, None));

    server.host.access.lock().unwrap().control = false;
    post(&down.to_string()).assert_problem(403);
    assert_eq!(server.host.pointer.lock().unwrap().len(), 2);
}

#[test]
fn a_taken_port_is_named_in_the_error() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let bind = taken.local_addr().expect("it has an address");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    let start = |bind| {
        let (host, jpegs) = (Arc::new(TestHost::default()), Arc::new(TestJpegs::default()));
        let host = host as Arc<dyn Host>;
        Publisher::start(PublishConfig::new(bind), host, jpegs as Arc<dyn JpegSource>, Vec::new(), runtime.handle())
    };
    let error = start(bind).err().expect("the port is taken");
    assert!(matches!(error, PublishError::PortTaken(port) if port == bind.port()));
    assert!(error.to_string().starts_with(&format!("Port {} is in use by another program", bind.port())));
    let elsewhere = SocketAddr::from(([203, 0, 113, 7], 0));
    assert!(matches!(start(elsewhere).err(), Some(PublishError::NoSuchAddress(_))));
}

#[test]
fn stopping_closes_every_socket_and_lets_go_of_everything() {
    let studio = Studio::start();
    let address = studio.server.publisher.address();
    let mut stream =
        open(address, &format!("GET /stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {SECRET}\r\n\r\n"));
    stream.line();
    stream.part();
    let mut idle = connect(address);
    eventually("the encoder runs", || studio.demand.is_wanted());
    studio.server.publisher.stop();
    let mut rest = Vec::new();
    let _ = stream.reader.read_to_end(&mut rest);
    let _ = idle.read_to_end(&mut rest);
    eventually("the encoder stops", || !studio.demand.is_wanted());
    assert!(studio.server.publisher.viewers().is_empty());
    assert!(std::net::TcpStream::connect(address).is_err(), "the port is free again");
}

#[test]
fn the_connection_after_the_last_place_is_asked_to_come_back() {
    let (server, _jpegs) = Server::with_test_jpegs();
    let address = server.publisher.address();
    let stream = format!("GET /stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {SECRET}\r\n\r\n");
    // As many watch as may; as many more are turned away by the table of viewers and stay connected.
    // From five addresses, because one has sixteen places.
    let from = |number: u8| [127, 0, 0, 2 + number / 16];
    let watching: Vec<_> =
        (0..2 * MOST_VIEWERS as u8).map(|number| open_from(from(number), address, &stream)).collect();
    let statuses = |status| watching.iter().filter(|stream| stream.status == status).count();
    assert_eq!((statuses(200), statuses(503)), (MOST_VIEWERS, MOST_VIEWERS));
    assert!(watching.iter().filter(|stream| stream.status == 503).all(|stream| stream.header("retry-after").is_some()));
    let refused = open(address, &stream);
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("5")));
    drop(watching);
    eventually("places are free again", || open(address, &stream).status == 200);
}

#[test]
fn the_seventeenth_connection_from_one_address_is_asked_to_come_back_and_others_are_not() {
    let (server, _jpegs) = Server::with_test_jpegs();
    let address = server.publisher.address();
    let stream = format!("GET /stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {SECRET}\r\n\r\n");
    let watching: Vec<_> = (0..16).map(|_| open_from([127, 0, 0, 9], address, &stream)).collect();
    assert!(watching.iter().all(|stream| stream.status == 200));
    assert_eq!(open_from([127, 0, 0, 9], address, &stream).status, 503);
    assert_eq!(open_from([127, 0, 0, 10], address, &stream).status, 200);
    drop(watching);
    eventually("places are free again", || open(address, &stream).status == 200);
}
