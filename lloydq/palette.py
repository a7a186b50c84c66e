"""Palette: the colours of a quantized picture."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from . import checks
from .lloyd import Array


class Palette:
    """k colours in order: (k, 3) uint8 to NumPy, a sequence of (r, g, b) to Python.

    Parameters
    ----------
    colors : (k, 3) array-like from 0 to 255, or Palette
        1 to 256 colours; fractions are rounded.

    Attributes
    ----------
    colors : (k, 3) uint8 array, read-only

    Examples
    --------
    >>> palette = Palette([[255, 0, 0], [0, 0, 255]])
    >>> palette.hex, palette[1], len(palette)
    (['#ff0000', '#0000ff'], (0, 0, 255), 2)
    """

    def __init__(self, colors: Any) -> None:
        self.colors = checks.palette(colors)
        self.colors.flags.writeable = False

    @property
    def hex(self) -> list[str]:
        """The colours as "#rrggbb"."""
        return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in self]

    @property
    def n_distinct(self) -> int:
        """How many different colours there are."""
        return len(set(self))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.colors, dtype=dtype, copy=copy)

    def __len__(self) -> int:
        return len(self.colors)

    def __getitem__(self, i: int) -> tuple[int, int, int]:
        r, g, b = self.colors[i].tolist()
        return r, g, b

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        return (self[i] for i in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Palette) and np.array_equal(self.colors, other.colors)

    def __hash__(self) -> int:
        return hash(self.colors.tobytes())

    def __repr__(self) -> str:
        shown = self.hex if len(self) <= 8 else [*self.hex[:7], "…"]
        return f"<Palette of {len(self)}: {' '.join(shown)}>"
