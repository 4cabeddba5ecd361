//! Getting in over HTTP: links, codes, approval, devices, tokens, and what becomes of those who guess.

use std::time::{Duration, Instant};

use lenscast::publish::{Role, Roles, Verdict};
use serde_json::json;

use super::{JSON, answer, bearer, enter, knock, session_of};
use crate::support::studio::{SECRET, Server, eventually};
use crate::support::wire::{ask_bare, open, open_from};

#[test]
fn whoever_is_let_in_has_a_session_and_whoever_is_removed_has_none_within_a_second() {
    let (server, jpegs) = Server::with_test_jpegs();
    let address = server.publisher.address();
    let entered = enter(&server, "Anna", Roles::WATCH, false);
    assert_eq!((&entered["roles"], &entered["device"]), (&json!(["watch"]), &json!(null)));
    let session = session_of(&entered);
    jpegs.publish(1, b"a picture".to_vec());
    let request = format!("GET /stream HTTP/1.1\r\nHost: localhost\r\n{}\r\n", bearer(&session));
    let mut stream = open(address, &request);
    assert_eq!(stream.status, 200);
    stream.line();
    stream.part();
    let viewer = &server.publisher.viewers()[0];
    let guest = server.host.door.view(Instant::now()).guests[0].clone();
    assert_eq!((viewer.name.as_deref(), viewer.guest), (Some("Anna"), Some(guest.id)));
    let cookie = format!("Cookie: a=b; lenscast-{}={session}\r\n", address.port());
    assert_eq!(ask_bare(address, "GET", "/state", &cookie, "").json()["roles"], json!(["watch"]));
    let removed = Instant::now();
    server.host.door.remove(guest.id);
    let mut rest = Vec::new();
    let _ = std::io::Read::read_to_end(&mut stream.reader, &mut rest);
    assert!(removed.elapsed() < Duration::from_secs(1), "it took {:?}", removed.elapsed());
    ask_bare(address, "GET", "/state", &bearer(&session), "").assert_problem(401);
    ask_bare(address, "GET", "/state", &cookie, "").assert_problem(401);
}

