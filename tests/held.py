"""What every quantized picture is held to, whatever the options."""

import numpy as np

from lloydq import lloyd
from lloydq.spaces import points_of


def alike(*colors):
    """Colours (n, c) with alpha, if one of them has it."""
    d = max(one.shape[1] for one in colors)
    return [np.pad(one, ((0, 0), (0, d - one.shape[1])), constant_values=255) for one in colors]


def nearest(q, space="srgb"):
    """The nearest palette colour of each pixel by the definition, (n,)."""
    pixels, palette = alike(q.picture.pixels.reshape(-1, q.picture.pixels.shape[2]), q.palette.colors)
    return lloyd.assign(points_of(pixels, space), points_of(palette, space).astype(float))


def whole(q, k, space="srgb", lock=()):
    """All different, as many as asked for, all locked ones, the others in use; every pixel has its nearest."""
    pixels, palette = alike(q.picture.pixels.reshape(-1, q.picture.pixels.shape[2]), q.palette.colors)
    d = palette.shape[1]
    locked = {tuple(int(v) for v in (*color, 255)[:d]) for color in lock}
    entries, colors = [tuple(map(int, color)) for color in palette], {tuple(map(int, pixel)) for pixel in pixels}
    assert len(set(entries)) == len(entries) == min(k, len(colors | locked))
    assert locked <= set(entries)
    counts = np.bincount(q.indices.ravel(), minlength=len(entries))
    assert all(entries[i] in locked for i in np.flatnonzero(counts == 0))
    np.testing.assert_array_equal(q.palette.counts, counts)
    np.testing.assert_array_equal(q.indices.ravel(), nearest(q, space))
    assert q.indices.dtype == (np.uint8 if len(entries) <= 256 else np.uint16)
    assert q.n_distinct == len(colors)
    if len(colors | locked) <= k:
        assert (q.stop_reason, q.mse) == ("few colors", 0)
