"""k-means beside the codebooks it is to beat: the same picture in k colours, found in several ways."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from math import ceil
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from . import metrics, rivals
from .codebook import Stopwatch
from .image import PAPER, load
from .lloyd import Array, Step, random_points
from .palette import Palette
from .quantized import Quantized
from .quantizer import Counted, apply_palette, counted, quantize

if TYPE_CHECKING:
    from PIL.Image import Image

SAMPLE = 2000  # random pixels that the recipe fits on
FIRST = 1000  # first pixels that it draws a codebook from
WIDTH, CAPTION, GAP, STRIP = 640, 400, 16, 14  # of the picture of panels, in pixels


@dataclass(frozen=True, eq=False)
class Panel:
    """One way to k colours, of ours or of others, and what came of it."""

    name: str  # for files
    title: str
    original: Counted
    pixels: Array  # (H, W, 3) uint8
    palette: Palette
    mse: float
    encode: Callable[[], bytes]  # its PNG file
    seconds: float  # all of it: to count colours, to find the palette, to give every pixel one
    find_seconds: float | None = None  # to find the palette; None where a library does all at once
    map_seconds: float | None = None  # to give every pixel its nearest colour
    n_iter: int | None = None  # of k-means

    @property
    def psnr(self) -> float:
        """In dB, from the mean over pixels and channels."""
        return metrics.psnr(self.mse)

    @cached_property
    def delta_e(self) -> float | None:
        """ΔE2000, its mean over the pixels; None without scikit-image (the extra `metrics`)."""
        if find_spec("skimage") is None:
            return None
        return metrics.delta_e(*metrics.pairs(self.original.pixels, self.pixels.reshape(-1, 3))).mean

    @cached_property
    def png(self) -> bytes:
        """Its file, made when first read."""
        return self.encode()


def ways(
    image: Any,
    k: int,
    *,
    rng: int = 0,
    n_threads: int | None = None,
    callback: Callable[[Step], object] | None = None,
    verify: bool = False,
) -> Iterator[Panel]:
    """The recipe's three palettes, then k-means on all pixels from both kinds of start; each when it is ready."""
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    quantize(noise, 8, tol=1e9)  # kernels are loaded or compiled before the clock runs
    watch = Stopwatch()
    picture = counted(load(image, alpha=PAPER), n_threads, watch, verify)
    pixels = picture.pixels
    sample = min(SAMPLE, len(pixels))

    def panel(name: str, title: str, q: Quantized, find: float, n_iter: int | None) -> Panel:
        seconds = watch["count"] + find + q.timings["map"]
        return Panel(
            name, title, picture, q.pixels, q.palette, q.mse, lambda: q.png, seconds, find, q.timings["map"], n_iter
        )

    def fit(name: str, title: str, **how: Any) -> Panel:
        q = quantize(picture, k, rng=rng, n_threads=n_threads, callback=callback, verify=verify, **how)
        return panel(name, title, q, q.timings.get("seed", 0.0) + q.timings["fit"], q.n_iter)

    def codebook(name: str, title: str, among: Array) -> Panel:
        start = perf_counter()
        palette = random_points(among, k, rng)
        find = perf_counter() - start
        return panel(name, title, apply_palette(picture, palette, n_threads=n_threads, verify=verify), find, None)

    yield fit("kmeans-on-sample", f"k-means on {sample:,} random pixels", sample=sample)
    yield codebook("random-of-first", f"{k} of the first {min(FIRST, len(pixels)):,} pixels", pixels[:FIRST])
    yield codebook("random-of-all", f"{k} of all pixels", pixels)
    yield fit("kmeans-random", "k-means on all pixels, random start", init="random")
    yield fit("kmeans-plusplus", "k-means on all pixels, k-means++ start")


