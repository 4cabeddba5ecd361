//! Every message, with and without every role, before, during and after a revocation.

use std::net::SocketAddr;
use std::time::Instant;

use lenscast::input::PointerKind;
use lenscast::publish::{Role, Roles};
use serde_json::{Value, json};

use super::{bearer, enter, session_of};
use crate::support::random::Random;
use crate::support::studio::{Server, eventually};
use crate::support::wire::{Stream, ask_bare, open};

/// A WebSocket with this session.
fn socket(address: SocketAddr, session: &str) -> Stream {
    let word: String = session.bytes().map(|byte| format!("{byte:02x}")).collect();
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: lenscast, secret.{word}\r\n\r\n"
    );
    open(address, &request)
}

fn send(stream: &mut Stream, message: &Value) {
    let text = message.to_string().into_bytes();
    let mut frame = vec![0x81, 0x80 | 126, (text.len() >> 8) as u8, text.len() as u8, 0, 0, 0, 0];
    frame.extend(text);
    std::io::Write::write_all(stream.reader.get_mut(), &frame).expect("the socket is open");
}

/// The next text message of this type; `None` when the socket ends first.
fn message(stream: &mut Stream, kind: &str) -> Option<Value> {
    loop {
        let mut head = [0; 2];
        std::io::Read::read_exact(&mut stream.reader, &mut head).ok()?;
        let length = match head[1] {
            126 => u16::from_be_bytes(stream.take(2).try_into().expect("two bytes")).into(),
            127 => u64::from_be_bytes(stream.take(8).try_into().expect("eight bytes")) as usize,
            short => usize::from(short),
        };
        let body = stream.take(length);
        match head[0] & 15 {
            1 => {
                let message: Value = serde_json::from_slice(&body).expect("text is JSON");
                if message["type"] == kind {
                    return Some(message);
                }
            }
            8 => return None,
            _ => {}
        }
    }
}

fn event(kind: &str, seq: u64) -> Value {
    let event = json!({ "kind": kind, "x": 0.5, "y": 0.5, "button": "left", "dx": 0, "dy": 1, "epoch": 3, "seq": seq });
    json!({ "type": "pointer", "data": event })
}

/// How many events that press or move have reached the host.
fn acted(server: &Server) -> usize {
    let pointer = server.host.pointer.lock().unwrap();
    let acts = |event: &PointerKind| !matches!(event, PointerKind::Up(_) | PointerKind::Release);
    pointer.iter().filter(|(_, event)| event.as_ref().is_some_and(|event| acts(&event.kind))).count()
}

/// How many keys, words and wishes about control have reached the host; keys that come up do not count.
fn typed(server: &Server) -> (usize, usize) {
    let keys = server.host.keys.lock().unwrap();
    (keys.iter().filter(|(_, event)| !event.lets_go()).count(), server.host.wishes.lock().unwrap().len())
}

/// Everything that was sent has been read once the answer to a ping is here.
fn settle(stream: &mut Stream) {
    send(stream, &json!({ "type": "ping", "data": { "t0": 1.0 } }));
    message(stream, "pong").expect("the host answers");
}

