"""Makes the golden pictures that tests/it/filters.rs compares with: every filter's independent reference, from OpenCV
where it has the filter and from a formula in numpy where it has not.

Run it as `python make.py` with numpy and opencv-python installed; it writes beside itself. The pictures are seeded, so
that a second run changes nothing.
"""

import json
import pathlib
import subprocess
import tempfile

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


def table(p, function):
    """The same function of 0 to 1 for every level of every channel."""
    return cv2.LUT(p, levels(255 * np.vectorize(function, otypes=[np.float64])(np.arange(256) / 255)))


def tables(p, functions):
    return np.dstack([table(p[..., channel], function) for channel, function in enumerate(functions)])


def linear(v):
    return v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4


def encoded(v):
    return v * 12.92 if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055


def exposure(p, stops=0.0):
    return table(p, lambda v: encoded(linear(v) * 2.0 ** stops))


def levels_filter(p, in_black=0.0, in_white=1.0, gamma=1.0, out_black=0.0, out_white=1.0):
    inner = lambda v: np.clip((v - in_black) / (in_white - in_black), 0, 1) if in_white > in_black else float(v >= in_black)
    return table(p, lambda v: out_black + inner(v) ** (1 / gamma) * (out_white - out_black))


def monotone(points):
    """SciPy's way to say it is PchipInterpolator; this is Fritsch and Carlson's of 1980, with straight ends."""
    x, y = np.array(points, np.float64).T
    d = np.diff(y) / np.diff(x)
    m = np.concatenate([[d[0]], np.where(d[:-1] * d[1:] <= 0, 0, (d[:-1] + d[1:]) / 2), [d[-1]]])
    for k in range(len(d)):
        if d[k] == 0:
            m[k] = m[k + 1] = 0
        else:
            a, b = m[k] / d[k], m[k + 1] / d[k]
            if np.hypot(a, b) > 3:
                m[k], m[k + 1] = 3 / np.hypot(a, b) * a * d[k], 3 / np.hypot(a, b) * b * d[k]

    def function(v):
        v = np.clip(v, x[0], x[-1])
        k = min(np.searchsorted(x, v, side="right") - 1, len(d) - 1)
        h = x[k + 1] - x[k]
        t = (v - x[k]) / h
        return ((1 + 2 * t) * (1 - t) ** 2 * y[k] + t * (1 - t) ** 2 * h * m[k]
                + t * t * (3 - 2 * t) * y[k + 1] + t * t * (t - 1) * h * m[k + 1])

    return function


def curves(p, master="0,0 1,1", red="0,0 1,1", green="0,0 1,1", blue="0,0 1,1"):
    read = lambda text: monotone([[float(number) for number in point.split(",")] for point in text.split()])
    first = read(master)
    return tables(p, [lambda v, f=read(own): f(first(v)) for own in (red, green, blue)])


