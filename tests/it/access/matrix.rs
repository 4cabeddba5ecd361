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
