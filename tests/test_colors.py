"""Distinct colours with counts."""

import numpy as np
import pytest

import lloydq
from lloydq.colors import FEW, DistinctColors, codes
from lloydq.kernels import FULL


@pytest.mark.parametrize("n", [1, 2, 1000, FEW, FEW + 1, 100_003])
@pytest.mark.parametrize("levels", [2, 256])
def test_they_are_those_that_numpy_finds(n, levels, rng):
    pixels = rng.integers(0, levels, (n, 3)).astype(np.uint8) * (255 // (levels - 1))
    found = DistinctColors(pixels, 3)
    colors, counts = np.unique(pixels, axis=0, return_counts=True)
    order = np.lexsort(found.colors.T[::-1])
    np.testing.assert_array_equal(found.colors[order], colors)
    np.testing.assert_array_equal(found.counts[order], counts)
    assert found.counts.sum() == n


@pytest.mark.parametrize("d", [1, 2, 3, 4])
def test_other_channels_and_weights(d, rng, monkeypatch):
    monkeypatch.setattr(lloydq.colors, "PIECE", 30_000)
    pixels = rng.integers(0, 5, (100_003, d)).astype(np.uint8) * 63
    weight = rng.integers(0, 3, len(pixels)).astype(np.float64)
    for w in (None, weight):
        rows = np.arange(len(pixels)) if w is None else np.flatnonzero(w)
        colors, at, counts = np.unique(pixels[rows], axis=0, return_inverse=True, return_counts=True)
        found = DistinctColors(pixels, 2, w)
        order = np.lexsort(found.colors.T[::-1])
        np.testing.assert_array_equal(found.colors[order], colors)
        np.testing.assert_array_equal(found.counts[order], counts)
        np.testing.assert_array_equal(found.weight[order], np.bincount(at, None if w is None else w[rows]))


@pytest.mark.parametrize("d", [1, 2, 3, 4])
def test_nothing_weighs_anything(d):
    found = DistinctColors(np.ones((9, d), np.uint8), 1, np.zeros(9))
    assert found.colors.shape == (0, d)
    assert found.counts.shape == found.weight.shape == (0,)


def test_a_colour_of_more_pixels_than_a_counter_holds():
    pixels = np.zeros((5 * FULL + 7, 3), np.uint8)
    pixels[: 2 * FULL + 1] = 200
    pixels[2 * FULL + 1] = 201
    for n_threads in (1, 2):
        found = DistinctColors(pixels, n_threads)
        assert found.colors.tolist() == [[0, 0, 0], [200, 200, 200], [201, 201, 201]]
        assert found.counts.tolist() == [3 * FULL + 5, 2 * FULL + 1, 1]


@pytest.mark.parametrize("n", [100, 100_003])
def test_they_stand_in_the_order_of_their_codes(n, rng):
    found = codes(DistinctColors(rng.integers(0, 256, (n, 3)).astype(np.uint8)).colors).astype(int)
    assert (np.diff(found) > 0).all()
    assert 0 <= found[0] < found[-1] < 1 << 24


def test_read_only_and_strided_pixels(rng):
    pixels = rng.integers(0, 256, (80_000, 3)).astype(np.uint8)
    pixels.flags.writeable = False
    for view in (pixels, pixels[::2], pixels[:, ::-1]):
        assert len(DistinctColors(view).colors) == len(np.unique(view, axis=0))


def test_neighbours_in_the_list_are_neighbours_in_the_cube(photo_colors):
    colors = photo_colors[0].astype(int)
    blocks = colors[: len(colors) // 256 * 256].reshape(-1, 256, 3)
    assert np.median(blocks.max(axis=1) - blocks.min(axis=1)) <= 32
