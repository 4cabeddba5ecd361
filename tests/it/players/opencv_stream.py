"""Reads ten pictures of an MJPEG stream with OpenCV.

usage: opencv_stream.py URL   (with the password in it)
"""

import sys

import cv2
from common import tell

stream = cv2.VideoCapture(sys.argv[1])
assert stream.isOpened(), "OpenCV does not open it"
for _ in range(10):
    got, picture = stream.read()
    assert got, "the stream ended"
    tell(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
stream.release()