def glow(kelvin):
    """Planck's law through Wyman, Sloan and Shirley's fit of the CIE 1931 observer (2013), in linear sRGB."""
    nm = np.arange(360.0, 831.0)
    wave = nm * 1e-9
    light = wave ** -5 / np.expm1(0.014387769 / (wave * kelvin))

    def lobe(peak, below, above):
        return np.exp(-0.5 * ((nm - peak) * np.where(nm < peak, below, above)) ** 2)

    x = 1.056 * lobe(599.8, 0.0264, 0.0323) + 0.362 * lobe(442.0, 0.0624, 0.0374) - 0.065 * lobe(501.1, 0.0490, 0.0382)
    y = 0.821 * lobe(568.8, 0.0213, 0.0247) + 0.286 * lobe(530.9, 0.0613, 0.0322)
    z = 1.217 * lobe(437.0, 0.0845, 0.0278) + 0.681 * lobe(459.0, 0.0385, 0.0725)
    xyz = np.array([(light * c).sum() for c in (x, y, z)])
    matrix = np.linalg.inv([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    return np.maximum(matrix @ (xyz / xyz[1]), 0)


def temperature(p, kelvin=6500.0, tint=0.0):
    gains = glow(kelvin) / glow(6500.0) * [1, 2.0 ** -tint, 1]
    gains = gains / (gains @ LUMA_709)
    return tables(p, [lambda v, g=gain: encoded(linear(v) * g) for gain in gains])


def color_balance(p, lift=(128,) * 3, lift_master=0.0, gamma=(128,) * 3, gamma_master=1.0, gain=(128,) * 3, gain_master=1.0):
    towards = lambda color, channel: (color[channel] - 128) / 128

    def curve(channel):
        slope, offset = gain_master * (1 + towards(gain, channel)), lift_master + 0.5 * towards(lift, channel)
        return lambda v: np.clip(v * slope + offset, 0, 1) ** (1 / (gamma_master * 2.0 ** towards(gamma, channel)))

    return tables(p, [curve(channel) for channel in range(3)])


def sepia(p, amount=1.0):
    matrix = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])
    return lerp(p.astype(np.float64), cv2.transform(p.astype(np.float64), matrix), amount)


def posterize(p, levels=4):
    tones = np.floor(np.arange(256) * levels / 256)
    return cv2.LUT(p, np.floor(tones * 255 / (levels - 1) + 0.5).astype(np.uint8))


def solarize(p, level=0.5):
    v = np.arange(256)
    return cv2.LUT(p, np.where(v > level * 255, 255 - v, v).astype(np.uint8))


def channel_mixer(p, **gains):
    names = ("red", "green", "blue")
    rows = [[gains.get(f"{to}_{source}", float(to == source)) for source in names] + [gains.get(f"{to}_offset", 0) * 255]
            for to in names]
    return levels(cv2.transform(p.astype(np.float64), np.array(rows)))


def multiply_add(p, multiply=(255,) * 3, add=(0,) * 3):
    return levels(p * (np.array(multiply) / 255) + np.array(add))


def false_color(p, palette="heat", amount=1.0):
    maps = {"heat": cv2.COLORMAP_HOT, "viridis": cv2.COLORMAP_VIRIDIS, "turbo": cv2.COLORMAP_TURBO,
            "rainbow": cv2.COLORMAP_RAINBOW}
    luma = levels(p.astype(np.float64) @ LUMA_709)
    return lerp(p.astype(np.float64), cv2.applyColorMap(luma, maps[palette])[..., ::-1], amount)


def looks():
    """Files for lut3d: a curve, a cube with a domain of its own, and a Hald picture."""
    look = lambda r, g, b: (r ** 0.8 * 0.9 + 0.1 * b, 0.2 * r + 0.8 * g * g, np.sqrt(b) * (1 - 0.3 * g))
    at = np.arange(9) / 8
    rows = [look(r, g, b) for b in at for g in at for r in at]
    text = "".join("%.6f %.6f %.6f\n" % row for row in rows)
    (HERE / "look.cube").write_text("# a look\nTITLE \"look\"\nLUT_3D_SIZE 9\nDOMAIN_MIN 0 0 0\nDOMAIN_MAX 1 1 1\n" + text)
    x = np.arange(17) / 16
    text = "".join("%.6f %.6f %.6f\n" % row for row in zip(x ** 0.6, 1 - x, x * x))
    (HERE / "curve.cube").write_text("LUT_1D_SIZE 17\n" + text)
    at = np.arange(16) / 15
    rows = np.array([look(r, g, b) for b in at for g in at for r in at])
    write("hald", levels(255 * np.clip(rows, 0, 1)).reshape(64, 64, 3))


def ffmpeg(p, filter):
    h, w = p.shape[:2]
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24"]
    command = ["ffmpeg", "-loglevel", "error", *raw, "-s", f"{w}x{h}", "-i", "-", "-vf", filter, *raw, "-"]
    out = subprocess.run(command, input=np.ascontiguousarray(p).tobytes(), stdout=subprocess.PIPE, check=True, cwd=HERE)
    return np.frombuffer(out.stdout, np.uint8).reshape(p.shape)


