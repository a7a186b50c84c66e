"""Palettes to look at: inline SVG for notebooks and pages."""

import base64
from collections.abc import Sequence

import numpy as np

from .image import png
from .lloyd import Array
from .spaces import with_alpha

EACH, SIZE = 24, 20  # swatches that are drawn one by one, and their side in pixels
COLUMNS, CELL = 32, 10  # of larger palettes
NAMED = 128  # colours whose names are in the text alternative
MOST, MANY, FEW = 512, 256, 16  # colours that are shown; of more than MANY only a FEW are named


def svg(colors: Array, names: Sequence[str]) -> str:
    """Colours (k, 3) or (k, 4) uint8 as inline SVG, under 4 KB, with a text alternative that names them."""
    k = len(colors)
    named, part = NAMED if k <= MANY else FEW, f", {MOST} of them shown" if k > MOST else ""
    label = f"Palette of {k:,} colour{'s' * (k > 1)}{part}: {' '.join(names[:named])}{' …' if k > named else ''}"
    if k <= EACH:
        cells = "".join(
            f'<rect x="{SIZE * i}" width="{SIZE}" height="{SIZE}" fill="{name}"><title>{name}</title></rect>'
            for i, name in enumerate(names)
        )
        return _svg(SIZE * k, SIZE, label, cells)
    columns, rows = COLUMNS, -(-min(k, MOST) // COLUMNS)
    picture = base64.b64encode(_cells(colors, columns, rows)).decode()
    width, height = CELL * columns, CELL * rows
    image = (
        f'<image width="{width}" height="{height}" style="image-rendering:pixelated" '
        f'href="data:image/png;base64,{picture}"/>'
    )
    return _svg(width, height, label, image)


def _svg(width: int, height: int, label: str, inside: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{label}" width="{width}" height="{height}" '
        f'style="outline:1px solid #bbb">'
        f"{inside}</svg>"
    )


def _cells(colors: Array, columns: int, rows: int) -> bytes:
    """One pixel for each colour, as a PNG."""
    from PIL import Image

    cells = np.zeros((columns * rows, 4), np.uint8)
    colors = colors[: len(cells)]
    cells[: len(colors), : colors.shape[1]], cells[: len(colors), colors.shape[1] :] = colors, 255
    return png(Image.fromarray(cells.reshape(rows, columns, 4)), effort=9)


def lines(colors: Array, names: Sequence[str], shares: Array | None, *, in_colour: bool) -> list[str]:
    """A line for each of the colours (k, 3) or (k, 4) uint8: a swatch in 24-bit ANSI colour, its name, its share.

    Translucent ones are shown on black and on white.
    """
    width, found = max(map(len, names)), []
    opaque = with_alpha(colors, 4)
    a = opaque[:, 3:] / 255
    on_black, on_white = (np.rint(opaque[:, :3] * a + ground * (1 - a)).astype(int).tolist() for ground in (0, 255))
    for i, name in enumerate(names):
        halves = (f"\x1b[48;2;{r};{g};{b}m   " for r, g, b in (on_black[i], on_white[i]))
        swatch = "".join(halves) + "\x1b[0m  " if in_colour else ""
        share = "" if shares is None else f"  {shares[i]:7.2%}"
        found.append(f"{swatch}{name:<{width}}{share}".rstrip())
    return found
