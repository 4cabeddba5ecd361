"""How webrtcbin of GStreamer agrees with a WHIP or WHEP server: one offer with all its candidates, one answer."""

import threading
import urllib.parse

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import Gst, GstSdp, GstWebRTC  # noqa: E402

from common import request  # noqa: E402

Gst.init(None)

FORMATS = {
    "vp8": "application/x-rtp,media=video,encoding-name=VP8,clock-rate=90000,payload=96",
    "h264": "application/x-rtp,media=video,encoding-name=H264,clock-rate=90000,payload=97"
    ",packetization-mode=(string)1,profile-level-id=(string)42e01f,level-asymmetry-allowed=(string)1",
}
AGENTS = []


def promised(web, signal, argument):
    promise = Gst.Promise.new()
    web.emit(signal, argument, promise)
    assert promise.wait() == Gst.PromiseResult.REPLIED, signal
    return promise.get_reply()


def agree(web, url, token):
    """Exchanges offer and answer; the session's address."""
    # The program shares on loopback only, where libnice does not look by itself. The agent's one reference is kept for
    # good, because reading the property hands out one that webrtcbin needs.
    AGENTS.append(web.get_property("ice-agent"))
    assert AGENTS[-1].emit("add-local-ip-address", "127.0.0.1")
    gathered = threading.Event()

    def changed(*_):
        if web.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            gathered.set()

    web.connect("notify::ice-gathering-state", changed)
    # The offer belongs to the reply, which therefore has to live as long.
    reply = promised(web, "create-offer", None)
    promised(web, "set-local-description", reply.get_value("offer"))
    assert gathered.wait(20), "the candidates are not complete"
    sdp = web.get_property("local-description").sdp.as_text()
    answer = request("POST", url, token, sdp.encode())
    assert answer.status == 201, answer.status
    result, parsed = GstSdp.SDPMessage.new_from_text(answer.read().decode())
    assert result == GstSdp.SDPResult.OK, "the answer is not SDP"
    kind = GstWebRTC.WebRTCSDPType.ANSWER
    promised(web, "set-remote-description", GstWebRTC.WebRTCSessionDescription.new(kind, parsed))
    return urllib.parse.urljoin(url, answer.headers["Location"])