def lut3d(p, path="", amount=1.0):
    if path == "curve.cube":
        return lerp(p.astype(np.float64), ffmpeg(p, f"lut1d=file={path}:interp=linear"), amount)
    if path == "hald.png":
        # haldclut wants the picture as a second input; a cube of the same numbers is the same look.
        flat = cv2.cvtColor(cv2.imread(str(HERE / path)), cv2.COLOR_BGR2RGB).reshape(-1, 3) / 255
        with tempfile.NamedTemporaryFile("w", suffix=".cube", dir=HERE) as cube:
            cube.write("LUT_3D_SIZE 16\n" + "".join("%.8f %.8f %.8f\n" % tuple(row) for row in flat))
            cube.flush()
            return ffmpeg(p, f"lut3d=file={pathlib.Path(cube.name).name}:interp=tetrahedral")
    return lerp(p.astype(np.float64), ffmpeg(p, f"lut3d=file={path}:interp=tetrahedral"), amount)


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


def median(p, radius=0):
    return cv2.medianBlur(p, 2 * radius + 1)


def bilateral(p, diameter=5, sigma_color=0.0, sigma_space=3.0):
    return cv2.bilateralFilter(p, diameter, sigma_color, sigma_space)


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


def sobel(p, amount=1.0):
    x, y = (cv2.Sobel(p, cv2.CV_64F, dx, 1 - dx, ksize=3, scale=0.25) for dx in (1, 0))
    return levels(np.hypot(x, y) * amount)


def emboss(p, angle=135.0, amount=0.0):
    across, down = (cv2.getDerivKernels(dx, 1 - dx, 3)[0].ravel() for dx in (1, 0))
    ones, step = np.ones(3), np.array([-1.0, 0.0, 1.0])
    assert across.tolist() == step.tolist() and down.tolist() == [1, 2, 1]
    a = np.radians(angle)
    kernel = amount * (np.sin(a) * np.outer(step, ones) - np.cos(a) * np.outer(ones, step))
    kernel[1, 1] += 1
    return cv2.filter2D(p, -1, kernel)


def convolve(p, kernel="0 0 0 0 1 0 0 0 0", factor=1.0, bias=0.0):
    numbers = np.array(kernel.replace(",", " ").split(), np.float64)
    side = int(len(numbers) ** 0.5)
    return levels(cv2.filter2D(p.astype(np.float64), -1, numbers.reshape(side, side) * factor, delta=bias * 255))


def morphology(p, operation="erode", radius=0):
    kind = {"erode": cv2.MORPH_ERODE, "dilate": cv2.MORPH_DILATE, "open": cv2.MORPH_OPEN, "close": cv2.MORPH_CLOSE}
    square = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
    return cv2.morphologyEx(p, kind[operation], square)


def adaptive_threshold(p, block=11, offset=5):
    gray = cv2.cvtColor(p, cv2.COLOR_RGB2GRAY)
    found = cv2.adaptiveThreshold(gray, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, block, offset)
    return cv2.cvtColor(found, cv2.COLOR_GRAY2RGB)


def with_alpha(p, alpha):
    return np.dstack([levels(p), levels(np.broadcast_to(np.asarray(alpha) * 255.0, p.shape[:2]))])


def ramp(at, over):
    return np.clip(at / max(over, 1e-9), 0, 1)


