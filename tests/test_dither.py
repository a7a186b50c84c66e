"""Dithering, held to a version that searches the whole palette for every pixel."""

import numpy as np
import pytest
from held import alike

from lloydq import apply_palette, quantize
from lloydq.dither import KINDS, LEVELS, ROWS, bayer, blue_noise
from lloydq.spaces import SPACES, points_of

ORDERED = {"bayer": bayer, "blue-noise": blue_noise}
DITHERS = [kind for kind in KINDS if kind != "none"]


def nearest(x, palette):
    """The lowest of the nearest, all of them compared by the definition."""
    distance = np.zeros(len(palette))
    for value, column in zip(x, palette.T, strict=True):
        distance += (value - column) * (value - column)
    return int(distance.argmin())


def gap(palette, j):
    """How far it is from a colour to the next other one."""
    distances = np.sqrt(((palette - palette[j]) ** 2).sum(axis=1))
    return min(distances[distances > 0], default=0.0)


def cut(error, most):
    """No longer than that."""
    square = 0.0
    for part in error:
        square += part * part
    return error * (most / np.sqrt(square)) if square > most * most else error


def diffused(X, palette, strength):
    """Floyd and Steinberg's, in turns to the right and to the left: X (H, W, d), palette (k, d), both float64."""
    height, width, d = X.shape
    low, high = palette.min(axis=0), palette.max(axis=0)
    errors, labels = np.zeros((height + 1, width + 2, d)), np.zeros((height, width), int)
    for y in range(height):
        step = 1 if y % 2 == 0 else -1
        for x in range(width)[::step]:
            own = nearest(X[y, x], palette)
            if (X[y, x] == palette[own]).all():
                labels[y, x] = own
                continue
            wanted = np.clip(X[y, x] + cut(errors[y, x + 1], gap(palette, own)), low, high)
            label = labels[y, x] = nearest(wanted, palette)
            part = (wanted - palette[label]) * strength / 16
            errors[y, x + 1 + step] += 7 * part
            errors[y + 1, x + 1 - step] += 3 * part
            errors[y + 1, x + 1] += 5 * part
            errors[y + 1, x + 1 + step] += part
    return labels


def mixed(X, palette, lightness, strength, thresholds):
    """Knoll's: the colours that make up each pixel's, from dark to light, and of them the one of the pattern."""
    height, width, d = X.shape
    low, high, rank = palette.min(axis=0), palette.max(axis=0), np.argsort(np.argsort(lightness, kind="stable"))
    labels, side = np.zeros((height, width), int), len(thresholds)
    for y in range(height):
        for x in range(width):
            own, left, mixture = nearest(X[y, x], palette), np.zeros(d), []
            for _ in range(LEVELS):
                left = cut(left, gap(palette, own))
                label = nearest(np.clip(X[y, x] + strength * left, low, high), palette)
                left = left + (np.clip(X[y, x], low, high) - palette[label])
                mixture.append(label)
            mixture.sort(key=rank.__getitem__)
            labels[y, x] = mixture[thresholds[y % side, x % side]]
    return labels


def naive(pixels, colors, space, kind, strength):
    flat, colors = alike(pixels.reshape(-1, pixels.shape[2]), colors)
    X = points_of(flat, space).astype(float).reshape(*pixels.shape[:2], -1)
    palette = points_of(colors, space).astype(float)
    if kind == "floyd-steinberg":
        return diffused(X, palette, strength)
    lightness = points_of(colors[:, :3], "oklab")[:, 0]
    return mixed(X, palette, lightness, strength, ORDERED[kind]())


