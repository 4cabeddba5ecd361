"""Our filters beside OpenCV's: the same picture, the same number of threads, in turns, and one table of ratios.

    python benches/compare.py [--size 1920x1080] [--rounds 2] [PART OF A NAME...]

needs numpy and opencv-python. Figures are CPU milliseconds a picture, the median of the rounds' medians; a ratio below 1
means that ours costs less. `--ours PROGRAM` takes a built benchmark instead of calling cargo.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile

import cv2

import opencv_filters as opencv


def ours(command, picture, size, threads, wanted):
    environment = {**os.environ, "RAYON_NUM_THREADS": str(threads)}
    call = [*command, "--json", picture, size, *wanted]
    return json.loads(subprocess.run(call, env=environment, check=True, stdout=subprocess.PIPE).stdout)


def theirs(picture, threads, wanted):
    cv2.setNumThreads(threads)
    cases = {name: case for name, case in opencv.CASES.items() if not wanted or any(part in name for part in wanted)}
    return {name: opencv.measure(case, picture) for name, case in cases.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--ours")
    parser.add_argument("wanted", nargs="*")
    chosen = parser.parse_args()
    command = [chosen.ours] if chosen.ours else ["cargo", "bench", "--quiet", "--bench", "filters", "--"]
    picture = opencv.scene(*map(int, chosen.size.split("x")))
    rounds = {(who, threads): [] for who in ("ours", "theirs") for threads in (1, 2)}
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "picture.rgba"
        file.write_bytes(picture.tobytes())
        for _ in range(chosen.rounds):
            for threads in (1, 2):
                rounds["ours", threads].append(ours(command, str(file), chosen.size, threads, chosen.wanted))
                rounds["theirs", threads].append(theirs(picture, threads, chosen.wanted))
    print(f"{f'{chosen.size}, OpenCV {cv2.__version__}, CPU ms a picture':<58}" + "".join(
        f"{f'ours, {threads}':>10}{'OpenCV':>9}{'ratio':>7}" for threads in (1, 2)))
    for name in rounds["ours", 1][0]:
        line = f"{name:<58}"
        for threads in (1, 2):
            cpu = [statistics.median(one[name][0] for one in rounds[who, threads] if name in one)
                   if name in rounds[who, threads][0] else None for who in ("ours", "theirs")]
            line += f"{cpu[0]:>10.2f}" + (f"{cpu[1]:>9.2f}{cpu[0] / cpu[1]:>7.2f}" if cpu[1] else " " * 16)
        print(line)


main()