def chroma_key(p, color=(0, 255, 0), similarity=0.4, smoothness=0.08, spill=0.1, background="transparent",
               background_color=(0, 0, 0), image=None, blur=16.0):
    # Cb and Cr as video has them; OpenCV's own are BT.601.
    def chroma(v):
        gray = v @ LUMA_709
        return np.stack([(v[..., 2] - gray) / 1.8556, (v[..., 0] - gray) / 1.5748], -1) * 224 / 255

    v = p / 255.0
    distance = np.linalg.norm(chroma(v) - chroma(np.array(color) / 255.0), axis=-1)
    stays, colored = ramp(distance - similarity, smoothness) ** 1.5, ramp(distance - similarity, spill) ** 1.5
    gray = (v @ LUMA_709)[..., None]
    v = (gray + (v - gray) * colored[..., None]) * 255
    if background == "transparent":
        return with_alpha(v, stays)
    behind = {
        "color": lambda: np.broadcast_to(np.array(background_color, np.float64), p.shape),
        "image": lambda: cv2.cvtColor(cv2.imread(str(HERE / image)), cv2.COLOR_BGR2RGB).astype(np.float64),
        "blurred": lambda: cv2.GaussianBlur(p, (0, 0), blur).astype(np.float64),
    }[background]()
    return levels(behind + (v - behind) * stays[..., None])


def color_key(p, color=(0, 255, 0), similarity=0.08, smoothness=0.05):
    distance = np.linalg.norm(p / 255.0 - np.array(color) / 255.0, axis=-1)
    return with_alpha(p, ramp(distance - similarity, smoothness))


def luma_key(p, minimum=0.0, minimum_smoothness=0.0, maximum=1.0, maximum_smoothness=0.0):
    luma = p / 255.0 @ LUMA_709
    smooth = lambda way: way * way * (3 - 2 * way)
    above = smooth(ramp(luma - minimum, minimum_smoothness)) if minimum_smoothness else luma >= minimum
    below = smooth(ramp(maximum - luma, maximum_smoothness)) if maximum_smoothness else luma <= maximum
    return with_alpha(p, above * below)


