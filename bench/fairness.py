"""What makes a comparison fair, as code: the same start, the same stop, the same threads, and a judge of the result."""

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from sys import modules

import numpy as np
from threadpoolctl import threadpool_limits

import lloydq

from . import data
from .cases import different_rows
from .contenders import Task

SAME = 1e-3  # of the inertia: what rounding to float32 leaves of one trajectory; ties on the way may part it further
BEHIND = 1e-4  # of the inertia, above the reference: more than rounding, if half of the last iteration's gain is less
PLAIN = 2.1e8  # n·k·d·iterations up to which the reference is made in NumPy
SETTLED = 1e-6  # of the inertia: what one more pass may gain where no label should change; float32 keeps 7 digits


@dataclass
class Setting:
    """A case made ready: points, start, and the reference that all are held to."""

    X: np.ndarray
    weight: np.ndarray | None
    rows: np.ndarray
    until: bool
    n_iter: int | None
    threads: int

    @cached_property
    def start(self):
        """(k, d) float64: rows of X, no two alike."""
        return self.X[self.rows].astype(float)

    @cached_property
    def reference(self):
        """Centroids, iterations, and what part of the inertia the last of them gained.

        By plain NumPy where that ends soon; else by lloydq, whose every step the tests compare with it bit by bit.
        """
        limit = None if self.until else self.n_iter
        soon = self.X.size * len(self.rows) * (limit or 50) < PLAIN
        options = {"tol": 0, "max_iter": limit, "algorithm": "plain" if soon else "auto", "n_threads": self.threads}
        model = lloydq.KMeans(len(self.rows), init=self.start, **options).fit(self.X, sample_weight=self.weight)
        before, after = [one.inertia for one in model.history_[-2:]] if len(model.history_) > 1 else (0, 0)
        return model.cluster_centers_.astype(float), model.n_iter_, before / after - 1 if after else 0.0

    @cached_property
    def target(self):
        """The inertia of the reference."""
        return self.inertia(self.reference[0])

    def task(self, dtype, n_iter=None):
        """For a contender: the whole work, or so many iterations of it."""
        X = np.ascontiguousarray(self.X, dtype)
        until = self.until and n_iter is None
        return Task(X, self.start, self.rows, n_iter or self.reference[1], until, self.weight, self.threads)

    def pieces(self, labels):
        """The points as float64, some at a time, with their labels and weights."""
        for first in range(0, len(self.X), 1 << 20):
            piece = slice(first, first + (1 << 20))
            weight = np.ones(len(self.X[piece])) if self.weight is None else self.weight[piece]
            yield self.X[piece].astype(float), labels[piece], weight

    def inertia(self, centroids):
        """Σ weight · distance² to the nearest centroids."""
        labels = lloydq.nearest(self.X, centroids)
        return sum(float(((X - centroids[of]) ** 2).sum(axis=1) @ weight) for X, of, weight in self.pieces(labels))

    def distances(self, centroids, labels):
        """(n,) float64: squared, from each point to the centroid of its label."""
        return np.concatenate([((X - centroids[of]) ** 2).sum(axis=1) for X, of, _ in self.pieces(labels)])

    def one_more(self, centroids):
        """The centroids after one more pass; those without members stay."""
        labels, k = lloydq.nearest(self.X, centroids), len(centroids)
        total, members = np.zeros_like(centroids), np.zeros(k)
        for X, of, weight in self.pieces(labels):
            members += np.bincount(of, weight, k)
            total += np.stack([np.bincount(of, column * weight, k) for column in X.T], axis=1)
        return np.where(members[:, None] > 0, total / np.maximum(members, 1)[:, None], centroids)


def setting(case, threads):
    """The case's points with k starting rows, drawn once for all."""
    X = case.points()
    X, weight = X if isinstance(X, tuple) else (X, None)
    X, weight = X[: data.most_rows], None if weight is None else weight[: data.most_rows]
    return Setting(X, weight, different_rows(X, case.k, seed=1), case.n_iter is None, case.n_iter, threads)


def above(found, best):
    """By what part the inertia is more than it could be."""
    return found / best - 1 if best else 0.0 if found == 0 else float("inf")


def judge(setting, who, dtype, centroids, n_iter):
    """What came out: the inertia, how far it is from the reference's, and the marks of other work."""
    centroids = np.asarray(centroids, float)
    found, marks = setting.inertia(centroids), list(who.marks) + form(who, dtype)
    excess, gain = above(found, setting.target), setting.reference[2]
    if "own stop" in marks:
        pass
    elif setting.until:
        if not found - setting.inertia(setting.one_more(centroids)) <= SETTLED * found:
            marks.append("not converged")
        elif abs(excess) > SAME:
            marks.append("other optimum")
        if not who.stops:
            marks.append("told when to stop")
    elif not abs(excess) <= SAME or excess > max(BEHIND, gain / 2):
        marks.append("other result")
    return {"inertia": found, "excess": excess, "n_iter": n_iter, "marks": sorted(set(marks))}


def form(who, dtype):
    """The mark of what it computes in."""
    return ["bytes"] if dtype == "u1" else ["float32"] if dtype == "f4" and not who.exact else []


def judge_labels(setting, who, dtype, centroids, least, labels):
    """What mapping came to: how many points have a nearer centroid, and what that costs; `least` are the distances."""
    found = setting.distances(centroids, np.asarray(labels))
    wrong, excess = int((found > least).sum()), above(float(found.sum()), float(least.sum()))
    marks = [*who.marks, *form(who, dtype), *(["wrong labels"] if wrong else [])]
    return {"inertia": float(found.sum()), "excess": excess, "wrong": wrong, "marks": sorted(set(marks))}


@contextmanager
def threads(number):
    """Every library that has been loaded works on so many; those that a task carries (lloydq, Dask) take theirs."""
    with threadpool_limits(number):
        if "cv2" in modules:
            modules["cv2"].setNumThreads(number)
        if "torch" in modules:
            modules["torch"].set_num_threads(number)
        if "daal4py" in modules:
            modules["daal4py"].daalinit(number)
        yield
