"""For points of any kind: a slack for each, visited where it is used up."""

from collections.abc import Callable
from typing import Any, Self

import numpy as np

from ..lloyd import Array, Sums, chunks
from .dense import DensePass, by_products, shares

ROUNDING = 1e-11  # of what is owed, which is a sum of up to 90,000 movements
SETTLE = 1e4  # times the movement: debts above which digits of a slack would be lost


class BoundsPass(DensePass):
    """A point is compared again only when centroids have moved by more than its second nearest one is farther."""

    def again(self) -> Self:
        other = super().again()
        other.__dict__.pop("slack", None)
        return other

    def __call__(self, centroids: Array) -> Sums:
        if "slack" in self.__dict__:
            visit, distances = self.follow(centroids), self.kept.computed  # about as many as the last time
        else:
            visit, distances = self.begin(centroids), len(self.X) * len(centroids)
        self.centroids, self.limit = centroids, self.owed * (1 + ROUNDING)
        pieces = shares(self.pieces, distances, centroids.shape, self.n_threads)
        return self.after(visit, pieces, self.n_threads)

    def begin(self, centroids: Array) -> Callable[[slice], Sums]:
        """Nothing is known of any point; how they are to be visited."""
        self.slack, self.owed = np.full(len(self.X), -np.inf), np.zeros(len(centroids))
        self.debts = [self.owed]
        return self.due(centroids)

    def follow(self, centroids: Array) -> Callable[[slice], Sums]:
        """Centroids have moved; how the points are to be visited."""
        self.move(centroids)
        return self.due(centroids)

    def move(self, centroids: Array) -> None:
        moved = np.sqrt(((centroids - self.centroids) ** 2).sum(axis=1)) * (1 + 1e-12)
        if self.owed.max() > SETTLE * moved.max():
            self.each(self.settle, chunks((len(self.X), len(centroids)), 1))
            for debt in self.debts:
                debt[:] = 0.0
        self.owe(moved)

    def owe(self, moved: Array) -> None:
        """Each centroid owes its points how far it has moved, and how far the one that moved most of the others."""
        first = int(moved.argmax())
        most, rest = float(moved[first]), moved.copy()
        rest[first] = 0.0
        self.owed += moved + most
        self.owed[first] += float(rest.max()) - most

    def settle(self, rows: slice) -> None:
        """Take what is owed off the slack."""
        self.slack[rows] -= (self.owed * (1 + ROUNDING))[self.labels[rows]]

    def due(self, centroids: Array) -> Callable[[slice], Sums]:
        """How the points that are due are visited."""
        products = by_products(centroids)
        kernel, more = (self.kernels.visit_near, (products.given,)) if products else (self.kernels.visit_due, ())

        def visit(rows: slice) -> Sums:
            return self.visited(rows, kernel, *more, self.owed, self.limit, self.labels[rows], self.slack[rows])

        return visit

    def visited(self, rows: slice, kernel: Callable[..., tuple[int, int]], *state: Any) -> Sums:
        """How the sums of some rows change."""
        X, centroids = self.kernels.block_of(self.X, rows), self.kernels.readonly(self.centroids)
        changed, before = np.empty((2, len(X)), np.int32)
        many, computed = kernel(X, centroids, *state, changed, before)
        return self.moves(rows, X, changed[:many], before[:many], computed)
