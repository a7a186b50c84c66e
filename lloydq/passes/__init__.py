"""Ways to make a pass with kernels, and which one suits the data. All give the labels and sums of `lloyd.PlainPass`."""

from typing import Any

import numpy as np

from ..lloyd import Array, PlainPass
from .blocks import BlockPass
from .bounds import BoundsPass
from .dense import DensePass
from .folded import FoldedBlocks, FoldedBounds, folds
from .nearest import assign, distances, exact, float_of, scatter, tiny
from .verify import VerificationError, VerifiedPass, same, same_counts, same_labels, verified, wanted
from .wide import GroupsPass

__all__ = [
    "ALGORITHMS", "BlockPass", "BoundsPass", "DensePass", "FoldedBlocks", "FoldedBounds", "GroupsPass",
    "VerificationError", "VerifiedPass", "assign", "distances", "exact", "float_of", "same", "same_counts",
    "same_labels", "scatter", "suited", "verified", "wanted",
]  # fmt: skip

# The first three: the fastest exact way
ALGORITHMS = ("auto", "lloyd", "elkan", "plain", "dense", "bounds", "groups", "blocks")
SMALL = 1 << 15  # n·k·d up to which comparing all (10 µs) is as fast as finding out which
WIDE = 4096  # columns up to which rounding is less than the bounds leave for it
# k, and k·d, from which bounds for groups of centroids win: on patches of photographs from 2000 to 3000 on, up to three
# times as fast; on well separated blobs they never do, and are up to a third slower
GROUPED = 64, 3000
FOLD = 1 << 12  # pixels from which bounds on their distinct colours (0.2 ms to set up) are faster than comparing all


KINDS: dict[str, Any] = {
    "plain": PlainPass, "dense": DensePass, "bounds": BoundsPass, "groups": GroupsPass, "blocks": BlockPass,
    "folded blocks": FoldedBlocks, "folded bounds": FoldedBounds,
}  # fmt: skip


def suited(
    X: Array,
    weight: Array | None,
    k: int,
    n_threads: int | None = None,
    algorithm: str = "auto",
    *,
    distinct: bool = False,
    cuts: Array | None = None,
) -> PlainPass:
    """The pass that suits the points and k, or that of the name. It may fold rows of bytes that are not distinct.

    Where X is a part of more, with the cuts of all.
    """
    if algorithm in ("auto", "lloyd", "elkan"):
        algorithm = fastest(X, k)
    elif algorithm == "blocks" and not (X.dtype == np.uint8 and X.shape[1] == 3):
        raise ValueError(f"algorithm='blocks' is for uint8 points of three columns; got {X.dtype} {X.shape}")
    if algorithm == "folded bounds" and (distinct or not folds(weight)):
        algorithm = "bounds"
    elif algorithm == "blocks" and not distinct and folds(weight):
        algorithm = "folded blocks"
    make = KINDS[algorithm]
    return make(X, weight, cuts=cuts) if make is PlainPass else make(X, weight, n_threads, cuts=cuts)


def fastest(X: Array, k: int) -> str:
    """The name of the pass that is the fastest."""
    n, d = X.shape
    if tiny(X, k):
        return "plain"
    if n * k * d <= SMALL or d > WIDE:
        return "dense"
    if X.dtype == np.uint8 and d <= 4 and n >= FOLD:
        return "blocks" if d == 3 else "folded bounds"
    return "groups" if k >= GROUPED[0] and k * d >= GROUPED[1] else "bounds"
