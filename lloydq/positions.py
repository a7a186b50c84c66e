"""Drawing rows by their value: what is drawn hangs neither on the order of the rows nor on their repetition."""

from functools import cache, reduce
from operator import add

import numpy as np

from . import pool
from .colors import DistinctColors, codes
from .lloyd import Array, chunks

PART, MOST = 256, 4096  # rows of a part, at least; limits between parts, at most
LIGHT = 1 << 18  # rows up to which a thread adds up weights (1 ns a row) sooner than another one wakes up


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
        X = X if len(rows) == len(X) else X[rows]
        order, starts = sorted_by_value(X)
        self._rows, self.X = rows[order[starts]], X[order[starts]]
        self.weight = np.add.reduceat(np.ones(len(rows)) if weight is None else weight[rows[order]], starts)

    def in_columns(self) -> tuple[Array, Array]:
        """The positions by columns (d, p) and the sums (p,) in whose order they stand, as k-means++ takes them."""
        return np.ascontiguousarray(self.X.T, np.float64), sum_of_columns(self.X)

    def draw(self, uniform: Array, factor: Array) -> Array:
        """The positions (t,) at which weight · factor (p,), added up, passes these parts (t,) of its total.

        None of them where the total is 0.
        """
        ends = np.cumsum(self.weight * factor)
        return passed(ends, uniform * ends[-1]) if ends[-1] > 0 else np.empty(0, np.intp)

    def equals(self, position: int) -> Array:
        """An index of all that are equal to one: itself."""
        return np.array([position])

    def rows(self, positions: Array) -> Array:
        """A row of the X that was given for each of these positions (t,)."""
        return np.asarray(self._rows[positions])


class DistinctPositions(SortedPositions):
    """The same for rows that are distinct and weigh something, and of which near ones stand near each other."""

    def __init__(self, X: Array, weight: Array | None, n_threads: int | None) -> None:
        self.n_threads, self.X = n_threads, X
        self.weight = np.ones(len(X)) if weight is None else weight

    def in_columns(self) -> tuple[Array, Array]:
        """The same; they do not stand in the order of sums."""
        return np.ascontiguousarray(self.X.T), np.empty(0)

    def rows(self, positions: Array) -> Array:
        return positions


class ColorPositions(DistinctPositions):
    """The same for pixels, (n, 3) uint8: their distinct colours in the order of their codes."""

    def __init__(self, X: Array, weight: Array | None, n_threads: int | None) -> None:
        self.given = X, weight
        distinct = DistinctColors(X, n_threads, weight)
        super().__init__(distinct.colors, distinct.weight, n_threads)

    def rows(self, positions: Array) -> Array:
        (X, weight), (wanted, at) = self.given, np.unique(codes(self.X[positions]), return_inverse=True)
        rows = np.full(len(wanted), len(X))
        for piece in chunks(X.shape, 1):
            found = codes(X[piece])
            place = np.minimum(np.searchsorted(wanted, found), len(wanted) - 1)
            hit = np.flatnonzero((wanted[place] == found) & (True if weight is None else weight[piece] > 0))
            np.minimum.at(rows, place[hit], hit + piece.start)
        return np.asarray(rows[at])


class PartedPositions:
    """The same for many rows: sorting them would take longer than a fit.

    They are dealt into parts by the sum of their columns, 2 bytes a row, and within a part a draw is found by halving
    it again and again. A part of equal rows, however many, is as good as one of them.

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
        few = np.sort(sum_of_columns(X[:: max(1, len(X) // (8 * many))]))
        limits = np.append(few[len(few) * np.arange(1, many) // many], np.inf)
        self.parts, self.many = np.empty(len(X), np.uint16), 2 * many
        self.alike: dict[int, int] = {}

        def place(rows: slice) -> None:
            kernels.place(kernels.block_of(X, rows), factors(X.shape[1]), limits, self.parts[rows])

        pool.run(place, chunks(X.shape, 1), n_threads)

    def rows_of(self, part: int) -> Array:
        """The rows of a part as they stand."""
        return np.flatnonzero(self.parts == part)

    def alike_in(self, part: int) -> int:
        """A row of a part whose rows are all equal, with weight where one has any; otherwise −1."""
        if part not in self.alike:
            self.alike[part] = -1
            if part % 2:
                rows = self.rows_of(part)
                pieces = chunks((len(rows), self.X.shape[1]), 1)
                if all((self.X[rows[piece]] == self.X[rows[0]]).all() for piece in pieces):
                    self.alike[part] = int(rows[np.argmax(self.weight[rows] > 0)])
        return self.alike[part]

    def draw(self, uniform: Array, factor: Array) -> Array:
        from . import kernels

        def weigh(rows: slice) -> Array:
            masses = np.zeros(self.many)
            kernels.weigh(kernels.block_of(self.weight, rows), factor[rows], self.parts[rows], masses)
            return masses

        pieces = [slice(0, len(self.X))] if len(self.X) <= LIGHT else chunks(self.X.shape, 1)
        masses = reduce(add, pool.run(weigh, pieces, self.n_threads))
        ends, found = np.cumsum(masses), np.empty(len(uniform), np.intp)
        if ends[-1] == 0:
            return found[:0]
        targets = uniform * ends[-1]
        parts = passed(ends, targets)
        for i, part in enumerate(parts.tolist()):
            found[i] = self.alike_in(part)
            if found[i] < 0:
                rows = self.rows_of(part)
                rows = rows[(mass := self.weight[rows] * factor[rows]) > 0]
                X, target = kernels.block_of(self.X[rows], slice(None)), targets[i] - (ends[part] - masses[part])
                what = X, mass[mass > 0], factors(X.shape[1]), target
                found[i] = rows[pool.run(lambda what: kernels.pick(*what), [what])[0]]
        return found

    def equals(self, position: int) -> Array:
        part = int(self.parts[position])
        if self.alike_in(part) >= 0:
            return np.asarray(self.parts == part)
        rows = self.rows_of(part)
        return np.asarray(rows[(self.X[rows] == self.X[position]).all(axis=1)])

    def rows(self, positions: Array) -> Array:
        return positions


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


Positions = SortedPositions | PartedPositions
