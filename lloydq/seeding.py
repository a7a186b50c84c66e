"""Starting centroids other than the textbook's random points: k-means++, given ones, a function's."""

from collections.abc import Callable
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from . import checks, pool
from .lloyd import Array, chunks, random_points

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
    (n, d), rng = X.shape, np.random.default_rng(rng)
    weights = np.ones(n) if weight is None else np.asarray(weight, np.float64)
    if n * d * k <= TINY:
        potentials, approach, block_of = _potentials, _approach, np.ndarray.__getitem__
    else:
        from .kernels import approach, block_of, potentials
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
                blocks = (block_of(array, piece) for array in (X, weights, nearest))
                return potentials(*blocks, candidates)

            best = int(np.argmin(reduce(add, pool.run(measure, pieces, n_threads))))

        def lower(piece: slice, centroid: Array = candidates[best]) -> None:
            approach(block_of(X, piece), centroid, nearest[piece])

        pool.run(lower, pieces, n_threads)
        drawn[j] = rows[best]
    return X[drawn]


def _reached(X: Array, centroid: Array, nearest: Array) -> Array:
    """(n,) D² if this centroid (d,) were added."""
    coordinates = X.T.astype(np.float64)
    return np.minimum(sum((x - c) ** 2 for x, c in zip(coordinates, centroid, strict=True)), nearest)


def _potentials(X: Array, weight: Array, nearest: Array, candidates: Array) -> Array:
    """`kernels.potentials` in NumPy."""
    return np.array([np.cumsum(weight * _reached(X, c, nearest))[-1] for c in candidates])


def _approach(X: Array, centroid: Array, nearest: Array) -> None:
    """`kernels.approach` in NumPy."""
    nearest[:] = _reached(X, centroid, nearest)
