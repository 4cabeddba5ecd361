"""Publishes one colour over WHIP with webrtcbin of GStreamer, until a line on the standard input ends it.

usage: gstreamer_whip.py URL TOKEN h264|vp8 RRGGBB
"""

import os
import sys

from common import request
from gstreamer import FORMATS, Gst, GstWebRTC, agree

ENCODERS = {
    "vp8": "vp8enc deadline=1 ! rtpvp8pay ssrc=12345",
    "h264": "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30 ! video/x-h264,profile=constrained-baseline"
    " ! h264parse ! rtph264pay ssrc=12345 config-interval=-1",
}


def main(url, token, codec, color):
    pipeline = Gst.parse_launch(
        f"videotestsrc is-live=true pattern=solid-color foreground-color=0xff{color}"
        " ! video/x-raw,format=I420,width=320,height=240,framerate=15/1"
        # Without its number in the offer nothing says whose the packets are.
        f" ! {ENCODERS[codec]} ! {FORMATS[codec].split(',profile')[0]},ssrc=(uint)12345"
        " ! webrtcbin name=web bundle-policy=max-bundle"
    )
    web = pipeline.get_by_name("web")
    send = GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY
    web.emit("get-transceiver", 0).set_property("direction", send)
    pipeline.set_state(Gst.State.PLAYING)
    location = agree(web, url, token)
    print("published", location, flush=True)
    sys.stdin.readline()
    print("ended", request("DELETE", location, token).status, flush=True)
    pipeline.set_state(Gst.State.NULL)
    # Python would take the agent apart a second time.
    os._exit(0)


main(*sys.argv[1:])
