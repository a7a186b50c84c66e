"""Distinct colours with their counts: a picture has far fewer of them than pixels, and Lloyd needs no more."""

import numpy as np

from . import pool
from .lloyd import Array

FEW = 1 << 13  # pixels up to which sorting (0.5 ms) ends before the cells of all colours have been searched
COUNTERS = 2  # threads that count, at most: each has 2 bytes for every colour of the cells that occur, 32 MiB for all


class DistinctColors:
    """The distinct colours of some pixels.

    Parameters
    ----------
    pixels : (n, 3) uint8 array
    n_threads : int or None
        None for the processors that this process may use. The result does not depend on it.

    Attributes
    ----------
    colors : (m, 3) uint8 array
        Near ones stand near each other: the colours of a cell of 8 × 8 × 8 levels together.
    counts : (m,) int64 array
        Pixels of each colour.

    Notes
    -----
    The pixels are read twice: to mark the cells that occur, and to count in those.

    Examples
    --------
    >>> found = DistinctColors(np.array([[9, 9, 9], [0, 0, 1], [9, 9, 9]], np.uint8))
    >>> found.colors.tolist(), found.counts.tolist()
    ([[0, 0, 1], [9, 9, 9]], [1, 2])
    """

    def __init__(self, pixels: Array, n_threads: int | None = None) -> None:
        self.n_threads = n_threads
        self.colors, self.counts = _sorted(pixels) if len(pixels) <= FEW else _counted(pixels, n_threads)


def codes(colors: Array) -> Array:
    """(n,) int32, what `kernels.colors` calls their codes: 0 to 2²⁴ − 1, in the order in which colours stand here."""
    r, g, b = colors.T.astype(np.int32)
    cells, low = (r >> 3) << 10 | (g >> 3) << 5 | b >> 3, (b & 7) << 6 | (r & 7) << 3 | g & 7
    return np.asarray(cells << 9 | low)


def _sorted(pixels: Array) -> tuple[Array, Array]:
    """The distinct ones of a few pixels, and their counts."""
    first, counts = np.unique(codes(pixels), return_index=True, return_counts=True)[1:]
    return np.asarray(pixels[first]), counts


def _counted(pixels: Array, n_threads: int | None) -> tuple[Array, Array]:
    """The same of many."""
    from . import kernels

    pixels, workers = np.ascontiguousarray(pixels), min(n_threads or pool.available(), COUNTERS)
    pieces = pool.split(len(pixels), workers)
    marks = np.zeros(kernels.CELLS, np.uint8)
    pool.run(lambda rows: kernels.mark(kernels.block_of(pixels, rows), marks), pieces, workers)
    cells, places = np.flatnonzero(marks), np.empty(kernels.CELLS, np.uint32)
    places[cells] = np.arange(0, len(cells) * kernels.CELL, kernels.CELL)
    counts = np.zeros((COUNTERS, len(cells) * kernels.CELL), np.uint16)

    def tally(i: int) -> Array:
        return kernels.tally(kernels.block_of(pixels, pieces[i]), places, counts[i])

    def collect(i: int) -> tuple[Array, Array]:
        part = slice(len(cells) * i // workers, len(cells) * (i + 1) // workers)
        return kernels.collect(cells[part], *counts[:, part.start * kernels.CELL : part.stop * kernels.CELL])

    over = np.concatenate(pool.run(tally, range(len(pieces)), workers))
    found = pool.run(collect, range(workers), workers)
    colors, total = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    if len(over):
        np.add.at(total, np.searchsorted(codes(colors), over), kernels.FULL)
    return colors, total
