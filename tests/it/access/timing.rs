//! Secrets tell nothing by how long their comparison takes: the source compares digests in constant time and nothing else,
//! and, by hand, `LENSCAST_TIMING=20000` asks so many times with wrong secrets that begin right or wrong.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use lenscast::publish::Roles;

use crate::architecture::source_files;
use crate::support::random::Random;
use crate::support::studio::Server;
use crate::support::wire::connect;

/// What holds a secret as it is, and must not be beside a comparison.
const SECRETS: [&str; 7] = ["secret", "token", "word", "digits", "password", "credential", "cookie"];

/// The last name of a path that ends, or the last of one that begins, where an operator stands.
fn operands(line: &str, at: usize, length: usize) -> [String; 2] {
    let fits = |letter: char| letter.is_alphanumeric() || "_.()".contains(letter);
    let left: String = line[..at].trim_end().chars().rev().take_while(|letter| fits(*letter)).collect();
    let left: String = left.chars().rev().collect();
    let right = line[at + length..].trim_start().trim_start_matches(['&', '*']);
    let right: String = right.chars().take_while(|letter| fits(*letter)).collect();
    // `secret.as_str()` is the secret; `secret.is_empty()` and `secret.len()` are none.
    [left, right].map(|path| {
        let mut names = path.split('.').map(|name| name.trim_matches(['(', ')'])).filter(|name| !name.is_empty()).rev();
        let last = names.find(|name| !matches!(*name, "as_str" | "as_bytes" | "as_deref" | "as_ref" | "clone"));
        last.unwrap_or_default().to_owned()
    })
}

fn compares_a_secret(line: &str) -> bool {
    let beside = |operator: &str| {
        line.match_indices(operator)
            .any(|(at, found)| operands(line, at, found.len()).iter().any(|name| SECRETS.contains(&name.as_str())))
    };
    ["==", "!=", ".eq(", ".ne(", ".cmp(", ".starts_with(", ".eq_ignore_ascii_case(", ".contains("]
        .into_iter()
        .any(beside)
}

#[test]
fn no_secret_is_compared_but_as_a_digest_in_constant_time() {
    for wrong in [
        "if given == self.secret {",
        "code.digits != digits",
        "self.secret.as_bytes() == word",
        "known.token.eq(&given)",
        "if &entry.password.as_str() != given {",
    ] {
        assert!(compares_a_secret(wrong), "{wrong}");
    }
    for fine in ["if code.digest == given {", "digest == Digest::of(self.secret.as_bytes())", "key.name == name"] {
        assert!(!compares_a_secret(fine), "{fine}");
    }
    let mut digests = 0;
    for (module, path, code) in source_files() {
        if module != "publish" || path.starts_with("publish/whip_out") || path.contains("peer/udp") {
            continue;
        }
        for line in code.lines() {
            assert!(!compares_a_secret(line), "src/{path}: {line}");
        }
        // A digest has one comparison, which is not the derived one, and no order and no hash that would need another.
        if let Some((before, after)) = code.split_once("pub struct Digest") {
            digests += 1;
            let derived = before.lines().last().unwrap_or_default();
            assert!(derived.contains("derive("), "{derived}");
            for name in ["PartialEq", "PartialOrd", "Hash"] {
                assert!(!derived.contains(name), "src/{path} derives {name} for digests");
            }
            let (_, equal) = after.split_once("impl PartialEq for Digest").expect("it has a comparison");
            let (body, _) = equal.split_once("\n}\n").expect("it ends");
            assert!(body.contains("self.0.ct_eq(&other.0).into()") && !body.contains("=="), "{body}");
        }
    }
    assert_eq!(digests, 1, "there is one kind of digest");
}

/// How long the answer to a request with this word took, which has to be a refusal.
fn refused(stream: &mut TcpStream, address: SocketAddr, word: &str) -> Duration {
    let request = format!("GET /state HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {word}\r\n\r\n");
    let mut answer = [0_u8; 4_096];
    let asked = Instant::now();
    stream.write_all(request.as_bytes()).expect("the server listens");
    let mut length = 0;
    loop {
        length += stream.read(&mut answer[length..]).expect("it answers");
        let text = std::str::from_utf8(&answer[..length]).expect("an answer is text");
        assert!(text.starts_with("HTTP/1.1 401"), "{text}");
        let whole = text.split_once("\r\n\r\n").and_then(|(head, body)| {
            let head = head.to_ascii_lowercase();
            let said = head.lines().find_map(|line| line.strip_prefix("content-length: "))?.parse::<usize>().ok()?;
            Some(body.len() >= said)
        });
        if whole == Some(true) {
            return asked.elapsed();
        }
    }
}

/// Mean and variance.
fn moments(all: &[f64]) -> (f64, f64) {
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    let variance = all.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / (all.len() - 1) as f64;
    (mean, variance)
}

/// Welch's t; beyond about 4.5 the two differ for sure.
fn welch(a: &[f64], b: &[f64]) -> f64 {
    let ((mean_a, variance_a), (mean_b, variance_b)) = (moments(a), moments(b));
    (mean_a - mean_b) / (variance_a / a.len() as f64 + variance_b / b.len() as f64).sqrt()
}

#[test]
fn a_wrong_secret_is_refused_however_much_of_it_is_right() {
    let times: usize = std::env::var("LENSCAST_TIMING").ok().and_then(|times| times.parse().ok()).unwrap_or(200);
    let (server, _jpegs) = Server::with_test_jpegs();
    let address = server.publisher.address();
    let token = server.host.door.add_token("VLC", Roles::WATCH, &[]).expect("there is room").secret;
    let standing = "0f".repeat(16);
    server.host.access.lock().unwrap().secret.clone_from(&standing);
    for (name, secret) in [("a token", &token), ("the standing link", &standing)] {
        assert_eq!(secret.len(), 32);
        let other = |letter: u8| if letter == b'0' { b'1' } else { b'0' };
        // Right but for its last letter, and right in none.
        let mut nearly = secret.clone().into_bytes();
        nearly[31] = other(nearly[31]);
        let far: Vec<u8> = secret.bytes().map(other).collect();
        let words = [far, nearly].map(|word| String::from_utf8(word).expect("digits are text"));
        let mut random = Random::new(7);
        let mut took = [Vec::new(), Vec::new()];
        let mut stream = connect(address);
        stream.set_nodelay(true).expect("sockets can do that");
        for _ in 0..times {
            let which = random.below(2);
            took[which].push(refused(&mut stream, address, &words[which]).as_secs_f64() * 1e6);
        }
        let raw = welch(&took[0], &took[1]);
        // What the system's other work held up says nothing of the comparison.
        let mut sorted: Vec<f64> = took.concat();
        sorted.sort_by(f64::total_cmp);
        let bound = sorted[sorted.len() * 95 / 100];
        let calm = took.map(|all| all.into_iter().filter(|time| *time <= bound).collect::<Vec<f64>>());
        println!(
            "{name}: {times} requests, {:.1} µs with none right, {:.1} µs with 31 of 32 right; Welch's t {:.2} without the \
             slowest twentieth, {raw:.2} with it",
            moments(&calm[0]).0,
            moments(&calm[1]).0,
            welch(&calm[0], &calm[1])
        );
    }
}
