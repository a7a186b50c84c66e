"""As few colours as are good enough, or as many as fit into a file."""

import numpy as np
import pytest
from PIL import Image

from lloydq import quantize


@pytest.fixture(scope="module")
def small(photo_path):
    """The photograph in 90×60 pixels."""
    with Image.open(photo_path) as image:
        return np.asarray(image.resize((90, 60)))


TARGETS = {
    "psnr": (34.0, lambda q: q.psnr >= 34.0),
    "mse": (60.0, lambda q: q.mse <= 60.0),
    "delta_e": (3.0, lambda q: q.delta_e.mean <= 3.0),
}


@pytest.mark.parametrize("space", ["srgb", "oklab"])
@pytest.mark.parametrize("name", TARGETS)
def test_the_fewest_that_are_good_enough(name, space, small):
    if name == "delta_e":
        pytest.importorskip("skimage")
    value, met = TARGETS[name]
    q = quantize(small, "auto", target={name: value}, space=space)
    k = len(q.palette)
    assert 1 < k < 256
    assert met(q)
    fewer = quantize(small, k - 1, space=space)
    assert not met(fewer)
    same = quantize(small, k, space=space)
    assert same.png == q.png
    assert (same.mse, same.n_iter, same.stop_reason) == (q.mse, q.n_iter, q.stop_reason)
    tried = {one.n_colors: one for one in q.curve}
    assert list(tried) == sorted(tried)
    assert {k - 1, k} <= set(tried)
    assert [one.met for one in q.curve] == [one.n_colors >= k for one in q.curve]
    assert (tried[k].mse, tried[k].psnr, tried[k].met) == (q.mse, q.psnr, True)
    assert (tried[k - 1].mse, tried[k - 1].met) == (fewer.mse, False)
    assert all((one.delta_e is None) == (name != "delta_e") and one.n_bytes is None for one in q.curve)
    assert len(q.curve) <= 17


def test_several_targets_are_all_met(small):
    loose, tight = quantize(small, "auto", target={"mse": 200}), quantize(small, "auto", target={"psnr": 36})
    both = quantize(small, "auto", target={"mse": 200, "psnr": 36})
    assert both.png == tight.png
    assert len(loose.palette) < len(both.palette)


@pytest.mark.parametrize("max_bytes", [300, 1000, 2500])
def test_the_most_that_fit_into_a_file(max_bytes, small):
    q = quantize(small, "auto", target={"max_bytes": max_bytes})
    k = len(q.palette)
    assert q.n_bytes <= max_bytes
    assert quantize(small, k + 1).n_bytes > max_bytes
    assert q.png == quantize(small, k).png
    assert {k, k + 1} <= {one.n_colors for one in q.curve}
    assert {one.n_bytes <= max_bytes for one in q.curve if one.n_colors <= k} == {True}
    assert [one.met for one in q.curve] == [one.n_bytes <= max_bytes for one in q.curve]


def test_room_for_all(small):
    assert len(quantize(small, "auto", target={"max_bytes": 1 << 20}).palette) == 256
    grey = np.arange(40, dtype=np.uint8).reshape(4, 10)
    q = quantize(grey, "auto", target={"max_bytes": 1 << 20})
    assert (len(q.palette), q.stop_reason) == (40, "few colors")
    assert [one.n_colors for one in q.curve] == sorted({one.n_colors for one in q.curve})


def test_quality_within_a_size(small):
    alone = quantize(small, "auto", target={"psnr": 30})
    q = quantize(small, "auto", target={"psnr": 30, "max_bytes": alone.n_bytes})
    assert q.png == alone.png
    assert q.curve[-1].n_bytes is not None
    with pytest.raises(ValueError, match=f"the fewest that are good enough: {len(alone.palette)} colours, PSNR 30"):
        quantize(small, "auto", target={"psnr": 30, "max_bytes": alone.n_bytes - 1})


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ({"psnr": 90}, r"no number of colours from 1 to 256 meets psnr=90; nearest is 256 colours, PSNR \d\d"),
        ({"mse": 0.01}, "no number of colours from 1 to 256 meets mse=0.01; nearest is 256 colours"),
        ({"max_bytes": 50}, r"no number of colours from 1 to 256 meets max_bytes=50; nearest is 1 colour, .* bytes"),
    ],
)
def test_what_cannot_be_met(target, message, small):
    with pytest.raises(ValueError, match=message):
        quantize(small, "auto", target=target)


def test_what_cannot_be_met_in_delta_e(small):
    pytest.importorskip("skimage")
    with pytest.raises(ValueError, match=r"meets delta_e=0\.01; nearest is 256 colours, .*ΔE2000 [0-9.]+"):
        quantize(small, "auto", target={"delta_e": 0.01})


