"""A small WHIP server with aiortc: takes one publisher after another and says which colours arrive.

usage: server.py PORT TOKEN   (port 0 takes a free one)
`/whip` takes offers, `/elsewhere` points to it. Prints `listening PORT`, `redirected`, `frame WIDTH HEIGHT R,G,B ...` for
the middles of the four quarters, and `deleted`.
"""

import asyncio
import sys

from aiortc import RTCPeerConnection, RTCSessionDescription

peers = {}


async def watch(track):
    count = 0
    while True:
        frame = await track.recv()
        count += 1
        if count % 3 == 1:
            # PyAV takes everything for BT.601, whatever the stream says about itself.
            picture = frame.reformat(format="rgb24", src_colorspace="ITU709").to_ndarray()
            height, width = picture.shape[:2]
            middles = [picture[height * y // 4, width * x // 4] for y in (1, 3) for x in (1, 3)]
            colors = " ".join(",".join(str(int(part)) for part in middle) for middle in middles)
            print("frame", width, height, colors, flush=True)


async def create(offer):
    peer = RTCPeerConnection()
    name = str(len(peers) + 1)
    peers[name] = peer

    @peer.on("track")
    def arrived(track):
        asyncio.ensure_future(watch(track))

    await peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
    await peer.setLocalDescription(await peer.createAnswer())
    return name, peer.localDescription.sdp


async def serve(reader, writer, token):
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = {line.split(": ", 1)[0].lower(): line.split(": ", 1)[1] for line in head[1:] if ": " in line}
    body = (await reader.readexactly(int(headers.get("content-length", "0")))).decode()
    status, more, answer = "404 Not Found", "", ""
    if headers.get("authorization") != f"Bearer {token}":
        status = "401 Unauthorized"
    elif method == "POST" and path == "/elsewhere":
        print("redirected", flush=True)
        status, more = "307 Temporary Redirect", "Location: /whip\r\n"
    elif method == "POST" and path == "/whip":
        name, answer = await create(body)
        status, more = "201 Created", f"Content-Type: application/sdp\r\nLocation: session/{name}\r\nETag: \"1\"\r\n"
    elif method == "DELETE" and path.startswith("/session/"):
        await peers[path.split("/")[2]].close()
        print("deleted", flush=True)
        status = "200 OK"
    length = len(answer.encode())
    writer.write(f"HTTP/1.1 {status}\r\n{more}Content-Length: {length}\r\nConnection: close\r\n\r\n{answer}".encode())
    await writer.drain()
    writer.close()


async def main(port, token):
    server = await asyncio.start_server(lambda reader, writer: serve(reader, writer, token), "127.0.0.1", int(port))
    print("listening", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
