//! A filter that is a program of its own, in Rust and without Lenscast: it could be in any language, and stand anywhere.
//!
//! ```text
//! cargo build --examples
//! lenscast serve --source pattern --filter-program target/debug/examples/external_filter --filter negative_program
//! ```
//!
//! `docs/extending.md` describes what goes over its pipes. The parameter `behaviour` makes it fail in every way that a
//! program can, which is how Lenscast's own tests use it.

use std::io::{self, Read, Write};
use std::time::Duration;

use serde_json::{Value, json};

const HEADER_BYTES: usize = 32;

fn main() -> io::Result<()> {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    // First say what this is, in one line; load what takes long only afterwards.
    writeln!(output, "{}", declaration())?;
    output.flush()?;
    eprintln!("ready");

    let mut header = [0; HEADER_BYTES];
    // The end of the input is the end of the program.
    while input.read_exact(&mut header).is_ok() {
        assert_eq!(&header[..6], b"LCFR\x01\0", "a frame of version 1 of the protocol");
        let number = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let (width, height, params_length) = (number(16), number(20), number(24));
        let mut params = vec![0; params_length as usize];
        input.read_exact(&mut params)?;
        let params: Value = serde_json::from_slice(&params)?;
        let mut pixels = vec![0; width as usize * height as usize * 4];
        input.read_exact(&mut pixels)?;

        negate(&mut pixels, &params);

        // The answer's header is the frame's, without parameters and flags.
        header[24..32].fill(0);
        misbehave(&params, &mut header, &mut output)?;
        output.write_all(&header)?;
        output.write_all(&pixels)?;
        output.flush()?;
    }
    Ok(())
}

fn declaration() -> Value {
    let option = |id: &str, label: &str| json!({ "id": id, "label": label });
    json!({
        "lenscast": 1,
        "id": "negative_program",
        "label": "Negative (program)",
        "doc": "Turns light into dark, as an example of a program.",
        "params": [
            { "kind": "number", "id": "amount", "label": "Amount", "unit": "fraction", "doc": "0 changes nothing.",
              "min": 0, "max": 1, "step": 0.01, "default": 1 },
            { "kind": "choice", "id": "behaviour", "label": "Behaviour", "doc": "What is to be tried out.",
              "default": "good", "options": [
                option("good", "As it should"), option("slow", "Slow"), option("hang", "Hang"), option("die", "Die"),
                option("garbage", "Print garbage"), option("wrong_size", "Answer with another size"),
                option("chatter", "Talk much on its error output"),
            ] },
        ],
    })
}

/// RGBA, in place; alpha stays.
fn negate(pixels: &mut [u8], params: &Value) {
    let amount = params["amount"].as_f64().unwrap_or(1.0);
    let table: Vec<u8> =
        (0..=255).map(|level| (f64::from(level) * (1.0 - 2.0 * amount) + 255.0 * amount) as u8).collect();
    for pixel in pixels.chunks_exact_mut(4) {
        for level in &mut pixel[..3] {
            *level = table[usize::from(*level)];
        }
    }
}

/// Does what a broken program does.
fn misbehave(params: &Value, header: &mut [u8; HEADER_BYTES], output: &mut impl Write) -> io::Result<()> {
    match params["behaviour"].as_str() {
        Some("slow") => std::thread::sleep(Duration::from_millis(900)),
        Some("hang") => loop {
            std::thread::sleep(Duration::from_secs(3_600));
        },
        Some("die") => return Err(io::Error::other("dying, as I was told")),
        Some("garbage") => writeln!(output, "debug: a line that somebody forgot to take out")?,
        Some("wrong_size") => header[16] ^= 1,
        Some("chatter") => (0..1_000).for_each(|line| eprintln!("line {line}")),
        _ => {}
    }
    Ok(())
}
