//! All WebRTC media goes through one UDP port, over IPv4 and IPv6, whoever watches from wherever.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;

use lenscast::publish::{Host, JpegSource, PublishConfig, Publisher};
use serde_json::Value;

use crate::support::browser::Browser;
use crate::support::player::{open, play};
use crate::support::studio::{SECRET, Server, Studio, TestHost, TestJpegs, eventually};

const FRAMES: &str = r"
    const stats = [...(await window.pc.getStats()).values()];
    return stats.find((entry) => entry.type === 'inbound-rtp' && entry.kind === 'video')?.framesDecoded ?? 0;
";

/// The address and port of every candidate of a description.
fn candidates(sdp: &str) -> Vec<SocketAddr> {
    let lines = sdp.lines().filter(|line| line.starts_with("a=candidate:"));
    let place = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        SocketAddr::new(words[4].parse().expect("an address"), words[5].parse().expect("a port"))
    };
    lines.map(place).collect()
}

fn assert_plays(browser: &Browser, begun: &Value) {
    assert_eq!(begun["status"], 201, "{begun}");
    eventually("Chromium decodes frames", || browser.run_async(FRAMES).as_u64() > Some(10));
}

fn is_clean(studio: &Studio) -> bool {
    let used = studio.server.publisher.udp();
    (used.sessions, used.entries) == (0, 0)
}

#[test]
fn everybody_shares_one_port_and_nothing_stays_of_who_left() {
    let studio = Studio::start();
    let port = studio.server.publisher.udp().port;
    assert_eq!(port, studio.server.publisher.address().port(), "the same number as over TCP");
    let browser = open(&studio);
    let frames = |of: &str| browser.run_async(&FRAMES.replace("window.pc", of)).as_u64();
    for _ in 0..2 {
        browser.run("window.first = window.pc; window.firstPlace = window.place");
        let begun = play(&browser, "", false);
        let offered = candidates(begun["sdp"].as_str().unwrap_or_default());
        let own = SocketAddr::from(([127, 0, 0, 1], port));
        assert!(!offered.is_empty() && offered.iter().all(|candidate| *candidate == own), "{begun}");
        assert_plays(&browser, &begun);
    }
    for of in ["window.first", "window.pc"] {
        let before = frames(of);
        eventually("both go on", || frames(of) > before);
    }
    let used = studio.server.publisher.udp();
    assert!(used.sessions == 2 && used.entries >= 4, "{used:?}");
    for place in ["window.firstPlace", "window.place"] {
        let headers = format!("{{ Authorization: 'Bearer {SECRET}' }}");
        browser.run_async(&format!("await fetch({place}, {{ method: 'DELETE', headers: {headers} }})"));
    }
    eventually("nothing is left of either", || is_clean(&studio));
    assert_eq!(studio.server.publisher.sessions(), 0);
}

#[test]
fn a_browser_that_hides_its_addresses_plays_all_the_same() {
    let studio = Studio::start();
    let browser = open(&studio);
    // Whatever Chromium would have told, only such names are left of it.
    browser.run(
        r"const whole = Object.getOwnPropertyDescriptor(RTCPeerConnection.prototype, 'localDescription').get;
        Object.defineProperty(RTCPeerConnection.prototype, 'localDescription', { get() {
            const { type, sdp } = whole.call(this);
            window.offered = sdp.replace(/^(a=candidate:\S+ \d+ \S+ \d+) \S+/gm, '$1 0a1b2c3d-0000-4000-8000-0123456789ab.local');
            return { type, sdp: window.offered };
        } });",
    );
    let begun = play(&browser, "", false);
    let offered = browser.run("return window.offered");
    let mut hidden =
        offered.as_str().unwrap_or_default().lines().filter(|line| line.starts_with("a=candidate:")).peekable();
    assert!(hidden.peek().is_some() && hidden.all(|line| line.contains(".local ")), "{offered}");
    assert_plays(&browser, &begun);
}

#[test]
fn chromium_plays_over_ipv6_and_over_ipv4_through_the_same_port() {
    for bind in [IpAddr::V6(Ipv6Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)]
    {
        let studio = Studio::at(bind);
        let (port, udp) = (studio.server.publisher.address().port(), studio.server.publisher.udp().port);
        let hosts: &[IpAddr] = match bind {
            IpAddr::V4(_) => &[IpAddr::V4(Ipv4Addr::LOCALHOST)],
            IpAddr::V6(address) if address.is_loopback() => &[IpAddr::V6(Ipv6Addr::LOCALHOST)],
            IpAddr::V6(_) => &[IpAddr::V6(Ipv6Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::LOCALHOST)],
        };
        for &host in hosts {
            let browser = Browser::open(&[]);
            browser.go(&format!("http://{}/viewer/style.css", SocketAddr::new(host, port)));
            let begun = play(&browser, "", false);
            let offered = candidates(begun["sdp"].as_str().unwrap_or_default());
            assert!(offered.iter().all(|candidate| candidate.port() == udp), "{offered:?}");
            let loopback: &[IpAddr] = if bind.is_unspecified() {
                &[IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]
            } else {
                hosts
            };
            for address in loopback {
                assert!(offered.contains(&SocketAddr::new(*address, udp)), "{bind}: {offered:?} lacks {address}");
            }
            assert_plays(&browser, &begun);
        }
    }
}

#[test]
fn a_port_that_is_taken_is_said_so_and_another_one_used() {
    let taken = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let number = taken.local_addr().expect("it has an address").port();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let config = PublishConfig { udp_port: Some(number), ..PublishConfig::new(SocketAddr::from(([127, 0, 0, 1], 0))) };
    let start = |config| {
        let (host, jpegs) = (Arc::new(TestHost::default()), Arc::new(TestJpegs::default()));
        Publisher::start(config, host as Arc<dyn Host>, jpegs as Arc<dyn JpegSource>, Vec::new(), runtime.handle())
            .expect("another port is free")
    };
    let publisher = start(config);
    let other = publisher.udp().port;
    assert_ne!(other, number);
    let notice = publisher.notice().expect("it is said so");
    assert!(
        notice.contains(&format!("UDP port {number} is in use")) && notice.contains(&other.to_string()),
        "{notice}"
    );
    drop(taken);
    publisher.stop();
    // What was stopped holds no port: the next one gets both.
    let publisher = start(PublishConfig { udp_port: Some(number), bind: publisher.address() });
    assert_eq!((publisher.udp().port, publisher.notice()), (number, None));
    let again = publisher.address();
    publisher.stop();
    let publisher = start(PublishConfig { udp_port: Some(number), bind: again });
    assert_eq!((publisher.udp().port, publisher.notice()), (number, None));
}

#[test]
fn packets_of_strangers_are_counted_and_go_nowhere() {
    let (server, _jpegs) = Server::with_test_jpegs();
    let port = server.publisher.udp().port;
    let stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    for packet in [&b"hello"[..], &[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3], &[0x80; 1_200], &[0x16; 100]] {
        stranger.send_to(packet, (Ipv4Addr::LOCALHOST, port)).expect("it can be sent");
    }
    eventually("all are counted", || server.publisher.udp().strangers == 4);
    assert_eq!(server.publisher.udp().sessions, 0);
}
