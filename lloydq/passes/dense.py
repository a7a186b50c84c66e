"""Every point is visited; the sums are kept."""

from collections.abc import Callable
from functools import reduce
from operator import add
from typing import Any, Self, TypeVar

import numpy as np

from .. import pool
from ..lloyd import Array, PlainPass, Sums, chunks, squared_distances

T = TypeVar("T")

PRODUCTS = 5, 256  # columns, and k·d, from which products in float32 are faster than distances in float64
SHARED = 1 << 19  # coordinates compared (0.15 ms) that are worth a second thread (40 µs), however few the rows
EASY = 8  # times as many, where products are compared
LONGEST = 1 << 27  # coordinates compared in a piece: 15 to 50 ms
FAR = 256  # points that are sorted first when an empty cluster asks for the farthest


class Products:
    """Assigns points by products in float32, each within a known error of what it should be."""

    def __init__(self, centroids: Array, members: Array | None = None) -> None:
        """The centroids (k, d) in groups of these members (groups, GROUP), or in order."""
        from .. import kernels

        if members is None:
            order = np.arange(-(-len(centroids) // kernels.wide.GROUP) * kernels.wide.GROUP)
            members = np.where(order < len(centroids), order, -1).reshape(-1, kernels.wide.GROUP)
        origin = centroids.mean(axis=0)
        about = centroids - origin
        squares = (about**2).sum(axis=1)
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):  # then the definition decides
            table = np.ascontiguousarray(about.astype(np.float32)[members].transpose(0, 2, 1))
            halves = np.where(members < 0, np.inf, squares[members] / 2).astype(np.float32)
        reach = float(np.sqrt(squares.max())) * (1 + 1e-12)
        self.assign, self.groups = kernels.assign_wide, len(members)
        self.centroids, self.given = kernels.readonly(centroids), (origin, table, halves, members, reach)

    def __call__(self, X: Array, labels: Array, upper: Array | None = None, lower: Array | None = None) -> int:
        """Labels (n,) of X (n, d); bounds too where they are asked for."""
        if upper is None or lower is None:
            upper, lower = np.empty(0), np.empty((0, self.groups), np.float32)
        return self.assign(X, self.centroids, self.given, labels, upper, lower)


def faster(shape: tuple[int, ...]) -> bool:
    """Whether products with centroids (k, d) are faster than distances."""
    k, d = shape
    return d >= PRODUCTS[0] and k * d >= PRODUCTS[1]


def by_products(centroids: Array) -> Products | None:
    """Where they are faster than distances."""
    return Products(centroids) if faster(centroids.shape) else None


def assigner(centroids: Array) -> Callable[[Array, Array], int]:
    """What assigns points (n, d) to these centroids (k, d): labels (n,)."""
    from .. import kernels

    kernel, fixed = kernels.assign_few.get(centroids.shape[1], kernels.assign), kernels.readonly(centroids)
    return by_products(centroids) or (lambda X, labels: kernel(X, fixed, labels))


def shares(pieces: list[slice], distances: int, shape: tuple[int, ...], n_threads: int | None) -> list[slice]:
    """The pieces, or more of them, where so many distances to centroids (k, d) are to be computed.

    Where few rows have many, each thread gets some; and no piece takes so long that Ctrl-C would not be answered.
    """
    rows, work = pieces[-1].stop, distances * shape[1]
    if len(pieces) == 1 and work >= SHARED * (EASY if faster(shape) else 1):
        pieces = pool.split(rows, n_threads, least=1)
    return pieces if work <= LONGEST * len(pieces) else pool.cut(rows, min(rows, -(-work // LONGEST)))


class DensePass(PlainPass):
    """Compiled loops over blocks of points, pieces on several threads.

    The sums are exact, so they are kept from one call to the next, and only points that changed label are moved.
    """

    def __init__(
        self, X: Array, weight: Array | None = None, n_threads: int | None = None, *, cuts: Array | None = None
    ) -> None:
        from .. import kernels

        self.kernels, self.n_threads = kernels, n_threads
        super().__init__(X, weight, cuts=cuts)
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
        X = self.kernels.block_of(self.X, rows)
        labels, everything = np.zeros(len(X), np.int32), np.arange(len(X), dtype=np.int32)
        return self.transferred(rows, X, labels, everything, labels - 1, 1)

    def spread(self, rows: slice) -> float:
        return self.kernels.spread(*self.block(rows), self.origin)

    def __call__(self, centroids: Array) -> Sums:
        self.centroids, assign = centroids, assigner(centroids)
        pieces = shares(self.pieces, len(self.X) * len(centroids), centroids.shape, self.n_threads)
        return self.after(lambda rows: self.compared(rows, assign), pieces, self.n_threads)

    def after(self, visit: Callable[[T], Sums], pieces: list[T], n_threads: int | None) -> Sums:
        """The sums, after what the visits to all pieces change."""
        _ = self.labels  # made here, once: threads that ask first would each make their own
        moves = reduce(add, pool.run(visit, pieces, n_threads))
        self.kept = Sums(self.kept.slices + moves.slices, moves.changed, moves.computed, moves.skipped)
        return self.kept

    def compared(self, rows: slice, assign: Callable[[Array, Array], int]) -> Sums:
        """How the sums change when all of some rows are assigned."""
        X, labels = self.kernels.block_of(self.X, rows), self.labels[rows]
        before = labels.copy()
        computed = assign(X, labels)
        changed = np.flatnonzero(labels != before).astype(np.int32)
        return self.moves(rows, X, changed, before[changed], computed)

    def moves(self, rows: slice, X: Array, changed: Array, before: Array, computed: int) -> Sums:
        """How the sums change when these of some rows, whose points are X, leave the sums of the labels before."""
        k = len(self.centroids)
        sums = self.transferred(rows, X, self.labels[rows], changed, before, k)
        sums.computed, sums.skipped = computed, len(X) * k - computed
        return sums

    def transferred(self, rows: slice, X: Array, labels: Array, changed: Array, before: Array, k: int) -> Sums:
        slices, weight = np.zeros((len(self.cuts), k, X.shape[1] + 1)), self.kernels.weights_of(self.weight, rows)
        moved = self.kernels.transfer(X, weight, changed, before, labels, self.cuts, slices)
        return Sums(slices, self.count(rows, changed, moved))

    def count(self, rows: slice, changed: Array, moved: int) -> int:
        """How many points have changed label: these of some rows, so many of which have a weight."""
        return moved

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
            which = found_in(X, self.X[rows])
            np.add.at(weight, which[which >= 0], self.weight[rows[which >= 0]])  # row by row
        return X, weight, labels

    def _one_each(self, most: int, rows: slice, distance: Array) -> Array:
        """A point at each of so many farthest positions of a piece, and one nearer point of each cluster."""
        order = np.lexsort((*self.X[rows].T[::-1], -distance))[: np.count_nonzero(distance >= 0)]
        X = self.X[rows][order]
        order = order[np.append(True, (X[1:] != X[:-1]).any(axis=1))[: len(X)]] + rows.start
        nearer = np.full(len(self.centroids), -1)
        nearer[self.labels[order[most:]]] = order[most:]
        return np.append(order[:most], nearer[nearer >= 0])


def found_in(X: Array, rows: Array) -> Array:
    """(n,) which of some distinct rows X (m, d) each of the rows (n, d) is; −1 for none. Column by column."""
    place, rank = np.zeros(len(X), np.intp), np.zeros(len(rows), np.intp)
    known = np.ones(len(rows), bool)

    def ranked(values: Array, others: Array) -> tuple[Array, Array]:
        nonlocal known
        distinct, inverse = np.unique(values, return_inverse=True)
        found = np.minimum(np.searchsorted(distinct, others), len(distinct) - 1)
        known &= distinct[found] == others
        return inverse, found

    for column, other in zip(X.T, rows.T, strict=True):
        inverse, found = ranked(column, other)
        place, rank = ranked(place * len(X) + inverse, rank * len(X) + found)
    return np.where(known, np.argsort(place)[rank], -1)
