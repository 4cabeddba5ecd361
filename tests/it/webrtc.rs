//! WHEP from outside: a real Chromium plays what is sent and speaks on the data channels, and whatever else comes is
//! refused without leaving anything behind.

use std::sync::atomic::Ordering;
use std::time::Duration;

use lenscast::input::PointerKind;
use lenscast::publish::{MOST_VIEWERS, Transport};
use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::impaired::{Conditions, Impaired};
use crate::support::player::{open, play, play_through};
use crate::support::studio::{SECRET, Studio, eventually};
use crate::support::wire::{Answer, ask, ask_bare};

/// What has been decoded: frames, and the codec they came in.
const DECODED: &str = r"
    const stats = await window.pc.getStats();
    const inbound = [...stats.values()].find((entry) => entry.type === 'inbound-rtp' && entry.kind === 'video');
    return inbound && { frames: inbound.framesDecoded ?? 0, codec: stats.get(inbound.codecId)?.mimeType, key: inbound.keyFramesDecoded,
        width: inbound.frameWidth, dropped: inbound.framesDropped, rtx: inbound.retransmittedPacketsReceived };
";

fn decoded(browser: &Browser) -> (u64, String) {
    let seen = browser.run_async(DECODED);
    (seen["frames"].as_u64().unwrap_or(0), seen["codec"].as_str().unwrap_or_default().to_owned())
}

fn said(browser: &Browser, kind: &str) -> Vec<Value> {
    let record = browser.run("return window.record");
    let messages = record.as_array().cloned().unwrap_or_default();
    messages.into_iter().filter(|message| message["type"] == kind).map(|message| message["data"].clone()).collect()
}

#[test]
fn chromium_plays_both_codecs_and_leaves_nothing_behind() {
    let studio = Studio::start();
    let browser = open(&studio);
    let codecs: &[_] = if cfg!(feature = "vp8") { &["h264", "vp8"] } else { &["h264"] };
    for &codec in codecs {
        let begun = play(&browser, &format!("?codec={codec}"), false);
        assert_eq!((&begun["status"], &begun["type"]), (&json!(201), &json!("application/sdp")), "{begun}");
        assert!(
            begun["sdp"].as_str().is_some_and(|sdp| sdp.contains("a=candidate:") && sdp.contains("a=setup:passive"))
        );
        eventually("Chromium decodes frames", || decoded(&browser).0 > 30);
        assert_eq!(decoded(&browser).1.to_lowercase(), format!("video/{codec}"));
        let viewers = studio.server.publisher.viewers();
        assert_eq!((viewers.len(), viewers[0].codec), (1, codec));
        assert!(viewers[0].sent > 30 && viewers[0].kbps > 1.0, "{viewers:?}");

        // DELETE is 200, as OBS wants it.
        let status = browser.run_async(&format!(
            "return (await fetch(window.place, {{ method: 'DELETE', headers: {{ Authorization: 'Bearer {SECRET}' }} }})).status"
        ));
        assert_eq!(status, 200);
        eventually("the session is gone", || studio.server.publisher.sessions() == 0);
        eventually("no wish is left", || !studio.demand.is_wanted());
        assert!(studio.server.publisher.viewers().is_empty());
        browser.run("window.pc.close()");
    }
}

#[test]
fn a_still_picture_is_there_at_once_and_the_page_hears_of_it() {
    let studio = Studio::start();
    let browser = open(&studio);
    studio.moving.store(false, Ordering::Relaxed);
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(play(&browser, "", false)["status"], 201);
    eventually("the still picture is decoded", || decoded(&browser).0 > 0);
    eventually("the state comes once a second", || said(&browser, "state").len() >= 2);
    let hello = said(&browser, "hello");
    assert_eq!((hello.len(), &hello[0]["protocol"]), (1, &json!(1)));
    assert_eq!(hello[0]["version"], env!("CARGO_PKG_VERSION"));
    let geometry = said(&browser, "geometry");
    assert_eq!(
        (&geometry[0]["epoch"], &geometry[0]["width"], &geometry[0]["pointer"]),
        (&json!(1), &json!(320), &json!(true))
    );
    let state = &said(&browser, "state")[0];
    assert_eq!((&state["source"], &state["control"]), (&json!("Test pattern"), &json!(true)));
    let frame = &said(&browser, "frame")[0];
    for (earlier, later) in [("captured_us", "filtered_us"), ("filtered_us", "encoded_us"), ("encoded_us", "sent_us")] {
        assert!(frame[earlier].as_u64() <= frame[later].as_u64(), "{frame}");
    }
    assert!(frame["rtp"].is_u64());

    // Something changes: the page hears of it without waiting for the next second's turn.
    studio.server.host.access.lock().unwrap().control = false;
    eventually("the page hears that control is gone", || {
        said(&browser, "state").last().is_some_and(|state| state["control"] == false)
    });
}

