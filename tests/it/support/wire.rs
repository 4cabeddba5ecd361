//! HTTP by hand over a socket, so that a test sees the very bytes and can send what no client would.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use super::studio::SECRET;

/// An answer, whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// An answer whose body goes on.
pub struct Stream {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub reader: BufReader<TcpStream>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    /// What every error has to look like.
    pub fn assert_problem(&self, status: u16) {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], "about:blank");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{problem}");
    }
}

impl Stream {
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    pub fn take(&mut self, bytes: usize) -> Vec<u8> {
        let mut taken = vec![0; bytes];
        self.reader.read_exact(&mut taken).expect("the stream goes on");
        taken
    }

    /// A line with its ending.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).expect("the stream goes on");
        line
    }

    /// Header lines up to the blank one, without their endings.
    pub fn head(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.line();
            let text = line.strip_suffix("\r\n").expect("lines end with CRLF");
            if text.is_empty() {
                return lines;
            }
            lines.push(text.to_owned());
        }
    }

    /// One part of a multipart stream: its headers and its body, and the boundary line after it.
    pub fn part(&mut self) -> (Vec<String>, Vec<u8>) {
        let head = self.head();
        let length =
            head.iter().find_map(|line| line.strip_prefix("Content-Length: ")).expect("each part has a length");
        let body = self.take(length.parse().expect("a length is a number"));
        assert_eq!(self.line(), "\r\n");
        assert!(self.line().starts_with("--"));
        (head, body)
    }
}

/// Connects, with a limit to how long a test waits for bytes.
pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("sockets have time-outs");
    stream
}

/// Sends a request and reads the head of its answer.
pub fn open(address: SocketAddr, request: &str) -> Stream {
    exchange(connect(address), request)
}

/// The same from another address of the loopback network.
pub fn open_from(source: [u8; 4], address: SocketAddr, request: &str) -> Stream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("sockets can be made");
    socket.bind(&SocketAddr::from((source, 0)).into()).expect("all of 127.0.0.0/8 is this computer");
    socket.connect(&address.into()).expect("the server listens");
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("sockets have time-outs");
    exchange(stream, request)
}

fn exchange(mut stream: TcpStream, request: &str) -> Stream {
    // A server that refuses early may close while the rest is being sent.
    let _ = stream.write_all(request.as_bytes());
    let reader = BufReader::new(stream);
    let mut stream = Stream { status: 0, headers: Vec::new(), reader };
    let head = stream.head();
    let status = head[0].split(' ').nth(1).and_then(|status| status.parse().ok());
    stream.status = status.expect("an answer has a status");
    stream.headers = head[1..]
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(n, v)| (n.to_lowercase(), v.to_owned()))
        .collect();
    stream
}

/// A request with the right secret; `more` are header lines with their endings.
pub fn ask(address: SocketAddr, method: &str, path: &str, more: &str, body: &str) -> Answer {
    ask_bare(address, method, path, &format!("Authorization: Bearer {SECRET}\r\n{more}"), body)
}

/// A request without any secret but what `more` has.
pub fn ask_bare(address: SocketAddr, method: &str, path: &str, more: &str, body: &str) -> Answer {
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n{more}\r\n{body}"
    );
    let mut stream = open(address, &request);
    let mut body = Vec::new();
    match stream.header("content-length").and_then(|length| length.parse().ok()) {
        Some(length) if method != "HEAD" => body = stream.take(length),
        _ => {
            let _ = stream.reader.read_to_end(&mut body);
        }
    }
    Answer { status: stream.status, headers: stream.headers, body }
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}
