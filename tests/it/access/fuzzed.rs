//! The corpora of the fuzz targets, and thousands of seeded mutations of each of their files.

use std::path::Path;

use crate::support::random::Random;

#[path = "../../../fuzz/entries.rs"]
mod entries;

/// Every file is taken as it is, and all of them together damaged so many times.
const DAMAGED: u64 = 4_000;

fn run(name: &str, entry: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut files: Vec<Vec<u8>> = std::fs::read_dir(folder)
        .expect("the corpus is part of the source")
        .map(|file| std::fs::read(file.expect("it can be listed").path()).expect("it can be read"))
        .collect();
    files.sort();
    assert!(files.len() >= 4, "the corpus is there");
    let each = DAMAGED.div_ceil(files.len() as u64);
    for (number, file) in files.iter().enumerate() {
        entry(file);
        for seed in 0..each {
            let mut random = Random::new(number as u64 * each + seed);
            let other = &files[random.below(files.len())];
            let damaged = damage(file, other, &mut random);
            let outcome = std::panic::catch_unwind(|| entry(&damaged));
            assert!(outcome.is_ok(), "{name}, file {number}, seed {seed}: {}", String::from_utf8_lossy(&damaged));
        }
    }
}

/// What fuzzers do: bits, bytes, pieces moved, left out and doubled, and halves of two put together.
fn damage(file: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = file.to_vec();
    for _ in 0..=random.below(6) {
        if bytes.is_empty() {
            bytes.push(random.next() as u8);
        }
        let (from, to) = (random.below(bytes.len()), random.below(bytes.len()));
        let (from, to) = (from.min(to), from.max(to));
        match random.below(6) {
            0 => bytes[from] ^= 1 << random.below(8),
            1 => bytes[from] = random.next() as u8,
            2 => drop(bytes.drain(from..to)),
            3 => {
                let piece = bytes[from..to].to_vec();
                bytes.splice(from..from, piece);
            }
            4 => bytes.insert(from, b"\n:[]{}\",.0x%\x00\xff"[random.below(14)]),
            _ => {
                bytes.truncate(from);
                bytes.extend_from_slice(&other[random.below(other.len().max(1)).min(other.len())..]);
            }
        }
        bytes.truncate(20_000);
    }
    bytes
}

#[test]
fn no_request_however_damaged_gets_past_the_rules() {
    run("http_policy", entries::http_policy);
}

#[test]
fn whatever_happens_at_the_door_nobody_is_let_in_who_was_not_asked_in() {
    run("pairing", entries::pairing);
}

#[test]
fn no_message_however_damaged_breaks_anything() {
    run("messages", entries::messages);
}
