"""Ways to make a pass with kernels, and which one suits the data. All give the labels and sums of `lloyd.PlainPass`."""

from collections.abc import Callable
from functools import reduce
from operator import add

import numpy as np

from . import lloyd, pool
from .lloyd import Array, PlainPass, Sums, chunks, squared_distances

TINY = 100_000  # n·k·d up to which NumPy (a millisecond) ends before Numba has been imported (a third of a second)

ALGORITHMS = ("auto", "lloyd", "elkan", "plain", "dense")  # scikit-learn's two are the fastest exact way, as is "auto"

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

    def farthest(self, m: int) -> tuple[Array, Array, Array]:
        """Only the farthest points are sorted, with one nearer point of each cluster, which stays as its last."""
        pieces, distance, few = self.pieces(), np.empty(len(self.X)), max(FAR, 4 * m)

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


class WholePass(DensePass):
    """The same for whole numbers. Their sums are exact, so they are kept and only what changed label is moved."""

    def __init__(self, X: Array, weight: Array | None = None, n_threads: int | None = None) -> None:
        super().__init__(X, weight, n_threads)
        self.kept = Sums(np.zeros(()), np.zeros(()))
        # Their sums may be split anyhow; what is not bytes is copied a piece at a time, and pieces have to be small
        self._pieces = pool.split(len(X), n_threads) if X.dtype == np.uint8 else []

    def __call__(self, centroids: Array) -> Sums:
        moves = super().__call__(centroids)
        points, weight = self.kept.points + moves.points, self.kept.weight + moves.weight
        self.kept = Sums(points, weight, moves.changed, moves.computed, moves.skipped)
        return self.kept

    def pieces(self) -> list[slice]:
        return self._pieces or super().pieces()

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
