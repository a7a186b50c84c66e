"""Ways to make a pass with kernels, and which one suits the data. All give the labels and sums of `lloyd.PlainPass`."""

import numpy as np

from ..lloyd import Array, PlainPass
from .blocks import BlockPass, FoldedPass
from .bounds import BoundsPass
from .dense import DensePass
from .nearest import assign, distances, scatter, tiny
from .verify import VerificationError, same_labels, verified, wanted
from .wide import GroupsPass

__all__ = [
    "ALGORITHMS", "BlockPass", "BoundsPass", "DensePass", "FoldedPass", "GroupsPass", "VerificationError", "assign",
    "distances", "same_labels", "scatter", "suited", "verified", "wanted",
]  # fmt: skip

ALGORITHMS = (
    "auto",
    "lloyd",
    "elkan",
    "plain",
    "dense",
    "bounds",
    "groups",
    "blocks",
)  # the first three: the fastest exact way
SMALL = 1 << 15  # n·k·d up to which comparing all (10 µs) is as fast as finding out which
WIDE = 4096  # columns up to which rounding is less than the bounds leave for it
GROUPED = (
    16,
    1500,
)  # k, and k·d, from which bounds for groups of centroids win: at d = 2 from k = 700, at 16 from 80, at 48 from 30
FOLD = 1 << 12  # pixels from which bounds on their distinct colours (0.2 ms to set up) are faster than comparing all


def suited(X: Array, weight: Array | None, k: int, n_threads: int | None = None, algorithm: str = "auto") -> PlainPass:
    """The pass that suits the points and k, or that of the name."""
    pixels = X.dtype == np.uint8 and X.shape[1] == 3
    if algorithm == "blocks" and not pixels:
        raise ValueError(f"algorithm='blocks' is for uint8 points of three columns; got {X.dtype} {X.shape}")
    if algorithm in ("auto", "lloyd", "elkan"):
        algorithm = fastest(X, k, pixels)
    if algorithm == "blocks":
        return FoldedPass(X, n_threads) if weight is None else BlockPass(X, weight, n_threads)
    if algorithm == "plain":
        return PlainPass(X, weight)
    return {"dense": DensePass, "bounds": BoundsPass, "groups": GroupsPass}[algorithm](X, weight, n_threads)


def fastest(X: Array, k: int, pixels: bool) -> str:
    """The name of the pass that is the fastest."""
    if tiny(X, k):
        return "plain"
    if X.size * k <= SMALL or X.shape[1] > WIDE:
        return "dense"
    if pixels and len(X) >= FOLD:
        return "blocks"
    return "groups" if k >= GROUPED[0] and k * X.shape[1] >= GROUPED[1] else "bounds"
