"""What it costs that draws hang neither on the order of the rows nor on repetition: the share of a whole fit.

How much longer the seeding takes than one that draws from the rows as they stand, by the time of the fit (one start,
default tol), both in this run, the least of several times.
"""

from time import perf_counter

import numpy as np
import pytest

import lloydq
from lloydq.seeding import Starts

from . import data


class AsTheyStand:
    """Rows in their own order: one running sum over all of them, as scikit-learn draws."""

    def __init__(self, X, weight):
        self.X, self.weight, self.n_threads = X, np.ones(len(X)) if weight is None else weight, None

    def draw(self, uniform, factor):
        ends = np.cumsum(self.weight * factor)
        return np.searchsorted(ends, uniform * ends[-1], side="right").clip(max=len(ends) - 1)

    def equals(self, row):
        return np.array([row])


def blobs(n, d):
    rng = np.random.default_rng(0)
    return rng.normal(size=(50, d))[rng.integers(0, 50, n)] * 3 + rng.normal(size=(n, d))


def groups(n):
    """So far from each other that a fit ends after a few iterations: hardly anything to hide the seeding behind."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, 2)) + rng.integers(0, 8, (n, 1)) * 100


def one_hot(n, d):
    return np.eye(d)[np.random.default_rng(0).integers(0, d, n)]


def colours(k):
    return *data.colours(), k


CASES = {
    "2,000 pixels, k = 64": lambda: (data.sample(), None, 64),
    "104,487 colours, k = 16": lambda: colours(16),
    "104,487 colours, k = 64": lambda: colours(64),
    "104,487 colours, k = 256": lambda: colours(256),
    "1,000 × 8, k = 8": lambda: (blobs(1_000, 8), None, 8),
    "20,000 × 3, k = 8": lambda: (blobs(20_000, 3), None, 8),
    "33,000 × 2 in groups, k = 8": lambda: (groups(33_000), None, 8),
    "100,000 × 30 one-hot, k = 8": lambda: (one_hot(100_000, 30), None, 8),
    "200,000 × 2, k = 64": lambda: (blobs(200_000, 2), None, 64),
    "1,000,000 × 2, k = 8": lambda: (blobs(1_000_000, 2), None, 8),
    "1,000,000 × 8, k = 8": lambda: (blobs(1_000_000, 8), None, 8),
    "10,000,000 × 2, k = 8": lambda: (blobs(10_000_000, 2), None, 8),
    "100,000 × 100, k = 10": lambda: (blobs(100_000, 100), None, 10),
}


def seconds(function, rounds):
    """The least of several runs: differences of anything else drown in noise."""
    times = []
    for _ in range(rounds):
        start = perf_counter()
        function()
        times.append(perf_counter() - start)
    return min(times)


@pytest.mark.slow
@pytest.mark.parametrize("init", ["k-means++", "random"])
@pytest.mark.parametrize("what", CASES)
def test_share_of_the_fit(benchmark, clock, what, init):
    X, weight, k = CASES[what]() if clock.budget else (data.sample(), None, 3)
    rounds = 1 if not clock.budget else 4 if X.size > 1_000_000 else 25

    def draw(positions=None):
        starts = Starts(X, weight, k, init, None, given=X)
        if positions is not None:
            starts.positions = positions
        starts.draw(np.random.default_rng(0))

    def fit():
        lloydq.KMeans(k, init=init, n_init=1, random_state=0).fit(X, sample_weight=weight)

    benchmark.pedantic(fit, rounds=rounds, warmup_rounds=1)
    extra = seconds(draw, rounds) - seconds(lambda: draw(AsTheyStand(X, weight)), rounds)
    share = extra / seconds(fit, rounds)
    benchmark.extra_info |= {
        "case": {"group": "fits, and what drawing by value takes of them", "name": f"{what}, {init}"},
        "name": "lloydq", "shape": X.shape, "k": k, "share": share,
        "told": f"{share:.1%} for drawing by value" if share > 0 else "drawing by value is the faster way",
    }  # fmt: skip
