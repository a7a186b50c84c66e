"""Starting centroids: k-means++, random positions, given ones, a function's."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from importlib import import_module
from operator import add
from typing import Any

import numpy as np

from . import checks, pool
from .lloyd import Array, chunks, squared_distances
from .passes.dense import LONGEST
from .passes.folded import folds
from .passes.nearest import TINY, float_of, tiny
from .positions import ColorPositions, DistinctPositions, PartedPositions, Positions, SortedPositions, factors

FEW, SMALL = 1 << 17, 1 << 23  # rows and bytes of which a sorted copy may be made
WORTH = 512  # rows for each draw up to which it is made: sorting takes 60 ns a row, a draw from a part 25 µs
SERIAL = 1 << 20  # numbers of which another copy is made, in float64 and by columns
ROUNDING = 1e-10  # by which sums over the same points in another order may differ, and more

Init = str | Array | Callable[..., Array]


@dataclass
class Starts:
    """Where fits of X (n, d) may begin; what does not depend on the draw is done once for all of them."""

    X: Array
    weight: Array | None
    k: int
    init: Init
    n_threads: int | None
    given: Array  # what functions get: the rows that X may have been folded from
    fixed: Array | None = None  # (m, d) float64: other centroids that there will be, whatever is drawn
    distinct: bool = False  # whether all rows are, and near ones stand near each other
    positions: Positions | None = None  # to draw from; found when that is first asked for

    def _positions(self) -> Positions:
        trials = 1 if self.init == "random" else usual_trials(self.k)
        if self.distinct:
            return DistinctPositions(self.X, self.weight, self.n_threads)
        return positions_of(self.X, self.weight, self.k, trials, self.n_threads)

    def draw(self, rng: np.random.Generator) -> Array:
        """(k, d) float64: by name ("k-means++", "random"), given, or what `init(X, k, random_state=)` returns."""
        if callable(self.init):
            X = self.given.view()
            X.flags.writeable = False  # it is the caller's own
            return called(self.init, X, self.k, rng)
        if not isinstance(self.init, str):
            return self.init
        fixed = self.fixed if self.fixed is not None and len(self.fixed) else None
        draw = random_positions if self.init == "random" else plus_plus
        self.positions = self.positions or self._positions()
        found = draw(self.positions, self.k, rng, fixed=fixed)
        return np.asarray(self.positions.X[found], np.float64)


def called(init: Callable[..., Array], X: Any, k: int, rng: np.random.Generator) -> Array:
    """(k, d) float64: what a function returns for X (n, d)."""
    state = np.random.RandomState(rng.integers(2**32, dtype=np.uint32))
    return checks.starts(init(X, k, random_state=state), k, X.shape[1])


def positions_of(X: Array, weight: Array | None, k: int, trials: int, n_threads: int | None) -> Positions:
    """The positions, in the way that suits k times so many draws."""
    if X.shape[1] == 3 and folds(weight) and (pixels := as_bytes(X, weight)) is not None:
        return ColorPositions(pixels, weight, n_threads)
    copied = len(X) <= min(FEW, WORTH * k * trials) and X.nbytes <= SMALL
    return (SortedPositions if copied or X.size * k <= TINY else PartedPositions)(X, weight, n_threads)


def as_bytes(X: Array, weight: Array | None = None) -> Array | None:
    """The same numbers as uint8, where that is what they are, so that starts hang on the numbers, not on the dtype.

    Rows without weight, which are never drawn, may be anything, and become so.
    """
    if X.dtype == np.uint8:
        return X
    found = np.empty(X.shape, np.uint8)
    for rows in chunks(X.shape, 1):
        with np.errstate(invalid="ignore"):
            found[rows] = X[rows]
        other = found[rows] != X[rows]
        if other.any() and (weight is None or other[weight[rows] > 0].any()):
            return None
    return found


def random_positions(positions: Positions, k: int, rng: np.random.Generator, fixed: Array | None = None) -> Array:
    """k positions, (k,), drawn one after the other with odds by their weight, none twice and none that is fixed.

    With fewer positions than k, some come again.
    """
    free, drawn = np.ones(len(positions.X), np.uint8), list[int]()
    seen = set() if fixed is None else {one.tobytes() for one in fixed.astype(positions.X.dtype) + 0.0}
    while len(drawn) < k and len(found := positions.draw(rng.random(k - len(drawn)), free)):
        for position, value in zip(found.tolist(), positions.X[found] + 0.0, strict=True):  # −0 and 0 are equal
            if value.tobytes() in seen:  # of equal draws the first counts; and it is not to be drawn once more
                free[positions.equals(position)] = 0
            else:
                drawn.append(position)
                seen.add(value.tobytes())
    return np.resize(drawn, k)


def usual_trials(k: int) -> int:
    """Draws of which greedy k-means++ keeps the best."""
    return 2 + int(np.log(k))


def plus_plus(
    positions: Positions, k: int, rng: np.random.Generator, trials: int | None = None, fixed: Array | None = None
) -> Array:
    """k positions, (k,), each drawn with odds w·D², D its distance to the nearest one drawn before it, or fixed.

    Greedy: of `trials` draws the one is kept that lowers Σ w·D² most. When every position is taken, they are
    drawn by weight.
    D. Arthur, S. Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007 (section 4 for the greedy
    kind).
    """
    X, weight, n_threads = positions.X, positions.weight, positions.n_threads
    trials = trials or usual_trials(k)
    plain = tiny(X, k)
    loops: Any = _Plain if plain else import_module("lloydq.kernels")
    copied = X.size <= SERIAL or isinstance(positions, DistinctPositions)
    nearest, everywhere = np.full(len(X), np.inf), np.ones(len(X), np.uint8)  # nearest: D² of each
    pieces = chunks(X.shape, trials)

    def approach(centroid: Array) -> None:
        def lower(piece: slice) -> None:
            loops.approach(loops.block_of(X, piece), centroid, nearest[piece])

        pool.run(lower, pieces, n_threads)

    for centroid in () if fixed is None else fixed:
        approach(centroid)
    if not plain and copied and isinstance(positions, SortedPositions):
        return _drawn(positions, k, trials, rng.random(k * (trials + 1)), nearest)
    drawn = np.empty(k, np.intp)
    for j in range(k):
        found = positions.draw(rng.random(trials), nearest) if j or fixed is not None else np.empty(0, np.intp)
        if not len(found):
            found = positions.draw(rng.random(1), everywhere)
        candidates, best = X[found].astype(np.float64), 0
        if len(found) > 1:

            def measure(piece: slice, candidates: Array = candidates) -> Array:
                blocks = (loops.block_of(array, piece) for array in (X, weight, nearest))
                return np.asarray(loops.potentials(*blocks, candidates))

            potentials = reduce(add, pool.run(measure, pieces, n_threads))
            best = int(np.argmax(potentials <= potentials.min() * (1 + ROUNDING)))  # the first of equally good ones
        approach(candidates[best])
        drawn[j] = found[best]
    return drawn


def _drawn(positions: SortedPositions, k: int, trials: int, uniform: Array, nearest: Array) -> Array:
    """The same, (k,), by numbers between 0 and 1, in a kernel, which is left now and then: Ctrl-C is heard then."""
    from .kernels import block_of
    from .kernels.seeds import PART, plus_plus

    columns, sums, weight = (block_of(array, slice(None)) for array in (*positions.in_columns(), positions.weight))
    d, n = columns.shape
    square, drawn, used = float((factors(d) ** 2).sum()), np.empty(k, np.intp), 0
    known = np.empty((2 + 2 * d, -(-n // PART)))

    def draw(some: slice) -> None:
        nonlocal used
        used = plus_plus(columns, weight, sums, square, trials, uniform, used, ROUNDING, nearest, known, drawn[some])

    pool.run(draw, pool.cut(k, min(k, -(-(d * n * k * (trials + 1)) // LONGEST))), 1)
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
    return X[indices].astype(float_of(X)), indices
