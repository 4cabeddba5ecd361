"""Makes the golden pictures that tests/it/filters.rs compares with: every filter's independent reference, from OpenCV
where it has the filter and from a formula in numpy where it has not.

Run it as `python make.py` with numpy and opencv-python installed; it writes beside itself. The pictures are seeded, so
that a second run changes nothing.
"""

import json
import pathlib

import cv2
import numpy as np

HERE = pathlib.Path(__file__).parent
cv2.setRNGSeed(1)
cv2.ocl.setUseOpenCL(False)


def scene(width, height, seed):
    """Gradients, noise, hard edges, and something like text, in RGB."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    picture = np.stack([x / width * 255, y / height * 255, (x + y) / (width + height) * 255], axis=-1)
    noisy = (x > width * 0.6) & (y < height * 0.4)
    picture[noisy] = rng.integers(0, 256, (int(noisy.sum()), 3))
    for _ in range(8):
        left, top = rng.integers(0, width), rng.integers(0, height)
        right, low = left + rng.integers(3, width // 2), top + rng.integers(3, height // 2)
        picture[top:low, left:right] = rng.integers(0, 256, 3)
    picture = np.ascontiguousarray(np.clip(picture + rng.normal(0, 2, picture.shape), 0, 255).round().astype(np.uint8))
    cv2.putText(picture, "Lens 42", (2, height - 5), cv2.FONT_HERSHEY_SIMPLEX, height / 90, (250, 250, 240), 1)
    cv2.circle(picture, (width // 3, height // 2), height // 6, (20, 160, 90), -1, cv2.LINE_AA)
    return picture


def levels(values):
    return np.clip(np.floor(np.asarray(values, np.float64) + 0.5), 0, 255).astype(np.uint8)


LUMA_709 = np.array([0.2126, 0.7152, 0.0722])
LUMA_601 = np.array([0.299, 0.587, 0.114])


def lerp(picture, other, amount):
    return levels(picture + (np.asarray(other, np.float64) - picture) * amount)


def brightness_contrast(p, brightness=0.0, contrast=1.0):
    # convertScaleAbs mirrors what falls below 0, so the lower clamp is made with the same numbers in a second step.
    offset = 255 * (0.5 - 0.5 * contrast + brightness)
    below = p.astype(np.float64) * contrast + offset < 0
    return np.where(below, 0, cv2.convertScaleAbs(p, alpha=contrast, beta=offset)).astype(np.uint8)


def gamma(p, gamma=1.0):
    return cv2.LUT(p, levels(255 * (np.arange(256) / 255) ** (1 / gamma)))


def saturation(p, saturation=1.0, vibrance=0.0):
    v = p.astype(np.float64)
    luma = (v @ LUMA_709)[..., None]
    spread = ((v.max(-1) - v.min(-1)) / 255)[..., None]
    return levels(luma + (v - luma) * saturation * (1 + vibrance * (1 - spread)))


def hue(p, degrees=0.0):
    lr, lg, lb = LUMA_709
    a = np.radians(degrees)
    sine = np.array([
        [-lr, -lg, 1 - lb],
        [(lr * lr + lb * (1 - lr)) / lg, lr - lb, -(lr * (1 - lb) + lb * lb) / lg],
        [lr - 1, lg, lb],
    ])
    gray = np.tile(LUMA_709, (3, 1))
    matrix = gray + np.cos(a) * (np.eye(3) - gray) + np.sin(a) * sine
    return levels(cv2.transform(p.astype(np.float64), matrix))


def grayscale(p, method="luma709", amount=1.0):
    v = p.astype(np.float64)
    if method == "luma601" and amount == 1.0:
        return cv2.cvtColor(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    gray = {
        "luma709": v @ LUMA_709,
        "luma601": v @ LUMA_601,
        "average": v.mean(-1),
        "lightness": (v.max(-1) + v.min(-1)) / 2,
    }[method]
    return lerp(v, gray[..., None], amount)


def invert(p, amount=1.0):
    return cv2.bitwise_not(p) if amount == 1.0 else lerp(p.astype(np.float64), 255.0 - p, amount)


def threshold(p, level=0.5, invert=False):
    gray = ((p.astype(np.uint32) @ np.array([13933, 46871, 4732], np.uint32) + 32768) >> 16).astype(np.uint8)
    kind = cv2.THRESH_BINARY_INV if invert else cv2.THRESH_BINARY
    return cv2.cvtColor(cv2.threshold(gray, level * 255, 255, kind)[1], cv2.COLOR_GRAY2RGB)


def crop(p, left=0.0, top=0.0, right=0.0, bottom=0.0):
    h, w = p.shape[:2]
    cut = lambda fraction, length: int(np.floor(fraction * length + 0.5))
    return p[cut(top, h):h - cut(bottom, h), cut(left, w):w - cut(right, w)]


def warp(p, matrix, size, fill=(0, 0, 0)):
    """`matrix` takes output positions to input positions, measured from the picture's corner and not a pixel's middle."""
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    inner = np.linalg.inv(half) @ np.vstack([matrix, [0, 0, 1]]) @ half
    # 4-fold supersampling of the positions' grid is not needed: warpAffine in floats is exact enough.
    out = cv2.warpAffine(p.astype(np.float32), inner[:2], size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                         borderMode=cv2.BORDER_REPLICATE)
    return levels(out)


def rotate(p, degrees=0.0, expand=False):
    h, w = p.shape[:2]
    if expand and degrees % 90 == 0:
        turns = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, -90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180}
        return cv2.rotate(p, turns[int(degrees)])
    forward = cv2.getRotationMatrix2D((w / 2, h / 2), degrees, 1)
    ow, oh = w, h
    if expand:
        a = np.radians(degrees)
        c, s = abs(np.cos(a)), abs(np.sin(a))
        ow, oh = int(np.ceil(c * w + s * h - 1e-6)), int(np.ceil(s * w + c * h - 1e-6))
        forward[:, 2] += [(ow - w) / 2, (oh - h) / 2]
    back = cv2.invertAffineTransform(forward)
    out = warp(p, back, (ow, oh))
    ys, xs = np.mgrid[0:oh, 0:ow]
    px = back[0, 0] * (xs + 0.5) + back[0, 1] * (ys + 0.5) + back[0, 2]
    py = back[1, 0] * (xs + 0.5) + back[1, 1] * (ys + 0.5) + back[1, 2]
    out[(px < 0) | (py < 0) | (px >= w) | (py >= h)] = 0
    return out


def flip(p, horizontal=False, vertical=False):
    code = {(True, True): -1, (True, False): 1, (False, True): 0}
    return cv2.flip(p, code[(horizontal, vertical)])


def zoom(p, factor=1.0, x=0.5, y=0.5):
    h, w = p.shape[:2]
    left = np.clip(x * w - w / factor / 2, 0, w - w / factor)
    top = np.clip(y * h - h / factor / 2, 0, h - h / factor)
    return warp(p, np.array([[1 / factor, 0, left], [0, 1 / factor, top]]), (w, h))


def sample(p, xs, ys, fill=None):
    """Bilinear at positions measured from the picture's corner; beside the picture `fill`, or the outermost pixel."""
    h, w = p.shape[:2]
    x, y = np.clip(xs - 0.5, 0, w - 1), np.clip(ys - 0.5, 0, h - 1)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, low = np.minimum(left + 1, w - 1), np.minimum(top + 1, h - 1)
    a, b = (x - left)[..., None], (y - top)[..., None]
    v = p.astype(np.float64)
    out = levels((v[top, left] * (1 - a) + v[top, right] * a) * (1 - b) + (v[low, left] * (1 - a) + v[low, right] * a) * b)
    if fill is not None:
        out[(xs < 0) | (ys < 0) | (xs >= w) | (ys >= h)] = fill
    return out


