//! STUN and TURN servers: this computer asks them, viewers are told of them, and nobody else is.

use std::collections::BTreeSet;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};

use lenscast::publish::IceServer;

use crate::support::browser::Browser;
use crate::support::player::{open, play};
use crate::support::studio::{SECRET, Studio, eventually};
use crate::support::wire::{Answer, ask, ask_bare};

/// What the STUN server says that it sees, whoever asks.
const SEEN: ([u8; 4], u16) = ([203, 0, 113, 7], 4_242);
const BINDING: u16 = 0x0001;
const ALLOCATE: u16 = 0x0003;

/// Answers `Binding` and writes down who asked for what; a TURN server that says nothing.
struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<BTreeSet<(u16, u16)>>>,
}

impl Server {
    fn start() -> Self {
        let socket = UdpSocket::bind(("0.0.0.0", 0)).expect("a port is free");
        let address = SocketAddr::from(([127, 0, 0, 1], socket.local_addr().expect("it has an address").port()));
        let asked = Arc::new(Mutex::new(BTreeSet::new()));
        let noted = Arc::clone(&asked);
        std::thread::spawn(move || {
            let mut bytes = [0; 1_500];
            while let Ok((length, from)) = socket.recv_from(&mut bytes) {
                let request = &bytes[..length];
                if length < 20 || request[4..8] != [0x21, 0x12, 0xa4, 0x42] {
                    continue;
                }
                let kind = u16::from_be_bytes([request[0], request[1]]);
                noted.lock().unwrap().insert((kind, from.port()));
                if kind == BINDING {
                    let _ = socket.send_to(&seen(&request[8..20]), from);
                }
            }
        });
        Self { address, asked }
    }

    /// The ports that asked for this.
    fn ports(&self, kind: u16) -> Vec<u16> {
        self.asked.lock().unwrap().iter().filter(|(asked, _)| *asked == kind).map(|(_, port)| *port).collect()
    }
}

/// The answer to a `Binding` request.
fn seen(transaction: &[u8]) -> Vec<u8> {
    let ([a, b, c, d], port) = SEEN;
    let [high, low] = (port ^ 0x2112).to_be_bytes();
    let mut answer = vec![0x01, 0x01, 0, 12, 0x21, 0x12, 0xa4, 0x42];
    answer.extend_from_slice(transaction);
    answer.extend([0, 0x20, 0, 8, 0, 1, high, low, a ^ 0x21, b ^ 0x12, c ^ 0xa4, d ^ 0x42]);
    answer
}

fn stun(server: &Server) -> IceServer {
    IceServer { url: format!("stun:{}", server.address), ..IceServer::default() }
}

fn turn(server: &Server) -> IceServer {
    let url = format!("turn:{}?transport=udp", server.address);
    IceServer { url, username: "me".to_owned(), credential: "s3cr3t".to_owned() }
}

fn links(answer: &Answer) -> Vec<String> {
    answer
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("link"))
        .map(|(_, value)| value.clone())
        .collect()
}

#[test]
fn the_shared_port_asks_stun_and_a_port_of_the_session_asks_turn() {
    let studio = Studio::start();
    let server = Server::start();
    *studio.server.host.ice_servers.lock().unwrap() = vec![stun(&server), turn(&server)];
    let browser = open(&studio);
    let begun = play(&browser, "", false);
    // A TURN server that never answers keeps nobody from watching.
    assert_eq!(begun["status"], 201, "{begun}");
    let sdp = begun["sdp"].as_str().unwrap_or_default();
    let reflexive = sdp.lines().find(|line| line.contains("typ srflx")).expect("what STUN has seen is offered");
    let udp = studio.server.publisher.udp().port;
    assert!(
        reflexive.contains(" 203.0.113.7 4242 typ srflx") && reflexive.contains(&format!("rport {udp}")),
        "{reflexive}"
    );
    assert_eq!(server.ports(BINDING), [udp]);
    assert!(!server.ports(ALLOCATE).is_empty() && !server.ports(ALLOCATE).contains(&udp));
    browser.wait_for("a frame is decoded", "return window.video.videoWidth > 0");
}

#[test]
fn viewers_hear_of_the_servers_and_strangers_do_not() {
    let studio = Studio::start();
    let server = Server::start();
    *studio.server.host.ice_servers.lock().unwrap() = vec![stun(&server), turn(&server)];
    let address = studio.server.publisher.address();
    let expected = [
        format!("<stun:{}>; rel=\"ice-server\"", server.address),
        format!(
            "<turn:{}?transport=udp>; rel=\"ice-server\"; username=\"me\"; credential=\"s3cr3t\"; credential-type=\"password\"",
            server.address
        ),
    ];
    for path in ["/whep", "/whip"] {
        assert_eq!(links(&ask(address, "OPTIONS", path, "", "")), expected, "{path}");
        let stranger = ask_bare(address, "OPTIONS", path, "", "");
        assert_eq!((stranger.status, links(&stranger).len()), (204, 0), "{path}");
    }
    let browser = open(&studio);
    let begun = play(&browser, "", false);
    assert_eq!(begun["status"], 201, "{begun}");
    let told = browser.run_async(&format!(
        "const answer = await fetch('/whep', {{ method: 'OPTIONS', headers: {{ Authorization: 'Bearer {SECRET}' }} }});
        return answer.headers.get('Link')"
    ));
    assert_eq!(told, expected.join(", "));
}

#[test]
fn the_page_asks_the_servers_that_the_host_names() {
    let studio = Studio::start();
    let server = Server::start();
    *studio.server.host.ice_servers.lock().unwrap() = vec![stun(&server), turn(&server)];
    let browser = Browser::open(&[]);
    browser.go(&studio.server.url(&format!("/#s={SECRET}")));
    let udp = studio.server.publisher.udp().port;
    eventually("host and page ask", || {
        let others = |kind| server.ports(kind).iter().any(|port| *port != udp);
        server.ports(BINDING).contains(&udp) && others(BINDING) && others(ALLOCATE)
    });
    eventually("and the page plays", || studio.server.publisher.viewers().iter().any(|viewer| viewer.sent > 10));
}
