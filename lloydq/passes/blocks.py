"""For pixels: blocks of near colours, visited where labels may change."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np

from .. import pool
from ..lloyd import Array, Sums
from .dense import DensePass

LEAST_BLOCKS, MOST_BLOCKS = 128, 2048  # of a part; there is one for each thread, or more
LIGHT = 300_000  # distances up to which one thread alone is faster
REACH = 2, 8  # how far centroids may move while lists of candidates hold, at least and at most, in levels


@dataclass
class Blocks:
    """What a `BlockPass` remembers of some rows; see `kernels.blocks`."""

    rows: slice
    colors: Array  # (3, n) uint8: coordinates side by side
    low: Array  # (3, blocks) uint8: their boxes
    high: Array
    slack: Array  # (n,) int32
    debt: Array  # (blocks,) int32
    least: Array  # (blocks,) int32
    stops: Array  # (blocks,) where the list of each ends
    store: Array  # the lists, one after the other
    reach: int = 0  # how far centroids may move while the lists hold
    travelled: int = 0  # how far they have


class BlockPass(DensePass):
    """For distinct colours in the order of their codes: blocks of neighbours, visited only where labels may change."""

    def __init__(
        self, X: Array, weight: Array | None = None, n_threads: int | None = None, *, cuts: Array | None = None
    ) -> None:
        super().__init__(X, weight, n_threads, cuts=cuts)
        width = self.kernels.blocks.WIDTH
        blocks = -(-len(X) // width)
        parts = max(1, min(n_threads or pool.available(), blocks // LEAST_BLOCKS), blocks // MOST_BLOCKS)
        bounds = [blocks * i // parts for i in range(parts + 1)]
        self.rows = [slice(a * width, min(b * width, len(X))) for a, b in pairwise(bounds)]
        self.forget()

    def forget(self) -> None:
        self.work, self.parts = self.X.size, list[Blocks]()
        self.__dict__.pop("centroids", None)

    def again(self) -> Self:
        other = super().again()
        other.forget()
        return other

    def part(self, rows: slice) -> Blocks:
        colors = np.ascontiguousarray(self.X[rows].T)
        n, many = colors.shape[1], -(-colors.shape[1] // self.kernels.blocks.WIDTH)
        starts = np.arange(0, n, self.kernels.blocks.WIDTH)
        low, high = (bound.reduceat(colors, starts, axis=1) for bound in (np.minimum, np.maximum))
        slack, debt, least = np.full(n, -1, np.int32), np.zeros(many, np.int32), np.full(many, -1, np.int32)
        return Blocks(rows, colors, low, high, slack, debt, least, np.empty(many, np.int64), np.empty(1, np.int32))

    def __call__(self, centroids: Array) -> Sums:
        known, k, blocks = hasattr(self, "centroids"), len(centroids), self.kernels.blocks
        self.parts = self.parts or list(map(self.part, self.rows))
        shift = np.sqrt(((centroids - self.centroids) ** 2).sum(axis=1)) if known else np.full(k, np.inf)
        self.moved = np.minimum(np.ceil(shift * (1 + 1e-12) * blocks.UNIT), blocks.MOST).astype(np.int32)
        self.centroids, self.columns = centroids, np.ascontiguousarray(centroids.T)
        n_threads = self.n_threads if self.work > LIGHT else 1
        sums = self.after(self.visit_blocks, self.parts, n_threads)
        self.work = sums.computed
        return sums

    def visit_blocks(self, part: Blocks) -> Sums:
        """How the sums of some blocks change."""
        moved, k = self.moved, len(self.centroids)
        most = int(moved.max())
        part.travelled += most
        if 2 * part.travelled > part.reach:
            self.renew(part, most)
            moved = np.zeros(k, np.int32)
        labels, (changed, before) = self.labels[part.rows], np.empty((2, part.colors.shape[1]), np.int32)
        many, computed = self.kernels.visit_blocks(
            part.colors, self.columns, moved, part.stops, part.store, part.debt, part.least, part.slack, labels,
            changed, before,
        )  # fmt: skip
        X = self.kernels.block_of(self.X, part.rows)
        return self.moves(part.rows, X, changed[:many], before[:many], computed)

    def renew(self, part: Blocks, most: float) -> None:
        """Lists for the centroids as they are. What was not in a list is still farther by twice what its reach left."""
        left, unit = part.reach - part.travelled, self.kernels.blocks.UNIT
        if left > 0:
            self.kernels.lower(part.slack, part.debt, part.least, most, 2 * left)
        else:
            part.slack[:], part.debt[:], part.least[:] = -1, 0, -1
        part.reach, part.travelled = int(min(max(REACH[0] * unit, 16 * most), REACH[1] * unit)), 0
        reach = part.reach / unit
        part.store = self.kernels.list_all(part.low, part.high, self.columns, reach, part.stops, part.store)