def picture(rng, channels, shape=(11, 13)):
    """Noise, a gradient, and an area that is not seen where that can be."""
    found = rng.integers(0, 256, (*shape, channels)).astype(np.uint8)
    found[: shape[0] // 2, :, :3] = np.linspace(20, 220, shape[1])[:, None].astype(np.uint8)
    if channels == 4:
        found[2:4, 3:7] = 0
        found[-2:, :, 3] = 255
    return found


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("kind", DITHERS)
@pytest.mark.parametrize("k", [1, 2, 7, 40, 300])
def test_the_same_as_the_naive_version(k, kind, space, channels, rng):
    pixels, palette = picture(rng, channels), rng.integers(0, 256, (k, channels)).astype(np.uint8)
    if channels == 4:
        palette[: k // 2, 3] = 255
        palette[-1] = 0
    for strength in (1.0, 0.6) if k < 300 else (1.0,):
        q = apply_palette(pixels, palette, space=space, dither=kind, strength=strength)
        expected = naive(q.picture.pixels, palette, space, kind, strength)
        np.testing.assert_array_equal(q.indices, expected)
        assert q.indices.dtype == (np.uint8 if k <= 256 else np.uint16)


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("kind", DITHERS)
def test_palettes_of_the_picture_and_tall_ones(kind, space, rng):
    """Colours that are near each other; rows that are diffused in several goes; one column."""
    pixels = np.clip(rng.normal(120, 30, (ROWS + 7, 4, 3)), 0, 255).astype(np.uint8)
    q = quantize(pixels, 9, space=space, dither=kind)
    np.testing.assert_array_equal(q.indices, naive(pixels, q.palette.colors, space, kind, 1.0))
    thin = pixels[:, :1]
    q = apply_palette(thin, q.palette, space=space, dither=kind)
    np.testing.assert_array_equal(q.indices, naive(thin, q.palette.colors, space, kind, 1.0))


@pytest.mark.parametrize("kind", DITHERS)
def test_ties_and_palettes_that_name_a_colour_twice(kind, rng):
    palette = np.array([[0, 0, 0], [10, 10, 10], [0, 0, 0], [10, 10, 10], [20, 20, 20], [10, 10, 10]], np.uint8)
    pixels = np.repeat(rng.integers(0, 21, (12, 15, 1)).astype(np.uint8), 3, axis=2)
    q = apply_palette(pixels, palette, dither=kind)
    np.testing.assert_array_equal(q.indices, naive(pixels, palette, "srgb", kind, 1.0))
    assert set(q.indices.ravel()) == {0, 1, 4}


@pytest.mark.parametrize("kind", DITHERS)
def test_a_colour_that_is_named_twice_changes_nothing(kind):
    grey = np.full((64, 64, 3), 100, np.uint8)
    once = apply_palette(grey, ["#000", "#fff"], dither=kind)
    for palette in (["#000", "#fff", "#000"], ["#000", "#000", "#fff", "#fff"]):
        np.testing.assert_array_equal(apply_palette(grey, palette, dither=kind).pixels, once.pixels)


@pytest.mark.parametrize("kind", DITHERS)
@pytest.mark.parametrize("channels", [3, 4])
def test_no_strength_is_no_dithering(kind, channels, rng):
    pixels = picture(rng, channels)
    plain = quantize(pixels, 6)
    assert quantize(pixels, 6, dither=kind, strength=0).png == plain.png
    assert quantize(pixels, 6, dither="none", strength=1).png == plain.png
    assert quantize(pixels, 6, dither=kind).png != plain.png
    assert quantize(pixels, 6, dither=kind).palette == plain.palette


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("kind", DITHERS)
@pytest.mark.parametrize("channels", [3, 4])
def test_a_picture_within_its_palette_comes_back_untouched(channels, kind, space, rng):
    palette = rng.integers(0, 256, (30, channels)).astype(np.uint8)
    if channels == 4:
        palette[0] = 0
    pixels = palette[rng.integers(0, 30, (20, 25))]
    q = apply_palette(pixels, palette, space=space, dither=kind)
    np.testing.assert_array_equal(q.pixels, q.picture.pixels)
    assert q.mse == 0
    assert quantize(pixels, 40, dither=kind).mse == 0


@pytest.mark.parametrize("kind", DITHERS)
def test_palette_colours_stay_within_a_picture_that_is_dithered(kind, rng):
    pixels = picture(rng, 3, (30, 40))
    pixels[10:20, 10:30] = [255, 0, 0]
    q = apply_palette(pixels, ["#000", "#fff", "#f00", "#0f0", "#00f"], dither=kind)
    assert (q.pixels[10:20, 10:30] == [255, 0, 0]).all()


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("kind", DITHERS)
def test_what_is_not_seen_stays_so_and_what_is_opaque_too(kind, space, rng):
    pixels = picture(rng, 4, (30, 40))
    pixels[:, :, 3] = 255
    pixels[5:20, 8:30] = 0
    for k in (2, 5, 20):
        q = quantize(pixels, k, space=space, dither=kind)
        np.testing.assert_array_equal(q.pixels[:, :, 3], pixels[:, :, 3])
        assert len(set(q.indices[pixels[:, :, 3] == 0])) == 1
    if kind == "floyd-steinberg":
        assert quantize(pixels, 5, dither=kind).encode("GIF")


@pytest.mark.parametrize("grey", [13, 64, 100, 128, 200, 240])
def test_areas_have_their_own_colour_on_average(grey):
    pixels = np.full((64, 96, 3), grey, np.uint8)
    for kind in DITHERS:
        q = apply_palette(pixels, ["#000000", "#ffffff"], dither=kind)
        exactness = 0.01 if kind == "floyd-steinberg" else 0.5 / LEVELS
        assert abs(q.pixels.mean() - grey) <= 255 * exactness
        assert abs(q.pixels[16:48, 16:80].mean() - grey) <= 255 * (exactness + 0.01)
    plain = apply_palette(pixels, ["#000000", "#ffffff"])
    assert len(np.unique(plain.indices)) == 1


@pytest.mark.parametrize("kind", DITHERS)
def test_a_photograph_is_nearer_when_seen_from_afar(kind, photo):
    pixels = photo.reshape(1080, 1920, 3)[300:556, 700:1020]

    def blurred(pixels):
        return pixels.reshape(64, 4, 80, 4, 3).mean(axis=(1, 3))

    plain, q = quantize(pixels, 16, tol=1e-3), quantize(pixels, 16, dither=kind, tol=1e-3)
    error = [((blurred(one.pixels.astype(float)) - blurred(pixels)) ** 2).mean() for one in (plain, q)]
    assert error[1] < 0.9 * error[0]
    assert plain.mse < q.mse < 4 * plain.mse
    assert q.palette == plain.palette
    exact = ((q.pixels.astype(float) - pixels) ** 2).sum(axis=2).mean()
    assert q.mse == pytest.approx(exact, rel=1e-12)
    np.testing.assert_array_equal(q.palette.counts, np.bincount(q.indices.ravel(), minlength=16))


def test_patterns_have_each_level_equally_often():
    assert sorted(bayer().ravel().tolist()) == list(range(LEVELS))
    assert (bayer() // 4)[:4, :4].tolist() == [[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]
    assert np.bincount(blue_noise().ravel()).tolist() == [blue_noise().size // LEVELS] * LEVELS
    assert blue_noise().shape == (64, 64)


def test_blue_noise_is_even_and_has_no_pattern():
    """In every square of 8 × 8, wherever it is cut, there are about as many below each level as anywhere."""
    chance = np.random.default_rng(0).permutation(64 * 64).reshape(64, 64) * LEVELS // 64**2

    def unevenness(thresholds):
        found = []
        for level in range(1, LEVELS):
            below = np.tile(thresholds < level, (2, 2)).cumsum(axis=0).cumsum(axis=1)
            squares = below[8:72, 8:72] - below[:64, 8:72] - below[8:72, :64] + below[:64, :64]
            found.append(squares.std())
        return np.mean(found)

    assert unevenness(blue_noise()) < 0.35 * unevenness(chance)
    repeated = [(blue_noise() == np.roll(blue_noise(), shift, axis)).mean() for shift in (4, 8, 16) for axis in (0, 1)]
    assert max(repeated) < 2 / LEVELS


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dither": "fs"}, "dither must be one of 'none', 'floyd-steinberg', 'bayer', 'blue-noise'; got 'fs'"),
        ({"dither": True}, "dither must be one of"),
        ({"dither": "bayer", "strength": 1.1}, "strength must be a number from 0 to 1; got 1.1"),
        ({"strength": -0.1}, "strength must be a number from 0 to 1; got -0.1"),
        ({"strength": float("nan")}, "strength must be a number from 0 to 1; got nan"),
        ({"strength": "1"}, "strength must be a number from 0 to 1; got '1'"),
    ],
)
def test_bad_options(options, message):
    for call in (lambda: quantize(np.zeros((2, 2), np.uint8), 1, **options),
                 lambda: apply_palette(np.zeros((2, 2), np.uint8), [[0, 0, 0]], **options)):  # fmt: skip
        with pytest.raises(TypeError, match=message):
            call()
