"""Distinct colours with their counts: a picture has far fewer of them than pixels, and Lloyd needs no more."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from typing import Any

import numpy as np

from . import pool
from .lloyd import Array
from .spaces import with_alpha

FEW = 1 << 13  # pixels up to which sorting (0.5 ms) ends before the cells of all colours have been searched
PIECE = 1 << 19  # pixels that are sorted at a time
MANY = 1 << 16  # pixels from which a table of all colours (2 ms) is faster than a search for each
COUNTERS = 2  # threads that count, at most: each has 2 bytes for every colour of the cells that occur, 32 MiB for all
_BYTES = np.arange(256, dtype=np.uint32)
SPREAD = np.bitwise_or.reduce([(_BYTES >> bit & 1) << 4 * bit for bit in range(8)])  # their bits, four apart


class DistinctColors:
    """The distinct colours of some pixels.

    Parameters
    ----------
    pixels : (n, d) uint8 array
        d from 1 to 4: grey, grey and alpha, RGB, RGB and alpha.
    n_threads : int or None
        None for the processors that this process may use. The result does not depend on it.
    weight : (n,) array, optional
        How often each pixel counts. Those of weight 0 are left out. Sums of whole numbers are exact.

    Attributes
    ----------
    colors : (m, d) uint8 array
        Near ones stand near each other: of three channels, the colours of a cell of 8 × 8 × 8 levels together.
    counts : (m,) int64 array
        Pixels of each colour.
    weight : (m,) float64 array
        What they weigh together.

    Notes
    -----
    Pixels of three channels are read twice: to mark the cells that occur, and to count in those. Others, and weighted
    ones, are sorted in pieces. Pixels that are distinct and in order as they come are not copied, nor is their weight.

    Examples
    --------
    >>> found = DistinctColors(np.array([[9, 9, 9], [0, 0, 1], [9, 9, 9]], np.uint8))
    >>> found.colors.tolist(), found.counts.tolist()
    ([[0, 0, 1], [9, 9, 9]], [1, 2])
    """

    def __init__(self, pixels: Array, n_threads: int | None = None, weight: Array | None = None) -> None:
        self.n_threads, self.summed = n_threads, None if weight is None else np.asarray(weight, np.float64)
        if (weight is None or weight.all()) and _distinct(pixels):
            self.colors, self.counts = np.ascontiguousarray(pixels), np.ones(len(pixels), np.int64)
        elif weight is None and pixels.shape[1] == 3 and len(pixels) > FEW:
            self.colors, self.counts = _counted(pixels, n_threads)
        else:
            found, self.counts, self.summed = _sorted(pixels, weight, n_threads)
            self.colors = _decoded(found, pixels.shape[1])

    @classmethod
    def merged(cls, parts: Sequence["DistinctColors"], n_threads: int | None = None) -> "DistinctColors":
        """The colours of several pictures with what they count together; opaque ones get an alpha where others have."""
        d = max(part.colors.shape[1] for part in parts)
        opaque = [with_alpha(part.colors, d) for part in parts]
        found = cls(np.concatenate(opaque), n_threads, np.concatenate([part.counts for part in parts]))
        found.counts, found.summed = found.weight.astype(np.int64), None
        return found

    def spread(self, pixels: Array, values: Array) -> Array:
        """For each of the pixels (n, d) the value (m,) of its colour, which must be one of these: (n,)."""
        if pixels.shape[1] != 3 or len(pixels) < MANY:
            known, found = codes(self.colors), np.empty(len(pixels), values.dtype)

            def search(rows: slice) -> None:
                found[rows] = values[np.searchsorted(known, codes(pixels[rows]))]

            pieces = [slice(start, start + PIECE) for start in range(0, len(pixels), PIECE)]
            pool.run(search, pieces, self.n_threads)
            return found
        from . import kernels

        pixels, found = np.ascontiguousarray(pixels), np.empty(len(pixels), values.dtype)
        with table(values.dtype) as values_of:
            values_of[codes(self.colors)] = values

            def look_up(rows: slice) -> None:
                kernels.look_up(kernels.block_of(pixels, rows), values_of, found[rows])

            pool.run(look_up, pool.split(len(pixels), self.n_threads), self.n_threads)
        return found

    @property
    def weight(self) -> Array:
        return self.counts.astype(np.float64) if self.summed is None else self.summed


_spare: list[Array] = []  # one table, kept: new pages from the system take 3 ms, as long as the work itself


@contextmanager
def table(dtype: Any) -> Iterator[Array]:
    """Room for a number for each 8-bit colour, by its code, whatever stands in it."""
    from .kernels import CODES

    try:
        found = _spare.pop() if dtype == np.uint8 else np.empty(CODES, dtype)
    except IndexError:
        found = np.empty(CODES, dtype)
    yield found
    if dtype == np.uint8:
        _spare[:] = [found]


def codes(colors: Array) -> Array:
    """(n,) uint32 for (n, d) uint8: what `kernels.colors` calls their codes, in the order in which colours stand here.

    Of four channels the bits in turns (G. M. Morton, 1966), so that near colours stand together, too; of one or two the
    bytes side by side.
    """
    if colors.shape[1] == 4:
        r, g, b, alpha = SPREAD[colors.T]
        return np.asarray(r << 3 | g << 2 | b << 1 | alpha)
    channels = colors.T.astype(np.uint32)
    if len(channels) != 3:
        return np.asarray(reduce(lambda code, channel: code << 8 | channel, channels))
    r, g, b = channels
    cells, low = (r >> 3) << 10 | (g >> 3) << 5 | b >> 3, (b & 7) << 6 | (r & 7) << 3 | g & 7
    return np.asarray(cells << 9 | low)


def _distinct(pixels: Array) -> bool:
    """Whether they are so, in the order of their codes."""

    def ascend(found: Array) -> bool:
        return bool((found[1:] > found[:-1]).all())

    return all(ascend(codes(pixels[i : i + FEW])) for i in range(0, len(pixels), FEW - 1))


def _decoded(found: Array, d: int) -> Array:
    """The colours (m, d) of codes (m,)."""
    colors = np.empty((len(found), d), np.uint8)
    for t in range(d):
        if d == 3:
            cell, low = found >> (19, 14, 9)[t] & 31, found >> (3, 0, 6)[t] & 7
            colors[:, t] = cell << 3 | low
        elif d == 4:
            colors[:, t] = sum((found >> 4 * bit + 3 - t & 1) << bit for bit in range(8))
        else:
            colors[:, t] = found >> 8 * (d - 1 - t) & 255
    return colors


def _sorted(pixels: Array, weight: Array | None, n_threads: int | None) -> tuple[Array, Array, Array | None]:
    """The codes that occur, how often, and what they weigh, by sorting pieces."""

    def visit(rows: slice) -> tuple[Array, ...]:
        if weight is None:
            found, counts = np.unique(codes(pixels[rows]), return_counts=True)
            return found, counts.astype(np.int32)
        heavy = np.flatnonzero(weight[rows])
        found, at, counts = np.unique(codes(pixels[rows][heavy]), return_inverse=True, return_counts=True)
        return found, counts.astype(np.int32), np.bincount(at, weight[rows][heavy], len(found))

    pieces = [slice(start, start + PIECE) for start in range(0, len(pixels), PIECE)]
    found, counts, *summed = map(np.concatenate, zip(*pool.run(visit, pieces, n_threads), strict=True))
    order = np.argsort(found, kind="stable")  # what is sorted piece by piece is merged
    found = found[order]
    starts = np.flatnonzero(np.append(True, found[1:] != found[:-1])[: len(found)])
    found = found[starts]
    if summed:
        summed[0] = np.add.reduceat(summed[0][order], starts)
    return found, np.add.reduceat(counts[order], starts, dtype=np.int64), summed[0] if summed else None


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
