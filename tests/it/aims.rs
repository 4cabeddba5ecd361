//! Whether what is clicked is what is seen: marks are painted on a real X screen of two monitors, found in the picture that a
//! real page shows of it through random chains, and clicked there. A hundred times each; `LENSCAST_AIMS=1000` aims a
//! thousand times and prints the table of docs/robustness.md.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lenscast::geometry::{Geometry, Output, Point, Size};
use serde_json::{Value, json};

use crate::desktop::{GROUND, deeds, two_monitors};
use crate::filters::{blank, chain_of};
use crate::support::program::Program;
use crate::support::random::Random;
use crate::support::studio::eventually;
use crate::support::viewing::{PICTURE, Viewing};
use crate::support::xserver::{Deed, Desk, Rgb};

const GEOMETRIC: [&str; 11] =
    ["crop", "pad", "scale", "rotate", "flip", "zoom", "perspective", "lens", "kaleidoscope", "wave", "swirl"];
/// By turns, so that a picture of before is known by its colours; all of them far brighter than the ground.
const COLORS: [[Rgb; 3]; 2] =
    [[[255, 70, 255], [0, 255, 0], [255, 255, 255]], [[0, 255, 255], [255, 130, 60], [255, 255, 0]]];
/// The side of a mark on the desktop. It is odd, so that its middle is the middle of a pixel.
const SIDE: i16 = 15;
/// Marks painted one after the other for one chain.
const ROUNDS: usize = 3;
/// CSS pixels of the window and the page's zoom, which browsers tell as pixels of the screen for each of those.
const WINDOWS: [(u32, u32, f64); 3] = [(1_280, 900, 1.0), (720, 1_000, 2.0), (1_700, 640, 1.25)];

/// A mark as the page shows it.
struct Sight {
    color: usize,
    /// Its middle in the picture, and how many of the picture's pixels it has.
    middle: (f64, f64),
    area: f64,
    /// Half of what it takes across and down.
    reach: f64,
    /// Where on the page its middle is; `None` where it can't be clicked.
    place: Option<(f64, f64)>,
}

/// What is on the page: the marks, the picture's size, and CSS pixels for each of its pixels.
struct Look {
    sights: Vec<Sight>,
    size: Size,
    scale: f64,
    /// The page shows only a part of it, larger.
    zoomed: bool,
}

/// How far a click was from its mark.
struct Miss {
    /// In pixels of the desktop, of the picture, and of the page's own.
    desktop: (f64, f64),
    picture: (f64, f64),
    css: (f64, f64),
    zoomed: bool,
}

#[derive(Default)]
struct Row {
    misses: Vec<Miss>,
    /// Marks that were in sight, and not whole or bent within themselves.
    unclear: usize,
}

fn longest((x, y): (f64, f64)) -> f64 {
    x.abs().max(y.abs())
}

impl Miss {
    /// In pixels of whatever is the coarsest on the way.
    fn of_the_coarsest(&self) -> f64 {
        longest(self.desktop).min(longest(self.picture)).min(longest(self.css))
    }
}

/// Parameters that leave something to see.
fn params(id: &str, random: &mut Random) -> Value {
    let mut within = |from: f64, to: f64| ((from + (to - from) * random.unit()) * 1e3).round() / 1e3;
    match id {
        "crop" => json!({ "left": within(0.0, 0.25), "top": within(0.0, 0.25), "right": within(0.0, 0.25),
            "bottom": within(0.0, 0.25) }),
        "pad" => json!({ "left": within(0.0, 0.2), "top": within(0.0, 0.2), "right": within(0.0, 0.2) }),
        "scale" => json!({ "percent": within(45.0, 150.0).round() }),
        "rotate" => json!({ "degrees": within(-180.0, 180.0), "expand": within(0.0, 1.0) < 0.5 }),
        "flip" => {
            let which = within(0.0, 3.0) as u8;
            json!({ "horizontal": which != 1, "vertical": which != 0 })
        }
        "zoom" => json!({ "factor": within(1.0, 2.5), "x": within(0.2, 0.8), "y": within(0.2, 0.8) }),
        "perspective" => json!({ "top_left_x": within(-0.1, 0.25), "top_left_y": within(-0.1, 0.25),
            "top_right_x": within(0.75, 1.1), "top_right_y": within(-0.1, 0.25), "bottom_right_x": within(0.75, 1.1),
            "bottom_right_y": within(0.75, 1.1), "bottom_left_x": within(-0.1, 0.25),
            "bottom_left_y": within(0.75, 1.1) }),
        "lens" => json!({ "k1": within(-0.3, 0.3), "k2": within(-0.1, 0.1) }),
        "kaleidoscope" => json!({ "amount": within(2.0, 6.0).round(), "angle": within(-180.0, 180.0).round() }),
        "wave" => json!({ "amount": within(0.005, 0.04), "frequency": within(0.5, 4.0),
            "angle": within(-180.0, 180.0).round() }),
        "swirl" => json!({ "angle": within(-150.0, 150.0).round(), "amount": within(0.5, 1.0) }),
        other => panic!("no parameters for {other}"),
    }
}

