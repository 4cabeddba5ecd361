//! The bad network of the other tests does what it says; otherwise they would show nothing.

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::support::impaired::{Bursts, Conditions, Fate, Impaired, Path};

const PACKETS: u64 = 20_000;

/// What becomes of many packets of 1000 bytes, one each millisecond.
fn fates(conditions: Conditions) -> (Instant, Vec<Vec<Fate>>) {
    let (mut path, start) = (Path::new(7, conditions), Instant::now());
    let pass = |ms| path.pass(1_000, start + Duration::from_millis(ms));
    (start, (0..PACKETS).map(pass).collect())
}

fn share(fates: &[Vec<Fate>], wanted: impl Fn(&Vec<Fate>) -> bool) -> f64 {
    fates.iter().filter(|fate| wanted(fate)).count() as f64 / fates.len() as f64
}

#[test]
fn packets_over_real_sockets_are_lost_and_held_back_as_told() {
    let network = Impaired::start(11);
    let (host, viewer) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
    network.connect(host.local_addr().unwrap());
    viewer.send_to(b"hello", network.address()).unwrap();
    let (_, way) = host.recv_from(&mut [0; 16]).unwrap();
    network.down(Conditions { loss: 0.05, delay: Duration::from_millis(30), ..Conditions::default() });

    let start = Instant::now();
    viewer.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let arrived = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&arrived);
    let receiver = std::thread::spawn(move || {
        let (mut packet, mut delays) = ([0; 64], Vec::new());
        while let Ok(8) = viewer.recv(&mut packet) {
            let sent = Duration::from_micros(u64::from_le_bytes(packet[..8].try_into().unwrap()));
            delays.push(start.elapsed().saturating_sub(sent));
            counted.fetch_add(1, Ordering::Relaxed);
        }
        delays
    });
    for number in 0..PACKETS {
        // The system's buffers are small: no more is under way than they hold.
        while arrived.load(Ordering::Relaxed) + network.dropped() + 200 < number {
            std::thread::yield_now();
        }
        if number % 6 == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        host.send_to(&(start.elapsed().as_micros() as u64).to_le_bytes(), way).unwrap();
    }
    let mut delays = receiver.join().unwrap();
    let lost = 1.0 - delays.len() as f64 / PACKETS as f64;
    assert!((lost - 0.05).abs() < 0.005, "{lost}");
    assert_eq!((network.taken(), network.dropped()), (PACKETS, PACKETS - delays.len() as u64));
    delays.sort();
    let median = delays[delays.len() / 2].as_secs_f64() * 1e3;
    assert!((median - 30.0).abs() < 2.0, "{median} ms");
}

#[test]
fn every_impairment_is_as_frequent_as_it_says() {
    let (_, lost) = fates(Conditions::losing(0.1));
    assert!((share(&lost, Vec::is_empty) - 0.1).abs() < 0.005);

    let (_, doubled) = fates(Conditions { duplicate: 0.02, ..Conditions::default() });
    assert!((share(&doubled, |fates| fates.len() == 2) - 0.02).abs() < 0.005);

    let (_, damaged) = fates(Conditions { corrupt: 0.02, ..Conditions::default() });
    assert!((share(&damaged, |fates| fates[0].damaged.is_some_and(|bit| bit < 8_000)) - 0.02).abs() < 0.005);

    let (_, reordered) = fates(Conditions { reorder: 0.02, ..Conditions::default() });
    let behind = reordered.windows(2).filter(|pair| pair[0][0].at > pair[1][0].at).count() as f64 / PACKETS as f64;
    assert!((behind - 0.02).abs() < 0.005, "{behind}");

    let jitter = Conditions { jitter: Duration::from_millis(9), ..Conditions::default() };
    let (_, held) = fates(jitter);
    assert!(held.windows(2).all(|pair| pair[0][0].at <= pair[1][0].at), "jitter alone reorders nothing");

    assert_eq!(share(&fates(Conditions::dead()).1, Vec::is_empty), 1.0);

    let kept = || fates(Conditions::losing(0.1)).1.iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(kept(), kept(), "the same seed makes the same network");
}

#[test]
fn bursts_take_several_packets_in_a_row() {
    let bursts = Some(Bursts { begin: 0.01, packets: 8.0 });
    let (_, fates) = fates(Conditions { bursts, ..Conditions::default() });
    let lost = share(&fates, Vec::is_empty);
    // Of 100 packets on average until a burst begins and 8 in it.
    assert!((lost - 8.0 / 108.0).abs() < 0.015, "{lost}");
    let begins = fates.windows(2).filter(|pair| !pair[0].is_empty() && pair[1].is_empty()).count();
    let length = lost * PACKETS as f64 / begins as f64;
    assert!((6.0..10.0).contains(&length), "{length}");
}

#[test]
fn a_narrow_link_carries_its_rate_and_its_queue_is_short() {
    // A packet of 1000 bytes each millisecond is 8 Mbit/s.
    let (start, fates) = fates(Conditions::limited(2_000, Duration::from_millis(100)));
    let carried = fates.iter().filter(|fates| !fates.is_empty()).count() as f64 * 8.0 / 20.0;
    assert!((carried - 2_000.0).abs() < 60.0, "{carried} kbit/s");
    for (ms, fate) in fates.iter().enumerate().filter_map(|(ms, fates)| Some((ms, fates.first()?))) {
        let wait = fate.at.saturating_duration_since(start + Duration::from_millis(ms as u64));
        assert!(wait <= Duration::from_millis(105), "{wait:?}");
    }
}

#[test]
fn a_changed_port_is_seen_by_the_host_alone() {
    let network = Impaired::start(3);
    let (host, viewer) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
    network.connect(host.local_addr().unwrap());
    let mut packet = [0; 16];
    let mut ways = Vec::new();
    for _ in 0..2 {
        viewer.send_to(b"ping", network.address()).unwrap();
        let (_, way) = host.recv_from(&mut packet).unwrap();
        host.send_to(b"pong", way).unwrap();
        assert_eq!(viewer.recv_from(&mut packet).unwrap(), (4, network.address()));
        ways.push(way);
        network.change_ports();
    }
    assert_ne!(ways[0], ways[1]);
}
