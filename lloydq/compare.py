"""k-means beside the codebooks it is to beat: the same picture in k colours, found in several ways."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from .codebook import Stopwatch
from .image import PAPER, load
from .lloyd import Array, Step, random_points
from .palette import Palette
from .quantized import Quantized
from .quantizer import apply_palette, counted, quantize

if TYPE_CHECKING:
    from PIL.Image import Image

SAMPLE = 2000  # random pixels that the recipe fits on
FIRST = 1000  # first pixels that it draws a codebook from
WIDTH, CAPTION, GAP, STRIP = 640, 400, 16, 14  # of the picture of panels, in pixels


@dataclass(frozen=True)
class Panel:
    """One way to k colours, and what came of it."""

    name: str  # for files
    title: str
    result: Quantized
    fit_seconds: float  # to find the palette
    map_seconds: float  # to give every pixel its nearest colour

    @property
    def seconds(self) -> float:
        """For both."""
        return self.fit_seconds + self.map_seconds


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
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    quantize(noise, 8, tol=1e9)  # kernels are loaded or compiled before the clock runs
    picture = counted(load(image, alpha=PAPER), n_threads, Stopwatch(), verify)
    pixels = picture.picture.pixels.reshape(-1, 3)
    sample = min(SAMPLE, len(pixels))

    def fit(name: str, title: str, **how: Any) -> Panel:
        q = quantize(picture, k, rng=rng, n_threads=n_threads, callback=callback, verify=verify, **how)
        seconds = q.timings.get("seed", 0.0) + q.timings["fit"]
        return Panel(name, title, q, seconds, q.timings["map"])

    def codebook(name: str, title: str, among: Array) -> Panel:
        start = perf_counter()
        palette = random_points(among, k, rng)
        seconds = perf_counter() - start
        q = apply_palette(picture, palette, n_threads=n_threads, verify=verify)
        return Panel(name, title, q, seconds, q.timings["map"])

    yield fit("kmeans-on-sample", f"k-means on {sample:,} random pixels", sample=sample)
    yield codebook("random-of-first", f"{k} of the first {min(FIRST, len(pixels)):,} pixels", pixels[:FIRST])
    yield codebook("random-of-all", f"{k} of all pixels", pixels)
    yield fit("kmeans-random", "k-means on all pixels, random start", init="random")
    yield fit("kmeans-plusplus", "k-means on all pixels, k-means++ start")


HEADINGS = ("", "find", "map", "MSE", "PSNR", "colours", "PNG bytes", "iterations")


def row(panel: Panel) -> tuple[str, ...]:
    """The cells of one line of the table."""
    q = panel.result
    return (
        panel.title,
        f"{panel.fit_seconds * 1000:.1f} ms",
        f"{panel.map_seconds * 1000:.1f} ms",
        f"{q.mse:.2f}",
        f"{q.psnr:.2f} dB",
        str(q.palette.n_distinct),
        f"{len(q.png):,}",
        f"{q.n_iter:,}" if q.stop_reason != "given" else "–",
    )


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """Lines of text: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(HEADINGS, *rows, strict=True)]
    lines = [
        "   ".join(cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(cells, widths, strict=True)) for cells in (HEADINGS, *rows))
    ]
    return "\n".join([lines[0].rstrip(), "─" * len(lines[1]), *(line.rstrip() for line in lines[1:])])


def picture(image: Any, panels: Sequence[Panel]) -> "Image":
    """All panels side by side with the original, each with its palette and numbers: a Pillow image in mode "RGB"."""
    from PIL import Image, ImageDraw, ImageFont

    original = Image.fromarray(load(image, alpha=PAPER).pixels)
    shown: list[tuple[str, str, Image.Image, Palette | None]] = [
        ("original", f"{panels[0].result.n_distinct:,} colours", original, None)
    ]
    for panel in panels:
        q = panel.result
        note = (
            f"MSE {q.mse:.1f}   PSNR {q.psnr:.1f} dB   {panel.seconds * 1000:.0f} ms   {q.palette.n_distinct} colours"
        )
        shown.append((panel.title, note, q.image.convert("RGB"), q.palette))
    shrink = -(-max(original.size) // WIDTH)
    enlarge = max(1, WIDTH // 2 // max(original.size))
    size = max(1, original.width // shrink) * enlarge, max(1, original.height // shrink) * enlarge
    cell = max(size[0], CAPTION)
    heading, small = ImageFont.load_default(20), ImageFont.load_default(16)
    cell_height = size[1] + STRIP + 64
    columns = 3
    rows = -(-len(shown) // columns)
    grey = "#ebebeb"  # so that the edges of white are seen
    sheet = Image.new("RGB", (columns * (cell + GAP) + GAP, rows * (cell_height + GAP) + GAP), grey)
    draw = ImageDraw.Draw(sheet)
    for i, (title, note, panel_image, palette) in enumerate(shown):
        x, y = GAP + i % columns * (cell + GAP), GAP + i // columns * (cell_height + GAP)
        sheet.paste(panel_image.reduce(shrink).resize(size, Image.Resampling.NEAREST), (x, y))
        if palette is not None:
            swatches = Image.fromarray(palette.colors[None].copy())
            sheet.paste(swatches.resize((size[0], STRIP), Image.Resampling.NEAREST), (x, y + size[1] + 3))
        draw.text((x, y + size[1] + STRIP + 8), title, fill="black", font=heading)
        draw.text((x, y + size[1] + STRIP + 34), note, fill="#404040", font=small)
    return sheet