/// Each filter by itself in turn, and then two to four of them in any order; never a picture too small or too large to watch.
fn next_chain(number: usize, source: Size, random: &mut Random) -> (String, Vec<Value>, Arc<Geometry>) {
    loop {
        let (name, ids) = match number % 22 {
            alone @ 0..11 => (GEOMETRIC[alone].to_owned(), vec![GEOMETRIC[alone]]),
            _ => {
                let ids: Vec<&str> = (0..2 + random.below(3)).map(|_| GEOMETRIC[random.below(11)]).collect();
                (format!("{} of them", ids.len()), ids)
            }
        };
        let filters: Vec<Value> = ids.iter().map(|id| json!({ "filter": id, "params": params(id, random) })).collect();
        let geometry = blank(source, &chain_of(json!(filters)));
        let Size { width, height } = geometry.output;
        if (240..=1_500).contains(&width) && (180..=1_200).contains(&height) {
            return (name, filters, geometry);
        }
    }
}

/// Puts these filters into the program's chain, in place of whatever was there, and waits until the page shows them.
fn show_through(filters: &[Value], program: &Program, viewing: &Viewing) {
    let before = program.state()["geometry"]["epoch"].clone();
    let chain = program.ask("GET", "/api/v1/chain", "", "").json();
    let mut patch: serde_json::Map<String, Value> = serde_json::Map::new();
    for old in chain["filters"].as_object().into_iter().flat_map(|filters| filters.keys()) {
        patch.insert(old.clone(), Value::Null);
    }
    for (at, filter) in filters.iter().enumerate() {
        patch.insert(format!("new{at}"), filter.clone());
    }
    program.patch_chain(&json!({ "filters": patch }));
    eventually("the page shows the new chain", || {
        let newest = program.state()["geometry"]["epoch"].clone();
        newest != before && newest.is_number() && viewing.says("epoch") == newest
    });
}

