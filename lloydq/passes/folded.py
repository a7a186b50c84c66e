"""For rows of bytes: a pass over the distinct ones, each of which counts as often as it occurs."""

import numpy as np

from ..colors import DistinctColors
from ..lloyd import Array, Sums
from .blocks import BlockPass
from .bounds import BoundsPass
from .dense import DensePass
from .nearest import assign


class Folded(DensePass):
    """To be put before the pass that visits the distinct rows."""

    def __init__(
        self, pixels: Array, weight: Array | None = None, n_threads: int | None = None, *, cuts: Array | None = None
    ) -> None:
        distinct = DistinctColors(pixels, n_threads, weight)
        colors, summed = distinct.colors, distinct.weight
        self.pixels, self.given, self.copies = pixels, weight, summed if weight is None else distinct.counts
        del distinct  # 8 bytes for each colour
        super().__init__(colors, summed, n_threads, cuts=cuts)

    def count(self, rows: slice, changed: Array, moved: int) -> int:
        return int(self.copies[rows][changed].sum())

    def __call__(self, centroids: Array) -> Sums:
        sums = super().__call__(centroids)
        sums.skipped = len(self.pixels) * len(centroids) - sums.computed
        return sums

    def labelled(self) -> Array:
        return assign(self.pixels, self.centroids, self.n_threads)

    def spread_labels(self, labels: Array, centroids: Array) -> Array:
        return assign(self.pixels, centroids, self.n_threads)


class FoldedBlocks(Folded, BlockPass):
    """Of three columns."""


class FoldedBounds(Folded, BoundsPass):
    """Of one, two or four."""


def folds(weight: Array | None) -> bool:
    """Whether rows of bytes can be folded and the sums stay what they are: with weights that are whole numbers."""
    return weight is None or bool((weight == np.floor(weight)).all() and weight.sum() < 2.0**53)
