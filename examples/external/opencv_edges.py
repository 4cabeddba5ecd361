#!/usr/bin/env python3
"""A Lenscast filter in Python with OpenCV: coloured outlines over a softened picture.

    lenscast serve --source camera --filter-program examples/external/opencv_edges.py --filter opencv_edges

or put it (or a link to it) into the folder `filters` beside Lenscast's settings. It needs numpy and opencv-python.
What goes over the pipes is in docs/extending.md.
"""
import json
import struct
import sys

HEADER = struct.Struct("<4sHHQIIII")  # magic, version, bytes of this header, frame, width, height, parameters, flags

DECLARATION = {
    "lenscast": 1,
    "id": "opencv_edges",
    "label": "Outlines (OpenCV)",
    "doc": "Draws outlines over the softened picture, with OpenCV in Python.",
    "params": [
        {"kind": "integer", "id": "low", "label": "Weak edges", "doc": "Continued where a strong edge touches them.",
         "min": 0, "max": 500, "default": 60},
        {"kind": "integer", "id": "high", "label": "Strong edges", "doc": "Where an outline begins.",
         "min": 0, "max": 500, "default": 150},
        {"kind": "number", "id": "soften", "label": "Soften", "unit": "pixels", "doc": "How much the rest is blurred.",
         "min": 0, "max": 20, "step": 0.1, "default": 2},
        {"kind": "color", "id": "color", "label": "Colour", "doc": "Of the outlines.", "default": "#ffffff"},
    ],
}


def read(count):
    data = sys.stdin.buffer.read(count)
    if len(data) < count:  # Lenscast has closed the pipe: this is the end.
        sys.exit(0)
    return data


def outlines(pixels, params):
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGBA2GRAY)
    edges = cv2.Canny(gray, params["low"], params["high"])
    if params["soften"] > 0:
        pixels = cv2.GaussianBlur(pixels, (0, 0), params["soften"])
    color = [int(params["color"][at:at + 2], 16) for at in (1, 3, 5)] + [255]
    pixels[edges > 0] = color
    return pixels


print(json.dumps(DECLARATION), flush=True)  # First, and in one line; what takes long to load comes afterwards.
if "--declare" in sys.argv:
    sys.exit(0)

import cv2  # noqa: E402
import numpy as np  # noqa: E402

while True:
    magic, version, _, frame, width, height, length, _ = HEADER.unpack(read(HEADER.size))
    assert magic == b"LCFR" and version == 1
    params = json.loads(read(length))
    pixels = np.frombuffer(read(width * height * 4), np.uint8).reshape(height, width, 4).copy()
    answer = outlines(pixels, params)
    sys.stdout.buffer.write(HEADER.pack(magic, version, HEADER.size, frame, width, height, 0, 0))
    sys.stdout.buffer.write(np.ascontiguousarray(answer).tobytes())
    sys.stdout.buffer.flush()
