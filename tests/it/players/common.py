"""What the players share: a deadline, requests with the secret, and how a picture is told to the test."""

import signal
import urllib.request

# Nothing hangs: this ends the process even inside a library.
signal.alarm(60)


def request(method, url, token, body=None):
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
    return urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method), timeout=20)


def tell(picture):
    """Prints the size of an RGB picture and the colours in the middles of its quarters."""
    height, width = picture.shape[:2]
    middles = [picture[height * y // 4, width * x // 4] for y in (1, 3) for x in (1, 3)]
    colors = " ".join(",".join(str(int(part)) for part in middle) for middle in middles)
    print("frame", width, height, colors, flush=True)
