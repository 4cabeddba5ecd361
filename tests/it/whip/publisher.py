"""Publishes four coloured quarters over WHIP with aiortc, until its standard input ends.

usage: publisher.py URL TOKEN h264|vp8
Each line of the standard input is an order: `size WIDTH HEIGHT` changes the picture's size, `end` says goodbye.
Prints `published LOCATION` once connected. Without `end` it vanishes as a killed program does.
"""

import asyncio
import fractions
import os
import sys
import urllib.parse
import urllib.request

import numpy
from aiortc import RTCPeerConnection, RTCRtpSender, RTCSessionDescription, VideoStreamTrack
from av import VideoFrame

COLORS = [(220, 30, 30), (30, 200, 30), (40, 60, 220), (230, 220, 40)]


class Quarters(VideoStreamTrack):
    def __init__(self):
        super().__init__()
        self.size = (320, 240)
        self.count = 0

    async def recv(self):
        timestamp, base = await self.next_timestamp()
        width, height = self.size
        picture = numpy.zeros((height, width, 3), numpy.uint8)
        for at, color in enumerate(COLORS):
            x, y = at % 2 * width // 2, at // 2 * height // 2
            picture[y : y + height // 2, x : x + width // 2] = color
        # Something moves, so that there is always something to send.
        self.count += 1
        picture[height // 2 - 4 : height // 2 + 4, self.count % width] = 255
        frame = VideoFrame.from_ndarray(picture, "rgb24")
        frame.pts, frame.time_base = timestamp, fractions.Fraction(base)
        return frame


def request(method, url, token, body=None):
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
    return urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method), timeout=20)


async def main(url, token, codec):
    peer = RTCPeerConnection()
    track = Quarters()
    transceiver = peer.addTransceiver(track, direction="sendonly")
    known = RTCRtpSender.getCapabilities("video").codecs
    transceiver.setCodecPreferences([one for one in known if one.mimeType.lower() == f"video/{codec}"])
    connected = asyncio.Event()

    @peer.on("connectionstatechange")
    def changed():
        print("state", peer.connectionState, flush=True)
        if peer.connectionState == "connected":
            connected.set()

    await peer.setLocalDescription(await peer.createOffer())
    answer = await asyncio.to_thread(request, "POST", url, token, peer.localDescription.sdp.encode())
    assert answer.status == 201, answer.status
    location = urllib.parse.urljoin(url, answer.headers["Location"])
    await peer.setRemoteDescription(RTCSessionDescription(answer.read().decode(), "answer"))
    await asyncio.wait_for(connected.wait(), 20)
    print("published", location, flush=True)
    while order := (await asyncio.to_thread(sys.stdin.readline)).split():
        if order[0] == "size":
            track.size = (int(order[1]), int(order[2]))
        elif order[0] == "end":
            answer = await asyncio.to_thread(request, "DELETE", location, token)
            print("ended", answer.status, flush=True)
            await peer.close()
    os._exit(0)


asyncio.run(main(*sys.argv[1:]))
