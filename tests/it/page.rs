//! The viewer page in a real browser plays what the real program sends.

use serde_json::Value;

use crate::support::program::Program;
use crate::support::studio::eventually;
use crate::support::viewing::Viewing;

/// Takes WebRTC away as some networks, extensions and policies do.
const BROKEN_WEBRTC: [&str; 3] = [
    "delete window.RTCPeerConnection",
    "window.RTCPeerConnection = class { constructor() { throw new Error('forbidden here') } }",
    // It seems to work, and never finds a way.
    "RTCPeerConnection.prototype.setRemoteDescription = () => Promise.resolve()",
];

/// The same for WebSockets, which some proxies let not through.
const BROKEN_WEBSOCKETS: [&str; 2] = [
    "window.WebSocket = class { constructor() { throw new Error('forbidden here') } }",
    "window.WebSocket = class extends window.WebSocket { constructor() { super('ws://127.0.0.1:9/') } }",
];

/// A small picture, or two processors would not do for the encoder and a browser's decoder.
fn serve() -> Program {
    Program::serve(None, &["--source", "pattern", "--filter", "crop:left=0.5,bottom=0.5"])
}

/// Decoded frames and the size of what is decoded, as the browser counts them.
fn decoded(viewing: &Viewing) -> (u64, u64, u64) {
    let stats = viewing.browser.run_async(
        "const all = [...(await lenscast.pc.getStats()).values()];
         return all.find((one) => one.type === 'inbound-rtp' && one.kind === 'video');",
    );
    let number = |name: &str| stats[name].as_u64().unwrap_or(0);
    (number("framesDecoded"), number("frameWidth"), number("frameHeight"))
}

/// Waits for so many more pictures on the page.
fn wait_for_more_frames(viewing: &Viewing, more: u64) {
    let from = viewing.says("frames").as_u64().expect("a count");
    viewing.browser.wait_for("more pictures", &format!("return lenscast.frames >= {}", from + more));
}

#[test]
fn the_page_plays_webrtc_with_either_codec() {
    let program = serve();
    let viewing = Viewing::open();
    let codecs: &[&str] = if cfg!(feature = "vp8") { &["h264", "vp8"] } else { &["h264"] };
    for codec in codecs {
        viewing.watch(&program, &format!("?codec={codec}&transport=webrtc"));
        viewing.browser.wait_for("the host's word on the codec", "return lenscast.codec !== null");
        assert_eq!((viewing.says("transport"), viewing.says("codec")), ("webrtc".into(), Value::from(*codec)));
        assert_eq!((viewing.says("width"), viewing.says("height")), (640.into(), 360.into()));
        let (before, ..) = decoded(&viewing);
        wait_for_more_frames(&viewing, 15);
        let (frames, width, height) = decoded(&viewing);
        assert!(frames >= before + 10, "{before} frames, then {frames}");
        assert_eq!((width, height), (640, 360), "{codec}");
        assert!(viewing.says("epoch").is_number());
        assert_eq!(program.state()["viewers"][0]["codec"], *codec);
    }
}

#[test]
fn the_page_follows_a_picture_that_changes_its_size() {
    let program = serve();
    let viewing = Viewing::open();
    for query in ["?transport=webrtc", "?transport=websocket", "?transport=mjpeg"] {
        viewing.watch(&program, query);
        for (left, width) in [(0.75, 320), (0.5, 640)] {
            let params = serde_json::json!({ "left": left });
            program.patch_chain(&serde_json::json!({ "filters": { "1": { "params": params } } }));
            viewing.browser.wait_for("the new size", &format!("return lenscast.width === {width}"));
            wait_for_more_frames(&viewing, 5);
            assert_eq!(viewing.says("state"), "live");
        }
    }
}

#[test]
fn the_page_falls_back_to_a_websocket_and_then_to_mjpeg_and_says_why() {
    let program = serve();
    let plays = |viewing: &Viewing, query: &str, transport: &str| {
        viewing.watch(&program, query);
        assert_eq!((viewing.says("transport"), viewing.says("codec")), (transport.into(), "jpeg".into()));
        assert_eq!((viewing.says("width"), viewing.says("height")), (640.into(), 360.into()));
        wait_for_more_frames(viewing, 15);
        assert_eq!(viewing.says("state"), "live");
    };
    for broken in BROKEN_WEBRTC {
        let viewing = Viewing::open();
        viewing.browser.before_each_page(broken);
        plays(&viewing, "", "websocket");
        assert_ne!(viewing.says("fallback"), "", "the page says why: {broken}");
        let viewers = program.state()["viewers"].clone();
        assert_eq!(viewers.as_array().map(Vec::len), Some(1), "one connection: {viewers}");
        assert_eq!(viewers[0]["transport"], "websocket");
    }
    for broken in BROKEN_WEBSOCKETS {
        let viewing = Viewing::open();
        plays(&viewing, "?transport=websocket", "websocket");
        plays(&viewing, "?transport=mjpeg", "mjpeg");
        assert_eq!(viewing.says("fallback"), "", "it is what was asked for");
        viewing.browser.before_each_page(BROKEN_WEBRTC[0]);
        viewing.browser.before_each_page(broken);
        plays(&viewing, "", "mjpeg");
        assert_ne!(viewing.says("fallback"), "", "the page says why: {broken}");
    }
}