def theirs(image: Any, names: Iterable[str], k: int) -> Iterator[Panel]:
    """Other quantizers' pictures, measured as ours; for names, notes and errors see `rivals.results`."""
    picture = counted(load(image, alpha=PAPER), None, Stopwatch())
    pixels = picture.pixels

    def panel(of: rivals.Result) -> Panel:
        mse = metrics.mse(pixels, of.pixels.reshape(-1, 3))
        return Panel(
            of.name, of.title, picture, of.pixels, of.palette, mse, lambda: of.png, of.seconds, n_iter=of.n_iter
        )

    return map(panel, rivals.results(names, picture.picture.pixels, k))


def row(panel: Panel, *, delta_e: bool = False) -> dict[str, str]:
    """The cells of one line of the table by their headings; with ΔE2000 (0.3 s) where scikit-image is installed."""
    cells = {
        "": panel.title,
        "find, ms": _milliseconds(panel.find_seconds),
        "map, ms": _milliseconds(panel.map_seconds),
        "all, ms": _milliseconds(panel.seconds),
        "MSE": f"{panel.mse:.2f}",
        "PSNR, dB": f"{panel.psnr:.2f}",
    }
    if delta_e and panel.delta_e is not None:
        cells["ΔE2000"] = f"{panel.delta_e:.2f}"
    return cells | {
        "colours": str(panel.palette.n_distinct),
        "PNG bytes": f"{len(panel.png):,}",
        "iterations": "–" if panel.n_iter is None else f"{panel.n_iter:,}",
    }


def _milliseconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds * 1000:,.1f}"


def table(rows: Sequence[dict[str, str]]) -> str:
    """Lines of text: the first column to the left, the others to the right."""
    lines = [tuple(rows[0]), *(tuple(cells.values()) for cells in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    heading, *body = (
        "  ".join(cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(cells, widths, strict=True)) for cells in lines)
    )
    return "\n".join([heading, "─" * len(heading), *body])


def picture(image: Any, panels: Sequence[Panel]) -> "Image":
    """All panels side by side with the original, each with its palette and numbers: a Pillow image in mode "RGB"."""
    from PIL import Image, ImageDraw, ImageFont

    original = load(image, alpha=PAPER).pixels
    shown: list[tuple[str, str, Array, Palette | None]] = [
        ("original", f"{len(panels[0].original.distinct.colors):,} colours", original, None)
    ]
    for panel in panels:
        numbers = f"MSE {panel.mse:.1f}   PSNR {panel.psnr:.1f} dB   {panel.seconds * 1000:,.0f} ms"
        note = f"{numbers}   {panel.palette.n_distinct} colours"
        shown.append((panel.title, note, panel.pixels, panel.palette))
    height, width = original.shape[:2]
    shrink, enlarge = -(-max(height, width) // WIDTH), max(1, WIDTH // 2 // max(height, width))
    size = max(1, width // shrink) * enlarge, max(1, height // shrink) * enlarge
    heading, small = ImageFont.load_default(20), ImageFont.load_default(16)
    texts = (width for title, note, *_ in shown for width in (heading.getlength(title), small.getlength(note)))
    cell = max(size[0], CAPTION, *map(ceil, texts))
    cell_height = size[1] + STRIP + 64
    columns = 3
    rows = -(-len(shown) // columns)
    grey = "#ebebeb"  # so that the edges of white are seen
    sheet = Image.new("RGB", (columns * (cell + GAP) + GAP, rows * (cell_height + GAP) + GAP), grey)
    draw = ImageDraw.Draw(sheet)
    for i, (title, note, pixels, palette) in enumerate(shown):
        x, y = GAP + i % columns * (cell + GAP), GAP + i // columns * (cell_height + GAP)
        sheet.paste(Image.fromarray(pixels).reduce(shrink).resize(size, Image.Resampling.NEAREST), (x, y))
        if palette is not None:
            swatches = Image.fromarray(palette.colors[None].copy())
            sheet.paste(swatches.resize((size[0], STRIP), Image.Resampling.NEAREST), (x, y + size[1] + 3))
        draw.text((x, y + size[1] + STRIP + 8), title, fill="black", font=heading)
        draw.text((x, y + size[1] + STRIP + 34), note, fill="#404040", font=small)
    return sheet
