"""Data in parts that lie somewhere else: what each part is asked in an iteration, and how the answers add.

Who brings a question to every part, and what comes back together, is a function of the caller's:
``ask(question, **options)`` is ``merge(question(part, **options) for part in parts)``, in any order and anywhere: in a
pool of processes, on a Dask cluster, by Ray or Spark. `PartedPass` makes a pass of it, around which the loop is that
of `lloyd.steps`. A part keeps nothing but a cache: it may be asked twice, and on another machine the next time.
"""

from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Any, Protocol, Self, TypeVar

import numpy as np

from . import checks
from .lloyd import Array, PlainPass, Sums, add_up, chunks, grids, squared_distances
from .passes import assign, exact, same, same_labels, suited, wanted
from .passes import scatter as scattered
from .passes.folded import Folded

A = TypeVar("A")


@dataclass(frozen=True)
class Part:
    """Some rows of the points."""

    X: Array  # (n, d); n may be 0
    weight: Array | None = None  # (n,)
    index: int = 0  # which part it is: draws depend on it
    memory: dict[str, Any] | None = None  # what was found before, where that is kept: a cache


class Ask(Protocol):
    """Brings a question to every part; the sum of the answers."""

    def __call__(self, question: Callable[..., A], **options: Any) -> A: ...


def merge(answers: Iterable[A]) -> A:
    """The sum of what several parts answer, in their order."""
    return reduce(add, answers)


def partial(
    X: Any, centroids: Any, weight: Any = None, *, previous: Any = None, cuts: Array | None = None, n_threads: int = 1
) -> Sums:
    """What a part of the points contributes to an iteration of Lloyd's algorithm.

    Parameters
    ----------
    X : (n, d) array-like of real numbers
        Some of the points.
    centroids : (k, d) array-like
    weight : (n,) array-like, optional
        How often each point counts.
    previous : (k, d) array-like, optional
        The centroids of the iteration before: `changed` counts the points that now have another label than with
        those. Without them all points have changed.
    cuts : (s,) array, optional
        From `lloydq.lloyd.grids`, the same for all parts: then the sums are exact, and the same however the points are
        parted. Without them they are so where all numbers are whole.
    n_threads : int, default 1

    Returns
    -------
    Sums
        Of the points and weights of each cluster. Those of several parts add: `merge`.

    Examples
    --------
    >>> X, centroids = np.array([[0, 0], [9, 9], [1, 0]]), np.array([[0, 0], [8, 8]])
    >>> sums = merge([partial(X[:2], centroids), partial(X[2:], centroids)])
    >>> sums.points.tolist(), sums.weight.tolist(), sums.changed
    ([[1.0, 0.0], [9.0, 9.0]], [2.0, 1.0], 3)
    """
    X = checks.points(X)
    weight = checks.weights(weight, len(X))
    centroids = checks.points(centroids, "centroids").astype(np.float64, order="C")
    if previous is not None:
        previous = checks.points(previous, "previous").astype(np.float64, order="C")
    for given, name in ((centroids, "centroids"), (previous, "previous centroids")):
        if given is not None and given.shape != (len(centroids), X.shape[1]):
            raise ValueError(f"X has {X.shape[1]} columns and the {name} have shape {given.shape}")
    return visit(
        Part(X, weight),
        centroids=centroids,
        previous=previous,
        cuts=np.zeros(1) if cuts is None else cuts,
        n_threads=n_threads,
    )


def visit(
    part: Part,
    *,
    centroids: Array,
    previous: Array | None,
    cuts: Array,
    algorithm: str = "auto",
    n_threads: int = 1,
    verify: bool = False,
) -> Sums:
    """The question of every iteration. What a pass remembers of `previous` may be in the part's memory, or not."""
    if len(part.X) == 0:
        return Sums(np.zeros((len(cuts), len(centroids), part.X.shape[1] + 1)))
    memory = {} if part.memory is None else part.memory
    memory.pop("nearest", None)  # of the draws, which are done
    known: PlainPass | None = memory.pop("pass", None)  # whoever asks at the same time finds none, and makes one
    if known is None or previous is None or not np.array_equal(known.centroids, previous):
        known = suited(part.X, part.weight, len(centroids), n_threads, algorithm, cuts=cuts)
        if previous is not None:
            known(previous)
    else:
        lend(known, part.X, part.weight)
    sums = known(centroids)
    if wanted(verify):
        labels = known.labelled()
        same_labels(part.X, centroids, labels)
        same("sums", sums.total, add_up(part.X, labels, len(centroids), part.weight, cuts).total)
    lend(known, np.empty((0, part.X.shape[1]), part.X.dtype), None)  # what is remembered does not hold the data
    memory["pass"] = known
    return sums


