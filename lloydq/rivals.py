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
class Way:
    """One way to quantize: what the clock runs around, and what came of it."""

    title: str
    prepare: Callable[[Array, int], Callable[[], Any]]  # of pixels (H, W, 3) uint8 and k: the work
    finish: Callable[[Any], tuple[Array, bytes, int | None]]  # of what it gave: pixels, file, iterations

    def drawn(self, name: str, pixels: Array, k: int) -> Result:
        """The picture in k colours, and how long it took."""
        work = self.prepare(pixels, k)
        start = perf_counter()
        given = work()
        seconds = perf_counter() - start
        pixels, png, n_iter = self.finish(given)
        return Result(name, self.title, pixels, seconds, png, n_iter)


@dataclass(frozen=True)
class Rival:
    """A quantizer that may be installed."""

    found: Callable[[], object]  # None where it is not
    install: str  # the command
    ways: dict[str, Way]


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
        for way in rival.ways.values():
            way.drawn("", pixels[:CORNER, :CORNER], k)
        for file, way in rival.ways.items():
            yield way.drawn(file, pixels, k)
    except (ImportError, OSError) as error:
        warn(f"{name} failed: {error}")


def _pillow(method: int, kmeans: int = 0) -> Callable[[Array, int], Callable[[], Any]]:
    """By one of its methods: 0 is median cut, 2 is the octree."""

    def prepare(pixels: Array, k: int) -> Callable[[], Any]:
        from PIL import Image

        image = Image.fromarray(pixels)

        def quantize() -> tuple[Array, Any, None]:
            found = image.quantize(k, method, kmeans)
            return np.asarray(found), found.getpalette(), None

        return quantize

    return prepare


def _imagequant(pixels: Array, k: int) -> Callable[[], Any]:
    from imagequant import quantize_raw_rgba_bytes
    from PIL import Image

    def quantize() -> tuple[Array, Any, None]:
        image = Image.fromarray(pixels).convert("RGBA")
        found, palette = quantize_raw_rgba_bytes(image.tobytes(), *image.size, dithering_level=0.0, max_colors=k)
        return np.frombuffer(found, np.uint8).reshape(pixels.shape[:2]), np.reshape(palette, (-1, 4))[:, :3], None

    return quantize


def _sklearn(pixels: Array, k: int) -> Callable[[], Any]:
    from sklearn.cluster import KMeans

    def quantize() -> tuple[Array, Any, int]:
        points = pixels.reshape(-1, 3)
        distinct = DistinctColors(points)  # a fit to all pixels took 8 s for 64 colours, to these 0.7 s
        model = KMeans(min(k, len(distinct.colors)), n_init=1, tol=1e-4, random_state=0)
        model.fit(distinct.colors.astype(np.float32), sample_weight=distinct.counts)
        indices = model.predict(points.astype(np.float32)).astype(np.uint8).reshape(pixels.shape[:2])
        return indices, np.rint(model.cluster_centers_), model.n_iter_

    return quantize


def _filter(command: Callable[[int], list[str]]) -> Callable[[Array, int], Callable[[], bytes]]:
    """A program that takes a PNG file and gives one; its command of k."""

    def prepare(pixels: Array, k: int) -> Callable[[], bytes]:
        from PIL import Image

        whole, words = png(Image.fromarray(pixels), effort=1), command(k)

        def quantize() -> bytes:
            done = subprocess.run(words, input=whole, capture_output=True, check=False)
            if done.returncode:
                raise OSError(done.stderr.decode(errors="replace").strip() or f"exit code {done.returncode}")
            return done.stdout

        return quantize

    return prepare


def _magick() -> str | None:
    """The program of version 7, or of 6; Windows has a `convert` that is for disks."""
    return which("magick") or (None if os.name == "nt" else which("convert"))


def _indexed(given: tuple[Array, Any, int | None]) -> tuple[Array, bytes, int | None]:
    """A library's, with a file as ours are: its palette ends with the last colour in use."""
    indices, palette, n_iter = given
    colors = np.reshape(palette, (-1, 3)).astype(np.uint8)[: int(indices.max()) + 1]
    return colors[indices], encode(indices, colors, "PNG", {}), n_iter


def _read(given: bytes) -> tuple[Array, bytes, None]:
    """A program's."""
    return load(given, alpha="drop").pixels, given, None


def _pngquant(k: int) -> list[str]:
    return ["pngquant", str(k), "--speed", "1", "--nofs", "-"]


def _imagemagick(k: int) -> list[str]:
    return [str(_magick()), "png:-", "+dither", "-colors", str(k), "-depth", "8", "-strip", "png:-"]


# Pillow's k-means: one less than `kmeans` is how many changed pixels end the loop: 1 goes on until there are none. Of
# more than 65,536 distinct colours Pillow first drops the lowest bits, so that its end is not quite Lloyd's.
RIVALS = {
    "pillow": Rival(
        partial(find_spec, "PIL"),
        "pip install pillow",
        {
            "pillow-median-cut": Way("Pillow, median cut", _pillow(0), _indexed),
            "pillow-kmeans": Way("Pillow, median cut and k-means", _pillow(0, kmeans=1), _indexed),
            "pillow-octree": Way("Pillow, octree", _pillow(2), _indexed),
        },
    ),
    "imagequant": Rival(
        partial(find_spec, "imagequant"),
        "pip install imagequant",
        {"imagequant": Way("imagequant, no dithering", _imagequant, _indexed)},
    ),
    "sklearn": Rival(
        partial(find_spec, "sklearn"),
        "pip install scikit-learn",
        {"sklearn": Way("scikit-learn, counted, n_init=1, tol=1e-4", _sklearn, _indexed)},
    ),
    "pngquant": Rival(
        partial(which, "pngquant"),
        "apt install pngquant",
        {"pngquant": Way("pngquant, speed 1, PNG in and out", _filter(_pngquant), _read)},
    ),
    "imagemagick": Rival(
        _magick,
        "apt install imagemagick",
        {"imagemagick": Way("ImageMagick, PNG in and out", _filter(_imagemagick), _read)},
    ),
}
