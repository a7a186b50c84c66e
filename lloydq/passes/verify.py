"""The self-check: the plain pass beside the fast one, every label against the definition."""

import os
from typing import Self

import numpy as np

from .. import lloyd
from ..lloyd import Array, PlainPass, Sums, chunks


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


def told(X: Array, centroids: Array, labels: Array, expected: Array, rows: slice) -> None:
    """Compare the labels of some rows with what is expected of them."""
    wrong = np.flatnonzero(labels[rows] != expected)
    if len(wrong):
        i = rows.start + int(wrong[0])
        one, other = int(labels[i]), int(expected[wrong[0]])
        a, b = (_distance(X[i], centroids, label) for label in (one, other))
        raise VerificationError(
            f"point {i}, {X[i].tolist()}: label {one} at a squared distance of {a!r}, but the nearest centroid is "
            f"{other} at {b!r}"
        )


def _distance(x: Array, centroids: Array, label: int) -> float:
    if not 0 <= label < len(centroids):
        return float("nan")
    return float(lloyd.squared_distances(x[None], centroids, np.array([label]))[0])


class VerifiedPass(PlainPass):
    """A pass that makes the plain one too, and compares."""

    def __init__(self, fast: PlainPass) -> None:
        super().__init__(fast.X, fast.weight)
        self.fast = fast

    def again(self) -> Self:
        other = super().again()
        other.fast = self.fast.again()
        return other

    def __call__(self, centroids: Array) -> Sums:
        plain, sums = super().__call__(centroids), self.fast(centroids)
        told(self.X, centroids, self.fast.labels, self.labels, slice(0, len(self.X)))
        for name, a, b in (("points", sums.points, plain.points), ("weight", sums.weight, plain.weight)):
            wrong = np.argwhere(a != b)
            if len(wrong):
                at = tuple(wrong[0].tolist())
                raise VerificationError(
                    f"the sum of {name} of cluster {at[0]}: {a[at]!r}, but {b[at]!r} in plain NumPy"
                )
        return sums

    def farthest(self, m: int) -> tuple[Array, Array, Array]:
        plain, fast = super().farthest(m), self.fast.farthest(m)
        if not all(np.array_equal(a, b) for a, b in zip(plain, fast, strict=True)):
            raise VerificationError(
                f"the farthest positions: {fast[0].tolist()}, but {plain[0].tolist()} in plain NumPy"
            )
        return fast

    def labelled(self) -> Array:
        return self.fast.labelled()

    def spread_labels(self, labels: Array, centroids: Array) -> Array:
        spread = self.fast.spread_labels(labels, centroids)
        same_labels(getattr(self.fast, "pixels", self.X), centroids, spread)
        return spread


def verified(fast: PlainPass, verify: bool) -> PlainPass:
    """The pass, checked at every step where that is wanted."""
    return VerifiedPass(fast) if wanted(verify) else fast
