"""OpenCV's counterparts of our filters, by the names that `benches/filters.rs` gives its cases; `compare.py` runs both.

OpenCV gets every advantage that a steady stream offers: each result is written into a picture that exists already, as
ours are into pooled ones. Where it has no filter of its own, the quickest way through its functions is taken.
"""

import statistics
import time

import cv2
import numpy as np

LEAST_SECONDS = 0.05
BATCHES = 7
cv2.ocl.setUseOpenCL(False)


def scene(width, height):
    """Flat areas, gradients and noise, so that no filter gets away with a special case."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[0:height, 0:width]
    noise = np.where((x // 200 + y // 150) % 3 == 0, rng.integers(0, 256, x.shape), 0)
    flat = np.where((x // 90 + y // 70) % 2 == 0, 200, 40)
    return np.dstack([x // 8 ^ noise, flat, y // 5, np.full_like(x, 255)]).astype(np.uint8)


def matrix(rows):
    full = np.eye(4)
    full[:3, :3] = rows
    return full


class Scratch:
    """Pictures that are made once and written again and again, by name."""

    def __init__(self):
        self.kept = {}

    def __call__(self, name, function, *arguments, **options):
        self.kept[name] = function(*arguments, dst=self.kept.get(name), **options)
        return self.kept[name]


LUMA = np.tile([0.2126, 0.7152, 0.0722], (3, 1))
TABLE = (255 * (np.arange(256) / 255) ** (1 / 2.2)).round().astype(np.uint8)


def grayscale(p, to):
    return to("out", cv2.cvtColor, to("gray", cv2.cvtColor, p, cv2.COLOR_RGBA2GRAY), cv2.COLOR_GRAY2RGBA)


def threshold(p, to):
    gray = to("gray", cv2.cvtColor, p, cv2.COLOR_RGBA2GRAY)
    _, to.kept["bits"] = cv2.threshold(gray, 127, 255, cv2.THRESH_BINARY, dst=to.kept.get("bits"))
    return to("out", cv2.cvtColor, to.kept["bits"], cv2.COLOR_GRAY2RGBA)


def crop(p, to):
    # A crop is a view in OpenCV; ours is a picture of its own, so this is a copy.
    return to("out", cv2.copyTo, p[round(p.shape[0] / 10):, round(p.shape[1] / 10):], None)


def rotate(p, to):
    h, w = p.shape[:2]
    return to("out", cv2.warpAffine, p, cv2.getRotationMatrix2D((w / 2, h / 2), 30, 1), (w, h))


def zoom(p, to):
    # OpenCV has two ways; the quicker one is the measure.
    h, w = p.shape[:2]
    return to("out", cv2.resize, p[h // 4:h // 4 + h // 2, w // 4:w // 4 + w // 2], (w, h))


def scale(factor, sampling):
    return lambda p, to: to("out", cv2.resize, p, None, fx=factor, fy=factor, interpolation=sampling)


def sharpen(p, to):
    return to("out", cv2.addWeighted, p, 2, to("blur", cv2.GaussianBlur, p, (0, 0), 1), -1, 0)


def edges(p, to):
    gray = to("gray", cv2.cvtColor, p, cv2.COLOR_RGBA2GRAY)
    to.kept["edges"] = cv2.Canny(gray, 100, 200, edges=to.kept.get("edges"))
    return to("out", cv2.cvtColor, to.kept["edges"], cv2.COLOR_GRAY2RGBA)


def pixelate(p, to):
    h, w = p.shape[:2]
    small = to("small", cv2.resize, p, (w // 16, h // 16), interpolation=cv2.INTER_AREA)
    return to("out", cv2.resize, small, (w, h), interpolation=cv2.INTER_NEAREST)


def bilateral(p, to):
    # It takes three channels and no fourth.
    rgb = to("rgb", cv2.cvtColor, p, cv2.COLOR_RGBA2RGB)
    return to("out", cv2.cvtColor, to("smooth", cv2.bilateralFilter, rgb, 9, 25, 5), cv2.COLOR_RGB2RGBA)


def cartoon(p, to):
    rgb = to("rgb", cv2.cvtColor, p, cv2.COLOR_RGBA2RGB)
    color = to("quarter", cv2.pyrDown, to("half", cv2.pyrDown, rgb))
    for step in range(6):
        color = to(f"smooth{step % 2}", cv2.bilateralFilter, color, 9, 9, 7)
    color = to("large", cv2.resize, to("grown", cv2.pyrUp, to("grown half", cv2.pyrUp, color)), rgb.shape[1::-1])
    calm = to("calm", cv2.medianBlur, to("gray", cv2.cvtColor, rgb, cv2.COLOR_RGB2GRAY), 7)
    lines = to("lines", cv2.adaptiveThreshold, calm, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 9, 2)
    drawn = to("drawn", cv2.bitwise_and, color, to("lines rgb", cv2.cvtColor, lines, cv2.COLOR_GRAY2RGB))
    return to("out", cv2.cvtColor, drawn, cv2.COLOR_RGB2RGBA)


def gaussian(sigma):
    return lambda p, to: to("out", cv2.GaussianBlur, p, (0, 0), sigma)


def box(radius):
    return lambda p, to: to("out", cv2.blur, p, (2 * radius + 1, 2 * radius + 1))


def median(radius):
    return lambda p, to: to("out", cv2.medianBlur, p, 2 * radius + 1)


def square(radius):
    return np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)


BOX = np.full((5, 5), 0.04, np.float32)


def adaptive_threshold(p, to):
    gray = to("gray", cv2.cvtColor, p, cv2.COLOR_RGBA2GRAY)
    bits = cv2.adaptiveThreshold(
        gray, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 11, 5, dst=to.kept.get("bits"))
    return to("out", cv2.cvtColor, bits, cv2.COLOR_GRAY2RGBA)


def sobel(p, to):
    gray = to("gray", cv2.cvtColor, p, cv2.COLOR_RGBA2GRAY)
    across = to("across", cv2.Sobel, gray, cv2.CV_32F, 1, 0)
    down = to("down", cv2.Sobel, gray, cv2.CV_32F, 0, 1)
    to.kept["strength"] = cv2.magnitude(across, down, magnitude=to.kept.get("strength"))
    return to("out", cv2.cvtColor, to("levels", cv2.convertScaleAbs, to.kept["strength"]), cv2.COLOR_GRAY2RGBA)


def perspective(p, to):
    h, w = p.shape[:2]
    corners = np.float32([[0, 0], [w, 0], [w, h], [0, h]])
    moved = np.float32([[w * 0.2, 0], [w, 0], [w, h], [0, h]])
    return to("out", cv2.warpPerspective, p, cv2.getPerspectiveTransform(corners, moved), (w, h))


def lens(p, to):
    # The positions are worked out once, as ours are.
    if "positions" not in to.kept:
        h, w = p.shape[:2]
        camera = np.array([[w / 2, 0, w / 2], [0, w / 2, h / 2], [0, 0, 1]])
        bent = np.array([-0.2, 0, 0, 0])
        to.kept["positions"] = cv2.initUndistortRectifyMap(camera, bent, None, camera, (w, h), cv2.CV_16SC2)
    return to("out", cv2.remap, p, *to.kept["positions"], cv2.INTER_LINEAR)


def eight_colours(p, to):
    steps = ['brightness_contrast {"contrast":1.2}', 'gamma {"gamma":2.2}', 'saturation {"saturation":1.5}', 'hue {"degrees":30}',
             "invert {}", 'brightness_contrast {"contrast":1.2}', 'saturation {"saturation":1.5}', 'gamma {"gamma":2.2}']
    for at, step in enumerate(steps):
        # Between two pictures in turns.
        p = CASES[step](p, lambda _, *call, **options: to(f"turn{at % 2}", *call, **options))
    return p


CASES = {
    'brightness_contrast {"contrast":1.2}': lambda p, to: to("out", cv2.convertScaleAbs, p, alpha=1.2, beta=-25.5),
    'gamma {"gamma":2.2}': lambda p, to: to("out", cv2.LUT, p, TABLE),
    'saturation {"saturation":1.5}': lambda p, to: to("out", cv2.transform, p, matrix(1.5 * np.eye(3) - 0.5 * LUMA)),
    'hue {"degrees":30}': lambda p, to: to("out", cv2.transform, p, matrix(1.5 * np.eye(3) - 0.5 * LUMA)),
    "grayscale {}": grayscale,
    "invert {}": lambda p, to: to("out", cv2.bitwise_not, p),
    "threshold {}": threshold,
    'crop {"left":0.1,"top":0.1}': crop,
    'rotate {"degrees":90,"expand":true}': lambda p, to: to("out", cv2.rotate, p, cv2.ROTATE_90_COUNTERCLOCKWISE),
    'rotate {"degrees":30}': rotate,
    'flip {"horizontal":true}': lambda p, to: to("out", cv2.flip, p, 1),
    'flip {"vertical":true}': lambda p, to: to("out", cv2.flip, p, 0),
    'zoom {"factor":2}': zoom,
    'scale {"percent":50}': scale(0.5, cv2.INTER_LINEAR),
    'scale {"percent":50,"sampling":"nearest"}': scale(0.5, cv2.INTER_NEAREST),
    'scale {"percent":50,"sampling":"bicubic"}': scale(0.5, cv2.INTER_CUBIC),
    'scale {"percent":150,"sampling":"lanczos"}': scale(1.5, cv2.INTER_LANCZOS4),
    'scale {"percent":50,"sampling":"area"}': scale(0.5, cv2.INTER_AREA),
    'box_blur {"radius":10}': box(10),
    'box_blur {"radius":2}': box(2),
    'gaussian_blur {"sigma":0.8}': gaussian(0.8),
    'gaussian_blur {"sigma":2}': gaussian(2),
    'gaussian_blur {"sigma":5.9}': gaussian(5.9),
    'gaussian_blur {"sigma":20}': gaussian(20),
    'sharpen {"amount":1,"radius":1}': sharpen,
    'median {"radius":1}': median(1),
    'median {"radius":2}': median(2),
    'median {"radius":3}': median(3),
    'median {"radius":4}': median(4),
    'bilateral {"diameter":9,"sigma_color":25,"sigma_space":5}': bilateral,
    "edges {}": edges,
    'pixelate {"size":16}': pixelate,
    "cartoon {}": cartoon,
    "adaptive_threshold {}": adaptive_threshold,
    "sobel {}": sobel,
    'emboss {"amount":1}': lambda p, to: to("out", cv2.filter2D, p, -1, np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]])),
    f'convolve {{"factor":0.04,"kernel":"{"1 " * 25}"}}': lambda p, to: to("out", cv2.filter2D, p, -1, BOX),
    'morphology {"radius":1}': lambda p, to: to("out", cv2.erode, p, square(1)),
    'morphology {"operation":"close","radius":16}': lambda p, to: to(
        "out", cv2.morphologyEx, p, cv2.MORPH_CLOSE, square(16)),
    'perspective {"top_left_x":0.2}': perspective,
    'lens {"k1":-0.2}': lens,
    "chain of eight colour filters": eight_colours,
}


def measure(function, picture):
    """CPU and wall milliseconds of a picture in the median batch."""
    to = Scratch()
    function(picture, to)
    cpu, wall = [], []
    for _ in range(BATCHES):
        frames, busy, started = 0, time.process_time(), time.perf_counter()
        while frames < 3 or time.perf_counter() - started < LEAST_SECONDS:
            function(picture, to)
            frames += 1
        cpu.append((time.process_time() - busy) * 1e3 / frames)
        wall.append((time.perf_counter() - started) * 1e3 / frames)
    return [statistics.median(cpu), statistics.median(wall)]