/// Everything on the picture that has the colour of a mark.
fn look(viewing: &Viewing) -> Look {
    let script = format!(
        "const {{ element, width, height, box, scale }} = (() => {{ {PICTURE} }})();
         window.aimed ??= new OffscreenCanvas(1, 1).getContext('2d', {{ willReadFrequently: true }});
         const {{ canvas }} = window.aimed;
         if (canvas.width !== width || canvas.height !== height) canvas.width = width, canvas.height = height;
         window.aimed.drawImage(element, 0, 0);
         const pixels = window.aimed.getImageData(0, 0, width, height).data, ground = {GROUND:?};
         const colors = {COLORS:?}.flat();
         // By brightness, because colours are told for four pixels at once; less than this is the codec's ringing.
         const bright = new Float32Array(width * height);
         for (let at = 0; at < bright.length; at++)
           bright[at] = 0.299 * pixels[at * 4] + 0.587 * pixels[at * 4 + 1] + 0.114 * pixels[at * 4 + 2] - ground[0];
         const found = [], left = box.left + (box.width - width * scale) / 2, top = box.top + (box.height - height * scale) / 2;
         const stage = document.getElementById('stage'), done = new Uint8Array(width * height);
         for (let from = 0; from < bright.length; from++) {{
           if (bright[from] < 60 || done[from]) continue;
           const all = [], open = [from];
           done[from] = 1;
           let peak = 0, minX = 1e9, maxX = 0, minY = 1e9, maxY = 0;
           while (open.length) {{
             const at = open.pop(), x = at % width, y = (at - x) / width;
             all.push(at), peak = Math.max(peak, bright[at]);
             minX = Math.min(minX, x), maxX = Math.max(maxX, x), minY = Math.min(minY, y), maxY = Math.max(maxY, y);
             for (const [to, inside] of [[at - 1, x > 0], [at + 1, x < width - 1], [at - width, y > 0], [at + width, y < height - 1]])
               if (inside && !done[to] && bright[to] > 24) done[to] = 1, open.push(to);
           }}
           // Each pixel counts by how much of it is the mark's, and the ones that are all of it tell the colour.
           let area = 0, sumX = 0, sumY = 0, pure = 0;
           const mean = [0, 0, 0];
           for (const at of all) {{
             const part = Math.min(1, bright[at] / (0.94 * peak)), x = at % width, y = (at - x) / width;
             area += part, sumX += part * (x + 0.5), sumY += part * (y + 0.5);
             if (part > 0.9) pure++, mean.forEach((_, c) => mean[c] += pixels[at * 4 + c]);
           }}
           if (area < 8) continue;
           const far = colors.map((color) => color.reduce((sum, channel, c) => sum + (channel - mean[c] / pure) ** 2, 0));
           const kind = far.indexOf(Math.min(...far));
           if (far[kind] > 8000) continue;
           const x = sumX / area, y = sumY / area, pageX = left + x * scale, pageY = top + y * scale;
           const under = document.elementFromPoint(pageX, pageY);
           const whole = minX > 1 && minY > 1 && maxX < width - 2 && maxY < height - 2;
           const free = Boolean(whole && under && stage.contains(under) && !under.closest('[data-over-stage]'));
           found.push([kind, x, y, area, Math.max(maxX - minX, maxY - minY) / 2 + 1, free, pageX, pageY]);
         }}
         return {{ found, width, height, scale, zoomed: lenscast.zoom > 1.001 }};"
    );
    let seen = viewing.browser.run(&script);
    let number = |value: &Value| value.as_f64().expect("a number");
    let sight = |one: &Value| Sight {
        color: number(&one[0]) as usize,
        middle: (number(&one[1]), number(&one[2])),
        area: number(&one[3]),
        reach: number(&one[4]),
        place: (one[5] == true).then(|| (number(&one[6]), number(&one[7]))),
    };
    Look {
        sights: seen["found"].as_array().expect("a list").iter().map(sight).collect(),
        size: Size::new(number(&seen["width"]) as u32, number(&seen["height"]) as u32),
        scale: number(&seen["scale"]),
        zoomed: seen["zoomed"] == true,
    }
}

/// What the page shows once it shows the marks of these colours, and none of before.
fn settled_look(viewing: &Viewing, palette: usize) -> Look {
    let mut last: Vec<(f64, f64)> = Vec::new();
    let mut seen = None;
    eventually("the page shows the new marks", || {
        std::thread::sleep(Duration::from_millis(40));
        let now = look(viewing);
        let fresh = now.sights.iter().all(|sight| sight.color / 3 == palette);
        let places: Vec<(f64, f64)> = now.sights.iter().map(|sight| sight.middle).collect();
        // Pictures still get better for a moment once nothing moves any more.
        let calm = places.len() == last.len()
            && places.iter().zip(&last).all(|(a, b)| (a.0 - b.0).abs() < 0.2 && (a.1 - b.1).abs() < 0.2);
        last = places;
        let done = fresh && calm;
        seen = Some(now);
        done
    });
    seen.expect("it was looked at")
}

/// How the source goes on around a place of the picture: columns of the derivative, or `None` where a mark so large is
/// not whole there, or bent.
fn derivative(geometry: &Geometry, look: &Look, sight: &Sight) -> Option<[(f64, f64); 2]> {
    let (rx, ry) = (
        f64::from(geometry.output.width) / f64::from(look.size.width),
        f64::from(geometry.output.height) / f64::from(look.size.height),
    );
    let source = |x: f64, y: f64| {
        let point: Point<Output> = Point::new(x * rx, y * ry);
        geometry.source_from_output(point).map(|point| (point.x, point.y))
    };
    let (x, y) = sight.middle;
    let here = source(x, y)?;
    let slope = |a: (f64, f64), b: (f64, f64)| ((a.0 - b.0) / 2.0, (a.1 - b.1) / 2.0);
    let across = slope(source(x + 1.0, y)?, source(x - 1.0, y)?);
    let down = slope(source(x, y + 1.0)?, source(x, y - 1.0)?);
    for step in 0..8 {
        let (sin, cos) = (f64::from(step) * std::f64::consts::FRAC_PI_4).sin_cos();
        let (dx, dy) = (cos * sight.reach, sin * sight.reach);
        let there = source(x + dx, y + dy)?;
        let straight = (here.0 + across.0 * dx + down.0 * dy, here.1 + across.1 * dx + down.1 * dy);
        if longest((there.0 - straight.0, there.1 - straight.1)) > 1.0 {
            return None;
        }
    }
    let whole = f64::from(SIDE).powi(2) / (across.0 * down.1 - across.1 * down.0).abs();
    (whole >= 16.0 && (0.75..1.3).contains(&(sight.area / whole))).then_some([across, down])
}

