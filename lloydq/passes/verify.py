"""The self-check: the plain pass beside the fast one, every label against the definition."""

import os
from typing import Any, Self

import numpy as np

from .. import lloyd
from ..lloyd import Array, PlainPass, Sums, chunks
from .folded import Folded


class VerificationError(RuntimeError):
    """A fast way gave something else than the plain one: a bug of lloydq, or of the machine."""


def wanted(verify: bool) -> bool:
    """Whether to check: asked for here, or by LLOYDQ_VERIFY=1 for all of the process."""
    return bool(verify) or os.environ.get("LLOYDQ_VERIFY", "") not in ("", "0")


def same_labels(X: Array, centroids: Array, labels: Array) -> None:
    """Compare each label (n,) with the nearest of the centroids (k, d), computed in NumPy.

    Raises
    ------
    VerificationError
        That names the first point that differs, both labels and both distances.
    """
    for rows in chunks(X.shape, len(centroids)):
        told(X, centroids, labels, lloyd.assign(X[rows], centroids), rows)


def told(X: Array, centroids: Array, labels: Array, expected: Array, rows: slice, given: Array | None = None) -> None:
    """Compare the labels of some rows with what is expected of them; X may be folded from the points that are given."""
    wrong = np.flatnonzero(labels[rows] != expected)
    if len(wrong):
        i = rows.start + int(wrong[0])
        one, other = int(labels[i]), int(expected[wrong[0]])
        a, b = (_distance(X[i], centroids, label) for label in (one, other))
        point = i if given is None else int(np.flatnonzero((given == X[i]).all(axis=1))[0])
        raise VerificationError(
            f"point {point}, {X[i].tolist()}: label {one} at a squared distance of {a!r}, but the nearest centroid is "
            f"{other} at {b!r}"
        )


def same_counts(pixels: Array, colors: Array, counts: Array, weight: Array | None = None) -> None:
    """Compare how often each of some colours (m, d) occurs in pixels (n, d), or what it weighs, with NumPy's count.

    Raises
    ------
    VerificationError
        That names the first colour that differs.
    """
    base = 256 ** np.arange(pixels.shape[1])
    codes, at = np.unique(np.concatenate([pixels @ base, colors @ base]), return_inverse=True)
    expected = np.bincount(at[: len(pixels)], weight, len(codes))
    found = np.bincount(at[len(pixels) :], counts, len(codes))
    wrong = np.flatnonzero(found != expected)
    if len(wrong):
        color, a, b = (codes[wrong[0]] // base % 256).tolist(), found[wrong[0]], expected[wrong[0]]
        raise VerificationError(f"colour {color} was counted {a:.15g} times, but {b:.15g} in plain NumPy")


def _distance(x: Array, centroids: Array, label: int) -> float:
    if not 0 <= label < len(centroids):
        return float("nan")
    return float(lloyd.squared_distances(x[None], centroids, np.array([label]))[0])


def same(name: str, found: Any, expected: Any) -> None:
    """Compare what else a pass brings back."""
    if not np.array_equal(found, expected):
        found, expected = np.asarray(found).tolist(), np.asarray(expected).tolist()
        raise VerificationError(f"{name}: {found}, but {expected} in plain NumPy")


class VerifiedPass(PlainPass):
    """A pass that makes the plain one too, and compares."""

    def __init__(self, fast: PlainPass) -> None:
        super().__init__(fast.X, fast.weight)
        self.fast = fast
        self.copies: Array = self.weight > 0  # of how many points that were given each stands for
        self.given: Array | None = None  # those, where they are not the ones that are visited
        if isinstance(fast, Folded):
            self.given, self.copies = fast.pixels, fast.copies
            weight = np.ones(len(fast.pixels)) if fast.given is None else fast.given
            same_counts(fast.pixels, fast.X, fast.copies, weight > 0)
            same_counts(fast.pixels, fast.X, fast.weight, weight)
        for name in ("origin", "T", "variance"):
            same(name, getattr(fast, name), getattr(self, name))

    def again(self) -> Self:
        other = super().again()
        other.fast = self.fast.again()
        return other

    def __call__(self, centroids: Array) -> Sums:
        before = self.labels.copy()
        plain, sums = super().__call__(centroids), self.fast(centroids)
        told(self.X, centroids, self.fast.labels, self.labels, slice(0, len(self.X)), self.given)
        for name, a, b in (("points", sums.points, plain.points), ("weight", sums.weight, plain.weight)):
            for cluster in np.flatnonzero((a != b).reshape(len(a), -1).any(axis=1))[:1]:
                same(f"the sum of {name} of cluster {cluster}", a[cluster], b[cluster])
        same("changed", sums.changed, int(self.copies[self.labels != before].sum()))
        return sums

    def farthest(self, m: int) -> tuple[Array, Array, Array]:
        plain, fast = super().farthest(m), self.fast.farthest(m)
        for name, a, b in zip(("positions", "weights", "labels"), fast, plain, strict=True):
            same(f"{name} that are farthest", a, b)
        return fast

    def labelled(self) -> Array:
        labels = self.fast.labelled()
        if self.given is not None:
            same_labels(self.given, self.centroids, labels)
        return labels

    def spread_labels(self, labels: Array, centroids: Array) -> Array:
        spread = self.fast.spread_labels(labels, centroids)
        same_labels(self.X if self.given is None else self.given, centroids, spread)
        return spread


def verified(fast: PlainPass, verify: bool) -> PlainPass:
    """The pass, checked at every step where that is wanted."""
    return VerifiedPass(fast) if wanted(verify) else fast
