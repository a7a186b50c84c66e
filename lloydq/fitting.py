"""A fit from one start: the pass that suits, a record of every step, and parts of the result that belong together."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from .lloyd import Array, Fill, PlainPass, Step, Sums, chunks, fill_empty, keep_empty, steps
from .passes import VerifiedPass, assign, float_of, same, scatter, wanted


def refuse_empty(_: PlainPass, __: Sums, ___: Array, empty: Array) -> tuple[Sums, Array, int]:
    """The rule for those who want no empty clusters at all."""
    raise ValueError(f"empty_cluster='error': no point is nearest to the centroid of clusters {empty.tolist()}")


EMPTY_RULES: dict[str, Fill] = {"farthest": fill_empty, "keep": keep_empty, "error": refuse_empty}


class Record(NamedTuple):
    """One step of a fit."""

    n_iter: int
    inertia: float  # Σ weight · distance² of labels and centroids, from sums: to 1e-14 of that about the mean of all
    changed: int  # points whose label changed
    shift: float  # √Σ shift²: how far the centroids moved, all together
    computed: int  # distances computed
    skipped: int  # distances that were not needed
    relocated: int  # empty clusters that took a far position
    seconds: float


@dataclass
class History:
    """Listens to the steps: keeps a record of each, prints them, passes them on."""

    verbose: int = 0
    callback: Callable[[Step], object] | None = None
    tol: float = 0.0
    records: list[Record] = field(default_factory=list)
    last: float = field(default_factory=perf_counter)

    def __call__(self, step: Step) -> object:
        """The answer of the callback."""
        shift, sums, seconds = float(np.sqrt((step.shift**2).sum())), step.sums, perf_counter() - self.last
        self.records.append(
            Record(step.n_iter, step.inertia, step.changed, shift, sums.computed, sums.skipped, step.relocated, seconds)
        )
        if self.verbose:
            self.tell(step)
        answer = None if self.callback is None else self.callback(step)
        self.last = perf_counter()
        return answer

    def tell(self, step: Step) -> None:
        """In scikit-learn's words, which count from 0."""
        number = step.n_iter - 1
        if step.stop_reason in (None, "converged"):
            print(f"Iteration {number}, inertia {step.inertia}.")
        if step.stop_reason == "converged":
            print(f"Converged at iteration {number}: strict convergence.")
        elif step.stop_reason == "tol":
            shift = self.records[-2].shift ** 2
            within = self.tol * step.visit.variance
            print(f"Converged at iteration {number}: center shift {shift} within tolerance {within}.")
        elif step.stop_reason is not None:
            print(f"Stopped at iteration {number}: {step.stop_reason}.")


def run(
    visit: PlainPass,
    start: Array,
    *,
    tol: float,
    max_iter: int | None,
    callback: Callable[[Step], object] | None = None,
    fill: Fill = fill_empty,
    fixed: Array | None = None,
) -> tuple[Step, str]:
    """The last step from one start, by a pass that forgets what it remembers, and why it was the last."""

    options: dict[str, Any] = {"tol": tol, "max_iter": max_iter, "fill": fill, "fixed": fixed}
    for step in steps(visit.X, start, visit.weight, make_pass=lambda *_: visit.again(), **options):
        answer = None if callback is None else callback(step)
        if isinstance(answer, bool | np.bool_) and answer:
            break
    return step, step.stop_reason or "callback"


@dataclass(frozen=True)
class Fit:
    """What came of one start. Every label is the nearest of the centers, and the inertia is that of both."""

    centers: Array  # (k, d): float32 for float32 points, otherwise float64
    labels: Array  # (n,) int32
    inertia: float
    spare: int  # centers without members
    n_iter: int
    stop_reason: str
    history: list[Record]


def fit(visit: PlainPass, start: Array, history: History, *, n_threads: int | None, **options: Any) -> Fit:
    """Lloyd from a start (k, d); the options are those of `run`."""
    step, reason = run(visit, start, callback=history, **options)
    X, weight, centers, labels, k = visit.X, visit.weight, step.centroids, step.visit.labels, len(start)
    if float_of(X) is np.float32:
        centers = centers.astype(np.float32)
        labels = assign(X, centers.astype(np.float64), n_threads)
    spare = members(labels, weight, k) == 0
    if spare.any() and options["fill"] is not keep_empty:
        centers = spare_last(centers, spare)
        labels = assign(X, centers.astype(np.float64), n_threads)
    total = inertia(X, centers, labels, weight, n_threads, verify=isinstance(visit, VerifiedPass))
    labels = visit.spread_labels(labels, centers.astype(np.float64))
    return Fit(centers.copy(), labels, total, int(spare.sum()), step.n_iter, reason, history.records)


def spare_last(centers: Array, spare: Array) -> Array:
    """The centers (k, d), those that are spare (k,) after the others."""
    return centers[np.argsort(spare, kind="stable")]


def members(labels: Array, weight: Array | None, k: int) -> Array:
    """(k,) what the points of each label weigh."""
    pieces = chunks((len(labels), 1), k)
    return reduce(add, (np.bincount(labels[rows], None if weight is None else weight[rows], k) for rows in pieces))


def inertia(
    X: Array, centers: Array, labels: Array, weight: Array | None, n_threads: int | None, *, verify: bool
) -> float:
    """Σ weight · distance², visiting every point: the exact sum, rounded once, the same in any order."""
    w = np.broadcast_to(np.float64(1), len(X)) if weight is None else weight
    what = X, np.ascontiguousarray(centers, np.float64), labels, w, n_threads
    total = scatter(*what)[0]
    if wanted(verify):
        same("inertia", total, scatter(*what, numpy=True)[0])
    return total
