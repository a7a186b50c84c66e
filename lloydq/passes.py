"""Ways to make a pass with kernels, and which one suits the data. All give the labels and sums of `lloyd.PlainPass`."""

from collections.abc import Callable
from functools import reduce
from operator import add

import numpy as np

from . import lloyd, pool
from .lloyd import Array, PlainPass, Sums, chunks, squared_distances

TINY = 100_000  # n·k·d up to which NumPy (a millisecond) ends before Numba has been imported (a third of a second)

ALGORITHMS = ("auto", "lloyd", "elkan", "plain", "dense")  # scikit-learn's two are the fastest exact way, as is "auto"

PIECE = 1 << 20  # numbers at most that are brought to another dtype at a time

FAR = 256  # points that are sorted first when an empty cluster asks for the farthest


def _kernel(d: int) -> Callable[[Array, Array, Array], int]:
    """The kernel that assigns points of d coordinates."""
    from . import kernels

    return kernels.assign_3 if d == 3 else kernels.assign


class DensePass(PlainPass):
    """Compiled loops over blocks of points, chunks on several threads."""

    def __init__(self, X: Array, weight: Array | None = None, n_threads: int | None = None) -> None:
        super().__init__(X, weight)
        self.n_threads = n_threads

    def __call__(self, centroids: Array) -> Sums:
        self.centroids = centroids
        return reduce(add, pool.run(self.visit, self.pieces(), self.n_threads))

    def pieces(self) -> list[slice]:
        """The rows that are visited at a time."""
        return chunks(self.X.shape, len(self.centroids))

    def visit(self, rows: slice) -> Sums:
        from .kernels import block_of, readonly

        X, weight, (k, d) = block_of(self.X, rows), block_of(self.weight, rows), self.centroids.shape
        labels, sums = np.empty(len(X), np.int32), Sums(np.zeros((k, d)), np.zeros(k))
        sums.computed = _kernel(d)(X, readonly(self.centroids), labels)
        sums.skipped = len(X) * k - sums.computed
        sums.changed = self.add_up(X, weight, self.labels[rows], labels, sums)
        self.labels[rows] = labels
        return sums

    def add_up(self, X: Array, weight: Array, before: Array, labels: Array, sums: Sums) -> int:
        """Add a chunk to its sums; how many labels are not what they were before."""
        from . import kernels

        return kernels.add_up(X, weight, before, labels, sums.points, sums.weight)

    def farthest(self, m: int, rows: Array | None = None) -> tuple[Array, Array, Array]:
        """Only the farthest points are sorted, with one nearer point of each cluster, which stays as its last."""
        pieces = self.pieces()
        distance = np.concatenate(pool.run(self._distances, pieces, self.n_threads))
        if (few := max(FAR, 4 * m)) < len(distance):
            limit = max(np.partition(distance, -few)[-few], 0.0)
            nearer = np.full(len(self.centroids), -1)
            for piece in pieces:
                near = np.flatnonzero((distance[piece] >= 0) & (distance[piece] < limit)) + piece.start
                nearer[self.labels[near]] = near
            found = super().farthest(m, np.append(np.flatnonzero(distance >= limit), nearer[nearer >= 0]))
            if len(found[0]) == m:
                return found
        # Many equal points. The positions looked for are among the first m + k of all, and so of their piece
        enough = [self._first_positions(m + len(self.centroids), piece, distance[piece]) for piece in pieces]
        return super().farthest(m, np.sort(np.concatenate(enough)))

    def _distances(self, rows: slice) -> Array:
        """Squared, from each point to the centroid of its label; −1 for points without weight."""
        distance = squared_distances(self.X[rows], self.centroids, self.labels[rows])
        return np.where(self.weight[rows] > 0, distance, -1.0)

    def _first_positions(self, most: int, rows: slice, distance: Array) -> Array:
        """All points at the farthest positions of a piece, so many positions, and one nearer point of each cluster."""
        order = np.lexsort((*self.X[rows].T[::-1], -distance))[: np.count_nonzero(distance >= 0)]
        X, numbers = self.X[rows][order], order + rows.start
        position = np.cumsum(np.append(False, (X[1:] != X[:-1]).any(axis=1)))[: len(X)]
        nearer = np.full(len(self.centroids), -1)
        nearer[self.labels[numbers[position >= most]]] = numbers[position >= most]
        return np.append(numbers[position < most], nearer[nearer >= 0])


class WholePass(DensePass):
    """The same for whole numbers. Their sums are exact, so they are kept and only what changed label is moved."""

    def __init__(self, X: Array, weight: Array | None = None, n_threads: int | None = None) -> None:
        super().__init__(X, weight, n_threads)
        self.kept = Sums(np.zeros(()), np.zeros(()))
        self._pieces = pool.split(len(X), n_threads, each=-(-X.size // PIECE))

    def __call__(self, centroids: Array) -> Sums:
        moves = super().__call__(centroids)
        points, weight = self.kept.points + moves.points, self.kept.weight + moves.weight
        self.kept = Sums(points, weight, moves.changed, moves.computed, moves.skipped)
        return self.kept

    def pieces(self) -> list[slice]:
        return self._pieces

    def add_up(self, X: Array, weight: Array, before: Array, labels: Array, sums: Sums) -> int:
        from . import kernels

        return kernels.transfer(X, weight, before, labels, sums.points, sums.weight)


def whole(X: Array, weight: Array | None) -> bool:
    """Whether every sum of weighted points is a whole number that float64 holds exactly."""
    if X.dtype.kind not in "iu" or not (weight is None or np.array_equal(weight, np.floor(weight))):
        return False
    return max(-int(X.min()), int(X.max()), 1) * float(len(X) if weight is None else weight.sum()) < 2**53


def suited(X: Array, weight: Array | None, k: int, n_threads: int | None = None, algorithm: str = "auto") -> PlainPass:
    """The pass that suits the points and k, or that of the name: "plain" for NumPy's, "dense" for compiled loops."""
    if algorithm == "plain" or (algorithm != "dense" and X.size * k <= TINY):
        return PlainPass(X, weight)
    return (WholePass if whole(X, weight) else DensePass)(X, weight, n_threads)


def assign(X: Array, centroids: Array, n_threads: int | None = None) -> Array:
    """`lloyd.assign`, the way that suits: labels (n,) int32 for X (n, d) and centroids (k, d) float64."""
    if X.size * len(centroids) <= TINY:
        return lloyd.assign(X, centroids)
    from .kernels import block_of, readonly

    labels, kernel = np.empty(len(X), np.int32), _kernel(X.shape[1])

    def visit(rows: slice) -> None:
        kernel(block_of(X, rows), readonly(centroids), labels[rows])

    pool.run(visit, chunks(X.shape, len(centroids)), n_threads)
    return labels
