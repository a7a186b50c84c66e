"""Ways to make a pass with kernels, and which one suits the data. All give the labels and sums of `lloyd.PlainPass`."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from operator import add
from typing import Any, Self

import numpy as np

from . import lloyd, pool
from .colors import DistinctColors
from .lloyd import Array, PlainPass, Sums, chunks, squared_distances

TINY = 100_000  # n·k·d up to which NumPy (a millisecond) ends before Numba has been imported (a third of a second)

ALGORITHMS = ("auto", "lloyd", "elkan", "plain", "dense", "blocks")  # the first three: the fastest exact way

PIXELS = 1 << 17  # from so many pixels on, a table of the labels of all colours is cheaper than comparing each

FOLD = 1 << 12  # pixels from which bounds on their distinct colours (0.2 ms to set up) are faster than comparing all
LEAST_BLOCKS, LIGHT = 128, 300_000  # blocks for each thread; distances up to which one thread alone is faster
REACH = 2, 8  # how far centroids may move while lists of candidates hold, at least and at most, in levels

FAR = 256  # points that are sorted first when an empty cluster asks for the farthest


def _kernel(d: int) -> Callable[[Array, Array, Array], int]:
    """The kernel that assigns points of d coordinates."""
    from . import kernels

    return kernels.assign_3 if d == 3 else kernels.assign


class DensePass(PlainPass):
    """Compiled loops over blocks of points, pieces on several threads.

    The sums are exact, so they are kept from one call to the next, and only points that changed label are moved.
    """

    def __init__(self, X: Array, weight: Array | None = None, n_threads: int | None = None) -> None:
        from . import kernels

        self.kernels, self.n_threads = kernels, n_threads
        super().__init__(X, weight)
        # Sums may be split anyhow; what has to be copied for the kernels is copied a small piece at a time
        as_it_is = X.dtype in kernels.COMPILED and X.flags.c_contiguous
        self.pieces = pool.split(len(X), n_threads, each=4) if as_it_is else chunks(X.shape, 1)
        self.kept = Sums(np.zeros(()))

    def each(self, function: Callable[[slice], Any], pieces: list[slice]) -> list[Any]:
        return pool.run(function, pieces, self.n_threads)

    def again(self) -> Self:
        other = super().again()
        other.kept = Sums(np.zeros(()))
        return other

    def block(self, rows: slice) -> tuple[Array, Array]:
        """Points and weights as the kernels take them."""
        return self.kernels.block_of(self.X, rows), self.kernels.weights_of(self.weight, rows)

    def extent(self, rows: slice) -> tuple[float, float]:
        return self.kernels.extent(*self.block(rows))

    def total(self, rows: slice) -> Sums:
        X, weight = self.block(rows)
        sums = Sums(np.zeros((len(self.cuts), 1, X.shape[1] + 1)))
        before, labels = np.full(len(X), -1, np.int32), np.zeros(len(X), np.int32)
        self.kernels.transfer(X, weight, before, labels, self.cuts, sums.slices)
        return sums

    def spread(self, rows: slice) -> float:
        return self.kernels.spread(*self.block(rows), self.origin)

    def __call__(self, centroids: Array) -> Sums:
        self.centroids = centroids
        moves = reduce(add, self.each(self.visit, self.pieces))
        self.kept = Sums(self.kept.slices + moves.slices, moves.changed, moves.computed, moves.skipped)
        return self.kept

    def visit(self, rows: slice) -> Sums:
        """How the sums of some rows change."""
        (X, weight), (k, d) = self.block(rows), self.centroids.shape
        labels, sums = np.empty(len(X), np.int32), Sums(np.zeros((len(self.cuts), k, d + 1)))
        sums.computed = _kernel(d)(X, self.kernels.readonly(self.centroids), labels)
        sums.skipped = len(X) * k - sums.computed
        sums.changed = self.kernels.transfer(X, weight, self.labels[rows], labels, self.cuts, sums.slices)
        self.labels[rows] = labels
        return sums

    def farthest(self, m: int) -> tuple[Array, Array, Array]:
        """Only the farthest points are sorted, with one nearer point of each cluster, which stays as its last."""
        pieces, distance, few = self.pieces, np.empty(len(self.X)), max(FAR, 4 * m)

        def measure(rows: slice) -> Array:
            """Squared, to the centroid of the label; −1 for points without weight. The largest few."""
            squared = squared_distances(self.X[rows], self.centroids, self.labels[rows])
            distance[rows] = np.where(self.weight[rows] > 0, squared, -1.0)
            return np.asarray(np.partition(distance[rows], -min(few, len(squared)))[-few:])

        largest = np.concatenate(pool.run(measure, pieces, self.n_threads))
        least = np.nextafter(0, 1)  # points at their centroid are never taken
        limit = max(np.sort(largest)[-few:][0], least)
        if np.count_nonzero(distance >= limit) <= 16 * few:
            nearer = np.full(len(self.centroids), -1)
            for piece in pieces:
                near = np.flatnonzero((distance[piece] >= 0) & (distance[piece] < limit)) + piece.start
                nearer[self.labels[near]] = near
            found = self.farthest_of(np.append(np.flatnonzero(distance >= limit), nearer[nearer >= 0]), m)
            if len(found[0]) == m or limit == least:
                return found
        # Many equal points. What is looked for is among the first m + k positions of all, and so of their piece
        most = m + len(self.centroids)
        ones = np.concatenate([self._one_each(most, piece, distance[piece]) for piece in pieces])
        X, weight, labels = self.farthest_of(np.sort(ones), m)
        weight = np.zeros(len(X))
        reach = squared_distances(X, self.centroids, labels)
        for piece in pieces:
            rows = np.flatnonzero(np.isin(distance[piece], reach)) + piece.start
            for j, x in enumerate(X):
                equals = self.weight[rows[(self.X[rows] == x).all(axis=1)]]
                weight[j] = np.cumsum(np.append(weight[j], equals))[-1]  # row by row
        return X, weight, labels

    def _one_each(self, most: int, rows: slice, distance: Array) -> Array:
        """A point at each of so many farthest positions of a piece, and one nearer point of each cluster."""
        order = np.lexsort((*self.X[rows].T[::-1], -distance))[: np.count_nonzero(distance >= 0)]
        X = self.X[rows][order]
        order = order[np.append(True, (X[1:] != X[:-1]).any(axis=1))[: len(X)]] + rows.start
        nearer = np.full(len(self.centroids), -1)
        nearer[self.labels[order[most:]]] = order[most:]
        return np.append(order[:most], nearer[nearer >= 0])


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

    def __init__(self, X: Array, weight: Array | None = None, n_threads: int | None = None) -> None:
        super().__init__(X, weight, n_threads)
        width = self.kernels.blocks.WIDTH
        blocks = -(-len(X) // width)
        parts = max(1, min(n_threads or pool.available(), blocks // LEAST_BLOCKS))
        bounds = [blocks * i // parts for i in range(parts + 1)]
        self.rows = [slice(a * width, min(b * width, len(X))) for a, b in pairwise(bounds)]
        self.forget()

    def forget(self) -> None:
        self.parts, self.work = list(map(self.part, self.rows)), self.X.size
        self.__dict__.pop("centroids", None)

    def again(self) -> Self:
        other = super().again()
        other.forget()
        return other

    def part(self, rows: slice) -> Blocks:
        colors = np.ascontiguousarray(self.X[rows].T)
        n, many = colors.shape[1], -(-colors.shape[1] // self.kernels.blocks.WIDTH)
        low, high = np.empty((3, many), np.uint8), np.empty((3, many), np.uint8)
        self.kernels.boxes(colors, low, high)
        slack, debt, least = np.full(n, -1, np.int32), np.zeros(many, np.int32), np.full(many, -1, np.int32)
        return Blocks(rows, colors, low, high, slack, debt, least, np.empty(many, np.int64), np.empty(1, np.int32))

    def __call__(self, centroids: Array) -> Sums:
        known, k, blocks = hasattr(self, "centroids"), len(centroids), self.kernels.blocks
        shift = np.sqrt(((centroids - self.centroids) ** 2).sum(axis=1)) if known else np.full(k, np.inf)
        self.moved = np.minimum(np.ceil(shift * (1 + 1e-12) * blocks.UNIT), blocks.MOST).astype(np.int32)
        self.centroids, self.columns = centroids, np.ascontiguousarray(centroids.T)
        n_threads = self.n_threads if self.work > LIGHT else 1
        moves = reduce(add, pool.run(self.visit_blocks, self.parts, n_threads))
        self.work = moves.computed
        self.kept = Sums(self.kept.slices + moves.slices, moves.changed, moves.computed, moves.skipped)
        return self.kept

    def visit_blocks(self, part: Blocks) -> Sums:
        """How the sums of some blocks change."""
        moved, k = self.moved, len(self.centroids)
        most = int(moved.max())
        part.travelled += most
        if 2 * part.travelled > part.reach:
            self.renew(part, most)
            moved = np.zeros(k, np.int32)
        slices, weight = np.zeros((len(self.cuts), k, 4)), self.kernels.weights_of(self.weight, part.rows)
        changed, copies, computed = self.kernels.visit_blocks(
            part.colors, weight, self.columns, moved, part.stops, part.store, part.debt, part.least, part.slack,
            self.labels[part.rows], self.cuts, slices,
        )  # fmt: skip
        return Sums(slices, self.count(changed, copies), computed, part.colors.shape[1] * k - computed)

    def count(self, changed: int, copies: float) -> int:
        """How many points changed label, of rows that weigh so much together."""
        return changed

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


class FoldedPass(BlockPass):
    """For pixels: a pass over their distinct colours, each of which counts as often as it occurs."""

    def __init__(self, pixels: Array, n_threads: int | None = None) -> None:
        distinct = DistinctColors(pixels, n_threads)
        self.pixels = pixels
        super().__init__(distinct.colors, distinct.counts.astype(np.float64), n_threads)

    def count(self, changed: int, copies: float) -> int:
        return int(copies)

    def __call__(self, centroids: Array) -> Sums:
        sums = super().__call__(centroids)
        sums.skipped = len(self.pixels) * len(centroids) - sums.computed
        return sums

    def labelled(self) -> Array:
        return assign(self.pixels, self.centroids, self.n_threads)

    def spread_labels(self, labels: Array, centroids: Array) -> Array:
        return assign(self.pixels, centroids, self.n_threads)


def suited(X: Array, weight: Array | None, k: int, n_threads: int | None = None, algorithm: str = "auto") -> PlainPass:
    """The pass that suits the points and k, or that of the name: "plain" for NumPy's, "dense" for compiled loops."""
    if algorithm == "plain" or (algorithm not in ("dense", "blocks") and X.size * k <= TINY):
        return PlainPass(X, weight)
    pixels = X.dtype == np.uint8 and X.shape[1] == 3
    if algorithm == "blocks" and not pixels:
        raise ValueError(f"algorithm='blocks' is for uint8 points of three columns; got {X.dtype} {X.shape}")
    if not pixels or algorithm == "dense" or (algorithm != "blocks" and len(X) < FOLD):
        return DensePass(X, weight, n_threads)
    return FoldedPass(X, n_threads) if weight is None else BlockPass(X, weight, n_threads)


