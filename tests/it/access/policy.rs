//! The rules for every route, from the table from which the router is made: none of them is forgotten.

use lenscast::publish::routes;

use crate::support::studio::{SECRET, Server};
use crate::support::wire::{Answer, ask_bare, open};

/// What every answer has to carry, whatever it is.
fn assert_headers(answer: &Answer, what: &str) {
    let policy = answer.header("content-security-policy").unwrap_or_else(|| panic!("{what}"));
    assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"), "{what}");
    assert!(!policy.contains("unsafe"), "{what}");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{what}");
    }
    let kept = answer.header("cache-control");
    assert!(matches!(kept, Some("no-store" | "no-cache")), "{what}: {kept:?}");
}

/// Every route with every method it takes, and what is in no table.
fn requests() -> Vec<(&'static str, String)> {
    let fill = |path: &str| path.replace("{name}", "main.js").replace("{session}", "0123456789abcdef");
    let mut all: Vec<(&str, String)> =
        routes().flat_map(|(path, methods)| methods.iter().map(move |method| (*method, fill(path)))).collect();
    all.extend([("GET", "/nonsense".to_owned()), ("POST", "/".to_owned()), ("GET", "/?action=snapshot".to_owned())]);
    assert!(all.len() > 40, "the table is there");
    all
}

/// What needs nothing, because it tells nothing: the page, the door, and what a browser asks beforehand.
fn is_open(method: &str, path: &str) -> bool {
    path == "/"
        || path == "/favicon.ico"
        || path.starts_with("/viewer/")
        || path.starts_with("/api/v1/enter")
        || method == "OPTIONS"
}

fn server() -> Server {
    let (server, jpegs) = Server::with_test_jpegs();
    jpegs.publish(1, b"a picture".to_vec());
    server
}

#[test]
fn every_route_refuses_foreign_hosts_whoever_asks() {
    let server = server();
    let address = server.publisher.address();
    for (method, path) in requests() {
        for host in ["evil.example", "127.0.0.1.evil.example", "192.0.2.1", "evil.example:80", ""] {
            let request = format!(
                "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {SECRET}\r\nConnection: close\r\n\r\n"
            );
            assert_eq!(open(address, &request).status, 421, "{method} {path} for {host}");
        }
        let without =
            format!("{method} {path} HTTP/1.1\r\nAuthorization: Bearer {SECRET}\r\nConnection: close\r\n\r\n");
        assert_eq!(open(address, &without).status, 400, "{method} {path}");
        let absolute = format!(
            "{method} http://evil.example{path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {SECRET}\r\n\r\n"
        );
        assert_eq!(open(address, &absolute).status, 421, "{method} {path}");
    }
}

#[test]
fn every_route_needs_something_to_be_shown_and_carries_the_headers() {
    let server = server();
    let address = server.publisher.address();
    for (method, path) in requests() {
        let what = format!("{method} {path}");
        let answer = ask_bare(address, method, &path, "", "");
        assert_headers(&answer, &what);
        if is_open(method, &path) {
            assert!(!matches!(answer.status, 401 | 421), "{what}: {}", answer.status);
        } else {
            assert_eq!(answer.status, 401, "{what}");
        }
        // Nobody is believed about where a request came from.
        let forwarded = "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: localhost\r\nForwarded: for=127.0.0.1\r\n";
        let again = ask_bare(address, method, &path, forwarded, "");
        assert_eq!(again.status, answer.status, "{what}");
    }
}

#[test]
fn every_route_refuses_pages_of_other_sites() {
    let server = server();
    let address = server.publisher.address();
    let secret = format!("Authorization: Bearer {SECRET}\r\n");
    for (method, path) in requests() {
        let what = format!("{method} {path}");
        for site in ["cross-site", "same-site"] {
            let fetched = format!("Sec-Fetch-Site: {site}\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n");
            let bare = ask_bare(address, method, &path, &fetched, "");
            assert_headers(&bare, &what);
            // WHEP and WHIP answer pages from everywhere, which have to know the secret.
            if path.starts_with("/whep") || path.starts_with("/whip") {
                assert!(matches!(bare.status, 401 | 204), "{what}: {}", bare.status);
                continue;
            }
            assert_eq!(bare.status, 403, "{what}");
            let known = ask_bare(address, method, &path, &format!("{secret}{fetched}"), "");
            assert_eq!(known.status, 403, "{what}");
            let framed = format!("Sec-Fetch-Site: {site}\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n");
            assert_eq!(ask_bare(address, method, &path, &framed, "").status, 403, "{what}");
        }
        if !matches!(method, "GET" | "HEAD" | "OPTIONS") && !path.starts_with("/wh") || path == "/ws" {
            for origin in ["http://evil.example", "null", "http://localhost:1", &format!("https://{address}")] {
                let more = format!("{secret}Origin: {origin}\r\n");
                ask_bare(address, method, &path, &more, "{}").assert_problem_unless_head(method, 403);
            }
        }
    }
    let link = "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";
    assert_eq!(ask_bare(address, "GET", "/", link, "").status, 200, "a link in a letter opens the page");
    assert_eq!(ask_bare(address, "GET", "/snapshot", &format!("{secret}{link}"), "").status, 403);
}

#[test]
fn anyone_may_watch_means_this_host_and_its_own_page_all_the_same() {
    let server = server();
    server.host.access.lock().unwrap().watch_anyone = true;
    let address = server.publisher.address();
    assert_eq!(ask_bare(address, "GET", "/snapshot", "", "").status, 200);
    assert_eq!(ask_bare(address, "GET", "/snapshot", "Sec-Fetch-Site: cross-site\r\n", "").status, 403);
    let rebound = "GET /snapshot HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    assert_eq!(open(address, rebound).status, 421);
    server.host.access.lock().unwrap().hosts = vec!["cast.example".to_owned()];
    let added = rebound.replace("evil.example", "cast.example");
    assert_eq!(open(address, &added).status, 200);
    assert_eq!(ask_bare(address, "GET", "/state", "", "").json()["control"], false, "who only watches is told so");
}

trait UnlessHead {
    fn assert_problem_unless_head(&self, method: &str, status: u16);
}

impl UnlessHead for Answer {
    fn assert_problem_unless_head(&self, method: &str, status: u16) {
        if method == "HEAD" {
            assert_eq!(self.status, status);
        } else {
            self.assert_problem(status);
        }
    }
}