def test_no_error_at_all():
    picture = np.arange(90, dtype=np.uint8).reshape(9, 10)
    for target in ({"mse": 0}, {"psnr": 200}):
        q = quantize(picture, "auto", target=target)
        assert (len(q.palette), q.mse) == (90, 0)
    assert len(quantize(picture, "auto", target={"psnr": 0}).palette) == 1
    assert len(quantize(picture[:1, :1], "auto", target={"mse": 0}).palette) == 1


def test_with_other_options(small, rng):
    lock = ["#e30613", "#ffffff", "#00ff00"]
    for options in ({"lock": lock}, {"dither": "bayer"}, {"sample": 2000}, {"weights": rng.random((60, 90))},
                    {"init": "random", "rng": 5}):  # fmt: skip
        q = quantize(small, "auto", target={"psnr": 28}, **options)
        assert q.psnr >= 28
        assert quantize(small, len(q.palette), **options).png == q.png
        assert quantize(small, len(q.palette) - 1, **options).psnr < 28
    assert len(quantize(small, "auto", target={"psnr": 1}, lock=lock).palette) == 3
    again = quantize(small, "auto", target={"psnr": 28}, rng=np.random.default_rng(5))
    assert again.png == quantize(small, len(again.palette), rng=np.random.default_rng(5)).png


def test_a_sample_of_fewer_than_256(small):
    """It bounds how many colours are tried."""
    q = quantize(small, "auto", target={"psnr": 25}, sample=40)
    assert len(q.palette) <= 40
    with pytest.raises(ValueError, match="no number of colours from 1 to 40 meets psnr=60"):
        quantize(small, "auto", target={"psnr": 60}, sample=40)


@pytest.mark.parametrize("target", [{"psnr": 20}, {"max_bytes": 10**6}])
def test_more_locks_than_are_tried(target, rng):
    picture, lock = rng.integers(0, 256, (20, 30, 3)).astype(np.uint8), rng.integers(0, 256, (300, 3))
    with pytest.raises(ValueError, match="lock has 300 colours; n_colors='auto' goes up to 256"):
        quantize(picture, "auto", target=target, lock=lock)


@pytest.mark.parametrize(
    ("n_colors", "target", "error", "message"),
    [
        (8, {"psnr": 30}, ValueError, "target is for n_colors='auto'"),
        ("auto", None, TypeError, "needs a target"),
        ("auto", {}, TypeError, "needs a target"),
        ("auto", {"ssim": 1}, TypeError, "psnr, mse, delta_e, max_bytes; got"),
        ("auto", {"psnr": -1}, TypeError, "psnr must be a number from 0 on; got -1"),
        ("auto", {"psnr": float("inf")}, TypeError, "psnr must be a number"),
        ("auto", {"psnr": 10**400}, TypeError, "psnr must be a number"),
        ("auto", {"psnr": float("nan")}, TypeError, "psnr must be a number"),
        ("auto", {"max_bytes": "1000"}, TypeError, "max_bytes must be a number"),
        ("auto", {"max_bytes": None}, TypeError, "max_bytes must be a number"),
        ("auto", {"mse": True}, TypeError, "mse must be a number"),
        ("auto", [30], TypeError, "needs a target"),
        ("best", {"psnr": 30}, TypeError, "a whole number or 'auto'; got 'best'"),
    ],
)
def test_bad_targets(n_colors, target, error, message):
    with pytest.raises(error, match=message):
        quantize(np.zeros((4, 4), np.uint8), n_colors, target=target)


def test_among_few_colours_no_better_number_is_missed(rng):
    """Error and size are not monotone: halving alone would miss some."""
    colors = rng.integers(0, 256, (40, 3)).astype(np.uint8)
    picture = colors[rng.integers(0, 40, (30, 30))]
    tried = [quantize(picture, k) for k in range(1, 41)]
    for q in tried[::3]:
        found = quantize(picture, "auto", target={"mse": q.mse})
        assert len(found.palette) == min(len(other.palette) for other in tried if other.mse <= q.mse)
        found = quantize(picture, "auto", target={"max_bytes": q.n_bytes})
        assert len(found.palette) == max(len(other.palette) for other in tried if other.n_bytes <= q.n_bytes)


def test_max_bytes_is_of_the_file_that_is_named(rng):
    picture = rng.integers(0, 256, (30, 30, 3)).astype(np.uint8)
    q = quantize(picture, "auto", target={"max_bytes": 900, "format": "GIF"})
    assert len(q.encode("GIF")) <= 900
    with pytest.raises(TypeError, match="target"):
        quantize(picture, "auto", target={"format": "GIF"})
