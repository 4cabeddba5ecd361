"""Our filters beside OpenCV's and FFmpeg's: the same picture, the same number of threads, in turns, one table of ratios.

    python benches/compare.py [--size 1920x1080] [--rounds 2] [PART OF A NAME...]

needs numpy, opencv-python and ffmpeg. Figures are CPU milliseconds a picture, the median of the rounds' medians; the ratio
is to the quicker of the two, and below 1 where ours costs less. `--ours PROGRAM` takes a built benchmark instead of calling
cargo.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile

import cv2

import ffmpeg_filters as ffmpeg
import opencv_filters as opencv

PEERS = ("OpenCV", "FFmpeg")
THREADS = (1, 2)


def ours(command, picture, size, threads, wanted):
    environment = {**os.environ, "RAYON_NUM_THREADS": str(threads)}
    call = [*command, "--json", picture, size, *wanted]
    return json.loads(subprocess.run(call, env=environment, check=True, stdout=subprocess.PIPE).stdout)


def theirs(who, picture, threads, wanted):
    def measure(case):
        return opencv.measure(case, picture)[0] if who == "OpenCV" else ffmpeg.measure(case, picture, threads)

    cv2.setNumThreads(threads)
    cases = {"OpenCV": opencv.CASES, "FFmpeg": ffmpeg.CASES}[who]
    return {name: measure(case) for name, case in cases.items() if not wanted or any(part in name for part in wanted)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--ours")
    parser.add_argument("wanted", nargs="*")
    chosen = parser.parse_args()
    command = [chosen.ours] if chosen.ours else ["cargo", "bench", "--quiet", "--bench", "filters", "--"]
    picture = opencv.scene(*map(int, chosen.size.split("x")))
    rounds = {(who, threads): [] for who in ("ours", *PEERS) for threads in THREADS}
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "picture.rgba"
        file.write_bytes(picture.tobytes())
        for _ in range(chosen.rounds):
            for threads in THREADS:
                measured = ours(command, str(file), chosen.size, threads, chosen.wanted)
                rounds["ours", threads].append({name: cpu for name, (cpu, _) in measured.items()})
                for who in PEERS:
                    rounds[who, threads].append(theirs(who, picture, threads, chosen.wanted))
    print(f"| {chosen.size}, CPU ms a picture |" + "".join(
        f" {threads} thread{'s' * (threads > 1)}: ours | OpenCV {cv2.__version__} | FFmpeg | ratio |" for threads in THREADS))
    print("|---" * (1 + 4 * len(THREADS)) + "|")
    for name in rounds["ours", 1][0]:
        line = f"| `{name}` |"
        for threads in THREADS:
            cpu = {who: statistics.median(one[name] for one in rounds[who, threads])
                   for who in ("ours", *PEERS) if name in rounds[who, threads][0]}
            best = min((cpu[who] for who in PEERS if who in cpu), default=None)
            shown = [f"{cpu[who]:.2f}" if who in cpu else "" for who in ("ours", *PEERS)]
            line += "".join(f" {figure} |" for figure in [*shown, f"{cpu['ours'] / best:.2f}" if best else ""])
        print(line)


if __name__ == "__main__":
    main()
