"""lloydq beside other quantizers as whole processes, warm, on the photograph saved as PNG: time, error, bytes.

    python bench/quantizers.py [rounds]

Every round runs each of them once, in turns, so that a noisy machine is noisy for all; medians and their spread are
printed, and the ratio of each to lloydq in the same round. The error is measured here, on the file that was written.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from shutil import which

import numpy as np
from PIL import Image

from lloydq.demo import PHOTO
from lloydq.metrics import mse, pairs, psnr

PILLOW = """
import sys; from PIL import Image
image = Image.open(sys.argv[1]).convert("RGB")
image.quantize(int(sys.argv[3]), kmeans=int(sys.argv[4]), dither=Image.Dither.NONE).save(sys.argv[2], optimize=True)
"""
IMAGEQUANT = """
import sys, imagequant; from PIL import Image
image = Image.open(sys.argv[1]).convert("RGBA")
imagequant.quantize_pil_image(image, dithering_level=0.0, max_colors=int(sys.argv[3])).save(sys.argv[2], optimize=True)
"""


def commands(source: Path, target: Path, k: int) -> dict[str, list[str]]:
    """Those that are installed."""
    files = [str(source), str(target)]
    lloydq = Path(sys.executable).with_name("lloydq")
    found = {"lloydq": [str(lloydq), files[0], "-k", str(k), "-o", files[1], "--force", "-q"]}
    if which("pngquant"):
        found["pngquant --speed 1 --nofs"] = [
            "pngquant",
            "--speed",
            "1",
            "--nofs",
            "-f",
            "-o",
            files[1],
            str(k),
            files[0],
        ]
        found["pngquant --nofs"] = ["pngquant", "--nofs", "-f", "-o", files[1], str(k), files[0]]
    if magick := which("magick") or which("convert"):
        found["ImageMagick -colors"] = [magick, files[0], "+dither", "-colors", str(k), f"PNG8:{files[1]}"]
    found["Pillow, k-means"] = [sys.executable, "-c", PILLOW, *files, str(k), "100"]
    try:
        import imagequant  # noqa: F401
    except ImportError:
        return found
    return found | {"imagequant": [sys.executable, "-c", IMAGEQUANT, *files, str(k)]}


def colors(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).reshape(-1, 3)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "photo.png"), Path(folder, "out.png")
        with Image.open(PHOTO) as photo:
            photo.convert("RGB").save(source)
        original = colors(source)
        for k in (64, 256):
            known = commands(source, target, k)
            seconds = {name: list[float]() for name in known}
            rows = {}
            for turn in range(rounds + 1):  # the first warms up
                for name, command in known.items():
                    start = time.perf_counter()
                    subprocess.run(command, check=True, capture_output=True)
                    if turn:
                        seconds[name].append(time.perf_counter() - start)
                    else:
                        error = mse(*pairs(original, colors(target)))
                        with Image.open(target) as image:
                            used = len(image.getcolors(256) or [])
                        rows[name] = error, target.stat().st_size, used
            ours, ours_bytes = seconds["lloydq"], rows["lloydq"][1]
            print(f"\nk = {k}, medians of {rounds} rounds\n")
            print(f"{'':26}{'time':>8}  {'spread':>13}  {'× ours':>6}  {'MSE':>7}  {'PSNR':>6}  {'bytes':>8}  colours")
            for name, times in seconds.items():
                error, n_bytes, used = rows[name]
                ratio = statistics.median(b / a for a, b in zip(ours, times, strict=True))
                print(
                    f"{name:26}{statistics.median(times):6.2f} s  {min(times):5.2f} – {max(times):5.2f}  {ratio:6.2f}  "
                    f"{error:7.2f}  {psnr(error):6.2f}  {n_bytes:8,}  {used} ({ours_bytes / n_bytes - 1:+.1%} ours)"
                )


if __name__ == "__main__":
    main()
