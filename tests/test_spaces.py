"""Oklab: the published values, the way there and back, and that fit and assignment happen in the same space."""

import numpy as np
import pytest
from held import whole

from lloydq import apply_palette, lloyd, quantize
from lloydq.spaces import SPACES, colors_of, decoded, encoded, oklab, points_of, srgb

# B. Ottosson, https://bottosson.github.io/posts/oklab/: sRGB white; and what CSS Color 4 has for the primaries
PUBLISHED = {
    (255, 255, 255): (1.000, 0.000, 0.000),
    (0, 0, 0): (0.000, 0.000, 0.000),
    (255, 0, 0): (0.628, 0.225, 0.126),
    (0, 255, 0): (0.866, -0.234, 0.179),
    (0, 0, 255): (0.452, -0.032, -0.312),
}


def grid():
    levels = np.unique(np.rint(np.linspace(0, 255, 32)).astype(np.uint8))
    return np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3)


@pytest.mark.parametrize("color", PUBLISHED)
def test_the_published_values(color):
    np.testing.assert_allclose(oklab(np.array([color], np.uint8))[0], PUBLISHED[color], atol=1e-3)


def test_the_published_pairs_from_xyz():
    """Ottosson's table of XYZ and Oklab, by the matrix from XYZ to linear sRGB (IEC 61966-2-1)."""
    to_light = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]])
    light = to_light @ [0.950, 1.000, 1.089]
    lab = oklab(np.rint(encoded(np.clip(light, 0, 1)) * 255).astype(np.uint8)[None])[0]
    np.testing.assert_allclose(lab, [1, 0, 0], atol=2e-3)


def test_greys_have_no_colour():
    greys = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    lightness, a, b = oklab(greys).T
    assert abs(np.stack([a, b])).max() < 1e-4
    assert (np.diff(lightness) > 0).all()


def test_there_and_back_again():
    colors = grid()
    np.testing.assert_allclose(srgb(oklab(colors)), colors, atol=1e-6)
    for space in SPACES:
        np.testing.assert_array_equal(colors_of(points_of(colors, space), space), colors)
    every = np.stack(np.meshgrid(*[np.arange(0, 256, 3, dtype=np.uint8)] * 3), axis=-1).reshape(-1, 3)
    np.testing.assert_array_equal(colors_of(points_of(every, "oklab"), "oklab"), every)


def test_the_curve_of_srgb():
    levels = np.linspace(0, 1, 1001)
    np.testing.assert_allclose(encoded(decoded(levels)), levels, atol=1e-7)
    assert decoded(np.array([0.5]))[0] == pytest.approx(0.2140411, abs=1e-6)
    assert decoded(np.array([0.0, 1.0])).tolist() == [0, 1]


def test_what_srgb_cannot_show_is_cut_off():
    far = np.array([[1.2, 0.9, 0.9], [-0.1, 0, 0], [0.5, -0.9, 0.9]])
    found = srgb(far)
    assert found.min() >= 0
    assert found.max() <= 255
    assert colors_of(np.array([[300.0, -5.0, 12.4]]), "srgb").tolist() == [[255, 0, 12]]


def test_srgb_is_the_bytes_themselves(rng):
    colors = rng.integers(0, 256, (9, 3)).astype(np.uint8)
    assert points_of(colors, "srgb") is colors or np.shares_memory(points_of(colors, "srgb"), colors)


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("channels", [3, 4])
def test_fit_and_assignment_are_in_the_same_space(space, channels, rng):
    """The centroids of the last step are the means of the points of their pixels; each pixel has its nearest."""
    picture, last = rng.integers(1, 256, (30, 40, channels)).astype(np.uint8), []
    q = quantize(picture, 9, space=space, callback=last.append)
    whole(q, 9, space)
    points = points_of(q.picture.pixels.reshape(-1, channels), space).astype(float)
    centroids = last[-1].centroids
    labels = lloyd.assign(points, centroids)
    means = np.array([points[labels == j].mean(axis=0) for j in range(9)])
    np.testing.assert_allclose(centroids, means, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(np.unique(colors_of(centroids, space), axis=0), np.unique(q.palette.colors, axis=0))


def test_the_spaces_differ(rng):
    picture = rng.integers(0, 256, (40, 50, 3)).astype(np.uint8)
    one, other = (quantize(picture, 12, space=space) for space in SPACES)
    assert one.palette != other.palette
    assert one.mse < other.mse  # which is measured in sRGB


def test_a_given_palette_in_oklab(rng):
    """Where sRGB's levels and Oklab name another nearest colour."""
    picture, palette = (
        rng.integers(0, 256, (40, 50, 3)).astype(np.uint8),
        rng.integers(0, 256, (20, 3)).astype(np.uint8),
    )
    q = apply_palette(picture, palette, space="oklab")
    points, entries = (points_of(colors, "oklab") for colors in (picture.reshape(-1, 3), palette))
    distance = ((points[:, None] - entries) ** 2).sum(axis=2)
    np.testing.assert_array_equal(q.indices.ravel(), distance.argmin(axis=1))
    assert (q.indices != apply_palette(picture, palette).indices).any()
    squares = (picture.reshape(-1, 3) - palette[q.indices.ravel()].astype(float)) ** 2
    assert q.mse == pytest.approx(squares.sum(axis=1).mean(), rel=1e-12)


def test_bad_spaces():
    for space in ("lab", "OKLAB", None, 3):
        with pytest.raises(TypeError, match="space must be one of 'srgb', 'oklab'"):
            quantize(np.zeros((2, 2), np.uint8), 1, space=space)
