"""The points: generated mixtures, the photograph, and what ships with scikit-learn."""

from functools import lru_cache
from pathlib import Path

import numpy as np

import lloydq

PHOTO = Path(lloydq.__file__).parent / "data" / "dandelion.jpg"
CENTRES = 50  # of the mixture
most_rows = 1 << 40  # the smoke run wants few


def mixture(n, d, part=None):
    """(n, d) float32: normal clouds of variance 1 about 50 centres of variance 6.25, which overlap; or more of them."""
    n, rng = min(n, most_rows), np.random.default_rng(0)
    centres = (2.5 * rng.normal(size=(CENTRES, d))).astype(np.float32)
    rng = rng if part is None else np.random.default_rng([0, part])
    points = rng.standard_normal((n, d), np.float32)
    for first in range(0, n, 1 << 20):  # piece by piece: 100 million rows are there only once
        piece = points[first : first + (1 << 20)]
        piece += centres[rng.integers(0, CENTRES, len(piece))]
    return points


@lru_cache
def photograph():
    """(2073600, 3) uint8."""
    return lloydq.pixels(PHOTO)


@lru_cache
def colours():
    """The photograph's distinct colours (n, 3) uint8 and how many pixels have each."""
    from lloydq.colors import DistinctColors

    found = DistinctColors(photograph())
    return found.colors, found.counts.astype(float)


def sample(n=2000):
    """(n, 3) uint8, pixels of the photograph drawn at random."""
    return np.random.default_rng(0).choice(photograph(), n, replace=False)


def patches(side, n=100_000):
    """(n, 3·side²) uint8, squares of the photograph at random places."""
    picture, rng = photograph().reshape(1080, 1920, 3), np.random.default_rng(0)
    places = rng.integers(0, (1080 - side, 1920 - side), (min(n, most_rows), 2))
    return np.stack([picture[y : y + side, x : x + side].ravel() for y, x in places])


def shipped(name):
    """Pixels of scikit-learn's china.jpg or flower.jpg, (273280, 3) uint8, or its digits, (1797, 64) float64."""
    from sklearn import datasets

    if name == "digits":
        return datasets.load_digits().data
    return datasets.load_sample_image(name).reshape(-1, 3)
