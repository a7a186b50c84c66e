"""MSE, PSNR and ΔE2000, held to their definitions pixel by pixel."""

import sys

import numpy as np
import pytest

from lloydq import apply_palette, metrics, quantize
from lloydq.metrics import DEFINITIONS, delta_e, mse, pairs, psnr


def colors(rng, n, channels):
    return rng.integers(0, 256, (n, channels)).astype(np.uint8)


def plain_mse(a, b):
    """Over Python floats; with alpha on black and on white."""
    total = 0.0
    for p, q in zip(a.tolist(), b.tolist(), strict=True):
        for paper in (0, 255):
            p_alpha, q_alpha = (color[3] / 255 if len(color) == 4 else 1.0 for color in (p, q))
            for x, y in zip(p[:3], q[:3], strict=True):
                total += (x * p_alpha + paper * (1 - p_alpha) - y * q_alpha - paper * (1 - q_alpha)) ** 2 / 2
    return total / len(a)


@pytest.mark.parametrize("channels", [(3, 3), (4, 4), (3, 4), (4, 3)])
def test_mse(channels, rng):
    a, b = (colors(rng, 200, c) for c in channels)
    assert mse(a, b) == pytest.approx(plain_mse(a, b), rel=1e-10)
    assert mse(a, a) == 0
    counts = rng.integers(0, 5, 200)
    repeated = mse(np.repeat(a, counts, axis=0), np.repeat(b, counts, axis=0))
    assert mse(a, b, counts) == pytest.approx(repeated, rel=1e-10)
    assert isinstance(mse(a, b), float)


def test_pieces_add_to_the_whole(rng, monkeypatch):
    a, b, counts = colors(rng, 100, 4), colors(rng, 100, 4), rng.integers(1, 9, 100)
    expected = mse(a, b), mse(a, b, counts)
    monkeypatch.setattr(metrics, "PIECE", 7)
    assert (mse(a, b), mse(a, b, counts)) == pytest.approx(expected, rel=1e-12)
    each = by_skimage(a, b)
    assert delta_e(a, b).p95 == pytest.approx(np.sort(each)[94], rel=1e-12)


def test_psnr():
    a, b = np.zeros((10, 3), np.uint8), np.full((10, 3), 3, np.uint8)
    assert mse(a, b) == 27
    assert psnr(27) == pytest.approx(10 * np.log10(255**2 / 9))
    assert psnr(3 * 255**2) == 0
    assert psnr(0) == float("inf")
    for decibels in (0.0, 12.5, 30.0, 48.13):
        assert psnr(3 * 255**2 / 10 ** (decibels / 10)) == pytest.approx(decibels)
    assert set(DEFINITIONS) == {"mse", "psnr", "delta_e"}


def by_skimage(a, b):
    """Of every pair, on white."""
    skimage = pytest.importorskip("skimage.color")
    on_white = []
    for one in (a, b):
        alpha = one[:, 3:] / 255 if one.shape[1] == 4 else 1.0
        on_white.append(skimage.rgb2lab((one[:, :3] * alpha + 255 * (1 - alpha)) / 255))
    return skimage.deltaE_ciede2000(*on_white)


@pytest.mark.parametrize("channels", [(3, 3), (4, 4), (3, 4)])
@pytest.mark.parametrize("n", [1, 2, 19, 20, 21, 100, 333])
def test_delta_e(n, channels, rng):
    a, b = (colors(rng, n, c) for c in channels)
    expected = by_skimage(a, b)
    found = delta_e(a, b)
    assert found.mean == pytest.approx(expected.mean(), rel=1e-12)
    assert found.p95 == pytest.approx(np.sort(expected)[-(-95 * n // 100) - 1], rel=1e-12)
    assert (found == (found.mean, found.p95), isinstance(found.mean, float), isinstance(found.p95, float)) == (
        True,
    ) * 3
    assert delta_e(a, a) == (0, 0)


def test_delta_e_of_counted_pairs(rng):
    """What 95 % of the pixels do not exceed, each pair as often as it occurs."""
    a, b = colors(rng, 60, 3), colors(rng, 60, 3)
    for counts in (rng.integers(1, 40, 60), np.full(60, 20), np.where(np.arange(60) == 7, 10_000, 1)):
        each = np.repeat(by_skimage(a, b), counts)
        found = delta_e(a, b, counts)
        assert found.mean == pytest.approx(each.mean(), rel=1e-12)
        assert found.p95 == pytest.approx(np.sort(each)[-(-95 * len(each) // 100) - 1], rel=1e-12)
        assert (each <= found.p95 * (1 + 1e-12)).mean() >= 0.95
        assert (each < found.p95 * (1 - 1e-12)).mean() < 0.95


def test_delta_e_of_known_colours():
    """Black and white are 100 apart; a grey and its neighbour less than 1."""
    pytest.importorskip("skimage")
    black, white = np.zeros((1, 3), np.uint8), np.full((1, 3), 255, np.uint8)
    assert delta_e(black, white).mean == pytest.approx(100, abs=1e-3)
    assert 0 < delta_e(np.full((1, 3), 128, np.uint8), np.full((1, 3), 129, np.uint8)).mean < 0.5
    unseen = np.array([[9, 9, 9, 0]], np.uint8)
    assert delta_e(unseen, white).mean == pytest.approx(0, abs=1e-9)
    assert mse(unseen, white) == pytest.approx(3 * 255**2 / 2)  # on black they differ


@pytest.mark.parametrize("channels", [(3, 3), (4, 4), (3, 4), (4, 3)])
def test_pairs(channels, rng):
    a, b = (rng.integers(0, 2, (500, c)).astype(np.uint8) * 255 for c in channels)
    left, right, counts = pairs(a, b)
    assert counts.sum() == 500
    found = {(*map(int, x), *map(int, y)): int(n) for x, y, n in zip(left, right, counts, strict=True)}
    rows, expected = np.unique(np.hstack([a, b]), axis=0, return_counts=True)
    assert found == {tuple(map(int, row)): int(n) for row, n in zip(rows, expected, strict=True)}
    assert len(found) == len(counts)


@pytest.mark.parametrize("options", [{}, {"dither": "floyd-steinberg"}, {"space": "oklab"}, {"dither": "bayer"}])
@pytest.mark.parametrize("channels", [3, 4])
def test_of_a_quantized_picture(channels, options, rng):
    picture = colors(rng, 600, channels).reshape(20, 30, channels)
    q = quantize(picture, 12, **options)
    flat, result = q.picture.pixels.reshape(-1, channels), q.pixels.reshape(600, -1)
    assert q.mse == pytest.approx(plain_mse(flat, result), rel=1e-10)
    assert q.psnr == psnr(q.mse)
    expected = by_skimage(flat, result)
    assert q.delta_e.mean == pytest.approx(expected.mean(), rel=1e-10)
    assert q.delta_e.p95 == pytest.approx(np.sort(expected)[569], rel=1e-10)
    assert q.delta_e is q.delta_e
    exact = apply_palette(result.reshape(20, 30, -1), q.palette)
    assert (exact.mse, exact.psnr, exact.delta_e) == (0, float("inf"), (0, 0))


def test_without_scikit_image(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage.color", None)
    q = quantize(np.arange(60, dtype=np.uint8).reshape(6, 10), 4)
    with pytest.raises(ImportError, match=r"pip install 'lloydq\[metrics\]'"):
        q.delta_e  # noqa: B018
    with pytest.raises(ImportError, match=r"pip install 'lloydq\[metrics\]'"):
        metrics.delta_e(q.palette.colors, q.palette.colors)
    assert q.psnr > 0
    assert "ΔE" not in repr(q)