/// Presses and releases the left button at a place that need not be a whole CSS pixel.
fn click(viewing: &Viewing, (x, y): (f64, f64)) {
    for (kind, buttons) in [("mouseMoved", 0), ("mousePressed", 1), ("mouseReleased", 0)] {
        let button = if kind == "mouseMoved" { "none" } else { "left" };
        let event = json!({ "type": kind, "x": x, "y": y, "button": button, "buttons": buttons, "clickCount": 1 });
        viewing.browser.devtools("Input.dispatchMouseEvent", &event);
    }
}

/// Three marks of a palette at random places of a monitor; gives the middles.
fn paint(desk: &Desk, (left, top): (i16, i16), size: Size, palette: usize, random: &mut Random) -> [(i16, i16); 3] {
    let (width, height) = (size.width as i16, size.height as i16);
    desk.paint((left, top, width as u16, height as u16), GROUND);
    let mut middles: Vec<(i16, i16)> = Vec::new();
    while middles.len() < 3 {
        // Away from the edge and from each other, so that each is whole and by itself.
        let place = |length: i16, random: &mut Random| 24 + random.below(length as usize - 48) as i16;
        let middle = (left + place(width, random), top + place(height, random));
        let apart = |other: &(i16, i16)| (other.0 - middle.0).abs().max((other.1 - middle.1).abs()) > 40;
        if middles.iter().all(apart) {
            middles.push(middle);
        }
    }
    let half = SIDE / 2;
    for (color, (x, y)) in COLORS[palette].into_iter().zip(&middles) {
        desk.paint((x - half, y - half, SIDE as u16, SIDE as u16), color);
    }
    middles.try_into().expect("there are three")
}

/// What is aimed at through one chain in one window, until there are enough.
struct Range<'a> {
    program: &'a Program,
    viewing: &'a Viewing,
    desk: &'a Desk,
    origin: (i16, i16),
    size: Size,
}

impl Range<'_> {
    /// Zooms into the page's picture around a random place, as Ctrl and the wheel do, or out again.
    fn zoom(&self, random: &mut Random) {
        self.viewing.browser.run("document.getElementById('zoom').click()");
        for _ in 0..random.below(3) {
            let (x, y) = self.viewing.at_fraction(0.3 + 0.4 * random.unit(), 0.3 + 0.4 * random.unit());
            let turn = -100 - random.below(200) as i32;
            let event = json!({ "type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": turn, "modifiers": 2 });
            self.viewing.browser.devtools("Input.dispatchMouseEvent", &event);
        }
    }

    fn aim(&self, number: usize, random: &mut Random, rows: &mut BTreeMap<String, Row>) -> usize {
        let (name, filters, geometry) = next_chain(number, self.size, random);
        show_through(&filters, self.program, self.viewing);
        let mut done = 0;
        for round in 0..ROUNDS {
            // The last one of the chain before was the other one, too.
            let palette = (number + round) % 2;
            self.zoom(random);
            let middles = paint(self.desk, self.origin, self.size, palette, random);
            let seen = settled_look(self.viewing, palette);
            let row = rows.entry(name.clone()).or_default();
            for (color, (x, y)) in middles.into_iter().enumerate() {
                // Where mirrors show it several times, every one of them has to lead back; one is enough at a time.
                let shown = seen.sights.iter().filter(|sight| sight.color == palette * 3 + color);
                let shown: Vec<&Sight> = shown.filter(|sight| sight.place.is_some()).collect();
                if shown.is_empty() {
                    continue;
                }
                let sight = shown[random.below(shown.len())];
                let (Some([across, down]), Some(place)) = (derivative(&geometry, &seen, sight), sight.place) else {
                    row.unclear += 1;
                    continue;
                };
                self.desk.seen();
                click(self.viewing, place);
                let done_there = deeds(self.desk, 2);
                assert_eq!((done_there[0].deed, done_there[1].deed), (Deed::Press(1), Deed::Release(1)));
                let desktop = (f64::from(done_there[0].at.0 - x), f64::from(done_there[0].at.1 - y));
                let whole = across.0 * down.1 - across.1 * down.0;
                let picture = (
                    (desktop.0 * down.1 - desktop.1 * down.0) / whole,
                    (desktop.1 * across.0 - desktop.0 * across.1) / whole,
                );
                let css = (picture.0 * seen.scale, picture.1 * seen.scale);
                let miss = Miss { desktop, picture, css, zoomed: seen.zoomed };
                let off = miss.of_the_coarsest();
                assert!(
                    off <= 1.0,
                    "chain {number}, {}: the mark at {x}, {y} is missed by {desktop:?} pixels of the desktop, \
                     {picture:?} of the picture, {css:?} of the page",
                    json!(filters)
                );
                row.misses.push(miss);
                done += 1;
            }
        }
        done
    }
}