def mask(p, path, channel="alpha", operation="multiply"):
    picture = cv2.cvtColor(cv2.imread(str(HERE / path), cv2.IMREAD_UNCHANGED), cv2.COLOR_BGRA2RGBA) / 255.0
    cover = picture[..., 3] if channel == "alpha" else picture[..., :3] @ LUMA_709 * picture[..., 3]
    if cover.shape != p.shape[:2]:
        cover = cv2.resize(cover, p.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return with_alpha(p, {"multiply": cover, "add": np.ones(p.shape[:2]), "subtract": 1 - cover}[operation])


def image(p, path, place="bottom_right", x=0.5, y=0.5, size=0.2, opacity=1.0):
    picture = cv2.cvtColor(cv2.imread(str(HERE / path), cv2.IMREAD_UNCHANGED), cv2.COLOR_BGRA2RGBA).astype(np.float64)
    (h, w), margin = p.shape[:2], round(0.02 * p.shape[0])
    ih, iw = picture.shape[:2]
    assert ih == round(size * h), "this reference does not scale"
    left, top = {
        "top_left": (margin, margin),
        "bottom_right": (w - iw - margin, h - ih - margin),
        "free": (int(np.floor(x * w - iw / 2 + 0.5)), int(np.floor(y * h - ih / 2 + 0.5))),
    }[place]
    out = np.full((h + 2 * ih, w + 2 * iw, 3), 0.0)
    out[ih:-ih, iw:-iw] = p
    part = out[top + ih:top + 2 * ih, left + iw:left + 2 * iw]
    part += (picture[..., :3] - part) * picture[..., 3:] / 255 * opacity
    return levels(out[ih:-ih, iw:-iw])


def write_mask():
    """A wedge of colours that fades from left to right and has a hole."""
    y, x = np.mgrid[0:12, 0:16]
    picture = np.stack([x * 17, y * 23, 255 - x * 10, np.clip(x * 20, 0, 255)], -1).astype(np.uint8)
    picture[4:7, 9:12, 3] = 0
    write("mask", picture)


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


INPUTS = {"small_odd": scene(61, 47, 1), "small": scene(64, 48, 2), "large": scene(203, 151, 3),
          "three_by_five": scene(64, 48, 4)[2:7, 50:53], "one_pixel": scene(64, 48, 4)[30:31, 9:10]}

# (filter, parameters, tolerance in levels, margin that is not compared, inputs)
BOTH = ("small_odd", "small")
TINY = ("three_by_five", "one_pixel")
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
    (exposure, {"stops": 1.0}, 1, 0, BOTH),
    (exposure, {"stops": -2.5}, 1, 0, ("small",)),
    (levels_filter, {"in_black": 0.1, "in_white": 0.8, "gamma": 1.5, "out_black": 0.2, "out_white": 0.9}, 1, 0, BOTH),
    (levels_filter, {"in_black": 0.5, "in_white": 0.5}, 1, 0, ("small",)),
    (curves, {"master": "0,0 0.25,0.1 0.75,0.9 1,1"}, 1, 0, BOTH),
    (curves, {"master": "0,0.1 1,0.9", "red": "0,0 0.5,0.8 1,1", "green": "0,1 1,0", "blue": "0.2,0 0.6,0.6 0.8,0.3"}, 1, 0, BOTH),
    (temperature, {"kelvin": 3200.0}, 1, 0, BOTH),
    (temperature, {"kelvin": 12000.0, "tint": 0.3}, 1, 0, ("small",)),
    (color_balance, {"lift": (100, 128, 160), "gamma": (140, 128, 120), "gain": (150, 128, 110)}, 1, 0, BOTH),
    (color_balance, {"lift_master": 0.1, "gamma_master": 1.4, "gain_master": 0.8}, 1, 0, ("small",)),
    (sepia, {}, 1, 0, BOTH),
    (sepia, {"amount": 0.4}, 1, 0, ("small",)),
    (posterize, {}, 0, 0, BOTH),
    (posterize, {"levels": 7}, 0, 0, ("small",)),
    (solarize, {}, 0, 0, BOTH),
    (solarize, {"level": 0.2}, 0, 0, ("small",)),
    (channel_mixer, {"red_red": 0.5, "red_blue": 0.7, "green_red": -0.3, "blue_green": 2.0, "blue_offset": -0.5}, 1, 0, BOTH),
    (multiply_add, {"multiply": (255, 128, 64), "add": (10, 0, 60)}, 1, 0, BOTH),
    (false_color, {}, 1, 0, BOTH),
    (false_color, {"palette": "viridis"}, 1, 0, ("small",)),
    (false_color, {"palette": "turbo", "amount": 0.7}, 1, 0, ("small",)),
    (false_color, {"palette": "rainbow"}, 1, 0, ("small",)),
    (lut3d, {"path": "look.cube"}, 1, 0, BOTH),
    (lut3d, {"path": "look.cube", "amount": 0.5}, 1, 0, ("small",)),
    (lut3d, {"path": "curve.cube"}, 1, 0, BOTH),
    (lut3d, {"path": "hald.png"}, 1, 0, BOTH),
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
    (median, {"radius": 1}, 0, 0, BOTH),
    (median, {"radius": 2}, 0, 0, BOTH),
    (median, {"radius": 3}, 0, 0, ("small_odd",)),
    (median, {"radius": 4}, 0, 0, ("small_odd",)),
    (bilateral, {"diameter": 3, "sigma_color": 10.0, "sigma_space": 1.0}, 2, 0, ("small",)),
    (bilateral, {"diameter": 9, "sigma_color": 25.0, "sigma_space": 5.0}, 2, 0, BOTH),
    (bilateral, {"diameter": 15, "sigma_color": 150.0, "sigma_space": 15.0}, 2, 0, ("small_odd",)),
    (pixelate, {"size": 8}, 1, 0, BOTH),
    (pixelate, {"size": 16}, 1, 0, BOTH),
    (edges, {}, "edges", 0, BOTH + ("large",)),
    (edges, {"low": 300.0, "high": 40.0}, "edges", 0, BOTH),
    (edges, {"overlay": True, "color": (255, 0, 128)}, "edges", 0, BOTH),
    (sobel, {}, 1, 0, BOTH + TINY),
    (sobel, {"amount": 2.5}, 1, 0, ("small",)),
    (emboss, {"amount": 1.0}, 1, 0, BOTH + TINY),
    (emboss, {"amount": 2.5, "angle": 20.0}, 1, 0, ("small_odd",)),
    (convolve, {"kernel": "1 2 1 2 4 2 1 2 1", "factor": 0.0625}, 1, 0, BOTH + TINY),
    (convolve, {"kernel": "-1,-2,-1, 0,0,0, 1,2,1", "bias": 0.5}, 1, 0, ("small",)),
    (convolve, {"kernel": "0 0 1 0 0  0 1 2 1 0  1 2 -16 2 1  0 1 2 1 0  0 0 1 0 3", "bias": 0.25}, 1, 0, BOTH + TINY),
    (morphology, {"radius": 1}, 0, 0, BOTH + TINY),
    (morphology, {"operation": "dilate", "radius": 7}, 0, 0, BOTH + TINY),
    (morphology, {"operation": "open", "radius": 2}, 0, 0, BOTH),
    (morphology, {"operation": "close", "radius": 5}, 0, 0, BOTH + TINY),
    (morphology, {"operation": "dilate", "radius": 32}, 0, 0, ("small_odd",)),
    (adaptive_threshold, {}, 0, 0, BOTH + TINY),
    (adaptive_threshold, {"block": 3, "offset": -4}, 0, 0, ("small_odd",)),
    (adaptive_threshold, {"block": 51, "offset": 20}, 0, 0, ("small",)),
    (chroma_key, {}, 1, 0, BOTH + TINY),
    (chroma_key, {"color": (20, 160, 90), "similarity": 0.05, "smoothness": 0.1, "spill": 0.3}, 1, 0, BOTH),
    (chroma_key, {"similarity": 0.3, "smoothness": 0.2, "background": "color", "background_color": (250, 10, 99)}, 1, 0, BOTH),
    (chroma_key, {"similarity": 0.3, "smoothness": 0.2, "background": "image", "image": "small.png"}, 1, 0, ("small",)),
    (chroma_key, {"similarity": 0.3, "smoothness": 0.2, "background": "blurred", "blur": 2.0}, 2, 0, BOTH),
    (color_key, {}, 1, 0, BOTH),
    (color_key, {"color": (20, 160, 90), "similarity": 0.3, "smoothness": 0.4}, 1, 0, BOTH + TINY),
    (color_key, {"color": (20, 160, 90), "similarity": 0.3, "smoothness": 0.0}, 0, 0, BOTH),
    (luma_key, {"minimum": 0.3, "maximum": 0.7}, 0, 0, BOTH),
    (luma_key, {"minimum": 0.2, "minimum_smoothness": 0.3, "maximum": 0.9, "maximum_smoothness": 0.2}, 1, 0, BOTH + TINY),
    (mask, {"path": "mask.png"}, 2, 0, BOTH),
    (mask, {"path": "mask.png", "channel": "luma"}, 3, 0, ("small",)),
    (mask, {"path": "mask.png", "operation": "subtract"}, 2, 0, ("small",)),
    (mask, {"path": "mask.png", "operation": "add"}, 0, 0, ("small",)),
    (image, {"path": "mask.png", "size": 0.25}, 1, 0, ("small",)),
    (image, {"path": "mask.png", "size": 0.25, "place": "top_left", "opacity": 0.6}, 1, 0, ("small",)),
    (image, {"path": "mask.png", "size": 0.25, "place": "free", "x": 0.97, "y": 0.05}, 1, 0, ("small",)),
    (cartoon, {}, "ssim", 0, BOTH + ("large",)),
    (cartoon, {"smoothing": 2, "edge_size": 5, "edge_offset": 4}, "ssim", 0, BOTH),
]


