"""One palette for several pictures."""

import numpy as np
import pytest
from PIL import Image

from lloydq import Palette, apply_palette, quantize, shared_palette
from lloydq.colors import DistinctColors
from lloydq.spaces import SPACES


@pytest.fixture(scope="module")
def crops(photo_path):
    """Twenty parts of the photograph, some of them mirrored, of different sizes."""
    with Image.open(photo_path) as image:
        picture = np.asarray(image.resize((240, 135)))
    rng = np.random.default_rng(3)
    found = []
    for i in range(20):
        (y, x), (height, width) = rng.integers(0, (60, 120)), rng.integers(20, (60, 100))
        found.append(picture[y : y + height, x : x + width][:: 1 - 2 * (i % 2), :: 1 - 2 * (i // 2 % 2)])
    return found


def joined(pictures):
    """All their pixels in one row."""
    return np.concatenate([picture.reshape(-1, picture.shape[2]) for picture in pictures])[None]


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("k", [1, 7, 64, 300])
def test_it_is_that_of_all_pixels_in_one_picture(k, space, crops):
    palette = shared_palette(crops, k, space=space, tol=1e-3)
    q = quantize(joined(crops), k, space=space, tol=1e-3)
    assert palette == q.palette
    np.testing.assert_array_equal(palette.counts, q.palette.counts)


def test_the_order_of_the_pictures_says_nothing(crops, rng):
    expected = shared_palette(crops, 40)
    for _ in range(3):
        shuffled = [crops[i] for i in rng.permutation(20)]
        found = shared_palette(iter(shuffled), 40, n_threads=1)
        assert found == expected
        np.testing.assert_array_equal(found.counts, expected.counts)
    mirrored = [crop[:, ::-1] for crop in crops]
    assert shared_palette(mirrored, 40) == expected
    assert shared_palette(crops, 40, n_threads=3) == expected


def test_it_serves_each_picture(crops):
    palette = shared_palette(crops, 40)
    errors = [apply_palette(crop, palette) for crop in crops]
    counts = sum(np.bincount(q.indices.ravel(), minlength=40) for q in errors)
    np.testing.assert_array_equal(palette.counts, counts)
    total = sum(q.mse * q.indices.size for q in errors) / sum(q.indices.size for q in errors)
    assert total == pytest.approx(quantize(joined(crops), 40).mse, rel=1e-12)
    alone = quantize(crops[0], 40)
    assert alone.mse < errors[0].mse < 4 * alone.mse


@pytest.mark.parametrize("order", [1, -1])
def test_pictures_with_and_without_alpha(order, rng):
    plain = rng.integers(0, 256, (20, 30, 3)).astype(np.uint8)
    with_alpha = rng.integers(0, 256, (15, 25, 4)).astype(np.uint8)
    with_alpha[:3, :, 3] = 0
    pictures = [plain, with_alpha, plain[::2], with_alpha[::3]][::order]
    opaque = [np.dstack([p, np.full(p.shape[:2], 255, np.uint8)]) if p.shape[2] == 3 else p for p in pictures]
    palette = shared_palette(pictures, 30)
    q = quantize(joined(opaque), 30)
    assert palette == q.palette
    np.testing.assert_array_equal(palette.counts, q.palette.counts)
    assert (0, 0, 0, 0) in list(palette)
    assert shared_palette(pictures, 30, alpha="#ffffff").colors.shape == (30, 3)


def test_other_options(crops, photo_path):
    lock = ["#e30613", "#ffffff"]
    palette = shared_palette(crops, 20, lock=lock, n_init=3, rng=5)
    assert {(227, 6, 19), (255, 255, 255)} <= set(palette)
    assert palette == quantize(joined(crops), 20, lock=lock, n_init=3, rng=5).palette
    assert shared_palette([photo_path], 4).counts.sum() == 1920 * 1080
    assert shared_palette([crops[0]], 16) == quantize(crops[0], 16).palette
    steps = []
    shared_palette(crops, 9, callback=lambda step: steps.append(step.n_iter) or step.n_iter == 2)
    assert steps == [1, 2]
    assert shared_palette(crops, 9, verify=True) == shared_palette(crops, 9)


def test_few_colours():
    flat = [np.full((3, 3, 3), level, np.uint8) for level in (10, 200, 10, 90)]
    palette = shared_palette(flat, 9)
    assert (palette.hex, palette.counts.tolist()) == (["#0a0a0a", "#5a5a5a", "#c8c8c8"], [18, 9, 9])
    assert isinstance(palette, Palette)


def test_merged_colours_are_those_of_all_pixels(rng):
    for channels in (3, 4):
        parts = [rng.integers(0, 3, (n, channels)).astype(np.uint8) * 90 for n in (1, 50, 20_000, 9_000)]
        merged = DistinctColors.merged([DistinctColors(part) for part in parts])
        whole = DistinctColors(np.concatenate(parts))
        np.testing.assert_array_equal(merged.colors, whole.colors)
        np.testing.assert_array_equal(merged.counts, whole.counts)
        np.testing.assert_array_equal(merged.weight, whole.counts)
    grey = DistinctColors(np.array([[9, 9, 9]], np.uint8))
    seen_through = DistinctColors(np.array([[9, 9, 9, 255], [9, 9, 9, 3]], np.uint8))
    found = DistinctColors.merged([grey, seen_through])
    assert found.colors.tolist() == [[9, 9, 9, 3], [9, 9, 9, 255]]
    assert found.counts.tolist() == [1, 2]


def test_values_are_spread_to_the_pixels(rng):
    for channels, n in ((3, 500), (3, 100_000), (4, 500), (4, 100_000)):
        pixels = rng.integers(0, 30, (n, channels)).astype(np.uint8)
        distinct = DistinctColors(pixels, 2)
        for dtype in (np.uint8, np.uint16, np.uint32):
            values = rng.integers(0, np.iinfo(dtype).max, len(distinct.colors)).astype(dtype)
            found = distinct.spread(pixels, values)
            assert found.dtype == dtype
            table = {color.tobytes(): value for color, value in zip(distinct.colors, values, strict=True)}
            some = rng.integers(0, n, 300)
            np.testing.assert_array_equal(found[some], [table[pixels[i].tobytes()] for i in some])


@pytest.mark.parametrize(
    ("images", "k", "options", "error", "message"),
    [
        ([], 4, {}, ValueError, "there are no pictures"),
        ([np.zeros((2, 2), np.uint8)], 0, {}, ValueError, "n_colors must be from 1 to 65536; got 0"),
        ([np.zeros((2, 2), np.uint8)], "auto", {}, TypeError, "n_colors must be a whole number"),
        ([np.zeros((2, 2), np.uint8)], 4, {"dither": "bayer"}, TypeError, "dither"),
        ([np.zeros((2, 2), np.uint8)], 4, {"space": "lab"}, TypeError, "space"),
        ([np.zeros((2, 2), np.uint8), 3], 4, {}, TypeError, "got int"),
        (["missing.png"], 4, {}, FileNotFoundError, r"missing\.png"),
        (np.zeros((20, 20, 3), np.uint8), 4, {}, TypeError, "several pictures"),
        ("missing.png", 4, {}, TypeError, "several pictures"),
    ],
)
def test_bad_arguments(images, k, options, error, message):
    with pytest.raises(error, match=message):
        shared_palette(images, k, **options)
