"""Distinct colours with counts, and the way back."""

import numpy as np
import pytest

from lloydq.colors import FEW, DistinctColors


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


@pytest.mark.parametrize("n", [500, 100_003])
def test_a_value_for_each_colour_becomes_one_for_each_pixel(n, rng):
    pixels = rng.integers(0, 256, (n, 3)).astype(np.uint8)
    found = DistinctColors(pixels)
    np.testing.assert_array_equal(found.colors[found.spread(np.arange(len(found.colors)))], pixels)
    for values in (np.ones(len(found.colors), np.uint8), np.full(len(found.colors), 70_000, np.int32)):
        spread = found.spread(values)
        assert spread.dtype == values.dtype
        assert (spread == values[0]).all()


def test_read_only_and_strided_pixels(rng):
    pixels = rng.integers(0, 256, (80_000, 3)).astype(np.uint8)
    pixels.flags.writeable = False
    for view in (pixels, pixels[::2], pixels[:, ::-1]):
        assert len(DistinctColors(view).colors) == len(np.unique(view, axis=0))


def test_neighbours_in_the_list_are_neighbours_in_the_cube(photo_colors):
    colors = photo_colors[0].astype(int)
    blocks = colors[: len(colors) // 256 * 256].reshape(-1, 256, 3)
    assert np.median(blocks.max(axis=1) - blocks.min(axis=1)) <= 32
