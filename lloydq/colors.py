"""Distinct colours with their counts: a picture has far fewer of them than pixels, and Lloyd needs no more."""

from functools import cached_property

import numpy as np

from . import pool
from .lloyd import Array

CODES = 1 << 24  # 8-bit RGB colours
# A colour's code: the five high bits of R, G and B, then the three low bits of each. The colours of a cell of 8 × 8 × 8
# levels stand together. `kernels` computes the same.
HIGH, LOW = np.array([19, 14, 9], np.int32), np.array([6, 3, 0], np.int32)
FEW = 1 << 15  # pixels up to which sorting (2 ms) ends before a table of all colours has been searched (3 ms)


class DistinctColors:
    """The distinct colours of some pixels, and the way back from one value per colour to one per pixel.

    Parameters
    ----------
    pixels : (n, 3) uint8 array
    n_threads : int or None
        None for the processors that this process may use. The result does not depend on it.

    Attributes
    ----------
    colors : (m, 3) uint8 array
        Near ones stand near each other.
    counts : (m,) int64 array
        Pixels of each colour.

    Notes
    -----
    A byte for each of the 2²⁴ colours is marked, the marked ones are collected: 16 MiB, about the time of reading the
    pixels twice. Counting takes another table, of which only the pages of colours that occur are touched.

    Examples
    --------
    >>> found = DistinctColors(np.array([[9, 9, 9], [0, 0, 1], [9, 9, 9]], np.uint8))
    >>> found.colors.tolist(), found.counts.tolist()
    ([[0, 0, 1], [9, 9, 9]], [1, 2])
    >>> found.spread(np.array([7, 5])).tolist()
    [5, 7, 5]
    """

    def __init__(self, pixels: Array, n_threads: int | None = None) -> None:
        self._pixels, self.n_threads = np.ascontiguousarray(pixels), n_threads
        self._inverse: Array | None = None
        if len(pixels) <= FEW:
            bits = (pixels >> 3).astype(np.int32) << HIGH | (pixels & 7).astype(np.int32) << LOW
            codes, self._inverse = np.unique(bits.sum(axis=1), return_inverse=True)
        else:
            codes = self._marked()
        self._codes = codes.astype(np.int32)
        shifts = zip(HIGH, LOW, strict=True)
        channels = [(self._codes >> high & 31) << 3 | self._codes >> low & 7 for high, low in shifts]
        self.colors = np.stack([channel.astype(np.uint8) for channel in channels], axis=1)

    def _marked(self) -> Array:
        """The codes that occur, in ascending order."""
        from . import kernels

        marks = _blank_table()

        def mark(rows: slice) -> None:
            kernels.mark(kernels.block_of(self._pixels, rows), marks)

        def collect(rows: slice) -> Array:
            return np.asarray(np.flatnonzero(marks[rows].view(bool)) + rows.start)

        pool.run(mark, pool.split(len(self._pixels), self.n_threads, each=4), self.n_threads)
        codes = np.concatenate(pool.run(collect, pool.split(CODES, self.n_threads, each=4), self.n_threads))
        _give_back(marks, codes)
        return codes

    @cached_property
    def counts(self) -> Array:
        """(m,) int64: pixels of each colour."""
        if self._inverse is not None:
            return np.asarray(np.bincount(self._inverse, minlength=len(self.colors)))
        from . import kernels

        rank = np.zeros(CODES, np.int32)
        rank[self._codes] = np.arange(len(self._codes), dtype=np.int32)

        def count(rows: slice) -> Array:
            counts = np.zeros(len(self.colors), np.int64)
            kernels.count(kernels.block_of(self._pixels, rows), kernels.readonly(rank), counts)
            return counts

        return np.asarray(sum(pool.run(count, pool.split(len(self._pixels), self.n_threads), self.n_threads)))

    def spread(self, values: Array) -> Array:
        """One value per pixel, (n,), from one non-negative integer per colour, (m,); of the same dtype."""
        if self._inverse is not None:
            return np.asarray(values[self._inverse])
        from . import kernels

        narrow = np.min_scalar_type(int(values.max()))  # the narrower the table, the more of it is in the cache
        table = _blank_table() if narrow == np.uint8 else np.zeros(CODES, narrow)
        table[self._codes] = values
        spread = np.empty(len(self._pixels), values.dtype)

        def look_up(rows: slice) -> None:
            kernels.look_up(kernels.block_of(self._pixels, rows), kernels.readonly(table), spread[rows])

        pool.run(look_up, pool.split(len(self._pixels), self.n_threads, each=4), self.n_threads)
        if narrow == np.uint8:
            _give_back(table, self._codes)
        return spread


_spare: list[Array] = []  # one table of zeros, kept: new pages from the system take 3 ms, as long as the work itself


def _blank_table() -> Array:
    """(CODES,) uint8 zeros."""
    try:
        return _spare.pop()
    except IndexError:
        return np.zeros(CODES, np.uint8)


def _give_back(table: Array, codes: Array) -> None:
    """Keep a table for the next user, blank again."""
    table[codes] = 0
    _spare[:] = [table]