def grid(p):
    """The middles of the pixels, and the picture's middle."""
    h, w = p.shape[:2]
    ys, xs = np.mgrid[0:h, 0:w] + 0.5
    return xs, ys, w / 2, h / 2


def mirrored(at, length):
    return length - np.abs(np.mod(at, 2 * length) - length)


def room(p, xs, ys):
    h, w = p.shape[:2]
    return sample(p, mirrored(xs, w), mirrored(ys, h))


def pad(p, aspect="free", left=0.0, top=0.0, right=0.0, bottom=0.0, fill=(0, 0, 0)):
    h, w = p.shape[:2]
    nearest = lambda value: int(np.floor(value + 0.5))
    if aspect == "free":
        sides = nearest(top * h), nearest(bottom * h), nearest(left * w), nearest(right * w)
    else:
        across, down = {"wide_16_9": (16, 9), "classic_4_3": (4, 3), "square": (1, 1), "tall_9_16": (9, 16)}[aspect]
        wide, high = max(nearest(h * across / down), w), max(nearest(w * down / across), h)
        x, y = (wide - w, 0) if wide > w else (0, high - h)
        sides = y // 2, y - y // 2, x // 2, x - x // 2
    return cv2.copyMakeBorder(p, *sides, cv2.BORDER_CONSTANT, value=fill)


