"""For points of many coordinates: float32 first, and bounds on the distance to each of a few groups of centroids."""

from collections.abc import Callable

import numpy as np

from ..lloyd import Array, Sums
from .bounds import ROUNDING, BoundsPass
from .dense import Products


def near_together(centroids: Array, size: int) -> Array:
    """The centroids (k, d) in groups of neighbours: (groups, size), −1 where a group has fewer.

    They are parted again and again at that coordinate in which they differ most.
    """
    waiting, groups = [np.arange(len(centroids))], list[Array]()
    while waiting:
        group = waiting.pop()
        if len(group) <= size:
            groups.append(np.append(np.sort(group), np.full(size - len(group), -1)))
        else:
            column = centroids[group, centroids[group].var(axis=0).argmax()]
            group, half = group[np.argsort(column, kind="stable")], -(-len(group) // size) // 2 * size
            waiting += [group[half:], group[:half]]
    return np.stack(groups)


class GroupsPass(BoundsPass):
    """A point is compared again only with those groups of centroids of which one may be nearer than its own."""

    def begin(self, centroids: Array) -> Callable[[slice], Sums]:
        super().begin(centroids)
        n, k, self.members = len(self.X), len(centroids), near_together(centroids, self.kernels.wide.GROUP)
        self.group, self.kinds = np.empty(k, np.int64), np.where(self.members < 0, k, self.members)
        for g, members in enumerate(self.members):
            self.group[members[members >= 0]] = g
        self.own, self.drift = np.zeros(k), np.zeros(len(self.members))
        self.debts += [self.own, self.drift]
        self.upper, self.lower = np.empty(n), np.empty((n, len(self.members)), np.float32)
        self.products = Products(centroids, self.members)
        return self.visit_all

    def owe(self, moved: Array) -> None:
        super().owe(moved)
        self.own += moved
        self.drift += np.append(moved, 0.0)[self.kinds].max(axis=1)

    def settle(self, rows: slice) -> None:
        super().settle(rows)
        self.upper[rows] += (self.own * (1 + ROUNDING))[self.labels[rows]]
        left, wide = self.lower[rows] - self.drift * (1 + ROUNDING), self.kernels.wide
        self.lower[rows] = np.where(left > wide.LEAST_BOUND, left * wide.DOWN, 0.0)

    def follow(self, centroids: Array) -> Callable[[slice], Sums]:
        self.move(centroids)
        columns = np.vstack([centroids, np.full(centroids.shape[1], np.inf)])[self.kinds]
        self.columns = np.ascontiguousarray(columns.transpose(0, 2, 1))
        self.products = Products(centroids, self.members)
        return self.visit_groups

    def visit_all(self, rows: slice) -> Sums:
        """Every row is compared with every centroid."""
        upper, lower = self.upper[rows], self.lower[rows]
        sums = self.compared(rows, lambda X, labels: self.products(X, labels, upper, lower))
        self.slack[rows] = lower.min(axis=1) - upper
        return sums

    def visit_groups(self, rows: slice) -> Sums:
        return self.visited(
            rows, self.kernels.visit_groups, self.products.given, self.columns, self.group, self.owed, self.limit,
            self.own * (1 + ROUNDING), self.drift * (1 + ROUNDING), self.labels[rows], self.slack[rows],
            self.upper[rows], self.lower[rows],
        )  # fmt: skip
