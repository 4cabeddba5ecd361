//! `GET /ws` byte by byte: who may open it, what comes, and how much of it without an answer.

use std::io::{Read, Write};
use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::support::studio::{SECRET, Server, Studio, eventually};
use crate::support::wire::{Stream, open};

const SECRET_NAME: &str = "lenscast, secret.";

/// One frame of a WebSocket.
#[derive(Debug, PartialEq)]
enum Message {
    Text(Value),
    Picture(Vec<u8>),
    Close,
    Ping,
}

fn hexadecimal(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// Asks for a WebSocket; `more` are header lines with their endings.
fn ask(address: SocketAddr, more: &str) -> Stream {
    open(
        address,
        &format!(
            "GET /ws HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
        ),
    )
}

fn connect(server: &Server) -> Stream {
    let protocol = format!("Sec-WebSocket-Protocol: {SECRET_NAME}{}\r\n", hexadecimal(SECRET));
    let stream = ask(server.publisher.address(), &protocol);
    assert_eq!(stream.status, 101);
    assert_eq!(stream.header("sec-websocket-protocol"), Some("lenscast"), "the secret is not said back");
    stream
}

fn read(stream: &mut Stream) -> Message {
    let head = stream.take(2);
    let length = match head[1] {
        126 => u16::from_be_bytes(stream.take(2).try_into().expect("two bytes")).into(),
        127 => u64::from_be_bytes(stream.take(8).try_into().expect("eight bytes")) as usize,
        short => usize::from(short),
    };
    let body = stream.take(length);
    match head[0] & 15 {
        1 => Message::Text(serde_json::from_slice(&body).expect("text is JSON")),
        2 => Message::Picture(body),
        8 => Message::Close,
        9 => Message::Ping,
        kind => panic!("a frame of kind {kind}"),
    }
}

/// The next picture: its number and what follows its head.
fn picture(stream: &mut Stream) -> (u64, Vec<u8>) {
    loop {
        match read(stream) {
            Message::Text(_) | Message::Ping => {}
            Message::Picture(bytes) => {
                let (head, jpeg) = bytes.split_at(48);
                return (u64::from_be_bytes(head[8..16].try_into().expect("eight bytes")), jpeg.to_vec());
            }
            Message::Close => panic!("it ended"),
        }
    }
}

fn message(stream: &mut Stream, kind: &str) -> Value {
    loop {
        if let Message::Text(message) = read(stream)
            && message["type"] == kind
        {
            return message["data"].clone();
        }
    }
}

/// A client's frames are masked; with zeros that changes nothing.
fn say(stream: &mut Stream, message: &Value) {
    let text = message.to_string();
    let length = u16::try_from(text.len()).expect("it is short").to_be_bytes();
    let frame = [&[0x81, 0x80 | 126][..], &length, &[0; 4], text.as_bytes()].concat();
    stream.reader.get_mut().write_all(&frame).expect("the server reads");
}

#[test]
fn the_secret_and_the_origin_guard_the_socket() {
    let (server, _jpegs) = Server::with_test_jpegs();
    let address = server.publisher.address();
    let right = format!("Sec-WebSocket-Protocol: {SECRET_NAME}{}\r\n", hexadecimal(SECRET));
    for wrong in ["", "Sec-WebSocket-Protocol: lenscast, secret.00\r\n", "Authorization: Bearer wrong\r\n"] {
        assert_eq!(ask(address, wrong).status, 401, "{wrong}");
    }
    assert_eq!(ask(address, &format!("Authorization: Bearer {SECRET}\r\n")).status, 101);
    assert_eq!(ask(address, &format!("{right}Origin: http://{address}\r\n")).status, 101);
    for foreign in ["http://evil.example", "null"] {
        assert_eq!(ask(address, &format!("{right}Origin: {foreign}\r\n")).status, 403);
    }
    server.host.access.lock().unwrap().watch_anyone = true;
    assert_eq!(ask(address, "").status, 101);
    assert_eq!(ask(address, "Origin: http://evil.example\r\n").status, 403, "also where anyone may watch");
}

#[test]
fn a_stranger_who_may_watch_may_not_point() {
    let (server, _jpegs) = Server::with_test_jpegs();
    server.host.access.lock().unwrap().watch_anyone = true;
    let mut stream = ask(server.publisher.address(), "");
    assert_eq!(message(&mut stream, "state")["control"], false);
    let event = json!({ "kind": "move", "x": 0.5, "y": 0.5, "epoch": 3, "seq": 0 });
    say(&mut stream, &json!({ "type": "pointer", "data": event }));
    message(&mut stream, "warning");
    assert!(server.host.pointer.lock().unwrap().iter().all(|(_, event)| event.is_none()));
}

#[test]
fn frames_and_messages_share_the_socket_and_its_end_lets_go() {
    let (server, jpegs) = Server::with_test_jpegs();
    let mut stream = connect(&server);
    assert_eq!(message(&mut stream, "hello")["codec"], "jpeg");
    assert_eq!(message(&mut stream, "state")["control"], true);
    jpegs.publish(7, b"a picture".to_vec());
    assert_eq!(picture(&mut stream), (7, b"a picture".to_vec()));
    say(&mut stream, &json!({ "type": "ping", "data": { "t0": 1.5 } }));
    assert_eq!(message(&mut stream, "pong")["t0"], 1.5);
    let event = json!({ "kind": "down", "x": 0.5, "y": 0.5, "button": "left", "epoch": 3, "seq": 0 });
    say(&mut stream, &json!({ "type": "pointer", "data": event }));
    eventually("the host hears of it", || !server.host.pointer.lock().unwrap().is_empty());
    drop(stream);
    let ended = |events: &[(u64, Option<_>)]| events.last().is_some_and(|(_, event)| event.is_none());
    eventually("what was held is let go", || ended(&server.host.pointer.lock().unwrap()));
    eventually("the place is free", || server.publisher.viewers().is_empty());
    assert!(!jpegs.demand.is_wanted(), "nobody wants JPEGs any more");
}

#[test]
fn who_acknowledges_nothing_gets_two_frames_and_then_the_newest() {
    let (server, jpegs) = Server::with_test_jpegs();
    let mut stream = connect(&server);
    message(&mut stream, "hello");
    for id in 1..=2 {
        jpegs.publish(id, vec![id as u8]);
        assert_eq!(picture(&mut stream), (id, vec![id as u8]));
    }
    for id in 3..=50 {
        jpegs.publish(id, vec![id as u8]);
    }
    // All that comes until then are words.
    say(&mut stream, &json!({ "type": "ping", "data": { "t0": 7 } }));
    loop {
        match read(&mut stream) {
            Message::Text(message) if message["type"] == "pong" => break,
            Message::Text(_) | Message::Ping => {}
            other => panic!("{other:?} came without an acknowledgement"),
        }
    }
    say(&mut stream, &json!({ "type": "ack", "data": { "frame": 1 } }));
    assert_eq!(picture(&mut stream), (50, vec![50]));
}

#[test]
fn stopping_says_goodbye_and_closes_the_socket() {
    let (server, _jpegs) = Server::with_test_jpegs();
    let mut stream = connect(&server);
    message(&mut stream, "hello");
    server.publisher.stop();
    while read(&mut stream) != Message::Close {}
    let mut rest = Vec::new();
    let _ = stream.reader.read_to_end(&mut rest);
    assert!(server.publisher.viewers().is_empty());
}

#[test]
fn each_size_is_encoded_for_itself_and_only_while_somebody_wants_it() {
    let studio = Studio::start();
    let mut streams = [connect(&studio.server), connect(&studio.server)];
    say(&mut streams[1], &json!({ "type": "quality", "data": { "rung": "half" } }));
    let width_of = |stream: &mut Stream, wanted: u32| loop {
        let (id, jpeg) = picture(stream);
        say(stream, &json!({ "type": "ack", "data": { "frame": id } }));
        let width = image::load_from_memory(&jpeg).expect("it is a JPEG").width();
        if width == wanted {
            return;
        }
    };
    width_of(&mut streams[1], 160);
    for _ in 0..5 {
        let (id, jpeg) = picture(&mut streams[0]);
        say(&mut streams[0], &json!({ "type": "ack", "data": { "frame": id } }));
        assert_eq!(image::load_from_memory(&jpeg).expect("it is a JPEG").width(), 320);
    }
    say(&mut streams[1], &json!({ "type": "quality", "data": { "rung": "quarter" } }));
    width_of(&mut streams[1], 80);
    assert_eq!(studio.server.publisher.viewers()[1].rung, Some("quarter"));
    drop(streams);
    eventually("nothing is captured any more", || !studio.demand.is_wanted());
}
