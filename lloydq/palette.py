"""Palette: the colours of a quantized picture."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from . import checks, palettefiles, swatches
from .image import write
from .lloyd import Array
from .spaces import oklab

ORDERS = ("frequency", "luminance", "hue")


class Palette:
    """k colours in order: (k, 3) or (k, 4) uint8 to NumPy, a sequence of (r, g, b) or (r, g, b, alpha) to Python.

    Parameters
    ----------
    colors : (k, 3) or (k, 4) array-like from 0 to 255, "#rrggbb" strings, or Palette
        1 to 65,536 colours; fractions are rounded. A fourth number is alpha; if all are opaque, it is left out.
    counts : (k,) array-like, optional
        How many pixels each stands for.

    Attributes
    ----------
    colors : (k, 3) or (k, 4) uint8 array, read-only
        sRGB, not premultiplied.
    counts : (k,) int64 array or None

    Examples
    --------
    >>> palette = Palette([[255, 0, 0], [0, 0, 255]])
    >>> palette.hex, palette[1], len(palette)
    (['#ff0000', '#0000ff'], (0, 0, 255), 2)
    >>> Palette(["#fff", "#e3061380"])[1]
    (227, 6, 19, 128)
    """

    def __init__(self, colors: Any, counts: Any = None) -> None:
        array = checks.palette(colors)
        if array.shape[1] == 4 and (array[:, 3] == 255).all():
            array = np.ascontiguousarray(array[:, :3])
        self.colors = array
        self.colors.flags.writeable = False
        if counts is None and isinstance(colors, Palette):
            counts = colors.counts
        self.counts: Array | None = None if counts is None else checks.counts(counts, len(array))

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies are read-only, too."""
        return Palette, (self.colors, self.counts)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> "Palette":
        """The palette of a file: .gpl (GIMP), .hex, .pal (JASC), .json, .css, or any indexed picture.

        Raises
        ------
        OSError
            If the file cannot be read.
        ValueError
            If it is not such a palette; the message names the line.
        """
        return cls(palettefiles.read(path))

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = True) -> None:
        """Write a palette file, its kind by the end of its name: .gpl, .hex, .pal, .json or .css. Whole or not at all.

        Raises
        ------
        ValueError
            For other endings, and for kinds that cannot hold translucent colours (.gpl, .pal).
        FileExistsError
            If the file is there and `overwrite` is False.
        """
        write(path, palettefiles.text(self.colors, Path(path)).encode(), overwrite=overwrite)

    @property
    def hex(self) -> list[str]:
        """The colours as "#rrggbb", translucent ones as "#rrggbbaa"."""
        return palettefiles.names(self.colors)

    @property
    def shares(self) -> Array | None:
        """(k,) what part of the pixels each stands for, if that is known."""
        return None if self.counts is None else self.counts / max(1, self.counts.sum())

    @property
    def n_distinct(self) -> int:
        """How many different colours there are."""
        return len(set(self))

    def sorted(self, by: str = "frequency") -> "Palette":
        """The same colours in another order.

        Parameters
        ----------
        by : "frequency", "luminance" or "hue"
            Most pixels first; dark before light; around the colour circle from red, greys first (both of Oklab).
            Equal ones stay as they are.
        """
        by = checks.one_of(by, "by", ORDERS)
        lightness, a, b = oklab(self.colors[:, :3]).T
        if by == "frequency":
            if self.counts is None:
                raise ValueError("how often each colour occurs is not known of this palette")
            order = np.argsort(-self.counts, kind="stable")
        elif by == "luminance":
            order = np.argsort(lightness, kind="stable")
        else:
            grey = np.hypot(a, b) < 0.02
            order = np.lexsort((lightness, np.where(grey, -1, np.arctan2(b, a) % (2 * np.pi))))
        return Palette(self.colors[order], None if self.counts is None else self.counts[order])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.colors, dtype=dtype, copy=copy)

    def __len__(self) -> int:
        return len(self.colors)

    def __getitem__(self, i: int) -> tuple[int, ...]:
        return tuple(self.colors[i].tolist())

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        return (self[i] for i in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Palette) and np.array_equal(self.colors, other.colors)

    def __hash__(self) -> int:
        return hash(self.colors.tobytes())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """For notebooks."""
        return {"text/plain": repr(self), "text/html": swatches.svg(self.colors, self.hex)}

    def __repr__(self) -> str:
        shown = self.hex if len(self) <= 8 else [*self.hex[:7], "…"]
        return f"<Palette of {len(self)}: {' '.join(shown)}>"
