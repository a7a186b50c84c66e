"""Other quantizers, called as their users call them: the same pixels in k colours, the time, and the file."""

import os
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from importlib.util import find_spec
from shutil import which
from time import perf_counter
from typing import Any

import numpy as np

from . import checks
from .colors import DistinctColors
from .image import MOST, encode, load, png
from .lloyd import Array
from .palette import Palette
from .protocol import warn

CORNER = 64  # rows and columns on which each is tried before the clock runs: it loads what it needs


@dataclass(frozen=True, eq=False)
class Result:
    """A picture in k colours, by another program."""

    name: str  # for files
    title: str  # with the settings
    pixels: Array  # (H, W, 3) uint8
    seconds: float  # from pixels in memory to an indexed picture; a program's, from one PNG file to the other
    png: bytes
    n_iter: int | None = None  # of k-means, where it says so

    @cached_property
    def palette(self) -> Palette:
        """The different colours that came out, those of most pixels first."""
        found = DistinctColors(self.pixels.reshape(-1, 3))
        return Palette(found.colors, found.counts).sorted()


@dataclass(frozen=True)
class Rival:
    """A quantizer that may be installed."""

    found: Callable[[], object]  # None where it is not
    install: str  # the command
    draw: Callable[[Array, int], Iterator[Result]]  # of pixels (H, W, 3) uint8 and k


def results(names: Iterable[str], pixels: Array, k: int) -> Iterator[Result]:
    """Each rival's pictures, when they are ready; a warning in place of those that are not installed or that fail.

    Parameters
    ----------
    names : iterable of str
        Keys of `RIVALS`.
    pixels : (H, W, 3) uint8 array
        In sRGB.
    k : int
        Colours, 1 to 256. pngquant needs 2.

    Raises
    ------
    ValueError
        For other names and numbers, before the work starts.
    """
    k = checks.integer(k, "k", most=MOST)
    chosen = dict.fromkeys(checks.one_of(name, "a rival", RIVALS) for name in names)
    return (result for name in chosen for result in _drawn(name, pixels, k))


def _drawn(name: str, pixels: Array, k: int) -> Iterator[Result]:
    """One rival's."""
    rival = RIVALS[name]
    if rival.found() is None:
        warn(f"{name} is not installed: {rival.install}")
        return
    try:
        list(rival.draw(pixels[:CORNER, :CORNER], k))
        yield from rival.draw(pixels, k)
    except (ImportError, OSError) as error:
        warn(f"{name} failed: {error}")


def _pillow(pixels: Array, k: int) -> Iterator[Result]:
    from PIL import Image

    image, method = Image.fromarray(pixels), Image.Quantize

    def row(name: str, title: str, method: int, kmeans: int = 0) -> Result:
        start = perf_counter()
        found = image.quantize(k, method, kmeans)
        seconds = perf_counter() - start
        return _indexed(f"pillow-{name}", f"Pillow, {title}", np.asarray(found), found.getpalette(), seconds)

    yield row("median-cut", "median cut", method.MEDIANCUT)
    # One less than `kmeans` is how many changed pixels end the loop: 1 goes on until there are none. Of more than
    # 65,536 distinct colours Pillow first drops the lowest bits, so that its end is not quite Lloyd's.
    yield row("kmeans", "median cut and k-means", method.MEDIANCUT, kmeans=1)
    yield row("octree", "octree", method.FASTOCTREE)


def _imagequant(pixels: Array, k: int) -> Iterator[Result]:
    from imagequant import quantize_raw_rgba_bytes
    from PIL import Image

    start, image = perf_counter(), Image.fromarray(pixels).convert("RGBA")
    found, palette = quantize_raw_rgba_bytes(image.tobytes(), *image.size, dithering_level=0.0, max_colors=k)
    indices = np.frombuffer(found, np.uint8).reshape(pixels.shape[:2])
    colors = np.reshape(palette, (-1, 4))[:, :3]
    yield _indexed("imagequant", "imagequant, no dithering", indices, colors, perf_counter() - start)


def _sklearn(pixels: Array, k: int) -> Iterator[Result]:
    from sklearn.cluster import KMeans

    start, points = perf_counter(), pixels.reshape(-1, 3)
    distinct = DistinctColors(points)  # a fit to all pixels took 8 s for 64 colours, to these 0.7 s
    model = KMeans(min(k, len(distinct.colors)), n_init=1, tol=1e-4, random_state=0)
    model.fit(distinct.colors.astype(np.float32), sample_weight=distinct.counts)
    indices = model.predict(points.astype(np.float32)).astype(np.uint8).reshape(pixels.shape[:2])
    colors, seconds = np.rint(model.cluster_centers_), perf_counter() - start
    yield _indexed("sklearn", "scikit-learn, counted, n_init=1, tol=1e-4", indices, colors, seconds, model.n_iter_)


def _pngquant(pixels: Array, k: int) -> Iterator[Result]:
    command = ["pngquant", str(k), "--speed", "1", "--nofs", "-"]
    yield _filtered("pngquant", "pngquant, speed 1, PNG in and out", command, pixels)


def _imagemagick(pixels: Array, k: int) -> Iterator[Result]:
    command = [str(_magick()), "png:-", "+dither", "-colors", str(k), "-depth", "8", "-strip", "png:-"]
    yield _filtered("imagemagick", "ImageMagick, PNG in and out", command, pixels)


def _magick() -> str | None:
    """The program of version 7, or of 6; Windows has a `convert` that is for disks."""
    return which("magick") or (None if os.name == "nt" else which("convert"))


def _indexed(name: str, title: str, indices: Array, palette: Any, seconds: float, n_iter: int | None = None) -> Result:
    """A library's, with a file as ours are: its palette ends with the last colour in use."""
    colors = np.reshape(palette, (-1, 3)).astype(np.uint8)[: int(indices.max()) + 1]
    return Result(name, title, colors[indices], seconds, encode(indices, colors, "PNG", {}), n_iter)


def _filtered(name: str, title: str, command: list[str], pixels: Array) -> Result:
    """A program's, which takes a PNG file and gives one."""
    from PIL import Image

    whole = png(Image.fromarray(pixels), effort=1)
    start = perf_counter()
    done = subprocess.run(command, input=whole, capture_output=True, check=False)
    seconds = perf_counter() - start
    if done.returncode:
        raise OSError(done.stderr.decode(errors="replace").strip() or f"exit code {done.returncode}")
    return Result(name, title, load(done.stdout, alpha="drop").pixels, seconds, done.stdout)


RIVALS = {
    "pillow": Rival(partial(find_spec, "PIL"), "pip install pillow", _pillow),
    "imagequant": Rival(partial(find_spec, "imagequant"), "pip install imagequant", _imagequant),
    "sklearn": Rival(partial(find_spec, "sklearn"), "pip install scikit-learn", _sklearn),
    "pngquant": Rival(partial(which, "pngquant"), "apt install pngquant", _pngquant),
    "imagemagick": Rival(_magick, "apt install imagemagick", _imagemagick),
}
