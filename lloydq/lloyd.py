"""Lloyd's algorithm in plain NumPy. This file is the one that runs: all that is faster is another way to make its pass.

1. Choose k of the points at random: the first centroids (`random_points`).
2. Assign each point to its closest centroid (`assign`).
3. Move each centroid to the mean of its members (`add_up`, `update`).
4. Repeat 2 and 3 until no assignment changes (`steps`).

S. P. Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information Theory 28 (1982).
Shapes: n points, d coordinates, k centroids. `python lloydq/lloyd.py` works through a small example.
"""

from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add
from typing import Any, Self

import numpy as np

Array = np.ndarray[Any, Any]


def random_points(X: Array, k: int, rng: Any = None, weight: Array | None = None) -> Array:
    """k rows of X (n, d) drawn at random, none twice: (k, d). A whole-number `weight` (n,) counts copies of a row.

    >>> random_points(np.array([[1, 2], [3, 4], [5, 6]]), 2, rng=0).tolist()
    [[3, 4], [5, 6]]
    """
    X, rng, w = np.asarray(X), np.random.default_rng(rng), np.asarray(1 if weight is None else weight)
    if weight is not None and (w.shape != (len(X),) or not (w >= 0).all()):
        raise ValueError(f"weight must have shape ({len(X)},), none of them negative; got shape {w.shape}")
    copies = weight is not None and np.array_equal(w, np.floor(w)) and w.sum() < 2**53
    available = len(X) if weight is None else int(w.sum()) if copies else np.count_nonzero(w)
    if not 1 <= k <= available:
        raise ValueError(f"k must be from 1 to the number of points, {available}; got {k}")
    if copies:
        rows = np.searchsorted(np.cumsum(w), rng.choice(available, k, replace=False), side="right")
    else:
        rows = rng.choice(len(X), k, replace=False, p=None if weight is None else w / w.sum())
    return np.asarray(X[rows])


def assign(X: Array, centroids: Array) -> Array:
    """The label of each point's nearest centroid, (n,) int32; the lowest label where several are equally near.

    The distance is Σ (x − c)² in float64, added in the order of the coordinates.

    >>> assign(np.array([[0, 0], [9, 9], [1, 0]]), np.array([[0, 0], [8, 8]]))
    array([0, 1, 0], dtype=int32)
    """
    if np.shape(X)[1:] != np.shape(centroids)[1:]:
        raise ValueError(f"points {np.shape(X)} and centroids {np.shape(centroids)} must have equally many columns")
    coordinates = np.asarray(X).T.astype(np.float64)
    labels, nearest = np.zeros(len(X), np.int32), np.full(len(X), np.inf)
    for label, centroid in enumerate(centroids):
        distance = sum((x - c) ** 2 for x, c in zip(coordinates, centroid, strict=True))
        closer = distance < nearest
        labels[closer], nearest[closer] = label, distance[closer]
    return labels


@dataclass
class Sums:
    """What a pass brings back. Sums of two pieces of the data add."""

    slices: Array  # (s, k, d + 1) float64: Σ w·x and, last, Σ w over the members of each cluster, in s slices
    changed: int = 0  # points (with weight) whose label changed
    computed: int = 0  # distances computed
    skipped: int = 0  # distances that were not needed

    def __add__(self, other: "Sums") -> "Sums":
        counts = self.changed + other.changed, self.computed + other.computed, self.skipped + other.skipped
        return Sums(self.slices + other.slices, *counts)

    @cached_property
    def total(self) -> Array:
        """(k, d + 1): the slices put together, the finest first."""
        return np.asarray(reduce(add, self.slices[::-1]))

    @property
    def points(self) -> Array:
        """(k, d) float64: Σ w·x over the members of each cluster."""
        return self.total[:, :-1]

    @property
    def weight(self) -> Array:
        """(k,) float64: Σ w."""
        return self.total[:, -1]


def grids(n: int, largest: float, smallest: float) -> Array:
    """What to cut numbers by so that sums of n of them are exact, hence the same in any order and on any machine.

    Adding g = 1.5 · 2⁵² · unit to a number and taking it off again rounds it to a multiple of the unit, which is chosen
    so coarse that n such multiples have a sum of 53 bits; what is left is cut by a finer grid. The last grid is 0 and
    takes all that is left. `largest` bounds the numbers, all are multiples of 2⁻⁵² `smallest` (1: whole numbers).
    J. Demmel, H. D. Nguyen, "Fast reproducible floating-point summation", IEEE ARITH (2013).

    >>> grids(1000, 255, 2.0**52)
    array([0.])
    """
    spare, found = max(2, int(n).bit_length()), list[float]()
    unit, finest = int(np.frexp(largest)[1]) + spare - 53, int(np.frexp(smallest)[1]) - 53
    while unit > max(finest, -1074):
        found.append(float(np.ldexp(1.5, 52 + unit)))
        unit += spare - 54
    return np.array([*found, 0.0])


