"""The nearest centroids for once, without a pass: labels and distances."""

import sys
from collections.abc import Iterable
from math import fsum, inf, isfinite
from typing import Any

import numpy as np

from .. import lloyd, pool
from ..colors import table
from ..lloyd import Array, chunks, squared_distances
from .dense import assigner, shares

TINY = 10_000  # n·k·d up to which NumPy (0.2 ms a step) may well end before Numba has been imported (0.3 s)
PIXELS = 1 << 16  # from so many pixels on, a table of the labels of all colours is cheaper than comparing each


def assign(X: Array, centroids: Array, n_threads: int | None = None, dtype: Any = np.int32) -> Array:
    """`lloyd.assign`, the way that suits: labels (n,) of this dtype for X (n, d) and centroids (k, d) float64."""
    if tiny(X, len(centroids)):
        return lloyd.assign(X, centroids).astype(dtype, copy=False)
    if X.dtype == np.uint8 and X.shape[1] == 3 and len(X) >= PIXELS and len(centroids) <= 1 << 16:
        return _from_table(X, centroids, n_threads, dtype)
    from ..kernels import block_of

    labels, assign_rows = np.empty(len(X), np.int32), assigner(centroids)

    def visit(rows: slice) -> None:
        assign_rows(block_of(X, rows), labels[rows])

    pool.run(visit, shares(chunks(X.shape, 1), len(X) * len(centroids), centroids.shape, n_threads), n_threads)
    return labels.astype(dtype, copy=False)


def _from_table(pixels: Array, centroids: Array, n_threads: int | None, dtype: Any) -> Array:
    """The same for pixels (n, 3) uint8 from a table of the labels of all colours, filled where colours occur."""
    from .. import kernels

    pixels, by_coordinate = np.ascontiguousarray(pixels), np.ascontiguousarray(centroids.T)
    labels = np.empty(len(pixels), dtype)
    with table(np.uint8 if len(centroids) <= 1 << 8 else np.uint16) as labels_of:

        def visit(rows: slice) -> None:
            kernels.label_pixels(kernels.block_of(pixels, rows), by_coordinate, labels_of, labels[rows])

        pool.run(visit, pool.split(len(pixels), n_threads), n_threads)
    return labels


def float_of(X: Array) -> Any:
    """What is told of points X is in this dtype: float32 for float32 in any byte order, otherwise float64."""
    return np.float32 if X.dtype.newbyteorder("=") == np.float32 else np.float64


def distances(X: Array, centroids: Array, n_threads: int | None = None) -> Array:
    """From each row of X (n, d) to each centroid (k, d) float64: (n, k), float32 for float32, otherwise float64."""
    lengths = np.empty((len(X), len(centroids)), float_of(X))
    if tiny(X, len(centroids)):
        for label in range(len(centroids)):
            with np.errstate(over="ignore"):  # float32 may not hold them
                lengths[:, label] = np.sqrt(squared_distances(X, centroids, np.broadcast_to(label, len(X))))
        return lengths
    from .. import kernels

    def visit(rows: slice) -> None:
        kernels.distances(kernels.block_of(X, rows), kernels.readonly(centroids), lengths[rows])

    pool.run(visit, chunks(X.shape, len(centroids)), n_threads)
    return lengths


def scatter(
    X: Array, centroids: Array, labels: Array, weight: Array, n_threads: int | None = None, *, numpy: bool = False
) -> list[float]:
    """`exact` of Σ w‖x − c‖² over the rows of X (n, d), c the centroid (k, d) of the row's label."""

    def plain(rows: slice) -> list[float]:
        squared = squared_distances(X[rows], centroids, labels[rows])
        return exact([a * b for a in halves(weight[rows]) for b in halves(squared)])

    def visit(rows: slice) -> list[float]:
        from .. import kernels

        found = np.zeros((-(-(rows.stop - rows.start) // kernels.SCATTERED), kernels.SLICES))
        w = kernels.weights_of(weight, rows)
        kernels.scatter(kernels.block_of(X, rows), w, kernels.readonly(centroids), labels[rows], found)
        return exact([found[found != 0]])

    return exact(pool.run(plain if numpy or tiny(X, 1) else visit, chunks(X.shape, 1), n_threads))


def exact(numbers: Iterable[Iterable[float]]) -> list[float]:
    """A few numbers with the same sum; the first is that sum, rounded once (J. R. Shewchuk, Discrete Comput. Geom. 18,
    1997). Infinite where one of them, or a part of it, was too large for float64.
    """
    left, found = [float(x) for some in numbers for x in some], list[float]()
    if not all(map(isfinite, left)):
        return [inf]
    while total := added(left):
        found.append(total)
        left.append(-total)
        if total == np.inf:
            break
    return found or [0.0]


def added(numbers: list[float]) -> float:
    """Their sum, rounded once."""
    try:
        return fsum(numbers)
    except OverflowError:
        return np.inf


def halves(x: Array) -> tuple[Array, Array]:
    """Two numbers of 26 bits that are x together (G. W. Veltkamp; T. J. Dekker, Numer. Math. 18, 1971)."""
    with np.errstate(over="ignore", invalid="ignore"):
        c = 134217729.0 * x
        high = np.where(c < np.inf, c - (c - x), x)
    return high, x - high


def tiny(X: Array, k: int) -> bool:
    """Whether NumPy ends before the kernels, which are not loaded, would have been."""
    return X.size * k <= TINY and "lloydq.kernels" not in sys.modules