def assign(X: Array, centroids: Array, n_threads: int | None = None, dtype: Any = np.int32) -> Array:
    """`lloyd.assign`, the way that suits: labels (n,) of this dtype for X (n, d) and centroids (k, d) float64."""
    if X.size * len(centroids) <= TINY:
        return lloyd.assign(X, centroids).astype(dtype, copy=False)
    if X.dtype == np.uint8 and X.shape[1] == 3 and len(X) >= PIXELS and len(centroids) < 1 << 16:
        return _from_table(X, centroids, n_threads, dtype)
    from .kernels import block_of, readonly

    labels, kernel = np.empty(len(X), np.int32), _kernel(X.shape[1])

    def visit(rows: slice) -> None:
        kernel(block_of(X, rows), readonly(centroids), labels[rows])

    pool.run(visit, chunks(X.shape, len(centroids)), n_threads)
    return labels.astype(dtype, copy=False)


def _from_table(pixels: Array, centroids: Array, n_threads: int | None, dtype: Any) -> Array:
    """The same for pixels (n, 3) uint8 from a table of the labels of all colours, filled where colours occur."""
    from . import kernels

    pixels, by_coordinate = np.ascontiguousarray(pixels), np.ascontiguousarray(centroids.T)
    labels, table = np.empty(len(pixels), dtype), _table(len(centroids))

    def visit(rows: slice) -> None:
        kernels.label_pixels(kernels.block_of(pixels, rows), by_coordinate, table, labels[rows])

    pool.run(visit, pool.split(len(pixels), n_threads), n_threads)
    if table.dtype == np.uint8:
        _spare[:] = [table]
    return labels


_spare: list[Array] = []  # one table, kept: new pages from the system take 3 ms, as long as the work itself


def _table(k: int) -> Array:
    """Room for a label below k for each 8-bit colour, whatever stands in it."""
    from .kernels import CODES

    if k > 1 << 8:
        return np.empty(CODES, np.uint16)
    try:
        return _spare.pop()
    except IndexError:
        return np.empty(CODES, np.uint8)


def distances(X: Array, centroids: Array, n_threads: int | None = None) -> Array:
    """From each row of X (n, d) to each centroid (k, d) float64: (n, k), float32 for float32, otherwise float64."""
    lengths = np.empty((len(X), len(centroids)), np.float32 if X.dtype == np.float32 else np.float64)
    if X.size * len(centroids) <= TINY:
        for label in range(len(centroids)):
            lengths[:, label] = np.sqrt(squared_distances(X, centroids, np.broadcast_to(label, len(X))))
        return lengths
    from . import kernels

    def visit(rows: slice) -> None:
        kernels.distances(kernels.block_of(X, rows), kernels.readonly(centroids), lengths[rows])

    pool.run(visit, chunks(X.shape, len(centroids)), n_threads)
    return lengths
