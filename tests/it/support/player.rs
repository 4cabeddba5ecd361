//! A player of the tests' own in a real browser: begins a session by WHEP and keeps what it hears of it.

use serde_json::Value;

use super::browser::Browser;
use super::impaired::Impaired;
use super::studio::{SECRET, Studio};

/// Begins a session in the page and keeps it in `window`; `record` are its control messages.
const PLAY: &str = r"
    const pc = window.pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    const { receiver } = pc.addTransceiver('video', { direction: 'recvonly' });
    if (AUDIO) pc.addTransceiver('audio', { direction: 'recvonly' });
    const video = window.video = document.createElement('video');
    Object.assign(video, { muted: true, autoplay: true });
    document.body.append(video);
    pc.addEventListener('track', ({ track }) => { if (track.kind === 'video') video.srcObject = new MediaStream([track]); });
    window.record = [];
    window.channels = {};
    for (const [label, settings] of [['control', {}], ['pointer', {}], ['moves', { ordered: false, maxRetransmits: 0 }]])
        window.channels[label] = pc.createDataChannel(label, settings);
    window.channels.control.onmessage = ({ data }) => window.record.push(JSON.parse(data));
    window.channels.control.onclose = () => { window.closed = true; };
    await pc.setLocalDescription(await pc.createOffer());
    await new Promise((done) => { pc.onicegatheringstatechange = () => pc.iceGatheringState === 'complete' && done(); setTimeout(done, 1000); });
    const answer = await fetch('/whep' + QUERY, { method: 'POST', body: pc.localDescription.sdp,
        headers: { 'Content-Type': 'application/sdp', Authorization: 'Bearer SECRET' } });
    const sdp = await answer.text();
    if (answer.status !== 201) return { status: answer.status, sdp };
    window.place = answer.headers.get('Location');
    window.etag = answer.headers.get('ETag');
    await pc.setRemoteDescription({ type: 'answer', sdp });
    return { status: answer.status, type: answer.headers.get('Content-Type'), sdp, place: window.place };
";

pub fn play(browser: &Browser, query: &str, audio: bool) -> Value {
    let script = PLAY.replace("QUERY", &format!("'{query}'")).replace("SECRET", SECRET);
    browser.run_async(&script.replace("AUDIO", if audio { "true" } else { "false" }))
}

/// The same through a network that can be made bad.
pub fn play_through(browser: &Browser, network: &Impaired, query: &str) {
    let offered = PLAY.replace("await pc.setRemoteDescription({ type: 'answer', sdp });", "");
    let script = offered.replace("QUERY", &format!("'{query}'")).replace("SECRET", SECRET).replace("AUDIO", "false");
    let begun = browser.run_async(&script);
    let answer = network.stand_before(begun["sdp"].as_str().unwrap_or_default());
    let answer = serde_json::to_string(&answer).expect("text is JSON");
    browser
        .run_async(&format!("await window.pc.setRemoteDescription({{ type: 'answer', sdp: {answer} }}); return null"));
}

/// Opens a page of the host that does nothing by itself.
pub fn open(studio: &Studio) -> Browser {
    let browser = Browser::open(&[]);
    browser.go(&studio.server.url("/viewer/style.css"));
    browser
}