#[test]
fn each_message_is_carried_out_with_its_role_and_not_without_also_when_it_is_taken_and_given_back() {
    let (server, jpegs) = Server::with_test_jpegs();
    jpegs.publish(1, b"a picture".to_vec());
    let address = server.publisher.address();
    // Every set of roles with which somebody can be connected at all.
    for bits in 0..16u8 {
        let extra = [Role::Point, Role::Click, Role::Type, Role::Tune];
        let roles = extra
            .iter()
            .enumerate()
            .fold(Roles::WATCH, |roles, (at, role)| if bits & (1 << at) == 0 { roles } else { roles.with(*role) });
        server.host.door.clear();
        let session = session_of(&enter_quickly(&server, roles));
        let guest = server.host.door.view(Instant::now()).guests[0].id;
        let mut stream = socket(address, &session);
        assert_eq!(stream.status, 101, "{roles:?}");
        let (clicks, types) = (roles.has(Role::Click), roles.has(Role::Type));
        for (given, keys) in [(clicks, types), (false, true), (true, false), (false, false), (true, true)] {
            server.host.door.set_role(guest, Role::Click, given);
            server.host.door.set_role(guest, Role::Type, keys);
            let (before, (typed_before, wishes_before)) = (acted(&server), typed(&server));
            let key = |kind: &str| json!({ "type": "key", "data": { "kind": kind, "code": "KeyA", "key": "a", "text": "hello" } });
            for kind in ["key_down", "text", "key_up"] {
                send(&mut stream, &key(kind));
            }
            for wish in ["ask", "give"] {
                send(&mut stream, &json!({ "type": "control", "data": { "wish": wish } }));
            }
            for (seq, kind) in ["move", "down", "scroll", "move_by", "up", "release"].into_iter().enumerate() {
                send(&mut stream, &event(kind, seq as u64));
            }
            send(&mut stream, &json!({ "type": "report", "data": {} }));
            send(&mut stream, &json!({ "type": "quality", "data": { "rung": "half" } }));
            send(&mut stream, &json!({ "type": "ack", "data": { "frame": 1 } }));
            send(&mut stream, &json!({ "type": "from_the_future" }));
            settle(&mut stream);
            assert_eq!(acted(&server) - before, if given { 4 } else { 0 }, "{roles:?}, click {given}");
            let (typed, wishes) = typed(&server);
            assert_eq!(typed - typed_before, if keys { 2 } else { 0 }, "{roles:?}, type {keys}");
            assert_eq!(wishes - wishes_before, if given { 2 } else { 0 }, "{roles:?}, click {given}");
            let post = json!({ "session": "a", "events": [event("move", 1)["data"]] }).to_string();
            let posted = ask_bare(address, "POST", "/api/v1/pointer", &bearer(&session), &post).status;
            assert_eq!(posted, if given { 204 } else { 403 }, "{roles:?}");
            let patched = ask_bare(
                address,
                "PATCH",
                "/api/v1/chain",
                &format!("{}Content-Type: application/json\r\n", bearer(&session)),
                "{}",
            );
            assert_eq!(patched.status, if roles.has(Role::Tune) { 200 } else { 403 }, "{roles:?}");
        }
        // The host's own switch counts for everybody.
        server.host.door.set_role(guest, Role::Click, true);
        server.host.access.lock().unwrap().control = false;
        let before = acted(&server);
        send(&mut stream, &event("down", 9));
        settle(&mut stream);
        assert_eq!(acted(&server), before);
        server.host.access.lock().unwrap().control = true;
        // Without the right to watch there is no connection any more.
        server.host.door.set_role(guest, Role::Watch, false);
        assert_eq!(message(&mut stream, "never"), None);
        assert_eq!(socket(address, &session).status, 401);
    }
}

fn enter_quickly(server: &Server, roles: Roles) -> Value {
    server.host.access.lock().unwrap().ask = false;
    let token = server.host.door.invite(Instant::now()).unwrap();
    let entered = super::knock(server.publisher.address(), &json!({ "token": token })).json();
    let guest = server.host.door.view(Instant::now()).guests[0].id;
    roles.iter().for_each(|role| server.host.door.set_role(guest, role, true));
    entered
}

