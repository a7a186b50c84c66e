"""Starting centroids: k-means++, random positions, given ones, a function's."""

from collections.abc import Callable
from functools import cached_property, reduce
from importlib import import_module
from operator import add
from typing import Any

import numpy as np

from . import checks, pool
from .lloyd import Array, chunks, squared_distances

TINY = 100_000  # n·d·k up to which NumPy (a few milliseconds) ends before Numba has been imported
PART = 2048  # rows of a part, at least
MOST_LIMITS = 1024

Init = str | Array | Callable[..., Array]
Mass = Callable[[Array, Array], Array]  # of the positions that begin at starts (p,) in rows (m,): (p,)


class Positions:
    """The distinct rows of X (n, d) in an order set by their values, to draw from.

    What is drawn along this order hangs neither on the order of the rows nor on whether a row stands there three times
    or once with weight 3. The order is that of one sum over all columns, equal sums by the columns themselves: rounding
    X to float32 leaves it nearly as it is. Sorting all rows would take longer than a fit; they are dealt into parts by
    that sum, and a part is sorted when a draw first falls into it. It takes 2 bytes a row for the parts and 4 for what
    is sorted.

    Parameters
    ----------
    X : (n, d) array
    weight : (n,) float64 array or None
        How much the rows weigh. Rows without weight are never drawn.
    n_threads : int or None
    compiled : bool
        Whether kernels are loaded; without them all rows are one part.
    """

    def __init__(self, X: Array, weight: Array | None, n_threads: int | None, compiled: bool = True) -> None:
        self.X, self.n_threads, self.compiled = X, n_threads, compiled
        self.weight = np.broadcast_to(np.float64(1) if weight is None else weight, len(X))
        # One pseudo-random factor for each column, from 0.5 to 1 (the golden ratio's multiples)
        self.factors = 0.5 + np.modf(np.arange(1, X.shape[1] + 1) * 0.6180339887498949)[0] / 2
        self._sorted: dict[int, tuple[Array, Array]] = {}

    def sums(self, X: Array) -> Array:
        """Σ factor·x of each row, in the order of the columns: (n,) float64."""
        return np.asarray(sum(factor * x for factor, x in zip(self.factors, X.T.astype(np.float64), strict=True)))

    @cached_property
    def limits(self) -> Array:
        """Sums between which there are about equally many rows, and infinity: as many as a power of two."""
        n, many = len(self.X), 1
        while self.compiled and many < MOST_LIMITS and 2 * many * PART <= n:
            many *= 2
        few = self.sums(self.X[:: max(1, n // (16 * many))])
        return np.append(np.quantile(few, np.arange(1, many) / many, method="lower"), np.inf)

    @cached_property
    def parts(self) -> Array:
        """The part of each row, (n,) uint16: 2i between limits i − 1 and i, 2i + 1 at limit i."""
        parts = np.zeros(len(self.X), np.uint16)
        if len(self.limits) > 1:
            from . import kernels

            def place(rows: slice) -> None:
                kernels.place(kernels.block_of(self.X, rows), self.factors, self.limits, parts[rows])

            pool.run(place, chunks(self.X.shape, 1), self.n_threads)
        return parts

    @cached_property
    def masses(self) -> Array:
        """The weight of each part."""

        def weigh(rows: slice) -> Array:
            return np.bincount(self.parts[rows], self.weight[rows], 2 * len(self.limits))

        return np.asarray(reduce(add, pool.run(weigh, chunks(self.X.shape, 1), self.n_threads)))

    def part(self, part: int) -> tuple[Array, Array]:
        """The rows of a part in order, and where among them each position begins."""
        if part not in self._sorted:
            rows = np.flatnonzero(self.parts == part)
            X, sums = self.X[rows], self.sums(self.X[rows])
            order = np.argsort(sums, kind="stable")
            new = _new(X[order])
            if (new[1:] & (np.diff(sums[order]) == 0)).any():  # other rows of the same sum
                order = np.lexsort((*X.T[::-1], sums))
                new = _new(X[order])
            small = np.uint32 if len(self.X) < 2**32 else np.int64
            self._sorted[part] = rows[order].astype(small), np.flatnonzero(new).astype(small)
        return self._sorted[part]

    def at(self, targets: Array, masses: Array, mass: Mass) -> Array:
        """The rows (t,) of the positions at which the running mass passes the targets (t,).

        masses : of each part; mass : of positions.
        """
        ends, found = np.cumsum(masses), np.empty(len(targets), np.intp)
        parts = np.searchsorted(ends, np.minimum(targets, np.nextafter(ends[-1], 0)), side="right")
        for part in set(parts.tolist()):
            rows, starts = self.part(part)
            running = np.cumsum(mass(rows, starts))
            here = parts == part
            left = np.clip(targets[here] - (ends[part] - masses[part]), 0, np.nextafter(running[-1], 0))
            found[here] = rows[starts[np.searchsorted(running, left, side="right")]]
        return found

    def weigh(self, rows: Array, starts: Array) -> Array:
        """The weight of positions."""
        return np.add.reduceat(self.weight[rows], starts)


def _new(X: Array) -> Array:
    """Whether each row of X (n, d) is another one than the row before."""
    return np.append(True, (X[1:] != X[:-1]).any(axis=1))


def starting_centroids(positions: Positions, k: int, init: Init, rng: np.random.Generator) -> Array:
    """(k, d) float64: by name ("k-means++", "random"), given, or what `init(X, k, random_state=)` returns."""
    X = positions.X
    if callable(init):
        given = init(X, k, random_state=np.random.RandomState(rng.integers(2**32, dtype=np.uint32)))
        return checks.starts(given, k, X.shape[1])
    if not isinstance(init, str):
        return init
    rows = random_positions(positions, k, rng) if init == "random" else plus_plus(positions, k, rng)
    return X[rows].astype(np.float64)


def random_positions(positions: Positions, k: int, rng: np.random.Generator) -> Array:
    """k rows, (k,), drawn one after the other with odds by the weight of their position; no position twice.

    With fewer positions than k, some come again.
    """
    free, masses, drawn = np.ones(len(positions.X), bool), positions.masses.copy(), np.empty(0, np.intp)

    def mass(rows: Array, starts: Array) -> Array:
        return positions.weigh(rows, starts) * free[rows[starts]]

    while len(drawn) < k and masses.any():
        rows = positions.at(rng.random(k - len(drawn)) * masses.sum(), masses, mass)
        drawn = np.append(drawn, list(dict.fromkeys(rows.tolist())))  # the first draw of each counts
        free[rows] = False
        for part in set(positions.parts[rows].tolist()):
            masses[part] = mass(*positions.part(part)).sum()
    return np.resize(drawn, k)


def plus_plus(positions: Positions, k: int, rng: np.random.Generator, trials: int | None = None) -> Array:
    """k rows, (k,), each drawn with odds w·D², D the distance from its position to the nearest one drawn before it.

    Greedy: of `trials` draws, 2 + ⌊ln k⌋ if left out, the one is kept that lowers Σ w·D² most. When every position is
    taken, rows are drawn by weight.
    D. Arthur, S. Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007 (section 4 for the greedy
    kind).
    """
    X, weight, n_threads = positions.X, positions.weight, positions.n_threads
    trials = 2 + int(np.log(k)) if trials is None else trials
    loops: Any = import_module("lloydq.kernels") if positions.compiled else _Plain
    nearest = np.full(len(X), np.inf)  # D² of each row
    masses = np.zeros(0)  # Σ w·D² of each part
    pieces = chunks(X.shape, trials)
    drawn = np.empty(k, np.intp)

    def mass(rows: Array, starts: Array) -> Array:
        return np.add.reduceat(weight[rows] * nearest[rows], starts)

    for j in range(k):
        if masses.any():
            rows = positions.at(rng.random(trials) * masses.sum(), masses, mass)
        else:
            rows = positions.at(rng.random(1) * positions.masses.sum(), positions.masses, positions.weigh)
        candidates, best = X[rows].astype(np.float64), 0
        if len(rows) > 1:

            def measure(piece: slice, candidates: Array = candidates) -> Array:
                blocks = (loops.block_of(array, piece) for array in (X, weight, nearest))
                return np.asarray(loops.potentials(*blocks, candidates))

            best = int(np.argmin(reduce(add, pool.run(measure, pieces, n_threads))))

        def lower(piece: slice, centroid: Array = candidates[best]) -> Array:
            masses = np.zeros(2 * len(positions.limits))
            block, w = (loops.block_of(array, piece) for array in (X, weight))
            loops.approach(block, centroid, w, nearest[piece], positions.parts[piece], masses)
            return masses

        masses = reduce(add, pool.run(lower, pieces, n_threads))
        drawn[j] = rows[best]
    return drawn


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
    def approach(X: Array, centroid: Array, weight: Array, nearest: Array, parts: Array, masses: Array) -> None:
        """Lower D² (n,) to what it is with this centroid (d,), and add Σ w·D² to the masses of the parts."""
        nearest[:] = _reached(X, centroid, nearest)
        masses += np.bincount(parts, weight * nearest, len(masses))


def _reached(X: Array, centroid: Array, nearest: Array) -> Array:
    """(n,) D² with one more centroid (d,)."""
    return np.minimum(squared_distances(X, centroid[None], np.zeros(len(X), int)), nearest)


def kmeans_plusplus(
    X: Any,
    n_clusters: int,
    *,
    sample_weight: Any = None,
    x_squared_norms: Any = None,
    random_state: Any = None,
    n_local_trials: int | None = None,
) -> tuple[Array, Array]:
    """Starting centroids by greedy k-means++, with scikit-learn's interface.

    Parameters
    ----------
    X : (n, d) array-like of real numbers
    n_clusters : int
        1 to n.
    sample_weight : (n,) array-like or number, optional
        How often each row counts. Rows of weight 0 are never drawn.
    x_squared_norms : (n,) array-like, optional
        Accepted, and not used.
    random_state : int, Generator, RandomState or None
    n_local_trials : int, optional
        Draws of which the best is kept; 2 + ⌊ln n_clusters⌋ if left out. 1 is the plain k-means++.

    Returns
    -------
    centers : (n_clusters, d) array
        Rows of X, each drawn with odds w·D², D the distance to the nearest row drawn before it. float32 for float32,
        otherwise float64.
    indices : (n_clusters,) array of intp
        Which rows.

    Raises
    ------
    ValueError, TypeError
        For parameters out of range, wrong shapes, NaN, infinity.

    Examples
    --------
    >>> centers, indices = kmeans_plusplus([[0.0], [0.1], [9.0], [9.1]], 2, random_state=0)
    >>> sorted(centers.ravel().round().tolist())
    [0.0, 9.0]

    References
    ----------
    D. Arthur, S. Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007.
    """
    X = checks.points(X)
    weight = checks.weights(sample_weight, len(X))
    k = checks.clusters(n_clusters, len(X))
    trials = None if n_local_trials is None else checks.integer(n_local_trials, "n_local_trials")
    if x_squared_norms is not None and len(x_squared_norms) != len(X):
        raise ValueError(
            f"The length of x_squared_norms {len(x_squared_norms)} should be equal to the length of n_samples {len(X)}."
        )
    positions = Positions(X, weight, None, compiled=X.size * k > TINY)
    indices = plus_plus(positions, k, checks.generator(random_state, "random_state"), trials)
    return X[indices].astype(np.float32 if X.dtype == np.float32 else np.float64), indices
