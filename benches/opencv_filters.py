"""CPU time a frame of OpenCV's counterparts of our filters, in the order of `benches/filters.rs`, with 1 and 2 threads.

Run it as `python benches/opencv_filters.py` with numpy and opencv-python installed.
"""

import statistics
import time

import cv2
import numpy as np

FRAMES = 15
cv2.ocl.setUseOpenCL(False)


def scene(width, height):
    rng = np.random.default_rng(1)
    y, x = np.mgrid[0:height, 0:width]
    noise = np.where((x // 200 + y // 150) % 3 == 0, rng.integers(0, 256, x.shape), 0)
    flat = np.where((x // 90 + y // 70) % 2 == 0, 200, 40)
    return np.dstack([x // 8 ^ noise, flat, y // 5, np.full_like(x, 255)]).astype(np.uint8)


def matrix(rows):
    full = np.eye(4)
    full[:3, :3] = rows
    return full


LUMA = np.tile([0.2126, 0.7152, 0.0722], (3, 1))


def edges(p):
    return cv2.cvtColor(cv2.Canny(cv2.cvtColor(p, cv2.COLOR_RGBA2GRAY), 100, 200), cv2.COLOR_GRAY2RGBA)


def cartoon(p):
    rgb = cv2.cvtColor(p, cv2.COLOR_RGBA2RGB)
    color = cv2.pyrDown(cv2.pyrDown(rgb))
    for _ in range(6):
        color = cv2.bilateralFilter(color, 9, 9, 7)
    color = cv2.resize(cv2.pyrUp(cv2.pyrUp(color)), rgb.shape[1::-1])
    lines = cv2.adaptiveThreshold(cv2.medianBlur(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), 7), 255,
                                  cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 9, 2)
    return cv2.cvtColor(cv2.bitwise_and(color, cv2.cvtColor(lines, cv2.COLOR_GRAY2RGB)), cv2.COLOR_RGB2RGBA)


def threshold(p):
    return cv2.cvtColor(cv2.threshold(cv2.cvtColor(p, cv2.COLOR_RGBA2GRAY), 127, 255, cv2.THRESH_BINARY)[1],
                        cv2.COLOR_GRAY2RGBA)


def pixelate(p):
    h, w = p.shape[:2]
    return cv2.resize(cv2.resize(p, (w // 16, h // 16), interpolation=cv2.INTER_AREA), (w, h),
                      interpolation=cv2.INTER_NEAREST)


def rotate(p):
    h, w = p.shape[:2]
    return cv2.warpAffine(p, cv2.getRotationMatrix2D((w / 2, h / 2), 30, 1), (w, h))


def zoom(p):
    h, w = p.shape[:2]
    return cv2.warpAffine(p, np.array([[2.0, 0, -w / 2], [0, 2.0, -h / 2]]), (w, h))


def sharpen(p):
    return cv2.addWeighted(p, 2, cv2.GaussianBlur(p, (0, 0), 1), -1, 0)


TABLE = (255 * (np.arange(256) / 255) ** (1 / 2.2)).round().astype(np.uint8)
CASES = {
    "brightness_contrast": lambda p: cv2.convertScaleAbs(p, alpha=1.2, beta=-25.5),
    "gamma": lambda p: cv2.LUT(p, TABLE),
    "saturation, hue (transform)": lambda p: cv2.transform(p, matrix(1.5 * np.eye(3) - 0.5 * LUMA)),
    "grayscale (cvtColor)": lambda p: cv2.cvtColor(cv2.cvtColor(p, cv2.COLOR_RGBA2GRAY), cv2.COLOR_GRAY2RGBA),
    "invert": cv2.bitwise_not,
    "threshold": threshold,
    "crop (copy)": lambda p: p[72:, 128:].copy(),
    "rotate 90": lambda p: cv2.rotate(p, cv2.ROTATE_90_COUNTERCLOCKWISE),
    "rotate 30": rotate,
    "flip": lambda p: cv2.flip(p, 1),
    "zoom 2": zoom,
    "box_blur 10": lambda p: cv2.blur(p, (21, 21)),
    "gaussian_blur 2": lambda p: cv2.GaussianBlur(p, (0, 0), 2),
    "gaussian_blur 5.9": lambda p: cv2.GaussianBlur(p, (0, 0), 5.9),
    "gaussian_blur 20": lambda p: cv2.GaussianBlur(p, (0, 0), 20),
    "sharpen": sharpen,
    "edges": edges,
    "pixelate 16": pixelate,
    "cartoon": cartoon,
}


def measure(function, picture):
    function(picture)
    cpu, wall = [], []
    for _ in range(FRAMES):
        busy, started = time.process_time(), time.perf_counter()
        function(picture)
        cpu.append((time.process_time() - busy) * 1e3)
        wall.append((time.perf_counter() - started) * 1e3)
    return f"{statistics.median(cpu):>10.2f} {statistics.median(wall):>10.2f}"


def main():
    pictures = [scene(1280, 720), scene(1920, 1080)]
    for threads in (1, 2):
        cv2.setNumThreads(threads)
        print(f"{f'OpenCV {cv2.__version__}, {threads} threads, ms a frame':<44}   720p CPU       wall  1080p CPU       wall")
        for name, function in CASES.items():
            print(f"{name:<44} " + " ".join(measure(function, picture) for picture in pictures))


main()
