"""FFmpeg's filters, measured as `opencv_filters.py` measures OpenCV's.

One picture is read and shown again and again by FFmpeg's own `loop`, in the pixel format that the filter works in, so that
nothing is converted. Where a filter takes planes only, it gets three of them (gbrp), a quarter less than RGBA. What the
same command costs with `null` in the filter's place is taken off.
"""

import resource
import subprocess
import tempfile

LEAST_SECONDS = 0.4
FIRST_FRAMES = 12
MOST_FRAMES = 1500
GAMMA = "gammaval(0.4545)"
MATRIX = ":".join(f"{to}{by}={value}" for to, row in zip("rgb", (
    (1.3937, -0.3576, -0.0361), (-0.1063, 1.1424, -0.0361), (-0.1063, -0.3576, 1.4639))) for by, value in zip("rgb", row))
KERNEL = " ".join(["1"] * 25)

# The name of a case of ours, the pixel format, and the filter.
CASES = {
    'gamma {"gamma":2.2}': ("rgba", f"lutrgb=r={GAMMA}:g={GAMMA}:b={GAMMA}"),
    'brightness_contrast {"contrast":1.2}': ("rgba", "colorlevels=rimin=0.083:gimin=0.083:bimin=0.083:"
                                             "rimax=0.917:gimax=0.917:bimax=0.917"),
    'saturation {"saturation":1.5}': ("rgba", f"colorchannelmixer={MATRIX}"),
    'saturation {"vibrance":0.5}': ("rgba", "vibrance=0.5"),
    'hue {"degrees":30}': ("rgba", "huesaturation=hue=30"),
    "grayscale {}": ("rgba", "colorchannelmixer=.2126:.7152:.0722:0:.2126:.7152:.0722:0:.2126:.7152:.0722"),
    "invert {}": ("gbrp", "negate"),
    "vignette {}": ("gbrp", "vignette"),
    'crop {"left":0.1,"top":0.1}': ("rgba", "crop=iw*0.9:ih*0.9,lutrgb"),
    'rotate {"degrees":90,"expand":true}': ("rgba", "transpose"),
    'rotate {"degrees":30}': ("rgba", "rotate=PI/6"),
    'flip {"horizontal":true}': ("rgba", "hflip"),
    'scale {"percent":50}': ("rgba", "scale=iw/2:ih/2:flags=bilinear"),
    'scale {"percent":50,"sampling":"nearest"}': ("rgba", "scale=iw/2:ih/2:flags=neighbor"),
    'scale {"percent":50,"sampling":"bicubic"}': ("rgba", "scale=iw/2:ih/2:flags=bicubic"),
    'scale {"percent":50,"sampling":"area"}': ("rgba", "scale=iw/2:ih/2:flags=area"),
    'scale {"percent":150,"sampling":"lanczos"}': ("rgba", "scale=iw*3/2:ih*3/2:flags=lanczos"),
    'perspective {"top_left_x":0.2}': ("gbrp", "perspective=x0=W*0.2:interpolation=linear"),
    'lens {"k1":-0.2}': ("gbrp", "lenscorrection=k1=-0.2:i=bilinear"),
    'box_blur {"radius":2}': ("gbrp", "boxblur=2"),
    'box_blur {"radius":10}': ("gbrp", "boxblur=10"),
    'gaussian_blur {"sigma":0.8}': ("gbrp", "gblur=sigma=0.8"),
    'gaussian_blur {"sigma":2}': ("gbrp", "gblur=sigma=2"),
    'gaussian_blur {"sigma":20}': ("gbrp", "gblur=sigma=20"),
    'sharpen {"amount":1,"radius":1}': ("gbrp", "unsharp=5:5:1"),
    'median {"radius":1}': ("gbrp", "median=radius=1"),
    'median {"radius":2}': ("gbrp", "median=radius=2"),
    'median {"radius":3}': ("gbrp", "median=radius=3"),
    'median {"radius":4}': ("gbrp", "median=radius=4"),
    'bilateral {"diameter":9,"sigma_color":25,"sigma_space":5}': ("gbrp", "bilateral=sigmaS=5:sigmaR=0.1:planes=7"),
    'pixelate {"size":16}': ("gbrp", "pixelize=16:16"),
    "edges {}": ("gray", "edgedetect"),
    "sobel {}": ("gbrp", "sobel"),
    f'convolve {{"factor":0.04,"kernel":"{KERNEL} "}}': ("gbrp", ":".join(
        f"{plane}m='{KERNEL}':{plane}rdiv=0.04" for plane in "012").join(["convolution=", ""])),
    'morphology {"radius":1}': ("gbrp", "dilation"),
    'trails {"decay":0.9}': ("gbrp", "lagfun=decay=0.9"),
    'temporal_denoise {"strength":0.8}': ("yuv444p", "hqdn3d=0:0:8:8"),
    "color_key {}": ("rgba", "colorkey=green:0.3:0.1"),
    "chroma_key {}": ("yuva444p", "chromakey=green:0.3:0.1"),
    'luma_key {"minimum":0.2,"minimum_smoothness":0.1}': ("yuva444p", "lumakey=0.1:0.1:0.1"),
}


def busy(file, size, pixels, chain, frames, threads):
    """CPU seconds of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", "-filter_threads", str(threads), "-threads", str(threads),
         "-f", "rawvideo", "-pix_fmt", "rgba", "-s", size, "-i", file,
         "-vf", f"format={pixels},loop=loop={frames - 1}:size=1,{chain}", "-f", "null", "-"],
        check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(case, picture, threads):
    """CPU milliseconds of a picture."""
    pixels, chain = case
    height, width, _ = picture.shape
    with tempfile.NamedTemporaryFile(suffix=".rgba") as file:
        file.write(picture.tobytes())
        file.flush()
        run = lambda chain, frames: busy(file.name, f"{width}x{height}", pixels, chain, frames, threads)
        # What a frame costs is known only roughly at first; then so many are taken that the ticks don't matter.
        rough = max(run(chain, FIRST_FRAMES) - run("null", 1), 0.001) / FIRST_FRAMES
        frames = min(max(FIRST_FRAMES, round(LEAST_SECONDS / rough)), MOST_FRAMES)
        return max(run(chain, frames) - run("null", frames), 0) * 1e3 / frames
