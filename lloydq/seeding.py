"""Starting centroids: k-means++, random positions, given ones, a function's."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property, reduce
from importlib import import_module
from operator import add
from typing import Any

import numpy as np

from . import checks, pool
from .lloyd import Array, chunks, squared_distances

TINY = 100_000  # n·d·k up to which NumPy (a few milliseconds) ends before Numba has been imported
FEW, SMALL = 1 << 17, 1 << 24  # rows and bytes up to which a copy may be sorted,
WORTH = 1024  # where no more rows (60 ns each) come on a draw, which from a part takes 20 to 80 µs
PART, MOST = 512, 2048  # rows of a part, at least; limits between parts, at most

Init = str | Array | Callable[..., Array]


class SortedPositions:
    """The distinct rows of X (n, d), sorted, with what they weigh together, to draw from.

    What is drawn in their order hangs neither on the order of the rows nor on whether a row stands there three times
    or once with weight 3. Rows without weight are left out.

    Attributes
    ----------
    X : (p, d) array
        In the order of one sum over all columns, equal sums by the columns themselves: so rounding X to float32 leaves
        the order nearly as it is, whatever the first column holds.
    weight : (p,) float64 array
    """

    def __init__(self, X: Array, weight: Array | None, n_threads: int | None) -> None:
        self.n_threads = n_threads
        rows = np.arange(len(X)) if weight is None else np.flatnonzero(weight)
        X = X if weight is None else X[rows]
        order, starts = sorted_by_value(X)
        self._rows, self.X = rows[order[starts]], X[order[starts]]
        self.weight = np.add.reduceat(np.ones(len(rows)) if weight is None else weight[rows[order]], starts)

    def draw(self, uniform: Array, factor: Array) -> Array:
        """The positions (t,) at which weight · factor (p,), added up, passes these parts (t,) of its total.

        None of them where the total is 0.
        """
        ends = np.cumsum(self.weight * factor)
        return passed(ends, uniform * ends[-1]) if ends[-1] > 0 else np.empty(0, np.intp)

    def equals(self, position: int) -> Array:
        """All that are equal to one: itself."""
        return np.array([position])

    def rows(self, positions: Array) -> Array:
        """A row of the X that was given for each of these positions (t,)."""
        return np.asarray(self._rows[positions])


class PartedPositions:
    """The same for many rows: sorting them would take longer than a fit.

    They are dealt into parts by the sum of their columns, and a part is sorted when a draw first falls into it. It
    takes 2 bytes a row, and 4 for what is sorted.

    Attributes
    ----------
    X : (n, d) array
        As it is given.
    weight : (n,) float64 array
    parts : (n,) uint16 array
        2i for sums between limits i − 1 and i, 2i + 1 for sums that are limit i.
    """

    def __init__(self, X: Array, weight: Array | None, n_threads: int | None) -> None:
        from . import kernels

        self.X, self.n_threads = X, n_threads
        self.weight = np.broadcast_to(np.float64(1) if weight is None else weight, len(X))
        many = 2  # a power of two
        while many < MOST and 2 * many * PART <= len(X):
            many *= 2
        few = np.sort(sum_of_columns(X[:: max(1, len(X) // (16 * many))]))
        limits = np.append(few[len(few) * np.arange(1, many) // many], np.inf)
        self.parts, self.many = np.empty(len(X), np.uint16), 2 * many
        self.sorted: dict[int, Array] = {}

        def place(rows: slice) -> None:
            kernels.place(kernels.block_of(X, rows), factors(X.shape[1]), limits, self.parts[rows])

        pool.run(place, chunks(X.shape, 1), n_threads)

    def part(self, part: int) -> Array:
        """The rows of a part in order."""
        if part not in self.sorted:
            rows = np.flatnonzero(self.parts == part)
            order, _ = sorted_by_value(self.X[rows])
            self.sorted[part] = rows[order].astype(np.uint32 if len(self.X) < 2**32 else np.int64)
        return self.sorted[part]

    def draw(self, uniform: Array, factor: Array) -> Array:
        from . import kernels

        def weigh(rows: slice) -> Array:
            masses = np.zeros(self.many)
            kernels.weigh(kernels.block_of(self.weight, rows), factor[rows], self.parts[rows], masses)
            return masses

        masses = reduce(add, pool.run(weigh, chunks(self.X.shape, 1), self.n_threads))
        ends, found = np.cumsum(masses), np.empty(len(uniform), np.intp)
        if ends[-1] == 0:
            return found[:0]
        targets = uniform * ends[-1]
        parts = passed(ends, targets)
        for part in set(parts.tolist()):
            rows, here = self.part(part), parts == part
            running = np.cumsum(self.weight[rows] * factor[rows])
            found[here] = rows[passed(running, targets[here] - (ends[part] - masses[part]))]
        return found

    def equals(self, position: int) -> Array:
        rows = self.part(self.parts[position])
        return np.asarray(rows[(self.X[rows] == self.X[position]).all(axis=1)])

    def rows(self, positions: Array) -> Array:
        return positions


Positions = SortedPositions | PartedPositions


def positions_of(X: Array, weight: Array | None, k: int, trials: int, n_threads: int | None) -> Positions:
    """The positions, in the way that suits k times so many draws."""
    copied = len(X) <= min(FEW, WORTH * k * trials) and X.nbytes <= SMALL
    return (SortedPositions if copied or X.size * k <= TINY else PartedPositions)(X, weight, n_threads)


@cache
def factors(d: int) -> Array:
    """One factor for each column, from 0.5 to 1, always the same: unlike rows hardly ever have equal sums."""
    return 0.5 + np.random.Generator(np.random.PCG64(0)).random(d) / 2


def sum_of_columns(X: Array) -> Array:
    """Σ factor · x of each row, in the order of the columns: (n,) float64."""
    return np.asarray(sum(c * x for c, x in zip(factors(X.shape[1]), X.T.astype(np.float64), strict=True)))


def sorted_by_value(X: Array) -> tuple[Array, Array]:
    """The order (n,) of the rows, by their sum, equal sums by the columns; where each distinct row begins in it."""
    sums = sum_of_columns(X)
    order = np.argsort(sums)
    new = np.append(True, np.diff(sums[order]) != 0)
    if new.all():
        return order, np.arange(len(order))
    order = np.argsort(sums, kind="stable")
    again = np.flatnonzero(~new)
    if (X[order[again]] != X[order[again - 1]]).any():  # unlike rows of the same sum
        order = np.lexsort((*X.T[::-1], sums))
        new = np.append(True, (X[order[1:]] != X[order[:-1]]).any(axis=1))
    return order, np.flatnonzero(new)


def passed(ends: Array, targets: Array) -> Array:
    """Where the running sums `ends` (p,) first pass each target, kept within them: never where nothing was added."""
    inside = np.maximum(np.minimum(targets, np.nextafter(ends[-1], 0)), 0)
    return np.asarray(ends.searchsorted(inside, side="right"))


@dataclass
class Starts:
    """Where fits of X (n, d) may begin; what does not depend on the draw is done once for all of them."""

    X: Array
    weight: Array | None
    k: int
    init: Init
    n_threads: int | None

    @cached_property
    def positions(self) -> Positions:
        trials = 1 if self.init == "random" else usual_trials(self.k)
        return positions_of(self.X, self.weight, self.k, trials, self.n_threads)

    def draw(self, rng: np.random.Generator) -> Array:
        """(k, d) float64: by name ("k-means++", "random"), given, or what `init(X, k, random_state=)` returns."""
        if callable(self.init):
            state = np.random.RandomState(rng.integers(2**32, dtype=np.uint32))
            return checks.starts(self.init(self.X, self.k, random_state=state), self.k, self.X.shape[1])
        if not isinstance(self.init, str):
            return self.init
        found = (random_positions if self.init == "random" else plus_plus)(self.positions, self.k, rng)
        return np.asarray(self.positions.X[found], np.float64)


def random_positions(positions: Positions, k: int, rng: np.random.Generator) -> Array:
    """k positions, (k,), drawn one after the other with odds by their weight, none twice.

    With fewer positions than k, some come again.
    """
    free, drawn = np.ones(len(positions.X), np.uint8), list[int]()
    while len(drawn) < k and len(found := positions.draw(rng.random(k - len(drawn)), free)):
        for position in found.tolist():
            if free[position]:  # of equal draws the first counts
                drawn.append(position)
                free[positions.equals(position)] = 0
    return np.resize(drawn, k)


def usual_trials(k: int) -> int:
    """Draws of which greedy k-means++ keeps the best."""
    return 2 + int(np.log(k))


def plus_plus(positions: Positions, k: int, rng: np.random.Generator, trials: int | None = None) -> Array:
    """k positions, (k,), each drawn with odds w·D², D its distance to the nearest one drawn before it.

    Greedy: of `trials` draws the one is kept that lowers Σ w·D² most. When every position is taken, they are
    drawn by weight.
    D. Arthur, S. Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007 (section 4 for the greedy
    kind).
    """
    X, weight, n_threads = positions.X, positions.weight, positions.n_threads
    trials = trials or usual_trials(k)
    loops: Any = _Plain if X.size * k <= TINY else import_module("lloydq.kernels")
    nearest, everywhere = np.full(len(X), np.inf), np.ones(len(X), np.uint8)  # nearest: D² of each
    pieces = chunks(X.shape, trials)
    drawn = np.empty(k, np.intp)
    for j in range(k):
        found = positions.draw(rng.random(trials), nearest) if j else np.empty(0, np.intp)
        if not len(found):
            found = positions.draw(rng.random(1), everywhere)
        candidates, best = X[found].astype(np.float64), 0
        if len(found) > 1:

            def measure(piece: slice, candidates: Array = candidates) -> Array:
                blocks = (loops.block_of(array, piece) for array in (X, weight, nearest))
                return np.asarray(loops.potentials(*blocks, candidates))

            best = int(np.argmin(reduce(add, pool.run(measure, pieces, n_threads))))

        def lower(piece: slice, centroid: Array = candidates[best]) -> None:
            loops.approach(loops.block_of(X, piece), centroid, nearest[piece])

        pool.run(lower, pieces, n_threads)
        drawn[j] = found[best]
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
    def approach(X: Array, centroid: Array, nearest: Array) -> None:
        """Lower D² (n,) to what it is with this centroid (d,)."""
        nearest[:] = _reached(X, centroid, nearest)


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
    trials = usual_trials(k) if n_local_trials is None else checks.integer(n_local_trials, "n_local_trials")
    if x_squared_norms is not None and len(x_squared_norms) != len(X):
        raise ValueError(
            f"The length of x_squared_norms {len(x_squared_norms)} should be equal to the length of n_samples {len(X)}."
        )
    positions = positions_of(X, weight, k, trials, None)
    indices = positions.rows(plus_plus(positions, k, checks.generator(random_state, "random_state"), trials))
    return X[indices].astype(np.float32 if X.dtype == np.float32 else np.float64), indices
