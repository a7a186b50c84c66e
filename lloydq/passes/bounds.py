"""For points of any kind: a slack for each, visited where it is used up."""

from collections.abc import Callable
from functools import reduce
from operator import add
from typing import Any, Self

import numpy as np

from ..lloyd import Array, Sums, chunks
from .dense import DensePass

NEIGHBOURS = 32  # of each centroid, that are tried first; a multiple of `kernels.bounds.LANES`
MANY = 64, 128  # centroids from which neighbours are worth their lists: below 8 coordinates, and from there on
EACH = 256  # points of a centroid from which they are worth that
RENEW = 0.1  # of the median distance of two neighbours: how far centroids may move before the lists are made anew
ROUNDING = 1e-11  # of what is owed, which is a sum of up to 90,000 movements
SETTLE = 1e4  # times the movement: debts above which digits of a slack would be lost


class BoundsPass(DensePass):
    """A point is compared again only when centroids have moved by more than its second nearest one is farther."""

    def again(self) -> Self:
        other = super().again()
        other.__dict__.pop("slack", None)
        return other

    def __call__(self, centroids: Array) -> Sums:
        k, d = centroids.shape
        visit = self.visit_due
        if "slack" not in self.__dict__:
            self.slack, self.owed = np.full(len(self.X), -np.inf), np.zeros(k)
            self.travelled, self.reach = 0.0, -np.inf
        else:
            self.follow(centroids)
            visit = self.visit_near if k >= MANY[d >= 8] and len(self.X) >= EACH * k else visit
        self.centroids, self.limit = centroids, self.owed * (1 + ROUNDING)
        if visit == self.visit_near:
            self.list_neighbours()
        moves = reduce(add, self.each(visit, self.pieces))
        self.kept = Sums(self.kept.slices + moves.slices, moves.changed, moves.computed, moves.skipped)
        return self.kept

    def follow(self, centroids: Array) -> None:
        """Each centroid owes its points how far it has moved, and how far the one that moved most of the others."""
        moved = np.sqrt(((centroids - self.centroids) ** 2).sum(axis=1)) * (1 + 1e-12)
        first = int(moved.argmax())
        most, rest = float(moved[first]), moved.copy()
        rest[first] = 0.0
        if self.owed.max() > SETTLE * most:
            self.each(self.settle, self.pieces)
            self.owed[:] = 0.0
        self.owed += moved + most
        self.owed[first] += float(rest.max()) - most
        self.travelled += 2 * most

    def settle(self, rows: slice) -> None:
        """Take what is owed off the slack."""
        self.slack[rows] -= (self.owed * (1 + ROUNDING))[self.labels[rows]]

    def list_neighbours(self) -> None:
        """The nearest other centroids of each one, as they stand now or stood before they travelled."""
        centroids, (k, d) = self.centroids, self.centroids.shape
        if self.travelled > self.reach:
            m = min(k - 1, NEIGHBOURS)
            self.neighbours, self.apart = np.empty((k, NEIGHBOURS), np.int32), np.empty((k, NEIGHBOURS + 1))
            for rows in chunks((k, k * d), 1):
                apart = np.sqrt(((centroids[rows, None] - centroids) ** 2).sum(axis=2))
                apart[np.arange(len(apart)), np.arange(k)[rows]] = -1.0  # itself the first
                near = np.argpartition(apart, m, axis=1)[:, : m + 1]
                near = np.take_along_axis(near, np.argsort(np.take_along_axis(apart, near, 1), axis=1), 1)
                self.neighbours[rows], self.apart[rows] = near[:, :NEIGHBOURS], np.take_along_axis(apart, near, 1)
            self.apart[:, 0], self.travelled, self.reach = 0.0, 0.0, RENEW * float(np.median(self.apart[:, 1]))
        self.columns = np.ascontiguousarray(centroids[self.neighbours].transpose(0, 2, 1))

    def visit_due(self, rows: slice) -> Sums:
        return self.visited(rows, self.kernels.visit_due)

    def visit_near(self, rows: slice) -> Sums:
        lists = self.neighbours, self.apart, self.columns, self.travelled * (1 + ROUNDING)
        return self.visited(rows, self.kernels.visit_near, *lists)

    def visited(self, rows: slice, kernel: Callable[..., tuple[int, int]], *lists: Any) -> Sums:
        """How the sums of some rows change."""
        (X, weight), (k, d) = self.block(rows), self.centroids.shape
        slices, state = np.zeros((len(self.cuts), k, d + 1)), (self.labels[rows], self.slack[rows])
        centroids = self.kernels.readonly(self.centroids)
        changed, computed = kernel(
            X, weight, centroids, *lists, self.owed, self.limit, *state, self.cuts, slices
        )  # fmt: skip
        return Sums(slices, changed, computed, len(X) * k - computed)