#[test]
fn what_is_held_is_let_go_at_once_when_the_right_to_it_is_taken() {
    let (server, jpegs) = Server::with_test_jpegs();
    jpegs.publish(1, b"a picture".to_vec());
    let address = server.publisher.address();
    let session = session_of(&enter(&server, "Anna", Roles::WATCH.with(Role::Click), false));
    let guest = server.host.door.view(Instant::now()).guests[0].id;
    let mut stream = socket(address, &session);
    let ends = || server.host.pointer.lock().unwrap().iter().filter(|(_, event)| event.is_none()).count();
    for _ in 0..10 {
        server.host.door.set_role(guest, Role::Click, true);
        // The server notices who may click before it can notice who may no longer.
        settle(&mut stream);
        let before = acted(&server);
        send(&mut stream, &event("down", 1));
        eventually("it is held", || acted(&server) > before);
        let released = ends();
        server.host.door.set_role(guest, Role::Click, false);
        eventually("it is let go", || ends() > released);
    }
    // The same by POST.
    server.host.door.set_role(guest, Role::Click, true);
    let post = json!({ "session": "a", "events": [event("down", 1)["data"]] }).to_string();
    assert_eq!(ask_bare(address, "POST", "/api/v1/pointer", &bearer(&session), &post).status, 204);
    let released = ends();
    server.host.door.remove(guest);
    eventually("it is let go", || ends() > released);
    let log = server.host.door.view(Instant::now()).log;
    assert!(log.iter().any(|line| line.text.contains("took the pointer")), "{log:?}");
    assert!(log.iter().all(|line| !line.text.contains("0.5")), "no positions in the log");
}

#[test]
fn no_message_however_damaged_does_anything_without_its_role() {
    let (server, jpegs) = Server::with_test_jpegs();
    jpegs.publish(1, b"a picture".to_vec());
    let address = server.publisher.address();
    let session = session_of(&enter_quickly(&server, Roles::WATCH));
    let mut stream = socket(address, &session);
    let mut random = Random::new(5);
    for seq in 0..400 {
        let mut text = event(["move", "down", "scroll"][seq as usize % 3], seq).to_string().into_bytes();
        for _ in 0..random.next() % 4 {
            let at = random.next() as usize % text.len();
            text[at] = b'!' + (random.next() % 90) as u8;
        }
        let mut frame = vec![0x81, 0x80 | 126, (text.len() >> 8) as u8, text.len() as u8, 0, 0, 0, 0];
        frame.extend(text);
        std::io::Write::write_all(stream.reader.get_mut(), &frame).expect("the socket is open");
        // Slower than what the host takes in a second.
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    settle(&mut stream);
    assert_eq!(acted(&server), 0);
}

fn posted(server: &Server, session: &str, agent: &str, events: &[Value]) -> u16 {
    let body = json!({ "session": "a", "events": events }).to_string();
    let more = format!("{}User-Agent: {agent}\r\n", bearer(session));
    ask_bare(server.publisher.address(), "POST", "/api/v1/pointer", &more, &body).status
}

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

#[test]
fn by_requests_each_may_do_what_its_roles_say_and_loses_what_it_holds_with_any_of_them() {
    let (server, _jpegs) = Server::with_test_jpegs();
    let key = |kind: &str| json!({ "kind": kind, "code": "KeyA", "key": "a", "seq": 1 });
    let press = event("down", 2)["data"].clone();
    for bits in 0..4u8 {
        let (clicks, types) = (bits & 1 != 0, bits & 2 != 0);
        let given = [(clicks, Role::Click), (types, Role::Type)].into_iter().filter(|(given, _)| *given);
        let roles = given.fold(Roles::WATCH, |roles, (_, role)| roles.with(role));
        server.host.door.clear();
        let session = session_of(&enter_quickly(&server, roles));
        let guest = server.host.door.view(Instant::now()).guests[0].id;
        let status = |fine: bool| if fine { 204 } else { 403 };
        assert_eq!(posted(&server, &session, FIREFOX, std::slice::from_ref(&press)), status(clicks), "{roles:?}");
        assert_eq!(posted(&server, &session, FIREFOX, &[key("key_down")]), status(types), "{roles:?}");
        // One event that is not allowed takes the others with it.
        assert_eq!(
            posted(&server, &session, FIREFOX, &[key("key_down"), press.clone()]),
            status(clicks && types),
            "{roles:?}"
        );
        assert_eq!(posted(&server, &session, FIREFOX, &[]), status(clicks || types), "{roles:?}");
        assert_eq!(posted(&server, &session, FIREFOX, &[key("key_up")]), status(clicks || types), "{roles:?}");
        for role in roles.iter().filter(|role| *role != Role::Watch) {
            server.host.door.set_role(guest, role, true);
            eventually("the server knows what it may", || posted(&server, &session, FIREFOX, &[]) == 204);
            let ends = || server.host.pointer.lock().unwrap().iter().filter(|(_, event)| event.is_none()).count();
            let before = ends();
            server.host.door.set_role(guest, role, false);
            eventually("what it holds is let go", || ends() > before);
            server.host.door.set_role(guest, role, true);
        }
    }
}

#[test]
fn the_log_says_with_what_browser_somebody_controls_also_by_requests_alone() {
    let (server, jpegs) = Server::with_test_jpegs();
    jpegs.publish(1, b"a picture".to_vec());
    let door = &server.host.door;
    let session = session_of(&enter(&server, "Anna", Roles::WATCH.with(Role::Click), false));
    assert_eq!(posted(&server, &session, FIREFOX, &[event("move", 1)["data"].clone()]), 204);
    let told = |part: &str| door.view(Instant::now()).log.iter().filter(|line| line.text.contains(part)).count();
    eventually("it is written down", || told("Anna (Firefox on Linux, 127.0.0.1) took the pointer") == 1);
    // The standing link names nobody, but its browser is known as well; and so is who comes over a socket.
    let word: &str = crate::support::studio::SECRET;
    assert_eq!(posted(&server, word, "curl/8.5", &[event("move", 1)["data"].clone()]), 204);
    eventually("it is written down", || told("Standing link (curl, 127.0.0.1) took the pointer") == 1);
    let hex: String = session.bytes().map(|byte| format!("{byte:02x}")).collect();
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: {}\r\nUser-Agent: {FIREFOX}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: lenscast, secret.{hex}\r\n\r\n",
        server.publisher.address()
    );
    let mut stream = open(server.publisher.address(), &request);
    send(&mut stream, &event("down", 2));
    eventually("it is written down", || told("Anna (Firefox on Linux, 127.0.0.1) took the pointer") == 2);
    let view = door.view(Instant::now());
    let nameless =
        |line: &&lenscast::publish::LogLine| line.text.contains("unknown program") && line.text.contains("pointer");
    assert!(!view.log.iter().any(|line| nameless(&line)), "{:?}", view.log);
}