#[test]
fn the_session_comes_as_a_cookie_that_no_script_and_no_other_site_can_use() {
    let (server, _jpegs) = Server::with_test_jpegs();
    server.host.access.lock().unwrap().ask = false;
    let address = server.publisher.address();
    let token = server.host.door.invite(Instant::now()).unwrap();
    let entered = knock(address, &json!({ "token": token }));
    assert_eq!(entered.status, 200);
    let cookie = entered.header("set-cookie").expect("a cookie");
    let session = session_of(&entered.json());
    assert_eq!(cookie, format!("lenscast-{}={session}; Path=/; HttpOnly; SameSite=Strict", address.port()));
    assert_eq!(entered.header("cache-control"), Some("no-store"));
    // A cookie alone changes nothing unless the browser says that it is the page's own wish.
    server.host.door.set_role(server.host.door.view(Instant::now()).guests[0].id, Role::Click, true);
    let post = |more: &str| {
        let more = format!("Cookie: lenscast-{}={session}\r\n{more}", address.port());
        ask_bare(address, "POST", "/api/v1/pointer", &more, r#"{"session":"a","events":[]}"#).status
    };
    assert_eq!(post(""), 401);
    assert_eq!(post(&format!("Origin: http://{address}\r\n")), 204);
    assert_eq!(post("Origin: http://evil.example\r\n"), 403);
    assert_eq!(post(&format!("Origin: http://{address}\r\nSec-Fetch-Site: cross-site\r\n")), 403);
}

#[test]
fn every_refusal_looks_the_same_and_takes_the_same_time() {
    let (server, _jpegs) = Server::with_test_jpegs();
    let (door, now) = (&server.host.door, Instant::now());
    door.renew_code(now).unwrap();
    let used = door.invite(now).unwrap();
    let address = server.publisher.address();
    server.host.access.lock().unwrap().ask = false;
    assert_eq!(knock(address, &json!({ "token": used })).status, 200);
    let mut seen = Vec::new();
    let wrong_code = json!({ "code": "00000000" });
    for (source, body) in [
        (2, json!({ "token": used })),
        (3, json!({ "token": "f".repeat(32) })),
        (4, json!({ "token": "" })),
        (5, wrong_code.clone()),
        (6, json!({ "device": "f".repeat(32) })),
        // This one waits by now, and would not even be looked at.
        (5, wrong_code),
    ] {
        let text = body.to_string();
        let request = format!(
            "POST /api/v1/enter HTTP/1.1\r\nHost: localhost\r\n{JSON}Content-Length: {}\r\n\r\n{text}",
            text.len()
        );
        let asked = Instant::now();
        let mut stream = open_from([127, 0, 0, source], address, &request);
        let took = asked.elapsed();
        assert!(took >= Duration::from_millis(400), "{body}: {took:?}");
        let length = stream.header("content-length").and_then(|length| length.parse().ok()).expect("a length");
        let body = stream.take(length);
        let headers: Vec<_> = stream.headers.iter().filter(|(name, _)| name != "date").cloned().collect();
        seen.push((stream.status, headers, body));
    }
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
    assert_eq!(seen[0].0, 403);
}

#[test]
fn brute_force_of_the_code_from_one_address_and_from_fifty_gets_nowhere() {
    let (server, _jpegs) = Server::with_test_jpegs();
    server.host.access.lock().unwrap().ask = false;
    let (door, address) = (&server.host.door, server.publisher.address());
    door.renew_code(Instant::now()).unwrap();
    let code = || door.view(Instant::now()).code.expect("there is a code").0;
    let guess = |source: u8, code: &str| {
        let body = json!({ "code": code }).to_string();
        let request = format!(
            "POST /api/v1/enter HTTP/1.1\r\nHost: localhost\r\n{JSON}Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        open_from([127, 0, 1, source], address, &request).status
    };
    let wrong = |number: u32| format!("{:08}", (code().parse::<u32>().unwrap() + 1 + number) % 100_000_000);
    // From one address: the first is looked at, the others have to wait, also the right one.
    let first = code();
    assert!((0..6).all(|number| guess(1, &wrong(number)) == 403));
    assert_eq!((code(), guess(1, &first)), (first.clone(), 403));
    // From fifty addresses at once: each gets one try, and every fifth wrong one changes the code.
    let guesses: Vec<String> = (0..50).map(wrong).collect();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            guesses.iter().enumerate().map(|(at, code)| scope.spawn(move || guess(2 + at as u8, code))).collect();
        threads.into_iter().map(|thread| thread.join().expect("it asks")).collect()
    });
    assert!(statuses.iter().all(|status| *status == 403), "{statuses:?}");
    assert_ne!(code(), first);
    assert_eq!(guess(100, &first), 403, "the code of before is worthless");
    assert_eq!(guess(101, &code()), 200, "the right one lets in");
    let log = door.view(Instant::now()).log;
    assert!(log.iter().any(|line| line.text.contains("changed after wrong tries")));
    assert!(log.iter().all(|line| guesses.iter().all(|guess| !line.text.contains(guess.as_str()))));
}

#[test]
fn a_remembered_device_comes_back_by_itself_and_is_gone_with_its_guest() {
    let (server, _jpegs) = Server::with_test_jpegs();
    let address = server.publisher.address();
    let roles = Roles::WATCH.with(Role::Click);
    let device = enter(&server, "Tablet", roles, true)["device"].as_str().expect("it may keep one").to_owned();
    server.host.door.clear();
    let again = knock(address, &json!({ "device": device }));
    assert_eq!((again.status, &again.json()["roles"]), (200, &json!(["watch", "click"])));
    let guest = server.host.door.view(Instant::now()).guests[0].clone();
    assert!(guest.remembered && guest.visitor.name == "Tablet");
    server.host.door.remove(guest.id);
    knock(address, &json!({ "device": device })).assert_problem(403);
    ask_bare(address, "GET", "/state", &bearer(&session_of(&again.json())), "").assert_problem(401);
}

