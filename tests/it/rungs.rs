//! The sizes of the picture over WebRTC: a viewer behind a narrow link takes a smaller one and the others notice nothing;
//! viewer and host choose one; for the player it stays one stream.

use std::time::Duration;

use lenscast::encode::Rung;
use serde_json::Value;

use crate::support::browser::Browser;
use crate::support::impaired::{Conditions, Impaired};
use crate::support::player::{open, play, play_through};
use crate::support::studio::{Scene, Studio, eventually};

/// More than the narrow link carries by far.
const SETTING_KBPS: u32 = 3_000;
const NARROW_KBPS: u32 = 400;
const QUEUE: Duration = Duration::from_millis(200);

/// Notes under a name when each frame of the player that came last is shown, how large it is, and its RTP timestamp.
fn watch(browser: &Browser, name: &str) {
    browser.run(&format!(
        "const video = window.video, frames = window.{name} = [];
        const note = (now, frame) => {{
            frames.push([now, frame.width, frame.rtpTimestamp]);
            video.requestVideoFrameCallback(note);
        }};
        video.requestVideoFrameCallback(note);"
    ));
}

/// What a player showed: milliseconds, width and timestamp of each frame.
fn shown(browser: &Browser, name: &str) -> Vec<(f64, u64, u64)> {
    let frames = browser.run(&format!("return window.{name}"));
    let number = |frame: &Value, at: usize| frame[at].as_f64().unwrap_or(0.0);
    let frames = frames.as_array().cloned().unwrap_or_default();
    frames.iter().map(|frame| (number(frame, 0), number(frame, 1) as u64, number(frame, 2) as u64)).collect()
}

fn width(browser: &Browser, name: &str) -> u64 {
    shown(browser, name).last().map_or(0, |(_, width, _)| *width)
}

fn choose(browser: &Browser, rung: &str) {
    let message = format!("{{ type: 'quality', data: {{ rung: '{rung}' }} }}");
    browser.run(&format!("window.channels.control.send(JSON.stringify({message}))"));
}

#[test]
fn a_narrow_link_gets_a_smaller_picture_and_the_other_viewer_notices_nothing() {
    let studio = Studio::showing(Scene::Rich, SETTING_KBPS);
    let browser = open(&studio);
    play(&browser, "?codec=h264", false);
    watch(&browser, "wide");
    // So that nothing closes it while the other one plays.
    browser.run("window.first = { pc: window.pc, channels: window.channels }");
    let network = Impaired::start(61);
    play_through(&browser, &network, "?codec=h264");
    watch(&browser, "narrow");
    eventually("both play the full size", || width(&browser, "wide") == 640 && width(&browser, "narrow") == 640);

    let viewer = |place: usize| studio.server.publisher.viewers()[place].clone();
    let (skipped, from) = (viewer(0).skipped, shown(&browser, "wide").len());
    network.down(Conditions::limited(NARROW_KBPS, QUEUE));
    eventually("the narrow link gets a smaller size", || viewer(1).rung.is_some_and(|rung| rung != "full"));
    eventually("it is shown", || (160..640).contains(&width(&browser, "narrow")));
    eventually("it is shown for a while", || {
        shown(&browser, "narrow").iter().filter(|(_, width, _)| *width < 640).count() > 60
    });
    assert_eq!((viewer(0).rung, viewer(0).skipped), (Some("full"), skipped), "the other one loses nothing");
    let seen = shown(&browser, "wide").split_off(from);
    assert!(seen.len() > 30 && seen.iter().all(|(_, width, _)| *width == 640), "{}", seen.len());
    assert!(viewer(0).kbps > 1_500.0, "the other one keeps its bitrate: {}", viewer(0).kbps);

    network.down(Conditions::default());
    eventually("the wide link has the full size again", || {
        viewer(1).rung == Some("full") && width(&browser, "narrow") == 640
    });
}

#[test]
fn viewer_and_host_choose_the_size_and_it_stays_one_stream() {
    let codecs: &[_] = if cfg!(feature = "vp8") { &["h264", "vp8"] } else { &["h264"] };
    for codec in codecs {
        let studio = Studio::showing(Scene::Rich, SETTING_KBPS);
        let browser = open(&studio);
        play(&browser, &format!("?codec={codec}"), false);
        watch(&browser, "shown");
        browser.wait_for("the channel is open", "return window.channels.control.readyState === 'open'");
        eventually("the full size plays", || width(&browser, "shown") == 640);
        for (rung, wanted) in [("half", 320), ("quarter", 160), ("full", 640), ("quarter", 160), ("half", 320)] {
            choose(&browser, rung);
            eventually("the chosen size is shown", || width(&browser, "shown") == wanted);
            eventually("the host sees it", || studio.server.publisher.viewers()[0].rung == Some(rung));
            assert_eq!(studio.server.publisher.viewers()[0].pinned, None, "the host chose nothing");
            let from = shown(&browser, "shown").len();
            eventually("it goes on", || shown(&browser, "shown").len() > from + 10);
        }
        let id = studio.server.publisher.viewers()[0].id;
        assert!(studio.server.publisher.pin(id, Some(Rung::Quarter)));
        eventually("what the host chose counts more", || width(&browser, "shown") == 160);
        assert_eq!(studio.server.publisher.viewers()[0].pinned, Some("quarter"));
        assert!(studio.server.publisher.pin(id, None));
        eventually("the viewer's choice counts again", || width(&browser, "shown") == 320);
        choose(&browser, "auto");
        eventually("a good link carries the full size", || width(&browser, "shown") == 640);
        assert!(!studio.server.publisher.pin(id + 1, None), "nobody is there");

        let seen = shown(&browser, "shown");
        let back = seen.windows(2).filter(|pair| {
            let step = (pair[1].2 as u32).wrapping_sub(pair[0].2 as u32);
            step == 0 || step > 90_000 * 5
        });
        assert_eq!(back.count(), 0, "{codec}: timestamps grow");
        let gaps = seen.windows(2).map(|pair| pair[1].0 - pair[0].0);
        println!("{codec}: the longest of {} gaps is {:.0} ms", seen.len(), gaps.fold(0.0, f64::max));
        drop(browser);
        eventually("no wish is left", || !studio.demand.is_wanted());
    }
}