def scale(p, percent=100.0, width=0, height=0, sampling="bilinear"):
    h, w = p.shape[:2]
    side = lambda length, times: max(int(np.floor(length * times + 0.5)), 1)
    if width == 0 and height == 0:
        size = side(w, percent / 100), side(h, percent / 100)
    else:
        size = width or side(w, height / h), height or side(h, width / w)
    kinds = {"nearest": cv2.INTER_NEAREST, "bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC,
             "lanczos": cv2.INTER_LANCZOS4, "area": cv2.INTER_AREA}
    return cv2.resize(p, size, interpolation=kinds[sampling])


def perspective(p, fill=(0, 0, 0), **corners):
    h, w = p.shape[:2]
    places = {"top_left": (0, 0), "top_right": (1, 0), "bottom_right": (1, 1), "bottom_left": (0, 1)}
    before = np.float32([(x * w, y * h) for x, y in places.values()])
    after = np.float32([(corners.get(f"{name}_x", x) * w, corners.get(f"{name}_y", y) * h)
                        for name, (x, y) in places.items()])
    forward = cv2.getPerspectiveTransform(before.astype(np.float32), after)
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    inner = np.linalg.inv(half) @ forward @ half
    out = levels(cv2.warpPerspective(p.astype(np.float32), inner, (w, h), flags=cv2.INTER_LINEAR,
                                     borderMode=cv2.BORDER_REPLICATE))
    xs, ys, _, _ = grid(p)
    px, py, depth = np.tensordot(np.linalg.inv(forward), np.stack([xs, ys, np.ones_like(xs)]), 1)
    px, py = px / depth, py / depth
    out[(px < 0) | (py < 0) | (px >= w) | (py >= h) | (depth <= 0)] = fill
    return out


def lens(p, k1=0.0, k2=0.0, fill=(0, 0, 0)):
    xs, ys, x, y = grid(p)
    square = ((xs - x) ** 2 + (ys - y) ** 2) / (x * x + y * y)
    stretch = 1 + k1 * square + k2 * square ** 2
    return sample(p, x + (xs - x) * stretch, y + (ys - y) * stretch, fill)


def kaleidoscope(p, amount=0, angle=0.0):
    xs, ys, x, y = grid(p)
    start, wedge = np.radians(angle), 2 * np.pi / amount
    turned = np.mod(np.arctan2(ys - y, xs - x) - start, wedge)
    folded = np.where(turned > wedge / 2, wedge - turned, turned) + start
    far = np.hypot(xs - x, ys - y)
    return room(p, x + far * np.cos(folded), y + far * np.sin(folded))


def wave(p, amount=0.0, frequency=4.0, angle=0.0):
    xs, ys, _, _ = grid(p)
    side, a = min(p.shape[:2]), np.radians(angle)
    push = amount * side * np.sin(2 * np.pi * frequency * (ys * np.cos(a) - xs * np.sin(a)) / side)
    return room(p, xs + push * np.cos(a), ys + push * np.sin(a))


def swirl(p, angle=0.0, amount=0.8):
    xs, ys, x, y = grid(p)
    near = np.maximum(0, 1 - np.hypot(xs - x, ys - y) / (amount * np.hypot(x, y)))
    a = np.radians(angle) * near ** 2
    dx, dy = xs - x, ys - y
    return room(p, x + dx * np.cos(a) - dy * np.sin(a), y + dx * np.sin(a) + dy * np.cos(a))


def box_blur(p, radius=0):
    return cv2.blur(p, (2 * radius + 1, 2 * radius + 1))


def gaussian_blur(p, sigma=0.0):
    return cv2.GaussianBlur(p, (0, 0), sigma)


def sharpen(p, amount=0.0, radius=1.0):
    v = p.astype(np.float32)
    return levels(v + (v - cv2.GaussianBlur(v, (0, 0), radius)) * amount)


