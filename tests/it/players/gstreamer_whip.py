"""Publishes one colour over WHIP with webrtcbin of GStreamer, until a line on the standard input ends it.

usage: gstreamer_whip.py URL TOKEN h264|vp8 RRGGBB named|unnamed|sounding

An offer is named when it says which number (SSRC) its packets have. Sounding ones are not, and have sound before the
picture.
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


SOUND = (
    "audiotestsrc is-live=true volume=0.1 ! opusenc ! rtpopuspay"
    " ! application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,payload=98 ! web. "
)


def main(url, token, codec, color, kind):
    number = ",ssrc=(uint)12345" if kind == "named" else ""
    sound = SOUND if kind == "sounding" else ""
    pipeline = Gst.parse_launch(
        f"{sound}videotestsrc is-live=true pattern=solid-color foreground-color=0xff{color}"
        " ! video/x-raw,format=I420,width=320,height=240,framerate=15/1"
        f" ! {ENCODERS[codec]} ! {FORMATS[codec].split(',profile')[0]}{number}"
        " ! webrtcbin name=web bundle-policy=max-bundle"
    )
    web = pipeline.get_by_name("web")
    send = GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY
    for index in range(2 if sound else 1):
        web.emit("get-transceiver", index).set_property("direction", send)
    pipeline.set_state(Gst.State.PLAYING)
    location = agree(web, url, token)
    print("published", location, flush=True)
    sys.stdin.readline()
    print("ended", request("DELETE", location, token).status, flush=True)
    pipeline.set_state(Gst.State.NULL)
    # Python would take the agent apart a second time.
    os._exit(0)


main(*sys.argv[1:])