def add_up(X: Array, labels: Array, k: int, weight: Array | None = None, cuts: Array | None = None) -> Sums:
    """The sums over the members of each of the k clusters, in float64; cut by `grids` they are exact."""
    w = np.ones(len(X)) if weight is None else weight
    left, slices = [*(w * x for x in np.asarray(X).T), w], []
    for g in [0.0] if cuts is None else cuts:
        part = [(column + g) - g for column in left]
        slices.append(np.stack([np.bincount(labels, column, k) for column in part], axis=1))
        left = [column - taken for column, taken in zip(left, part, strict=True)]
    return Sums(np.stack(slices))


def update(sums: Sums, centroids: Array) -> Array:
    """The mean of each cluster's members, (k, d); a centroid without members stays where it is.

    >>> X, centroids = np.array([[0, 0], [9, 9], [1, 0]]), np.array([[0, 0], [8, 8]])
    >>> update(add_up(X, assign(X, centroids), k=2), centroids).tolist()
    [[0.5, 0.0], [9.0, 9.0]]
    """
    weight = sums.weight[:, None]
    return np.divide(sums.points, weight, out=np.array(centroids, np.float64), where=weight > 0)


def squared_distances(X: Array, centroids: Array, labels: Array) -> Array:
    """From each point to the centroid of its label: (n,) float64."""
    coordinates = zip(X.T.astype(np.float64), centroids.T, strict=True)
    return np.asarray(sum((x - c[labels]) ** 2 for x, c in coordinates))