#[test]
fn the_data_channels_carry_pings_reports_and_clicks_and_refuse_nonsense() {
    let studio = Studio::start();
    let browser = open(&studio);
    assert_eq!(play(&browser, "", false)["status"], 201);
    eventually("the host says hello", || !said(&browser, "hello").is_empty());
    browser.wait_for(
        "all channels open",
        "return Object.values(window.channels).every((channel) => channel.readyState === 'open')",
    );
    browser.run(
        r#"const { control, pointer, moves } = window.channels;
        control.send(JSON.stringify({ type: 'ping', data: { t0: 12.5 } }));
        control.send(JSON.stringify({ type: 'report', data: { delay_ms: 41, fps: 29.5, width: null, height: null, dropped: 0 } }));
        control.send(JSON.stringify({ type: 'from_the_future', data: 7 }));
        moves.send(JSON.stringify({ type: 'pointer', data: { kind: 'move', x: 0.25, y: 0.75, epoch: 1, seq: 0, t: 1 } }));
        pointer.send(JSON.stringify({ type: 'pointer', data: { kind: 'down', x: 0.5, y: 0.5, button: 'left', epoch: 1, seq: 1 } }));
        pointer.send(JSON.stringify({ type: 'pointer', data: { kind: 'up', x: 0.5, y: 0.5, button: 'left', epoch: 1, seq: 2 } }));"#,
    );
    eventually("the ping is answered", || !said(&browser, "pong").is_empty());
    let pong = &said(&browser, "pong")[0];
    assert_eq!(pong["t0"], 12.5);
    assert!(pong["t1_us"].as_u64() <= pong["t2_us"].as_u64());
    let id = studio.server.publisher.viewers()[0].id;
    eventually("three events arrive", || studio.server.host.pointer.lock().unwrap().len() >= 3);
    let events = studio.server.host.pointer.lock().unwrap().clone();
    let event = |seq| events.iter().find_map(|(by, event)| event.filter(|event| *by == id && event.seq == seq));
    assert_eq!(event(0).map(|event| event.position), Some(Some((0.25, 0.75))));
    assert!(matches!(event(1).map(|event| event.kind), Some(PointerKind::Down(_))));
    eventually("the report is listed", || studio.server.publisher.viewers()[0].delay_ms == Some(41.0));
    assert!(studio.server.publisher.viewers()[0].controls);

    // The down had no release, and the page does not ping every 300 ms: the host lets go by itself.
    eventually("what is held is released", || {
        studio.server.host.pointer.lock().unwrap().iter().any(|(by, event)| *by == id && event.is_none())
    });

    for nonsense in
        ["'{'", "'[]'", "new Uint8Array(9)", r#"'{"type":"pointer","data":{"kind":"jump"}}'"#, "'x'.repeat(60000)"]
    {
        let before = said(&browser, "error").len();
        eventually("the host says what is wrong", || {
            browser.run(&format!("window.channels.control.send({nonsense})"));
            said(&browser, "error").len() > before
        });
    }
    let frames = decoded(&browser).0;
    eventually("the picture goes on", || decoded(&browser).0 > frames);

    studio.server.host.access.lock().unwrap().control = false;
    let before = studio.server.host.pointer.lock().unwrap().iter().filter(|(_, event)| event.is_some()).count();
    eventually("the page is told that it may not", || {
        browser.run(r#"window.channels.pointer.send(JSON.stringify({ type: 'pointer', data: { kind: 'move', x: 0.5, y: 0.5, seq: 9 } }))"#);
        said(&browser, "warning")
            .iter()
            .any(|warning| warning["message"].as_str().is_some_and(|text| text.contains("control")))
    });
    let after = studio.server.host.pointer.lock().unwrap().iter().filter(|(_, event)| event.is_some()).count();
    assert_eq!(after, before);

    // The page goes away without a word; closing the channel is what says so.
    browser.run("window.pc.close()");
    eventually("the session is gone", || studio.server.publisher.sessions() == 0);
}

#[test]
fn an_offer_with_audio_is_answered_without_it() {
    let studio = Studio::start();
    let browser = open(&studio);
    let begun = play(&browser, "", true);
    assert_eq!(begun["status"], 201, "{begun}");
    eventually("the picture plays", || decoded(&browser).0 > 10);
}

#[test]
fn disconnecting_and_stopping_end_the_page_s_session() {
    let studio = Studio::start();
    let browser = open(&studio);
    for end in [true, false] {
        assert_eq!(play(&browser, "", false)["status"], 201);
        eventually("the picture plays", || decoded(&browser).0 > 0);
        if end {
            assert!(studio.server.publisher.disconnect(studio.server.publisher.viewers()[0].id));
        } else {
            studio.server.publisher.stop();
        }
        browser.wait_for("the page hears of the end", "return window.closed === true || window.pc.connectionState === 'closed' || window.pc.connectionState === 'disconnected' || window.pc.connectionState === 'failed'");
        browser.run("window.closed = false; window.pc.close()");
        eventually("the session is gone", || studio.server.publisher.sessions() == 0);
    }
    eventually("no wish is left", || !studio.demand.is_wanted());
}

#[test]
fn the_viewer_page_plays_and_its_clicks_arrive() {
    let studio = Studio::start();
    let browser = Browser::open(&[]);
    browser.go(&studio.server.url(&format!("/#s={SECRET}")));
    browser.wait_for("the picture plays", "return document.querySelector('video')?.videoWidth === 320");
    assert_eq!(studio.server.publisher.viewers()[0].transport, Transport::Webrtc);
    let switch = "document.getElementById('control')";
    browser.wait_for("control is offered", &format!("return !{switch}.hidden"));
    browser.run(&format!("if ({switch}.getAttribute('aria-checked') !== 'true') {switch}.click()"));
    browser.wait_for("control is on", &format!("return {switch}.getAttribute('aria-checked') === 'true'"));
    let middle = browser.run(
        "const box = document.querySelector('video').getBoundingClientRect();
         return [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)];",
    );
    browser.act(
        &json!({ "actions": [{ "type": "pointer", "id": "mouse", "parameters": { "pointerType": "mouse" }, "actions": [
        { "type": "pointerMove", "duration": 0, "x": middle[0], "y": middle[1] },
        { "type": "pointerDown", "button": 0 },
        { "type": "pointerUp", "button": 0 },
    ] }] }),
    );
    let clicked = |wanted: fn(PointerKind) -> bool| {
        let events = studio.server.host.pointer.lock().unwrap();
        events.iter().filter_map(|(_, event)| *event).find(|event| wanted(event.kind))
    };
    eventually("the button goes down and up", || clicked(|kind| matches!(kind, PointerKind::Up(_))).is_some());
    let down = clicked(|kind| matches!(kind, PointerKind::Down(_))).expect("it went down first");
    let (x, y) = down.position.expect("a press has a position");
    assert!((x - 0.5).abs() < 0.01 && (y - 0.5).abs() < 0.01, "{x} {y}");
    assert_eq!(down.epoch, Some(1));
    browser.wait_for("the delay is shown", "return /\\d/.test(document.getElementById('delay').textContent)");
}

/// What Chromium offers, without a browser behind it: the session is made and waits for nobody.
const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=msid-semantic: WMS\r\n\
    m=video 9 UDP/TLS/RTP/SAVPF 103 104\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\n\
    a=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=ice-options:trickle\r\na=fingerprint:sha-256 \
    6B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08\r\n\
    a=setup:actpass\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux\r\na=rtcp-rsize\r\n\
    a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay\r\na=rtpmap:103 H264/90000\r\n\
    a=rtcp-fb:103 nack\r\na=rtcp-fb:103 nack pli\r\na=rtcp-fb:103 ccm fir\r\n\
    a=fmtp:103 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\na=rtpmap:104 rtx/90000\r\n\
    a=fmtp:104 apt=103\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\n\
    a=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=fingerprint:sha-256 \
    6B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08\r\n\
    a=setup:actpass\r\na=mid:1\r\na=sctp-port:5000\r\n";

fn offer(studio: &Studio, sdp: &str) -> Answer {
    ask(studio.server.publisher.address(), "POST", "/whep", "Content-Type: application/sdp\r\n", sdp)
}

#[test]
fn whep_answers_as_its_draft_says() {
    let studio = Studio::start();
    let address = studio.server.publisher.address();
    let begun = offer(&studio, OFFER);
    assert_eq!(begun.status, 201, "{}", String::from_utf8_lossy(&begun.body));
    assert_eq!(begun.header("content-type"), Some("application/sdp"));
    let place = begun.header("location").expect("a session has a place").to_owned();
    let etag = begun.header("etag").expect("a session has a tag").to_owned();
    assert!(place.starts_with("/whep/") && etag.starts_with('"') && etag.ends_with('"'));
    let answer = String::from_utf8(begun.body).expect("an answer is text");
    for needed in
        ["a=candidate:", "127.0.0.1", "a=setup:passive", "a=sendonly", "a=rtpmap:103 H264/90000", "playout-delay"]
    {
        assert!(answer.contains(needed), "{needed} is missing in\n{answer}");
    }
    for unasked in ["transport-cc", "goog-remb", "transport-wide-cc", "abs-capture-time"] {
        assert!(!answer.contains(unasked), "{unasked} was not offered\n{answer}");
    }

    let fragment = "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\nm=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n\
        a=candidate:1 1 udp 2113937151 127.0.0.1 50000 typ host\r\na=candidate:2 1 udp 1 x.local 50001 typ host\r\n";
    let kind = "Content-Type: application/trickle-ice-sdpfrag\r\n";
    let trickle = |tag: &str| ask(address, "PATCH", &place, &format!("{kind}{tag}"), fragment);
    assert_eq!(trickle(&format!("If-Match: {etag}\r\n")).status, 204);
    trickle("").assert_problem(428);
    trickle("If-Match: \"stale\"\r\n").assert_problem(412);
    trickle("If-Match: *\r\n").assert_problem(422);
    ask(address, "PATCH", &place, "Content-Type: text/plain\r\n", fragment).assert_problem(415);
    ask_bare(address, "DELETE", &place, "", "").assert_problem(401);
    assert_eq!(ask(address, "DELETE", &place, "", "").status, 200);
    eventually("the session is gone", || studio.server.publisher.sessions() == 0);
    ask(address, "DELETE", &place, "", "").assert_problem(404);

    let options = ask_bare(address, "OPTIONS", "/whep", "Origin: http://player.example\r\n", "");
    assert_eq!((options.status, options.header("accept-post")), (204, Some("application/sdp")));
    assert_eq!(options.header("access-control-allow-origin"), Some("*"));
    assert!(options.header("access-control-allow-headers").is_some_and(|headers| headers.contains("Authorization")));
    let head = ask(address, "HEAD", "/whep", "", "");
    assert_eq!((head.status, head.header("content-type")), (200, Some("application/sdp")));

    offer(&studio, "hello").assert_problem(400);
    offer(&studio, "v=0\r\n").assert_problem(400);
    offer(&studio, &OFFER.replace("H264", "H265")).assert_problem(422);
    offer(
        &studio,
        &OFFER.replace("m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "m=video 9 UDP/TLS/RTP/SAVPF 103"),
    )
    .assert_problem(422);
    for place in [10, 60, 200, 300] {
        let cut = offer(&studio, &OFFER[..place]);
        assert!((400..500).contains(&cut.status), "{}", cut.status);
    }
    eventually("nothing is left behind", || studio.server.publisher.sessions() == 0);
    assert!(studio.server.publisher.viewers().is_empty());
}

#[test]
fn fifty_sessions_come_and_go_and_one_more_than_there_are_places_has_to_wait() {
    let studio = Studio::start();
    let address = studio.server.publisher.address();
    for _ in 0..50 {
        let begun = offer(&studio, OFFER);
        assert_eq!(begun.status, 201);
        assert_eq!(ask(address, "DELETE", begun.header("location").expect("a place"), "", "").status, 200);
    }
    eventually("every session is gone", || studio.server.publisher.sessions() == 0);
    eventually("no wish is left", || !studio.demand.is_wanted());
    let used = studio.server.publisher.udp();
    assert_eq!((used.sessions, used.entries), (0, 0), "nothing is left at the UDP port either");

    let statuses: Vec<u16> = (0..MOST_VIEWERS).map(|_| offer(&studio, OFFER).status).collect();
    assert!(statuses.iter().all(|&status| status == 201), "{statuses:?}");
    let refused = offer(&studio, OFFER);
    refused.assert_problem(503);
    assert!(refused.header("retry-after").is_some());
    // Nobody ever connects, so all of them are given up after ten seconds.
    eventually("those who never connected are gone", || studio.server.publisher.sessions() == 0);
    assert!(studio.server.publisher.viewers().is_empty());
}

#[test]
fn lost_packets_are_sent_again_and_after_a_burst_a_keyframe_comes() {
    let studio = Studio::start();
    let browser = open(&studio);
    let network = Impaired::start(5);
    play_through(&browser, &network, "?codec=h264");
    // A small picture is a packet or two a frame: every tenth lost packet hurts a frame.
    network.down(Conditions::losing(0.1));
    let seen = || browser.run_async(DECODED);
    let number = |seen: &Value, name: &str| seen[name].as_u64().unwrap_or(0);
    eventually("packets get lost and come again", || {
        let seen = seen();
        number(&seen, "frames") > 60 && number(&seen, "rtx") > 5
    });
    assert!(network.dropped() > 5);
    let keyframes = number(&seen(), "key");

    // Nothing comes through, resent packets included, for longer than anything is kept to be sent again.
    network.both(Conditions::dead());
    std::thread::sleep(Duration::from_millis(1_500));
    let before = number(&seen(), "frames");
    network.both(Conditions::default());
    eventually("the picture comes back with a keyframe", || {
        let seen = seen();
        number(&seen, "frames") > before + 30 && number(&seen, "key") > keyframes
    });
}
