//! `lenscast explain`: how a chain is compiled, and what each pass costs on this computer.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::args::ExplainArgs;
use crate::capture::{PATTERN_SIZE, draw_pattern};
use crate::engine::files_now;
use crate::filter::{Chain, Entry};
use crate::frame::{BYTES_PER_PIXEL, Captured, PixelFormat};
use crate::geometry::Size;
use crate::pipeline::{LiveText, PassReport, Stage};

/// Runs the chain over a still test picture and says what happened.
///
/// # Errors
/// When a filter or the chain's file can't be read, or the output is closed.
pub fn explain(args: &ExplainArgs, output: &mut impl Write) -> anyhow::Result<()> {
    let chain = args.chain.read()?;
    let mut stage = Stage::new().with_files(Arc::new(files_now())).with_clock(Instant::now);
    let live = LiveText { clock: "12:34:56".to_owned(), date: "2026-03-01".to_owned(), ..LiveText::default() };
    let mut times: Vec<(Duration, Vec<PassReport>)> = Vec::new();
    let mut shown = None;
    for id in 0..u64::from(args.frames) {
        let captured = picture(args.size, id);
        let started = Instant::now();
        let frame = stage.process(captured, &chain, &live, started);
        times.push((started.elapsed(), stage.passes()));
        shown = frame.map(|frame| frame.size).or(shown);
    }
    // The first frames fill pools and caches.
    times.sort_by_key(|(took, _)| *took);
    let Some((took, passes)) = times.get(times.len() / 2) else { return Ok(()) };
    write_report(&chain, (args.size, shown), (*took, passes), stage.report(), output)?;
    Ok(())
}

fn write_report(
    chain: &Chain,
    (size, shown): (Size, Option<Size>),
    (took, passes): (Duration, &[PassReport]),
    errors: &[(u32, String)],
    output: &mut impl Write,
) -> io::Result<()> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let result = shown.map_or("nothing comes out".to_owned(), |size| format!("{size} comes out"));
    writeln!(output, "{size} goes in, {result}, {threads} threads")?;
    for (number, pass) in passes.iter().enumerate() {
        let names: Vec<_> = pass.keys.iter().map(|key| label(chain, *key)).collect();
        writeln!(
            output,
            "{:>3}  {:>8.2} ms  {:<44} {}",
            number + 1,
            milliseconds(pass.took),
            pass.kind.describe(),
            names.join(", ")
        )?;
        if let Some([now, most]) = pass.memory {
            writeln!(output, "     remembers {} of at most {} MiB", now >> 20, most.div_ceil(1 << 20))?;
        }
        if let Some(aside) = pass.aside {
            writeln!(output, "     takes {:.2} ms a picture beside the stream", milliseconds(aside))?;
        }
    }
    for item in chain.items() {
        let name = label(chain, item.key);
        if let Some((_, error)) = errors.iter().find(|(key, _)| *key == item.key) {
            writeln!(output, "  !  {name}: {error}")?;
        } else if !item.enabled {
            writeln!(output, "  -  {name}: turned off")?;
        } else if matches!(item.entry, Entry::Unknown { .. }) {
            writeln!(output, "  -  {name}: not available in this version")?;
        } else if !passes.iter().any(|pass| pass.keys.contains(&item.key)) {
            writeln!(output, "  -  {name}: changes nothing, costs nothing")?;
        }
    }
    let rate = 1.0 / took.as_secs_f64().max(1e-6);
    writeln!(
        output,
        "     {:>8.2} ms in all, enough for {:.0} pictures a second",
        milliseconds(took),
        rate.min(9_999.0)
    )
}

fn label(chain: &Chain, key: u32) -> String {
    match chain.item(key).map(|item| &item.entry) {
        Some(Entry::Filter(filter)) => filter.spec().label.to_owned(),
        Some(Entry::Unknown { id, .. }) => id.clone(),
        None => format!("item {key}"),
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The test pattern, repeated over a picture of any size.
fn picture(size: Size, id: u64) -> Captured {
    let mut pattern = vec![0; PATTERN_SIZE.pixels() * BYTES_PER_PIXEL];
    draw_pattern(id as u32, &mut pattern);
    let (tile, stride) = (PATTERN_SIZE.width as usize * BYTES_PER_PIXEL, size.width as usize * BYTES_PER_PIXEL);
    let mut pixels = Vec::with_capacity(size.pixels() * BYTES_PER_PIXEL);
    for y in 0..size.height as usize {
        let row = &pattern[y % PATTERN_SIZE.height as usize * tile..][..tile];
        pixels.extend(row.iter().copied().cycle().take(stride));
    }
    Captured {
        id,
        size,
        format: PixelFormat::Rgba,
        pixels: pixels.into(),
        at: Instant::now(),
        desktop_from_source: None,
        pointer: None,
        pressed: false,
    }
}