#[test]
fn another_name_shows_wherever_the_guest_is_named_and_comes_back_with_its_device() {
    let (server, jpegs) = Server::with_test_jpegs();
    jpegs.publish(1, b"a picture".to_vec());
    let (address, door) = (server.publisher.address(), &server.host.door);
    let entered = enter(&server, "Anna", Roles::WATCH.with(Role::Point), true);
    let guest = door.view(Instant::now()).guests[0].id;
    let mut stream = socket(address, &session_of(&entered));
    settle(&mut stream);
    door.rename(guest, "Aunt Anna");
    eventually("the list of viewers has it", || {
        server.publisher.viewers().iter().any(|viewer| viewer.name.as_deref() == Some("Aunt Anna"))
    });
    send(&mut stream, &json!({ "type": "point", "data": { "x": 0.5, "y": 0.5, "epoch": 3 } }));
    settle(&mut stream);
    let pointed: Vec<String> = server.host.points.lock().unwrap().iter().map(|(_, name, _)| name.clone()).collect();
    assert_eq!(pointed, ["Aunt Anna"]);
    door.set_role(guest, Role::Tune, true);
    let view = door.view(Instant::now());
    let last: Vec<&str> = view.log.iter().rev().take(2).rev().map(|line| line.text.as_str()).collect();
    assert!(last[0].starts_with("Anna (") && last[0].ends_with("is called Aunt Anna from now on"), "{last:?}");
    assert!(last[1].starts_with("Aunt Anna (") && last[1].contains("may now"), "{last:?}");
    assert_eq!(view.devices[0].name, "Aunt Anna");
    let back = super::knock(address, &json!({ "device": entered["device"], "name": "Somebody" }));
    assert_eq!(back.status, 200);
    assert_eq!(door.view(Instant::now()).guests[0].visitor.name, "Aunt Anna");
}
