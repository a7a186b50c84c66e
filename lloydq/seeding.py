"""Starting centroids other than the textbook's random points: k-means++, given ones, a function's."""

from collections.abc import Callable
from functools import reduce
from importlib import import_module
from operator import add
from typing import Any

import numpy as np

from . import checks, pool
from .lloyd import Array, chunks, random_points, squared_distances

TINY = 100_000  # n·d·k up to which NumPy (a few milliseconds) ends before Numba has been imported

Init = str | Array | Callable[..., Array]


def starting_centroids(
    X: Array, k: int, init: Init, rng: np.random.Generator, weight: Array | None, n_threads: int | None
) -> Array:
    """(k, d) float64: by name ("k-means++", "random"), given, or what `init(X, k, random_state=)` returns."""
    if callable(init):
        given = init(X, k, random_state=np.random.RandomState(rng.integers(2**32, dtype=np.uint32)))
        return checks.starts(given, k, X.shape[1])
    if not isinstance(init, str):
        return init
    if init == "random":
        return random_points(X, k, rng, weight).astype(np.float64)
    return kmeans_plusplus(X, k, rng, weight, n_threads).astype(np.float64)


def kmeans_plusplus(
    X: Array, k: int, rng: Any = None, weight: Array | None = None, n_threads: int | None = None
) -> Array:
    """k rows of X (n, d), (k, d), each drawn with odds w·D², D its distance to the nearest row drawn before it.

    Greedy: of 2 + ⌊ln k⌋ draws the one is kept that lowers Σ w·D² most. When every position is taken, rows repeat.
    D. Arthur, S. Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007 (section 4 for the greedy
    kind).

    >>> X = np.array([[0.0], [0.1], [9.0], [9.1]])
    >>> sorted(kmeans_plusplus(X, 2, rng=0).ravel().round().tolist())
    [0.0, 9.0]
    """
    n, rng = len(X), np.random.default_rng(rng)
    weights = np.ones(n) if weight is None else np.asarray(weight, np.float64)
    loops: Any = _Plain if X.size * k <= TINY else import_module("lloydq.kernels")
    nearest = np.full(n, np.inf)  # D² of each row
    drawn = np.empty(k, np.intp)
    for j in range(k):
        ends = np.cumsum(weights * nearest if j else weights)
        if ends[-1] == 0:  # every position is taken
            ends = np.cumsum(weights)
        draws = rng.random(2 + int(np.log(k)) if j else 1) * ends[-1]
        rows = np.searchsorted(ends, np.minimum(draws, np.nextafter(ends[-1], 0)), side="right")
        candidates, best = X[rows].astype(np.float64), 0
        pieces = chunks(n, len(rows))
        if j:

            def measure(piece: slice, candidates: Array = candidates) -> Array:
                blocks = (loops.block_of(array, piece) for array in (X, weights, nearest))
                return np.asarray(loops.potentials(*blocks, candidates))

            best = int(np.argmin(reduce(add, pool.run(measure, pieces, n_threads))))

        def lower(piece: slice, centroid: Array = candidates[best]) -> None:
            loops.approach(loops.block_of(X, piece), centroid, nearest[piece])

        pool.run(lower, pieces, n_threads)
        drawn[j] = rows[best]
    return np.asarray(X[drawn])


class _Plain:
    """What `kernels` does for k-means++, in NumPy."""

    @staticmethod
    def block_of(X: Array, rows: slice) -> Array:
        return np.asarray(X[rows])

    @staticmethod
    def potentials(X: Array, weight: Array, nearest: Array, candidates: Array) -> Array:
        """(t,) Σ w·D² if the candidate (t, d) were added, row by row."""
        return np.array([np.cumsum(weight * _reached(X, c, nearest))[-1] for c in candidates])

    @staticmethod
    def approach(X: Array, centroid: Array, nearest: Array) -> None:
        """Lower D² (n,) to what it is with this centroid (d,)."""
        nearest[:] = _reached(X, centroid, nearest)


def _reached(X: Array, centroid: Array, nearest: Array) -> Array:
    """(n,) D² with one more centroid (d,)."""
    return np.minimum(squared_distances(X, centroid[None], np.zeros(len(X), int)), nearest)