def pixelate(p, size=1):
    h, w = p.shape[:2]
    if w % size == 0 and h % size == 0:
        small = cv2.resize(p, (w // size, h // size), interpolation=cv2.INTER_AREA)
        return cv2.resize(small, (w, h), interpolation=cv2.INTER_NEAREST)
    out = np.empty_like(p)
    for top in range(0, h, size):
        for left in range(0, w, size):
            block = p[top:top + size, left:left + size].astype(np.float64)
            out[top:top + size, left:left + size] = levels(block.mean((0, 1)))
    return out


def edges(p, low=100.0, high=200.0, overlay=False, color=(255, 255, 255)):
    found = cv2.Canny(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), low, high)
    out = p.copy() if overlay else np.zeros_like(p)
    out[found > 0] = color
    return out


def cartoon(p, smoothing=6, edge_size=9, edge_offset=2):
    sizes = [p.shape[1::-1]]
    color = p
    for _ in range(2):
        color = cv2.pyrDown(color)
        sizes.append(color.shape[1::-1])
    for _ in range(smoothing):
        color = cv2.bilateralFilter(color, 9, 9, 7)
    for size in reversed(sizes[:-1]):
        color = cv2.pyrUp(color, dstsize=size)
    lines = cv2.adaptiveThreshold(cv2.medianBlur(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), 7), 255,
                                  cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, edge_size, edge_offset)
    return cv2.bitwise_and(color, cv2.cvtColor(lines, cv2.COLOR_GRAY2RGB))


def vignette(p, amount=0.5, size=0.5, softness=0.5, color=(0, 0, 0)):
    xs, ys, x, y = grid(p)
    r = np.sqrt((((xs - x) / x) ** 2 + ((ys - y) / y) ** 2) / 2)
    t = np.clip((r - size) / max(softness, 1e-4), 0, 1)
    return lerp(p.astype(np.float64), np.array(color), (amount * t * t * (3 - 2 * t))[..., None])


def gradient(p, start=(0, 0, 0), end=(255, 255, 255), angle=90.0, blend="normal", amount=0.0):
    xs, ys, x, y = grid(p)
    a = np.radians(angle)
    along = (xs - x) * np.cos(a) + (ys - y) * np.sin(a)
    t = (0.5 + along / (2 * x * abs(np.cos(a)) + 2 * y * abs(np.sin(a))))[..., None]
    above, below = (np.array(start) * (1 - t) + np.array(end) * t) / 255, p / 255
    blended = {
        "normal": above,
        "multiply": below * above,
        "screen": 1 - (1 - below) * (1 - above),
        "overlay": np.where(below < 0.5, 2 * below * above, 1 - 2 * (1 - below) * (1 - above)),
        "soft_light": (1 - 2 * above) * below ** 2 + 2 * above * below,
        "add": below + above,
        "difference": np.abs(below - above),
    }[blend]
    return lerp(p.astype(np.float64), np.clip(blended, 0, 1) * 255, amount)


def ripple(turns):
    t = 2 * np.abs(turns - np.round(turns))
    return t * t * (3 - 2 * t)


def scanlines(p, size=4.0, angle=0.0, amount=0.0):
    xs, ys, _, _ = grid(p)
    a = np.radians(angle)
    return levels(p * (1 - amount * ripple((ys * np.cos(a) - xs * np.sin(a)) / size))[..., None])


def halftone(p, size=8.0, angle=45.0, amount=0.0):
    xs, ys, _, _ = grid(p)
    a = np.radians(angle)
    u, v = (xs * np.cos(a) + ys * np.sin(a)) / size, (ys * np.cos(a) - xs * np.sin(a)) / size
    s = 1 - (ripple(u) + ripple(v))[..., None] / 2
    return lerp(p.astype(np.float64), np.clip((p / 255 - 1 + s) * 0.6 * size + 0.5, 0, 1) * 255, amount)


def redact(p, left=0.25, top=0.25, width=0.5, height=0.5):
    h, w = p.shape[:2]
    out = p.copy()
    out[int(np.floor(top * h)):int(np.ceil((top + height) * h)), int(np.floor(left * w)):int(np.ceil((left + width) * w))] = 0
    return out


INPUTS = {"small_odd": scene(61, 47, 1), "small": scene(64, 48, 2), "large": scene(203, 151, 3)}

