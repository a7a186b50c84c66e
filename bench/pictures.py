"""Quantizers: in memory, from pixels to a picture in k colours, and as whole processes, from PNG file to PNG file."""

import subprocess
import sys
import tempfile
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from shutil import which

import numpy as np
from PIL import Image

import lloydq
from lloydq import rivals

from . import data

PILLOW = """
import sys; from PIL import Image
image = Image.open(sys.argv[1]).convert("RGB")
image.quantize(int(sys.argv[3]), kmeans=1, dither=Image.Dither.NONE).save(sys.argv[2], optimize=True)
"""
IMAGEQUANT = """
import sys, imagequant; from PIL import Image
image = Image.open(sys.argv[1]).convert("RGBA")
imagequant.quantize_pil_image(image, dithering_level=0.0, max_colors=int(sys.argv[3])).save(sys.argv[2], optimize=True)
"""


def photograph(side=None):
    """(H, W, 3) uint8, or a corner of it."""
    return data.photograph().reshape(1080, 1920, 3)[:side, :side]


def ours(pixels, k, tol=0.0):
    """lloydq's way."""
    return lambda: lloydq.quantize(pixels, k, tol=tol).pixels


def _way(rival, name):
    """One of `lloydq.rivals`, down to the pixels."""
    way = rivals.RIVALS[rival].ways[name]

    def prepare(pixels, k):
        work = way.prepare(pixels, k)

        def quantize():
            indices, palette, _ = work()
            return np.reshape(palette, (-1, 3)).astype(np.uint8)[indices]

        return quantize

    return prepare


# Name: package, module, marks, prepare(pixels, k), which gives the work: a picture in k colours
IN_MEMORY = {
    "lloydq": ("lloydq", "lloydq", (), ours),
    "lloydq, tol=1e-4": ("lloydq", "lloydq", ("own stop",), partial(ours, tol=1e-4)),
    "Pillow, median cut": ("pillow", "PIL", ("other algorithm", "one thread"), _way("pillow", "pillow-median-cut")),
    "Pillow, octree": ("pillow", "PIL", ("other algorithm", "one thread"), _way("pillow", "pillow-octree")),
    "Pillow, k-means": ("pillow", "PIL", ("other algorithm", "one thread"), _way("pillow", "pillow-kmeans")),
    "imagequant": ("imagequant", "imagequant", ("other algorithm",), _way("imagequant", "imagequant")),
    "scikit-learn, counted, tol=1e-4": ("scikit-learn", "sklearn", ("own stop",), _way("sklearn", "sklearn")),
}


@cache
def commands():
    """Name of each program that is there, and its command of source, target and k."""
    ours = [sys.executable, "-m", "lloydq.cli"]
    if script := which("lloydq", path=str(Path(sys.executable).parent)):
        ours = [script]
    found = {"lloydq": lambda source, target, k: [*ours, source, "-k", k, "-o", target, "--force", "-q"]}
    if which("pngquant"):
        found["pngquant --speed 1"] = lambda source, target, k: [
            "pngquant", "--speed", "1", "--nofs", "-f", "-o", target, k, source,
        ]  # fmt: skip
        found["pngquant"] = lambda source, target, k: ["pngquant", "--nofs", "-f", "-o", target, k, source]
    if magick := rivals.RIVALS["imagemagick"].found():
        found["ImageMagick"] = lambda source, target, k: [magick, source, "+dither", "-colors", k, f"PNG8:{target}"]
    found["Pillow, k-means"] = lambda source, target, k: [sys.executable, "-c", PILLOW, source, target, k]
    if find_spec("imagequant"):
        found["imagequant"] = lambda source, target, k: [sys.executable, "-c", IMAGEQUANT, source, target, k]
    return found


class Files:
    """The photograph as a PNG, and where results go."""

    def __init__(self, side=None):
        self.folder = tempfile.TemporaryDirectory()
        self.source, self.target = Path(self.folder.name, "photo.png"), Path(self.folder.name, "out.png")
        self.pixels = photograph(side)
        Image.fromarray(self.pixels).save(self.source)

    def run(self, name, k):
        """The picture that the program wrote, and its bytes."""
        subprocess.run(commands()[name](str(self.source), str(self.target), str(k)), check=True, capture_output=True)

    def result(self):
        """What is in the file now, (H, W, 3) uint8, and how many bytes it has."""
        with Image.open(self.target) as image:
            return np.asarray(image.convert("RGB")), self.target.stat().st_size