fn print(rows: &BTreeMap<String, Row>, took: Duration) {
    println!(
        "| Through | aimed | on the very pixel | at most, desktop | at most, picture | at most, the coarsest | left out |"
    );
    println!("|---|---|---|---|---|---|---|");
    let mut all = (0, 0, 0.0_f64, 0);
    for (name, row) in rows.iter().filter(|(_, row)| !row.misses.is_empty()) {
        let count = row.misses.len();
        let exact = row.misses.iter().filter(|miss| longest(miss.desktop) == 0.0).count();
        let most = |of: &dyn Fn(&Miss) -> f64| row.misses.iter().map(of).fold(0.0, f64::max);
        let coarsest = most(&Miss::of_the_coarsest);
        println!(
            "| {name} | {count} | {:.0} % | {:.0} px | {:.2} px | {coarsest:.2} px | {} |",
            100.0 * exact as f64 / count as f64,
            most(&|miss| longest(miss.desktop)),
            most(&|miss| longest(miss.picture)),
            row.unclear
        );
        all = (all.0 + count, all.1 + exact, all.2.max(coarsest), all.3 + row.unclear);
    }
    println!("| all | {} | {:.0} % | | | {:.2} px | {} |", all.0, 100.0 * all.1 as f64 / all.0 as f64, all.2, all.3);
    let zoomed = rows.values().flat_map(|row| &row.misses).filter(|miss| miss.zoomed).count();
    println!("{zoomed} of them while the page had zoomed in; in {:.0} s", took.as_secs_f64());
}

#[test]
fn every_click_lands_within_a_pixel_of_the_mark_that_was_seen_under_it() {
    let wanted: usize = std::env::var("LENSCAST_AIMS").ok().and_then(|times| times.parse().ok()).unwrap_or(100);
    let seed = 2_026;
    let (begun, mut random, mut rows) = (Instant::now(), Random::new(seed), BTreeMap::new());
    let (server, monitors) = two_monitors();
    let desk = server.desk().cover(GROUND);
    let viewing = Viewing::open();
    let (mut done, mut number, mut places) = (0, 0, 0);
    for (name, origin, size) in monitors {
        let source = format!("screen:{name}");
        let program = Program::serve(Some(server.display()), &["--source", &source, "--control", "--quality", "95"]);
        for (width, height, density) in WINDOWS {
            let shape = json!({ "width": width, "height": height, "deviceScaleFactor": density, "mobile": false });
            viewing.browser.devtools("Emulation.setDeviceMetricsOverride", &shape);
            // Each of the six places by another way than the one before.
            let query = if places % 2 == 0 { "?transport=websocket" } else { "?transport=webrtc" };
            places += 1;
            viewing.watch(&program, query);
            viewing.wait_for_control();
            viewing.browser.run("document.getElementById('notice').style.display = 'none'");
            let range = Range { program: &program, viewing: &viewing, desk: &desk, origin, size };
            while done < wanted * places / 6 {
                done += range.aim(number, &mut random, &mut rows);
                number += 1;
            }
        }
    }
    eprintln!("seed {seed}, {number} chains");
    print(&rows, begun.elapsed());
}