def lend(known: PlainPass, X: Array, weight: Array | None) -> None:
    """Give a pass the points that it was made of."""
    if isinstance(known, Folded):
        known.pixels, known.given = X, weight
    else:
        known.take(X, weight)


@dataclass
class Extents:
    """What is to be known of all points before they are added up."""

    n: int
    d: int
    dtype: Any
    largest: float  # of all |w·x| and w
    smallest: float  # a number of whose 2⁻⁵² all are multiples
    heavy: float  # Σ w

    def __add__(self, other: "Extents") -> "Extents":
        if self.d != other.d:
            raise ValueError(f"parts have {self.d} and {other.d} columns")
        largest, smallest = max(self.largest, other.largest), min(self.smallest, other.smallest)
        dtype, heavy = np.result_type(self.dtype, other.dtype), self.heavy + other.heavy
        return Extents(self.n + other.n, self.d, dtype, largest, smallest, heavy)


def extents(part: Part, *, n_threads: int = 1) -> Extents:
    """The first question; numbers that cannot be used are refused."""
    X, weight = part.X, part.weight
    if len(X) == 0:
        return Extents(0, X.shape[1], X.dtype, 0.0, 2.0**52, 0.0)
    X = checks.points(X)
    if weight is not None and np.shape(weight) == (len(X),) and not np.any(weight):
        return Extents(len(X), X.shape[1], X.dtype, 0.0, 2.0**52, 0.0)
    weight = checks.weights(weight, len(X))
    checks.reach(X, weight)
    known = suited(X, weight, 1, n_threads, "dense", cuts=np.zeros(1))
    found = np.array(known.each(known.extent, chunks(X.shape, 1)))
    heavy = float(len(X)) if weight is None else float(weight.sum())
    return Extents(len(X), X.shape[1], X.dtype, float(found[:, 0].max()), float(found[:, 1].min()), heavy)


def total(part: Part, *, cuts: Array, n_threads: int = 1) -> Sums:
    """All points in one sum."""
    one = np.zeros((1, part.X.shape[1]))
    return visit(replace(part, memory=None), centroids=one, previous=None, cuts=cuts, n_threads=n_threads)


def spread(part: Part, *, origin: Array, n_threads: int = 1) -> float:
    """Σ w‖x − origin‖²."""
    if len(part.X) == 0:
        return 0.0
    known = suited(part.X, part.weight, 1, n_threads, "dense", cuts=np.zeros(1))
    known.origin = origin
    return float(sum(known.each(known.spread, chunks(part.X.shape, 1))))


@dataclass
class Scatter:
    """Σ w‖x − c‖² to the nearest centroid c, exactly as the sum of a few numbers, and what the members weigh."""

    inertia: list[float]
    weight: Array  # (k,)

    def __add__(self, other: "Scatter") -> "Scatter":
        return Scatter(exact([self.inertia, other.inertia]), self.weight + other.weight)


def scatter(part: Part, *, centroids: Array, n_threads: int = 1, verify: bool = False) -> Scatter:
    """The last question."""
    if len(part.X) == 0:
        return Scatter([0.0], np.zeros(len(centroids)))
    weight = np.broadcast_to(np.float64(1), len(part.X)) if part.weight is None else part.weight
    labels = assign(part.X, centroids, n_threads)
    what = part.X, centroids, labels, weight, n_threads
    inertia = scattered(*what)
    if wanted(verify):
        same_labels(part.X, centroids, labels)
        same("inertia", inertia[0], scattered(*what, numpy=True)[0])
    return Scatter(inertia, np.bincount(labels, weight, len(centroids)))