def chunks(shape: tuple[int, ...], k: int) -> list[slice]:
    """The n rows in pieces of which a few numbers for each of k centroids, or for each coordinate, may be kept."""
    n, d = shape
    size = max(16 * k, min(max(8192, -(-n // 128)), -(-(1 << 20) // d)))
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]


class PlainPass:
    """A pass visits every point, finds its nearest centroid, and adds the point to that centroid's sum."""

    def __init__(self, X: Array, weight: Array | None = None, *, cuts: Array | None = None) -> None:
        """Where X is a part of more, all parts have the same cuts, and what follows from all of them is not here."""
        self.take(X, weight)
        if cuts is not None:
            self.cuts = cuts
            return
        rows = chunks(X.shape, 1)
        extents = np.array(self.each(self.extent, rows))
        self.cuts = grids(len(X), extents[:, 0].max(), extents[:, 1].min())
        self.know(reduce(add, self.each(self.total, rows)))
        self.know_spread(sum(self.each(self.spread, rows)))

    def take(self, X: Array, weight: Array | None) -> None:
        """The points, and how often each counts."""
        self.X: Array = X
        self.weight: Array = np.broadcast_to(np.asarray(1 if weight is None else weight, np.float64), len(X))

    def know(self, all_in_one: Sums) -> None:
        """The mean, and an origin near it, from the sum of all; whole numbers take a whole one, and stay exact."""
        self.sum_of_weight = all_in_one.weight[0]
        self.mean = all_in_one.points[0] / self.sum_of_weight
        self.origin = np.rint(self.mean) if self.X.dtype.kind in "iu" else self.mean

    def know_spread(self, T: float) -> None:
        """T = Σ w‖x − origin‖²."""
        self.T = T
        self.variance = (T / self.sum_of_weight - ((self.mean - self.origin) ** 2).sum()) / self.X.shape[1]

    @cached_property
    def labels(self) -> Array:
        """(n,) int32, of the last call; −1 before the first."""
        return np.full(len(self.X), -1, np.int32)

    def again(self) -> Self:
        """The same pass with nothing remembered, for another start."""
        other = copy(self)
        other.__dict__.pop("labels", None)
        return other

    def labelled(self) -> Array:
        """(n,) int32, a new array: the labels of the last call."""
        return self.labels.copy()

    def spread_labels(self, labels: Array, centroids: Array) -> Array:
        """Labels of the points that were given from those of the points that are visited: here, the same."""
        return labels

    def each(self, function: Callable[[slice], Any], pieces: list[slice]) -> list[Any]:
        """What the function gives for each piece."""
        return list(map(function, pieces))

    def extent(self, rows: slice) -> tuple[float, float]:
        """The largest of all |w·x| and w; a number of whose 2⁻⁵² all are multiples."""
        w = self.weight[rows]
        numbers = np.abs([*(w * x for x in self.X[rows].T), w])
        smallest = np.min(numbers, initial=np.inf, where=numbers > 0)
        whole = (numbers == np.floor(numbers)).all()
        return numbers.max(), 2.0**52 if whole else smallest

    def total(self, rows: slice) -> Sums:
        """All points in one sum."""
        X = self.X[rows]
        return add_up(X, np.zeros(len(X), np.int32), 1, self.weight[rows], self.cuts)

    def spread(self, rows: slice) -> float:
        """Σ w‖x − origin‖², row by row."""
        X = self.X[rows]
        squared = squared_distances(X, self.origin[None], np.zeros(len(X), np.int32))
        return float(np.cumsum(self.weight[rows] * squared)[-1])

    def __call__(self, centroids: Array) -> Sums:
        self.centroids = centroids
        sums: Sums = reduce(add, self.each(self.visit, chunks(self.X.shape, len(centroids))))
        return sums

    def visit(self, rows: slice) -> Sums:
        labels = assign(self.X[rows], self.centroids)
        sums = add_up(self.X[rows], labels, len(self.centroids), self.weight[rows], self.cuts)
        sums.changed = int(((labels != self.labels[rows]) & (self.weight[rows] > 0)).sum())
        sums.computed = len(labels) * len(self.centroids)
        self.labels[rows] = labels
        return sums

    def farthest(self, m: int) -> tuple[Array, Array, Array]:
        """The m distinct positions farthest from their centroids, for empty clusters, with their weights and labels.

        Ties go to the smallest coordinates. A cluster's last position is not given away.
        """
        return self.farthest_of(np.flatnonzero(self.weight), m)

    def farthest_of(self, rows: Array, m: int) -> tuple[Array, Array, Array]:
        """The same among some rows."""
        X, weight, labels = self.X[rows].astype(np.float64), self.weight[rows], self.labels[rows]
        distance = squared_distances(X, self.centroids, labels)
        order = np.lexsort((*X.T[::-1], -distance))  # farthest first, equal positions together
        X, distance, labels = X[order], distance[order], labels[order]
        new = np.append(True, (X[1:] != X[:-1]).any(axis=1))  # the first of each position
        weight = np.bincount(np.cumsum(new) - 1, weight[order])
        X, distance, labels = X[new], distance[new], labels[new]
        free = distance > 0
        _, last_from_behind = np.unique(labels[::-1], return_index=True)
        free[len(labels) - 1 - last_from_behind] = False  # each cluster's last position
        return X[free][:m], weight[free][:m], labels[free][:m]

    def inertia(self, sums: Sums, centroids: Array) -> float:
        """Σ w‖x − c‖² from the sums alone: T − 2 Σ c·S + Σ N‖c‖², about the origin."""
        c, N = centroids - self.origin, sums.weight[:, None]
        S = sums.points - N * self.origin
        return max(0.0, float(self.T + (c * (N * c - 2 * S)).sum()))


@dataclass(eq=False)
class Step:
    """One iteration, both halves: the points assigned to `centroids`, then the centroids moved to `moved`."""

    n_iter: int
    centroids: Array  # (k, d): the labels are nearest to these
    moved: Array  # (k, d): the centroids after the update
    shift: Array  # (k,) distances that they moved
    changed: int  # points whose label changed
    sums: Sums  # of the labels
    sums_after: Sums  # the same, or with empty clusters filled
    relocated: int  # empty clusters that took a far position
    stop_reason: str | None  # in the last step: "converged", "tol", "max_iter" or "cycle"
    visit: PlainPass
    current: bool = True  # until the loop goes on

    @cached_property
    def inertia(self) -> float:
        """Σ w·distance² of the labels against `centroids`."""
        return self.visit.inertia(self.sums, self.centroids)

    @cached_property
    def inertia_after_update(self) -> float:
        """Σ w·distance² of the same labels against `moved`."""
        return self.visit.inertia(self.sums_after, self.moved)

    @cached_property
    def labels(self) -> Array:
        """(n,) int32, made when first read, which must be before the loop goes on."""
        if not self.current:
            raise RuntimeError(f"read the labels of step {self.n_iter} before the loop goes on")
        labels = self.visit.labelled()
        labels.flags.writeable = False
        return labels


def fill_empty(visit: PlainPass, sums: Sums, moved: Array, empty: Array) -> tuple[Sums, Array, int]:
    """The empty-cluster rule: each takes the farthest position that is left, with all points that lie there."""
    points, weight, taken = sums.points.copy(), sums.weight.copy(), visit.farthest(len(empty))
    for j, x, w, label in zip(empty, *taken, strict=False):
        points[label], weight[label] = points[label] - w * x, weight[label] - w
        points[j], weight[j] = w * x, w
    sums = Sums(np.column_stack([points, weight])[None])
    moved = update(sums, moved)
    moved[empty[: len(taken[0])]] = taken[0]
    return sums, moved, len(taken[0])


Fill = Callable[[PlainPass, Sums, Array, Array], tuple[Sums, Array, int]]


def keep_empty(_: PlainPass, sums: Sums, moved: Array, __: Array) -> tuple[Sums, Array, int]:
    """Another rule: centroids without members stay where they are."""
    return sums, moved, 0


def steps(
    X: Array, centroids: Array, weight: Array | None = None, *, tol: float = 0.0, max_iter: int | None = None,
    make_pass: Callable[[Array, Array | None], PlainPass] = PlainPass, fill: Fill = fill_empty, fixed: Any = None,
) -> Iterator[Step]:  # fmt: skip
    """Lloyd's algorithm from the given centroids (k, d), a `Step` at a time; the last one names its `stop_reason`.

    It converged when no label changed and nothing was relocated. It also stops when Σ shift² ≤ tol × the mean variance
    of the coordinates, and after `max_iter` iterations; then a last step, not counted, assigns the points to the last
    centroids. `fill` is the empty-cluster rule. Centroids named by `fixed` (indices or a mask) never move.

    >>> X = np.array([[0.0], [1.0], [9.0], [10.0]])
    >>> [step.centroids.ravel().tolist() for step in steps(X, np.array([[0.0], [9.0]]))]
    [[0.0, 9.0], [0.5, 9.5]]
    """
    visit = make_pass(np.asarray(X), weight)
    centroids = landmark = np.array(centroids, np.float64)
    stays = np.zeros(len(centroids), bool)
    stays[[] if fixed is None else fixed] = True
    reason, n_iter = None, 0
    while True:
        sums = after = visit(centroids)
        moved, relocated = centroids, 0
        if reason is None:
            n_iter, moved = n_iter + 1, update(sums, centroids)
            if len(empty := np.flatnonzero((sums.weight == 0) & ~stays)):
                after, moved, relocated = fill(visit, sums, moved, empty)
            if fixed is not None:
                moved[stays] = centroids[stays]
            reason = "converged" if sums.changed == relocated == 0 else None
        shift = np.sqrt(((moved - centroids) ** 2).sum(1))
        step = Step(n_iter, centroids, moved, shift, sums.changed, sums, after, relocated, reason, visit)
        yield step
        if reason is not None:
            return
        step.current = False
        if tol > 0 and (shift**2).sum() <= tol * visit.variance:
            reason = "tol"
        elif max_iter is not None and n_iter >= max_iter:
            reason = "max_iter"
        elif (moved == landmark).all() and shift.any():
            reason = "cycle"  # impossible but for rounding (R. P. Brent's test, BIT 20, 1980)
        elif n_iter & (n_iter - 1) == 0:
            landmark = moved
        centroids = moved


def example() -> None:
    """Eight points in the plane, two centroids, step by step."""
    X = np.array([[1, 1], [2, 1], [1, 2], [2, 3], [7, 8], [9, 8], [8, 9], [9, 9]])
    print("Lloyd's algorithm: 8 points, k = 2. The first centroids, A and B, are two of the points, drawn at random.")
    for step in steps(X, random_points(X, 2, rng=5)):
        print("\nStep {}: A = ({:.3g}, {:.3g})   B = ({:.3g}, {:.3g})".format(step.n_iter, *step.centroids.ravel()))
        print("  Assign: " + "  ".join(f"({x}, {y}) {'AB'[j]}" for (x, y), j in zip(X, step.labels, strict=True)))
        print(f"          labels changed: {step.changed}; sum of squared distances {step.inertia:.4g}")
        print("  Update: A = ({:.3g}, {:.3g})   B = ({:.3g}, {:.3g})".format(*step.moved.ravel()))
        print(f"          sum of squared distances {step.inertia_after_update:.4g}")
    print("\nNo label changed: converged.")


if __name__ == "__main__":
    example()