#[test]
fn a_no_is_a_no() {
    let (server, _jpegs) = Server::with_test_jpegs();
    let address = server.publisher.address();
    let token = server.host.door.invite(Instant::now()).unwrap();
    let waiting = knock(address, &json!({ "token": token, "name": "\u{202e}Eve\n" })).json();
    eventually("the host is asked", || server.host.door.view(Instant::now()).prompt.is_some());
    let prompt = server.host.door.view(Instant::now()).prompt.unwrap();
    assert_eq!(prompt.visitor.name, "Eve");
    answer(&server, Verdict::Deny);
    let path = format!("/api/v1/enter/{}", waiting["id"].as_str().unwrap());
    ask_bare(address, "GET", &path, "", "").assert_problem(403);
    knock(address, &json!({ "token": token })).assert_problem(403);
}

#[test]
fn malformed_knocks_are_refused_in_plain_words() {
    let (server, _jpegs) = Server::with_test_jpegs();
    let address = server.publisher.address();
    for body in ["", "{", "[]", "{}", r#"{"token":7}"#, r#"{"token":"a","code":"b"}"#] {
        ask_bare(address, "POST", "/api/v1/enter", JSON, body).assert_problem(422);
    }
    // What a form could send.
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let more = format!("Content-Type: {kind}\r\n");
        ask_bare(address, "POST", "/api/v1/enter", &more, r#"{"token":"a"}"#).assert_problem(415);
    }
    ask_bare(address, "POST", "/api/v1/enter", JSON, &" ".repeat(17 * 1024)).assert_problem(413);
    ask_bare(address, "GET", "/api/v1/enter/nonsense", "", "").assert_problem(403);
}

#[test]
fn long_lived_tokens_are_bearer_basic_or_a_picture_in_the_pages_they_name() {
    let (server, jpegs) = Server::with_test_jpegs();
    let address = server.publisher.address();
    jpegs.publish(1, b"a picture".to_vec());
    let origins = ["http://dash.local:8123".to_owned()];
    let token = server.host.door.add_token("Dashboard", Roles::WATCH, &origins).unwrap().secret;
    let basic = data_encoding::BASE64.encode(format!("any:{token}").as_bytes());
    for header in [bearer(&token), format!("Authorization: Basic {basic}\r\n")] {
        assert_eq!(ask_bare(address, "GET", "/snapshot", &header, "").status, 200);
        ask_bare(address, "GET", "/api/v1/chain", &header, "").assert_problem(403);
        ask_bare(address, "POST", "/api/v1/pointer", &header, "{}").assert_problem(403);
        ask_bare(address, "GET", "/nonsense", &header, "").assert_problem(401);
    }
    let picture = |path: &str, more: &str| ask_bare(address, "GET", &format!("{path}?token={token}"), more, "");
    let from = "Referer: http://dash.local:8123/\r\nSec-Fetch-Site: cross-site\r\n";
    let shown = picture("/snapshot", from);
    assert_eq!((shown.status, shown.header("cross-origin-resource-policy")), (200, Some("cross-origin")));
    assert_eq!(shown.header("access-control-allow-origin"), None);
    for elsewhere in [
        "",
        "Referer: http://evil.example/\r\n",
        "Referer: http://evil.example/\r\nSec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
    ] {
        let refused = picture("/snapshot", elsewhere);
        assert!(matches!(refused.status, 401 | 403), "{elsewhere}");
        assert_eq!(refused.header("cross-origin-resource-policy"), Some("same-origin"));
    }
    assert!(matches!(picture("/state", from).status, 401 | 403));
    // The standing secret never counts in an address.
    let path = format!("/snapshot?token={SECRET}");
    assert!(matches!(ask_bare(address, "GET", &path, from, "").status, 401 | 403));
    server.host.door.remove_token("Dashboard").unwrap();
    assert!(matches!(picture("/snapshot", from).status, 401 | 403));
    ask_bare(address, "GET", "/snapshot", &bearer(&token), "").assert_problem(401);
}
