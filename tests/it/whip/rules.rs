//! The table of requests in `docs/protocol.md`, row by row.

use crate::support::studio::{Server, eventually};
use crate::support::wire::{Answer, ask, ask_bare};

/// What a publisher offers, cut down to what matters here.
const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n\
    m=video 9 UDP/TLS/RTP/SAVPF 102 103\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n\
    a=fingerprint:sha-256 01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F:20\r\n\
    a=setup:actpass\r\na=mid:0\r\na=sendonly\r\na=rtcp-mux\r\na=rtpmap:102 H264/90000\r\n\
    a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n\
    a=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102\r\na=ssrc-group:FID 7 8\r\na=ssrc:7 cname:x\r\na=ssrc:8 cname:x\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n\
    a=fingerprint:sha-256 01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F:20\r\n\
    a=setup:actpass\r\na=mid:1\r\na=sendonly\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=ssrc:9 cname:x\r\n";

const SDP: &str = "Content-Type: application/sdp\r\n";
const CANDIDATE: &str = "a=mid:0\r\na=candidate:1 1 udp 2113937151 127.0.0.1 50000 typ host\r\n";
const RESTART: &str = "a=ice-ufrag:efgh\r\na=ice-pwd:zyxwvutsrqponmlkjihgfedc\r\nm=video 9 RTP/AVP 0\r\na=mid:0\r\n\
    a=candidate:1 1 udp 2113937151 127.0.0.1 50001 typ host\r\n";

fn fragment(tag: &str) -> String {
    format!("Content-Type: application/trickle-ice-sdpfrag\r\nIf-Match: {tag}\r\n")
}

#[test]
fn every_request_is_answered_as_the_table_says() {
    let (server, _jpegs) = Server::with_test_jpegs();
    let address = server.publisher.address();
    let whip = |method: &str, path: &str, headers: &str, body: &str| ask(address, method, path, headers, body);

    let options = ask_bare(address, "OPTIONS", "/whip", "Origin: http://elsewhere.example\r\n", "");
    assert_eq!((options.status, options.header("accept-post")), (204, Some("application/sdp")));
    assert_eq!(options.header("access-control-allow-origin"), Some("*"));
    for method in ["GET", "HEAD"] {
        let look = whip(method, "/whip", "", "");
        assert!((200..300).contains(&look.status) && look.body.is_empty(), "{look:?}");
    }
    for (headers, body, status) in [
        ("Content-Type: text/plain\r\n", OFFER, 415),
        (SDP, "hello", 400),
        (SDP, "v=0\r\n", 400),
        (SDP, &OFFER.replace("sendonly", "recvonly"), 422),
        (SDP, &OFFER.replace("m=audio", "m=video"), 422),
        (SDP, &OFFER.replace("H264", "AV1"), 422),
        (SDP, &OFFER.repeat(100), 413),
    ] {
        whip("POST", "/whip", headers, body).assert_problem(status);
    }
    for wrong in ["", "Authorization: Bearer wrong\r\n"] {
        ask_bare(address, "POST", "/whip", &format!("{wrong}{SDP}"), OFFER).assert_problem(401);
    }

    let created = whip("POST", "/whip", SDP, OFFER);
    assert_eq!(created.status, 201, "{}", String::from_utf8_lossy(&created.body));
    assert_eq!(created.header("content-type"), Some("application/sdp"));
    let place = created.header("location").expect("a session has an address").to_owned();
    let tag = created.header("etag").expect("and a tag").to_owned();
    assert!(place.starts_with("/whip/") && tag.starts_with('"'), "{place} {tag}");
    let answer = String::from_utf8(created.body).unwrap();
    assert!(answer.contains("a=candidate:") && answer.contains("a=setup:passive"), "{answer}");
    assert!(answer.matches("a=recvonly").count() == 2 && answer.contains("opus/48000"), "{answer}");

    let busy = whip("POST", "/whip", SDP, OFFER);
    busy.assert_problem(409);
    assert!(busy.header("retry-after").is_some());

    let patch = |headers: &str, body: &str| whip("PATCH", &place, headers, body);
    patch(SDP, CANDIDATE).assert_problem(415);
    patch("Content-Type: application/trickle-ice-sdpfrag\r\n", CANDIDATE).assert_problem(428);
    patch(&fragment("\"another\""), CANDIDATE).assert_problem(412);
    let trickled = patch(&fragment(&tag), CANDIDATE);
    assert_eq!((trickled.status, trickled.header("etag")), (204, None));
    patch(&fragment(&tag), &CANDIDATE.repeat(65)).assert_problem(400);
    patch(&fragment("*"), CANDIDATE).assert_problem(400);
    let restarted = patch(&fragment("*"), RESTART);
    assert_eq!(restarted.status, 200, "{}", String::from_utf8_lossy(&restarted.body));
    assert_eq!(restarted.header("content-type"), Some("application/trickle-ice-sdpfrag"));
    let new_tag = restarted.header("etag").expect("a restart has a new tag").to_owned();
    assert_ne!(new_tag, tag);
    let credentials = |text: &str| text.lines().find(|line| line.starts_with("a=ice-ufrag:")).map(str::to_owned);
    let restarted = String::from_utf8(restarted.body).unwrap();
    assert!(credentials(&restarted).is_some() && credentials(&restarted) != credentials(&answer), "{restarted}");
    assert!(restarted.contains("a=candidate:"), "{restarted}");
    patch(&fragment(&tag), CANDIDATE).assert_problem(412);
    assert_eq!(patch(&fragment(&new_tag), CANDIDATE).status, 204);

    whip("PATCH", "/whip/nonsense", &fragment(&tag), CANDIDATE).assert_problem(404);
    whip("DELETE", "/whip/nonsense", "", "").assert_problem(404);
    ask_bare(address, "DELETE", &place, "", "").assert_problem(401);
    whip("PUT", "/whip", SDP, OFFER).assert_problem(405);
    assert_eq!(whip("DELETE", &place, "", "").status, 200);
    let again = |answer: &Answer| answer.status == 201;
    eventually("the seat is free again", || again(&whip("POST", "/whip", SDP, OFFER)));

    // Forbidding ends what is under way, and begins nothing.
    server.host.access.lock().unwrap().publish = false;
    eventually("the session is gone", || server.host.inbox.publishing().is_none());
    whip("POST", "/whip", SDP, OFFER).assert_problem(403);
}