def full_size():
    """A picture of 1919x1079 from whole numbers only, so that the tests can make the same one and none need be kept."""
    y, x = np.mgrid[0:1079, 0:1919]
    red, green = (x * 3 + y) ^ (x * y >> 4), (x // 37 + y // 23) * 71
    return np.stack([red, green, y * 255 // 1078 + (x * x + y * y >> 9)], -1).astype(np.uint8)


def points(width, height, margin):
    """The corners, places along the edges, and places anywhere, as a simple generator gives them."""
    right, bottom = width - 1 - margin, height - 1 - margin
    chosen, state = [(margin, margin), (right, margin), (margin, bottom), (right, bottom)], 1
    for number in range(196):
        place = []
        for length in (width, height):
            state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
            place.append(margin + (state >> 33) % (length - 2 * margin))
        if number % 4 == 0:
            place[number // 4 % 2] = (margin, (right, bottom)[number // 4 % 2])[number // 8 % 2]
        chosen.append(tuple(place))
    return chosen


def full_size_cases():
    """The first case of each filter at full size: only some pixels are kept."""
    picture, seen, lines = full_size(), set(), []
    for function, params, tolerance, margin, _ in CASES:
        filter = function.__name__.removesuffix("_filter")
        if filter in seen:
            continue
        seen.add(filter)
        try:
            result = function(picture, **params)
        except AssertionError as error:
            print(f"{filter} has no reference at full size: {error}")
            continue
        height, width = result.shape[:2]
        pixels = [[*map(int, result[y, x]), 255][:4] for x, y in points(width, height, margin)]
        lines.append(json.dumps({"filter": filter, "params": shown(params), "tolerance": tolerance, "margin": margin,
                                 "size": [width, height], "pixels": bytes(sum(pixels, [])).hex()}))
    (HERE / "full_size.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")


def tiny_cases():
    """The first case of each filter on tiny pictures, where they are not among its own and its reference can do it."""
    # An edge of the moved picture lies exactly on a pixel's middle; and OpenCV shrinks a mask by skipping pixels.
    without = (perspective, mask)
    for filter in dict.fromkeys(case[0] for case in CASES if case[0] not in without):
        own = [case for case in CASES if case[0] is filter]
        _, params, tolerance, margin, _ = own[0]
        for name in TINY:
            if not any(name in case[4] for case in own) and tolerance != "ssim" and margin == 0:
                try:
                    filter(INPUTS[name], **params)
                except (cv2.error, AssertionError, ValueError, IndexError) as error:
                    print(f"{filter.__name__} has no reference for {name}: {error}")
                    continue
                yield filter, params, tolerance, margin, (name,)


def shown(params):
    """As a chain has them."""
    return {key: "#%02x%02x%02x" % value if isinstance(value, tuple) else value for key, value in params.items()}


def write(name, rgb):
    order = cv2.COLOR_RGBA2BGRA if rgb.shape[2] == 4 else cv2.COLOR_RGB2BGR
    cv2.imwrite(str(HERE / f"{name}.png"), cv2.cvtColor(rgb, order), [cv2.IMWRITE_PNG_COMPRESSION, 9])


def main():
    for name, picture in INPUTS.items():
        write(name, picture)
    write_mask()
    looks()
    manifest, numbers = [], {}
    for function, params, tolerance, margin, inputs in [*CASES, *tiny_cases()]:
        # A filter whose name is taken by something else in Python.
        filter = function.__name__.removesuffix("_filter")
        for name in inputs:
            number = numbers[filter] = numbers.get(filter, 0) + 1
            expected = f"{filter}_{number}"
            write(expected, function(INPUTS[name], **params))
            manifest.append({"filter": filter, "params": shown(params), "input": name, "expected": expected,
                             "tolerance": tolerance, "margin": margin})
    lines = ",\n".join(json.dumps(case) for case in manifest)
    (HERE / "cases.json").write_text(f"[\n{lines}\n]\n")
    full_size_cases()


main()
