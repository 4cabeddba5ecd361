//! A page in a real browser publishes, trickles its candidates, and begins ICE anew.

use serde_json::Value;

use super::inbound::{QUARTERS, alike, snapshot};
use crate::support::browser::Browser;
use crate::support::program::Program;
use crate::support::studio::eventually;

/// Publishes a canvas of four quarters, and sound beside it; the candidates follow the offer one by one.
const PUBLISH: &str = r"
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width: 320, height: 240 });
    document.body.append(canvas);
    const context = canvas.getContext('2d');
    let count = 0;
    setInterval(() => {
        COLORS.forEach((color, at) => {
            context.fillStyle = `rgb(${color})`;
            context.fillRect(at % 2 * 160, (at >> 1) * 120, 160, 120);
        });
        context.fillStyle = 'white';
        context.fillRect(count++ % 320, 116, 8, 8);
    }, 50);
    const sound = new AudioContext().createMediaStreamDestination();
    const pc = window.pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    pc.addTransceiver(canvas.captureStream(20).getVideoTracks()[0], { direction: 'sendonly' });
    pc.addTransceiver(sound.stream.getAudioTracks()[0], { direction: 'sendonly' });
    window.headers = { Authorization: 'Bearer SECRET' };
    const waiting = [];
    window.send = null;
    pc.onicecandidate = ({ candidate }) => {
        if (!candidate) return;
        const line = `a=mid:${candidate.sdpMid}\r\na=${candidate.candidate}\r\n`;
        if (window.send) window.send(line); else waiting.push(line);
    };
    await pc.setLocalDescription(await pc.createOffer());
    const answer = await fetch('/whip', { method: 'POST', body: pc.localDescription.sdp,
        headers: { ...headers, 'Content-Type': 'application/sdp' } });
    const sdp = window.answer = await answer.text();
    if (answer.status !== 201) return { status: answer.status, sdp };
    window.place = answer.headers.get('Location');
    window.etag = answer.headers.get('ETag');
    window.patch = (tag, body) => fetch(window.place, { method: 'PATCH', body, headers: { ...headers,
        'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': tag } });
    window.trickled = [];
    window.send = async (line) => window.trickled.push((await window.patch(window.etag, line)).status);
    await pc.setRemoteDescription({ type: 'answer', sdp });
    await Promise.all(waiting.map(window.send));
    return { status: answer.status, sdp };
";

const RESTART: &str = r"
    window.send = () => {};
    await pc.setLocalDescription(await pc.createOffer({ iceRestart: true }));
    const find = (sdp, name) => sdp.split('\r\n').find((line) => line.startsWith(name));
    const offer = pc.localDescription.sdp;
    const body = [find(offer, 'a=ice-ufrag:'), find(offer, 'a=ice-pwd:'), find(offer, 'm='), 'a=mid:0', ''].join('\r\n');
    const answer = await window.patch('*', body);
    const fragment = await answer.text();
    if (answer.status !== 200) return { status: answer.status, fragment };
    const before = window.etag;
    window.etag = answer.headers.get('ETag');
    let sdp = window.answer;
    for (const name of ['a=ice-ufrag:', 'a=ice-pwd:'])
        sdp = sdp.split('\r\n').map((line) => line.startsWith(name) ? find(fragment, name) : line).join('\r\n');
    sdp = sdp.split('\r\n').filter((line) => !line.startsWith('a=candidate:')).join('\r\n');
    await pc.setRemoteDescription({ type: 'answer', sdp });
    for (const line of fragment.split('\r\n').filter((line) => line.startsWith('a=candidate:')))
        await pc.addIceCandidate({ candidate: line.slice(2), sdpMid: '0' });
    return { status: answer.status, fragment, changed: before !== window.etag };
";

const SENT: &str = r"
    const stats = [...(await pc.getStats()).values()];
    const pair = stats.find((one) => one.type === 'candidate-pair' && one.nominated && one.state === 'succeeded');
    const sent = stats.find((one) => one.type === 'outbound-rtp' && one.kind === 'video');
    return { state: pc.iceConnectionState, frames: sent?.framesSent ?? 0, pair: pair?.id,
        ufrag: stats.find((one) => one.type === 'transport')?.iceLocalUsernameFragment };
";

#[test]
fn a_browser_publishes_and_begins_ice_anew_without_losing_the_picture() {
    let program = Program::serve(None, &["--source", "whip", "--accept-whip"]);
    let browser = Browser::open(&["--autoplay-policy=no-user-gesture-required"]);
    browser.go(&format!("http://{}/viewer/style.css", program.address));
    let colors = serde_json::to_string(&QUARTERS).unwrap();
    let begun = browser.run_async(&PUBLISH.replace("COLORS", &colors).replace("SECRET", &program.secret));
    assert_eq!(begun["status"], 201, "{begun}");
    eventually("the canvas is shown", || alike(&snapshot(&program).1, &QUARTERS));
    let trickled = browser.run("return window.trickled");
    let all_taken = |statuses: &Value| statuses.as_array().is_some_and(|all| all.iter().all(|status| status == 204));
    assert!(all_taken(&trickled), "{trickled}");

    let before = browser.run_async(SENT);
    let restarted = browser.run_async(RESTART);
    assert_eq!((&restarted["status"], &restarted["changed"]), (&200.into(), &true.into()), "{restarted}");
    eventually("it sends with its new credentials", || {
        let now = browser.run_async(SENT);
        now["ufrag"] != before["ufrag"]
            && matches!(now["state"].as_str(), Some("connected" | "completed"))
            && now["frames"].as_u64() > before["frames"].as_u64().map(|frames| frames + 20)
    });
    assert_eq!(program.state()["source"]["id"], "whip");
    eventually("the canvas is still shown", || alike(&snapshot(&program).1, &QUARTERS));
}
