"""Plays ten pictures over WHEP with aiortc, then says goodbye.

usage: aiortc_whep.py URL TOKEN h264|vp8
"""

import asyncio
import sys
import urllib.parse

from aiortc import RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from common import request, tell


async def main(url, token, codec):
    peer = RTCPeerConnection()
    transceiver = peer.addTransceiver("video", direction="recvonly")
    known = RTCRtpReceiver.getCapabilities("video").codecs
    transceiver.setCodecPreferences([one for one in known if one.mimeType.lower() == f"video/{codec}"])
    await peer.setLocalDescription(await peer.createOffer())
    answer = await asyncio.to_thread(request, "POST", url, token, peer.localDescription.sdp.encode())
    assert answer.status == 201, answer.status
    location = urllib.parse.urljoin(url, answer.headers["Location"])
    await peer.setRemoteDescription(RTCSessionDescription(answer.read().decode(), "answer"))
    # PyAV takes everything for BT.601, whatever the stream says about itself.
    matrix = "ITU709" if codec == "h264" else "ITU601"
    for _ in range(10):
        frame = await transceiver.receiver.track.recv()
        tell(frame.reformat(format="rgb24", src_colorspace=matrix).to_ndarray())
    goodbye = await asyncio.to_thread(request, "DELETE", location, token)
    print("deleted", goodbye.status, flush=True)
    await peer.close()


asyncio.run(main(*sys.argv[1:]))
