"""Every point is visited; the sums are kept."""

from collections.abc import Callable
from functools import reduce
from operator import add
from typing import Any, Self

import numpy as np

from .. import pool
from ..lloyd import Array, PlainPass, Sums, chunks, squared_distances

FAR = 256  # points that are sorted first when an empty cluster asks for the farthest


def kernel(d: int) -> Callable[[Array, Array, Array], int]:
    """The kernel that assigns points of d coordinates."""
    from .. import kernels

    return kernels.assign_3 if d == 3 else kernels.assign


class DensePass(PlainPass):
    """Compiled loops over blocks of points, pieces on several threads.

    The sums are exact, so they are kept from one call to the next, and only points that changed label are moved.
    """

    def __init__(self, X: Array, weight: Array | None = None, n_threads: int | None = None) -> None:
        from .. import kernels

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
        sums.computed = kernel(d)(X, self.kernels.readonly(self.centroids), labels)
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