# (filter, parameters, tolerance in levels, margin that is not compared, inputs)
BOTH = ("small_odd", "small")
CASES = [
    (brightness_contrast, {"brightness": 0.25, "contrast": 0.5}, 1, 0, BOTH),
    (brightness_contrast, {"brightness": -0.2, "contrast": 2.5}, 1, 0, BOTH),
    (gamma, {"gamma": 2.2}, 1, 0, BOTH),
    (gamma, {"gamma": 0.1}, 1, 0, ("small",)),
    (saturation, {"saturation": 0.0}, 1, 0, ("small",)),
    (saturation, {"saturation": 2.5}, 1, 0, BOTH),
    (saturation, {"saturation": 1.2, "vibrance": 0.8}, 1, 0, BOTH),
    (saturation, {"saturation": 1.0, "vibrance": -1.0}, 1, 0, ("small",)),
    (hue, {"degrees": 120.0}, 1, 0, BOTH),
    (hue, {"degrees": -35.0}, 1, 0, ("small",)),
    (grayscale, {}, 1, 0, BOTH),
    (grayscale, {"method": "luma601"}, 1, 0, BOTH),
    (grayscale, {"method": "average", "amount": 0.6}, 1, 0, ("small",)),
    (grayscale, {"method": "lightness", "amount": 0.8}, 1, 0, ("small",)),
    (invert, {}, 0, 0, BOTH),
    (invert, {"amount": 0.3}, 1, 0, ("small",)),
    (threshold, {}, 0, 0, BOTH),
    (threshold, {"level": 0.25, "invert": True}, 0, 0, ("small",)),
    (vignette, {}, 1, 0, BOTH),
    (vignette, {"amount": 1.0, "size": 0.3, "softness": 0.2, "color": (200, 30, 90)}, 1, 0, BOTH),
    (gradient, {"amount": 0.5}, 1, 0, BOTH),
    (gradient, {"start": (255, 80, 0), "end": (0, 60, 255), "angle": 30.0, "blend": "multiply", "amount": 1.0}, 1, 0, BOTH),
    (gradient, {"start": (255, 80, 0), "end": (0, 60, 255), "angle": -120.0, "blend": "screen", "amount": 0.8}, 1, 0,
     ("small_odd",)),
    (gradient, {"start": (255, 80, 0), "end": (0, 60, 255), "blend": "overlay", "amount": 1.0}, 1, 0, ("small_odd",)),
    (gradient, {"start": (255, 80, 0), "end": (0, 60, 255), "blend": "soft_light", "amount": 0.7}, 1, 0, ("small",)),
    (gradient, {"start": (255, 80, 0), "end": (0, 60, 255), "blend": "add", "amount": 0.7}, 1, 0, ("small",)),
    (gradient, {"start": (255, 80, 0), "end": (0, 60, 255), "blend": "difference", "amount": 1.0}, 1, 0, ("small",)),
    (redact, {}, 0, 0, BOTH),
    (redact, {"left": 0.9, "top": 0.0, "width": 0.5, "height": 0.3}, 0, 0, ("small_odd",)),
    (scanlines, {"amount": 0.6}, 1, 0, BOTH),
    (scanlines, {"size": 9.5, "angle": 35.0, "amount": 1.0}, 1, 0, BOTH),
    (halftone, {"amount": 1.0}, 1, 0, BOTH),
    (halftone, {"size": 5.0, "angle": -20.0, "amount": 0.7}, 1, 0, BOTH),
    (crop, {"left": 0.125, "top": 0.25, "right": 0.1, "bottom": 0.05}, 0, 0, BOTH),
    (rotate, {"degrees": 90.0, "expand": True}, 0, 0, BOTH),
    (rotate, {"degrees": -90.0, "expand": True}, 0, 0, BOTH),
    (rotate, {"degrees": 180.0, "expand": True}, 0, 0, BOTH),
    (rotate, {"degrees": 30.0}, 2, 0, BOTH),
    (rotate, {"degrees": -12.3, "expand": True}, 2, 0, BOTH),
    (flip, {"horizontal": True}, 0, 0, BOTH),
    (flip, {"vertical": True}, 0, 0, BOTH),
    (flip, {"horizontal": True, "vertical": True}, 0, 0, ("small_odd",)),
    (zoom, {"factor": 2.0}, 2, 0, BOTH),
    (zoom, {"factor": 3.7, "x": 0.9, "y": 0.2}, 2, 0, BOTH),
    (pad, {"left": 0.1, "top": 0.3, "right": 0.25, "bottom": 0.05, "fill": (255, 0, 128)}, 0, 0, BOTH),
    (pad, {"aspect": "wide_16_9"}, 0, 0, BOTH),
    (pad, {"aspect": "tall_9_16"}, 0, 0, ("small_odd",)),
    (scale, {"percent": 50.0, "sampling": "nearest"}, 0, 0, BOTH),
    (scale, {"percent": 170.0, "sampling": "nearest"}, 0, 0, BOTH),
    (scale, {"percent": 60.0}, 2, 0, BOTH),
    (scale, {"width": 150, "height": 40}, 2, 0, BOTH),
    (scale, {"percent": 130.0, "sampling": "bicubic"}, 1, 0, BOTH),
    (scale, {"percent": 70.0, "sampling": "bicubic"}, 1, 0, BOTH),
    (scale, {"height": 70, "sampling": "lanczos"}, 1, 0, BOTH),
    (scale, {"width": 50, "sampling": "lanczos"}, 1, 0, BOTH),
    (scale, {"percent": 30.0, "sampling": "area"}, 1, 0, BOTH + ("large",)),
    (scale, {"percent": 50.0, "sampling": "area"}, 1, 0, BOTH),
    (scale, {"width": 3, "height": 5, "sampling": "area"}, 1, 0, BOTH),
    (scale, {"percent": 160.0, "sampling": "area"}, 1, 0, BOTH),
    (perspective, {"top_left_x": 0.2, "top_left_y": 0.1, "top_right_x": 0.9, "bottom_right_y": 0.8, "fill": (9, 99, 199)},
     2, 0, BOTH),
    (perspective, {"top_left_x": -0.3, "top_right_x": 1.2, "top_right_y": -0.1, "bottom_left_y": 1.4}, 2, 0, BOTH),
    (lens, {"k1": -0.3, "k2": 0.1}, 2, 0, BOTH),
    (lens, {"k1": 0.4, "k2": 0.2, "fill": (200, 100, 0)}, 2, 0, BOTH),
    (kaleidoscope, {"amount": 1}, 2, 0, BOTH),
    (kaleidoscope, {"amount": 6, "angle": 40.0}, 2, 0, BOTH),
    (wave, {"amount": 0.06, "frequency": 3.0}, 2, 0, BOTH),
    (wave, {"amount": 0.2, "frequency": 1.5, "angle": 60.0}, 2, 0, BOTH),
    (swirl, {"angle": 90.0}, 2, 0, BOTH),
    (swirl, {"angle": -400.0, "amount": 1.0}, 2, 0, BOTH),
    (box_blur, {"radius": 1}, 1, 0, BOTH),
    (box_blur, {"radius": 7}, 1, 0, BOTH),
    (box_blur, {"radius": 64}, 1, 64, ("large",)),
    (gaussian_blur, {"sigma": 0.5}, 2, 0, BOTH),
    (gaussian_blur, {"sigma": 2.0}, 2, 0, BOTH),
    (gaussian_blur, {"sigma": 5.9}, 2, 0, BOTH),
    (gaussian_blur, {"sigma": 6.0}, 2, 18, ("large",)),
    (gaussian_blur, {"sigma": 11.0}, 2, 33, ("large",)),
    (gaussian_blur, {"sigma": 24.0}, 2, 60, ("large",)),
    (gaussian_blur, {"sigma": 32.0}, 2, 60, ("large",)),
    (sharpen, {"amount": 0.7, "radius": 1.0}, 2, 0, BOTH),
    (sharpen, {"amount": 3.0, "radius": 0.3}, 2, 0, BOTH),
    (sharpen, {"amount": 3.0, "radius": 8.0}, 2, 24, ("large",)),
    (pixelate, {"size": 8}, 1, 0, BOTH),
    (pixelate, {"size": 16}, 1, 0, BOTH),
    (edges, {}, "edges", 0, BOTH + ("large",)),
    (edges, {"low": 300.0, "high": 40.0}, "edges", 0, BOTH),
    (edges, {"overlay": True, "color": (255, 0, 128)}, "edges", 0, BOTH),
    (cartoon, {}, "ssim", 0, BOTH + ("large",)),
    (cartoon, {"smoothing": 2, "edge_size": 5, "edge_offset": 4}, "ssim", 0, BOTH),
]


def write(name, rgb):
    cv2.imwrite(str(HERE / f"{name}.png"), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 9])


def main():
    for name, picture in INPUTS.items():
        write(name, picture)
    manifest, numbers = [], {}
    for function, params, tolerance, margin, inputs in CASES:
        for name in inputs:
            number = numbers[function.__name__] = numbers.get(function.__name__, 0) + 1
            expected = f"{function.__name__}_{number}"
            write(expected, function(INPUTS[name], **params))
            shown = {key: "#%02x%02x%02x" % value if isinstance(value, tuple) else value for key, value in params.items()}
            manifest.append({"filter": function.__name__, "params": shown, "input": name, "expected": expected,
                             "tolerance": tolerance, "margin": margin})
    lines = ",\n".join(json.dumps(case) for case in manifest)
    (HERE / "cases.json").write_text(f"[\n{lines}\n]\n")


main()