#[test]
fn the_page_asks_for_the_secret_and_comes_back_when_the_program_does() {
    let program = serve();
    let viewing = Viewing::open();
    viewing.browser.go(&format!("http://{}/#s=wrong", program.address));
    viewing.browser.wait_for("the question for the secret", "return window.lenscast?.state === 'secret'");
    viewing.browser.run(&format!(
        "document.getElementById('secret-input').value = '{}';
         document.getElementById('secret-form').requestSubmit();",
        program.secret
    ));
    viewing.browser.wait_for("a live picture", "return lenscast.state === 'live'");

    // The secret is made anew with each start, so that the page has to ask again; until then it keeps trying.
    let port = program.address.port().to_string();
    drop(program);
    viewing.browser.wait_for("the end is noticed", "return lenscast.state === 'reconnecting'");
    let again = Program::serve_on(&port, None, &["--source", "pattern", "--watch", "anyone"]);
    viewing.browser.wait_for("it comes back", "return lenscast.state === 'live' || lenscast.state === 'secret'");
    if viewing.says("state") == "secret" {
        viewing.browser.go(&again.page(""));
        viewing.browser.wait_for("a live picture", "return window.lenscast?.state === 'live'");
    }
}

#[test]
fn a_slider_on_the_page_moves_the_hosts_and_follows_it() {
    let chain = ["--filter", "brightness_contrast", "--filter", "redact", "--filter", "grayscale:method=average"];
    let program = Program::serve(None, &[&["--source", "pattern", "--tune"], &chain[..]].concat());
    let viewing = Viewing::open();
    for transport in ["webrtc", "websocket", "mjpeg"] {
        viewing.watch(&program, &format!("?transport={transport}"));
        viewing.browser.wait_for("the filters' button", "return !document.getElementById('tune-button').hidden");
        viewing.browser.run("document.getElementById('tune-button').click()");
        let slider = "document.querySelector('[aria-label=\"Brightness and contrast: Brightness\"]')";
        viewing.browser.wait_for("the slider", &format!("return {slider} !== null"));
        let moved = format!("const s = {slider}; s.value = 750; s.dispatchEvent(new Event('input'))");
        viewing.browser.run(&moved);
        let brightness =
            || program.ask("GET", "/api/v1/chain", "", "").json()["filters"]["1"]["params"]["brightness"].clone();
        viewing.browser.wait_for("the slider's text", &format!("return {slider}.ariaValueText === '0.50'"));
        eventually("the host's slider is where the page's is", || brightness() == 0.5);
        // And the other way around.
        program.patch_chain(&serde_json::json!({ "filters": {
            "1": { "params": { "brightness": -0.25 } },
            "3": { "enabled": false, "params": { "method": "lightness" } },
        }}));
        viewing.browser.wait_for("the host's value", &format!("return {slider}.ariaValueText === '-0.25'"));
        let method = "document.querySelector('[aria-label=\"Greyscale: Method\"]').value";
        assert_eq!(viewing.browser.run(&format!("return {method}")), "lightness");
        assert_eq!(
            viewing.browser.run("return document.querySelectorAll('#tune input[type=checkbox]')[2].checked"),
            false
        );
        // What the host hides is not the viewer's to change.
        let hidden = "document.querySelector('[aria-label=\"Hide a region: on\"]').disabled";
        assert_eq!(viewing.browser.run(&format!("return {hidden}")), true);
        program.patch_chain(
            &serde_json::json!({ "filters": { "1": { "params": { "brightness": 0 } }, "3": { "enabled": true } } }),
        );
    }
}

#[test]
fn without_the_hosts_word_the_page_has_no_sliders() {
    let program = serve();
    let viewing = Viewing::open();
    viewing.watch(&program, "");
    viewing.browser.wait_for("the picture", "return lenscast.frames > 5 && lenscast.host !== null");
    assert_eq!(viewing.browser.run("return document.getElementById('tune-button').hidden"), true);
}
