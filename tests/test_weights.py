"""Importance maps: a pixel that weighs three counts like three pixels."""

import made
import numpy as np
import pytest
from held import whole
from PIL import Image

import lloydq
from lloydq import KMeans, quantize
from lloydq.spaces import SPACES


@pytest.fixture
def noise(rng):
    return rng.integers(0, 256, (30, 40, 3)).astype(np.uint8)


@pytest.fixture
def weights(rng):
    return rng.integers(0, 4, (30, 40))


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("channels", [3, 4])
def test_weights_are_repetitions(channels, space, weights, rng):
    picture = rng.integers(0, 256, (30, 40, channels)).astype(np.uint8)
    q = quantize(picture, 12, weights=weights, space=space)
    repeated = np.repeat(picture.reshape(-1, channels), weights.ravel(), axis=0)[None]
    expected = quantize(repeated, 12, space=space)
    assert q.palette == expected.palette
    assert q.n_iter == expected.n_iter
    assert q.palette.counts.sum() == 1200
    whole(q, 12, space)


@pytest.mark.parametrize("factor", [0.001, 0.37, 1e6])
def test_their_scale_says_nothing(factor, noise, weights):
    expected = quantize(noise, 12, weights=weights)
    assert quantize(noise, 12, weights=weights * factor).mse == pytest.approx(expected.mse, rel=0.02)
    assert quantize(noise, 12, weights=weights * 4).png == expected.png
    assert quantize(noise, 12, weights=np.full((30, 40), factor)).mse == pytest.approx(
        quantize(noise, 12).mse, rel=0.02
    )


def test_where_it_counts_it_is_better(noise):
    weights = np.zeros((30, 40))
    weights[:10, :10] = 1
    plain, q = quantize(noise, 16), quantize(noise, 16, weights=weights)

    def error(q):
        return ((q.pixels[:10, :10].astype(float) - noise[:10, :10]) ** 2).sum(axis=2).mean()

    assert error(q) < 0.8 * error(plain)
    assert q.mse > plain.mse  # the error is that of all pixels
    corner = quantize(noise[:10, :10], 16)
    assert q.palette == corner.palette or error(q) == pytest.approx(error(corner), rel=0.01)


def test_ways_to_give_them(noise, weights, tmp_path):
    levels = (weights * 80).astype(np.uint8)
    expected = quantize(noise, 12, weights=levels).png
    assert quantize(noise, 12, weights=weights).png == expected
    Image.fromarray(levels).save(tmp_path / "map.png")
    rgb = np.stack([levels] * 3, axis=2)
    for given in (
        weights.astype(np.float32), levels.astype(np.int64), Image.fromarray(levels), Image.fromarray(rgb), rgb,
        tmp_path / "map.png", str(tmp_path / "map.png"), (tmp_path / "map.png").read_bytes(),
    ):  # fmt: skip
        assert quantize(noise, 12, weights=given).png == expected
    mask = weights > 1
    assert quantize(noise, 12, weights=mask).png == quantize(noise, 12, weights=mask.astype(float)).png
    assert quantize(noise, 12, weights=Image.fromarray(mask)).png == quantize(noise, 12, weights=mask).png


def test_of_a_picture_the_lightness(noise, rng):
    """Of its colours as Pillow has it; what is not seen weighs nothing."""
    colors = rng.integers(0, 256, (30, 40, 4)).astype(np.uint8)
    colors[:5, :, 3] = 0
    colors[5:, :, 3] = 255
    light = np.asarray(Image.fromarray(colors[:, :, :3]).convert("L")).copy()
    light[:5] = 0
    for given in (colors, made.saved(colors)):
        assert quantize(noise, 12, weights=given).png == quantize(noise, 12, weights=light).png


def test_pixels_without_weight_have_their_nearest_colour_too(noise):
    weights = np.zeros((30, 40))
    weights[0, :3] = 1
    for k in (1, 2, 3, 5, 40):
        whole(quantize(noise, k, weights=weights), k)
    q = quantize(noise, 3, weights=weights)
    assert set(q.palette) == {tuple(color) for color in noise[0, :3].tolist()}


@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_with_a_sample(init, noise, weights):
    q = quantize(noise, 12, weights=weights, sample=200, init=init)
    whole(q, 12)
    again = quantize(noise, 12, weights=weights, sample=200, init=init, rng=np.random.default_rng(0))
    assert again.png == q.png
    assert quantize(noise, 12, weights=weights, sample=200, init=init, rng=1).png != q.png
    few = np.zeros((30, 40))
    few[0, :20] = np.arange(20)
    only = quantize(noise, 12, weights=few, sample=500, init=init)  # there are but 19 pixels to draw
    assert only.png == quantize(noise, 12, weights=few, sample=19, init=init).png
    with pytest.raises(ValueError, match="sample must be from 12 to 1200"):
        quantize(noise, 12, weights=weights, sample=11)


def test_a_sample_without_weights_is_a_fit_to_these_pixels(noise):
    q = quantize(noise, 12, sample=300, rng=4)
    rng = np.random.default_rng(4)
    some = lloydq.random_points(noise.reshape(-1, 3), 300, rng)
    assert q.palette.n_distinct == 12
    assert q.mse == pytest.approx(lloydq.apply_palette(noise, quantize(some[None], 12, rng=rng).palette).mse, rel=1e-3)


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        (np.ones((40, 30)), ValueError, "weights must be as large as the picture, 40×30; got 30×40"),
        (np.ones((30, 41)), ValueError, "40×30; got 41×30"),
        (np.zeros((30, 40)), ValueError, "weights must not be all zero"),
        (-np.ones((30, 40)), ValueError, "weights must not be negative"),
        (np.full((30, 40), np.nan), ValueError, "weights contains NaN"),
        (np.full((30, 40), np.inf), ValueError, "weights must be finite"),
        (np.ones(1200), ValueError, "shape"),
        (np.full((30, 40), "a"), TypeError, "weights must hold real numbers"),
        (np.ones((30, 40), complex), TypeError, "weights must hold real numbers"),
        (3, TypeError, "int"),
        (Image.new("L", (5, 5)), ValueError, "40×30; got 5×5"),
    ],
)
def test_bad_weights(weights, error, message, noise):
    with pytest.raises(error, match=message):
        quantize(noise, 4, weights=weights)


def test_weights_that_overflow(noise):
    with pytest.raises(ValueError, match="overflow"):
        quantize(noise, 4, weights=np.full((30, 40), 1e304))


def test_masked_weights_are_refused(rng):
    masked = np.ma.masked_array(np.ones(6), [True, *[False] * 5])
    with pytest.raises(ValueError, match="sample_weight has masked values"):
        KMeans(1).fit(rng.normal(size=(6, 2)), sample_weight=masked)
    with pytest.raises(ValueError, match="weights has masked values"):
        quantize(np.zeros((2, 3, 3), np.uint8), 1, weights=masked.reshape(2, 3))
    KMeans(1).fit(rng.normal(size=(5, 2)), sample_weight=masked[1:])
