"""Plays ten pictures over WHEP with webrtcbin of GStreamer, then says goodbye.

usage: gstreamer_whep.py URL TOKEN h264|vp8
"""

import os
import queue
import sys

import numpy
from common import request, tell
from gstreamer import FORMATS, Gst, GstWebRTC, agree

DECODERS = {"vp8": "rtpvp8depay ! vp8dec", "h264": "rtph264depay ! h264parse ! avdec_h264"}


def main(url, token, codec):
    pictures = queue.Queue()
    pipeline = Gst.Pipeline.new()
    web = Gst.ElementFactory.make("webrtcbin")
    web.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
    pipeline.add(web)

    def decoded(sink):
        sample = sink.emit("pull-sample")
        shape = sample.get_caps().get_structure(0)
        width, height = shape.get_value("width"), shape.get_value("height")
        buffer = sample.get_buffer()
        rows = numpy.frombuffer(buffer.extract_dup(0, buffer.get_size()), numpy.uint8).reshape(height, -1)
        # Rows are padded to four bytes.
        pictures.put(rows[:, : width * 3].reshape(height, width, 3))
        return Gst.FlowReturn.OK

    def arrived(_, pad):
        sink = "video/x-raw,format=RGB ! appsink name=sink emit-signals=true sync=false"
        decoder = Gst.parse_bin_from_description(f"{DECODERS[codec]} ! videoconvert ! {sink}", True)
        decoder.get_by_name("sink").connect("new-sample", decoded)
        pipeline.add(decoder)
        decoder.sync_state_with_parent()
        assert pad.link(decoder.get_static_pad("sink")) == Gst.PadLinkReturn.OK

    web.connect("pad-added", arrived)
    receive = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
    web.emit("add-transceiver", receive, Gst.Caps.from_string(FORMATS[codec]))
    pipeline.set_state(Gst.State.PLAYING)
    location = agree(web, url, token)
    for _ in range(10):
        tell(pictures.get())
    print("deleted", request("DELETE", location, token).status, flush=True)
    pipeline.set_state(Gst.State.NULL)
    # Python would take the agent apart a second time.
    os._exit(0)


main(*sys.argv[1:])
