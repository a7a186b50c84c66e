"""Starting centroids."""

import numpy as np
import pytest

from lloydq import seeding
from lloydq.seeding import kmeans_plusplus, starting_centroids


def test_every_start_is_a_row_and_none_repeats(rng):
    X = rng.normal(size=(200, 2))
    start = kmeans_plusplus(X, 20, 0)
    assert len(np.unique(start, axis=0)) == 20
    assert {tuple(c) for c in start} <= {tuple(x) for x in X}


def test_kernels_and_numpy_draw_the_same(rng, monkeypatch):
    for X in (rng.normal(size=(20_000, 3)), rng.integers(0, 256, (20_000, 3)).astype(np.uint8)):
        for weight in (None, rng.random(20_000)):
            compiled = [kmeans_plusplus(X, 12, 5, weight, n_threads) for n_threads in (1, 3)]
            with monkeypatch.context() as patch:
                patch.setattr(seeding, "TINY", X.size * 12)
                plain = kmeans_plusplus(X, 12, 5, weight)
            np.testing.assert_array_equal(compiled[0], plain)
            np.testing.assert_array_equal(compiled[1], plain)


def test_weightless_rows_are_never_drawn(rng):
    X, weight = np.arange(40.0)[:, None], np.zeros(40)
    weight[[3, 7, 30]] = 0.1, 5, 2
    for seed in range(20):
        assert set(kmeans_plusplus(X, 3, seed, weight).ravel()) == {3.0, 7.0, 30.0}


def test_rows_repeat_when_every_position_is_taken():
    start = kmeans_plusplus(np.array([[1.0], [2.0], [1.0]]), 3, 0)
    assert set(start.ravel()) == {1.0, 2.0}


def test_far_groups_are_each_hit(rng):
    X = np.concatenate([rng.normal(center, 0.1, (100, 2)) for center in (0, 50, 100, 150)])
    for seed in range(10):
        assert {round(x / 50) for x in kmeans_plusplus(X, 4, seed)[:, 0]} == {0, 1, 2, 3}


def test_given_starts(rng):
    X = rng.normal(size=(10, 2))

    def function(X, k, random_state):
        assert isinstance(random_state, np.random.RandomState)
        return X[random_state.permutation(len(X))[:k]]

    start = starting_centroids(X, 3, function, np.random.default_rng(0), None, None)
    assert start.dtype == np.float64
    assert {tuple(c) for c in start} <= {tuple(x) for x in X}
    with pytest.raises(ValueError, match=r"init must have shape \(3, 2\)"):
        starting_centroids(X, 3, lambda X, k, random_state: X, np.random.default_rng(0), None, None)