@dataclass
class Far:
    """Positions that empty clusters may take: distinct, the farthest first, and one nearer one of each cluster."""

    most: int  # so many of the farthest
    X: Array
    weight: Array  # of all points there
    distance: Array  # squared
    labels: Array

    def __add__(self, other: "Far") -> "Far":
        pairs = zip(self.arrays, other.arrays, strict=True)
        return distinct(self.most, *map(np.concatenate, pairs))

    @property
    def arrays(self) -> tuple[Array, ...]:
        return self.X, self.weight, self.distance, self.labels


def distinct(most: int, X: Array, weight: Array, distance: Array, labels: Array) -> Far:
    """Equal positions as one, and of the nearer ones one alone of each cluster."""
    order = np.lexsort((*X.T[::-1], -distance))
    X, weight, distance, labels = X[order], weight[order], distance[order], labels[order]
    new = np.append(True, (X[1:] != X[:-1]).any(axis=1))[: len(X)]
    weight = np.bincount(np.cumsum(new) - 1, weight) if len(X) else weight
    X, distance, labels = X[new], distance[new], labels[new]
    _, nearer = np.unique(labels[most:], return_index=True)
    kept = np.append(np.arange(min(most, len(X))), nearer + most)
    return Far(most, X[kept], weight[kept], distance[kept], labels[kept])


def farthest(part: Part, *, centroids: Array, most: int, n_threads: int = 1) -> Far:
    """The question when clusters are empty. All points that lie at one of the farthest positions are in the answer."""
    heavy = np.arange(len(part.X)) if part.weight is None else np.flatnonzero(part.weight)
    labels = assign(part.X, centroids, n_threads)[heavy] if len(heavy) else np.empty(0, np.int32)
    distance = squared_distances(part.X[heavy], centroids, labels)
    weight = np.ones(len(heavy)) if part.weight is None else part.weight[heavy]
    many = 2 * most
    while True:
        limit = np.partition(distance, -many)[-many] if many < len(heavy) else 0.0
        near = np.full(len(centroids), -1)
        near[labels[distance < limit]] = np.flatnonzero(distance < limit)
        rows = np.append(np.flatnonzero(distance >= limit), near[near >= 0])
        found = distinct(most, part.X[heavy[rows]].astype(np.float64), weight[rows], distance[rows], labels[rows])
        if many >= len(heavy) or np.count_nonzero(found.distance >= limit) >= most:
            return found
        many *= 8


class PartedPass(PlainPass):
    """A pass over points that are in parts, which `ask` asks. It has no labels: those are where the points are."""

    def __init__(self, ask: Ask, algorithm: str = "auto", n_threads: int = 1, *, verify: bool = False) -> None:
        self.ask, self.facts = ask, ask(extents, n_threads=n_threads)
        self.options: dict[str, Any] = {"algorithm": algorithm, "n_threads": n_threads, "verify": verify}
        facts = self.facts
        self.X, self.weight = np.empty((0, facts.d), facts.dtype), np.empty(0)
        if not facts.heavy:
            raise ValueError(f"no part has a point with weight: of {facts.n} rows (0 sample(s))")
        self.cuts = grids(facts.n, facts.largest, facts.smallest)
        self.know(ask(total, cuts=self.cuts, n_threads=n_threads))
        self.know_spread(ask(spread, origin=self.origin, n_threads=n_threads))
        self.previous: Array | None = None

    def again(self) -> Self:
        other = copy(self)
        other.previous = None
        return other

    def __call__(self, centroids: Array) -> Sums:
        previous, self.previous = self.previous, centroids
        return self.ask(visit, centroids=centroids, previous=previous, cuts=self.cuts, **self.options)

    def farthest(self, m: int) -> tuple[Array, Array, Array]:
        centroids: Any = self.previous
        far = self.ask(farthest, centroids=centroids, most=m + len(centroids), n_threads=self.options["n_threads"])
        few = PlainPass(far.X, far.weight, cuts=self.cuts)
        few.centroids, few.labels = centroids, far.labels
        return few.farthest_of(np.arange(len(far.X)), m)
