"""As many colours as were asked for, all different and in use, from pictures of every kind."""

import itertools

import numpy as np
import pytest
from held import whole

from lloydq import VerificationError, quantize
from lloydq.spaces import SPACES


def one(rng):
    return np.full((9, 11, 3), 77, np.uint8)


def two(rng):
    found = np.zeros((20, 15, 3), np.uint8)
    found[:3] = 255
    return found


def crowded(rng):
    """64 colours within 4 levels, which round together."""
    return rng.integers(100, 104, (60, 70, 3)).astype(np.uint8)


def k_plus_one(rng):
    """17 colours: one more than 16 entries."""
    colors = rng.integers(0, 256, (17, 3)).astype(np.uint8)
    return colors[np.arange(300).reshape(15, 20) % 17]


def gradient(rng):
    y, x = np.mgrid[0:200, 0:300]
    return np.stack([x * 255 // 299, y * 255 // 199, (x + y) * 255 // 498], axis=2).astype(np.uint8)


def greys(rng):
    return np.arange(256, dtype=np.uint8)[None]


def noise(rng):
    return rng.integers(0, 256, (150, 160, 3)).astype(np.uint8)


def mostly_one(rng):
    found = np.full((100, 100, 3), 40, np.uint8)
    found[0, :50] = rng.integers(0, 256, (50, 3))
    return found


def stripes(rng):
    """Rows of one pixel."""
    return rng.integers(0, 256, (1, 400, 3)).astype(np.uint8)


PICTURES = (one, two, crowded, k_plus_one, gradient, greys, noise, mostly_one, stripes)


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("make", PICTURES)
def test_exactly_k(make, space, rng):
    picture = make(rng)
    for k in (1, 2, 3, 16, 17, 64, 255, 256):
        if k <= picture.shape[0] * picture.shape[1]:
            whole(quantize(picture, k, space=space, tol=1e-3), k, space)


@pytest.mark.filterwarnings("ignore:stopped at max_iter")
@pytest.mark.parametrize("options", [
    {"init": "random"}, {"max_iter": 1}, {"sample": 300}, {"sample": 300, "init": "random"}, {"dither": "none"},
    {"lock": ["#010203", "#4d4d4d", "#ffffff"]}, {"n_init": 3, "max_iter": 2},
    {"init": lambda X, k, random_state: np.full((k, X.shape[1]), 40)},
])  # fmt: skip
@pytest.mark.parametrize("make", [crowded, mostly_one, stripes])
def test_exactly_k_in_other_ways(make, options, rng):
    picture = make(rng)
    lock = [(1, 2, 3), (77, 77, 77), (255, 255, 255)] if "lock" in options else ()
    for k, space in itertools.product((3, 20, 51, 63, 256), SPACES):
        whole(quantize(picture, k, space=space, **options), k, space, lock)


@pytest.mark.parametrize("k", [257, 300, 4096])
def test_more_colours_than_a_file_holds(k, rng, tmp_path):
    picture = rng.integers(0, 256, (70, 80, 3)).astype(np.uint8)
    q = quantize(picture, k)
    whole(q, k)
    assert q.indices.dtype == np.uint16
    np.testing.assert_array_equal(q.pixels, q.palette.colors[q.indices])
    for attempt in (
        lambda: q.save(tmp_path / "q.png"), lambda: q.save(tmp_path / "q.gif"), lambda: q.encode("GIF"),
        lambda: q.png, lambda: q.n_bytes, lambda: q.image,
    ):  # fmt: skip
        with pytest.raises(ValueError, match=f"at most 256 colours; these are {k:,}"):
            attempt()
    assert not list(tmp_path.iterdir())
    assert "<svg" in q._repr_mimebundle_()["text/html"]


def test_as_many_as_there_are_pixels(rng):
    picture = rng.integers(0, 256, (256, 256, 3)).astype(np.uint8)
    q = quantize(picture, 65_536)
    assert q.stop_reason == "few colors"
    np.testing.assert_array_equal(q.pixels, picture)
    with pytest.raises(ValueError, match="n_colors must be from 1 to 65536; got 65537"):
        quantize(picture, 65_537)


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("channels", [3, 4])
def test_the_same_bits_on_any_number_of_threads(channels, space, rng):
    picture = rng.integers(0, 256, (90, 100, channels)).astype(np.uint8)
    weights = rng.random((90, 100))
    for options in ({}, {"weights": weights}, {"dither": "floyd-steinberg"}, {"dither": "blue-noise"}, {"sample": 500},
                    {"lock": ["#e30613"], "n_init": 2}):  # fmt: skip
        one, two, three = (quantize(picture, 20, space=space, n_threads=n, tol=1e-4, **options) for n in (1, 2, 3))
        for other in (two, three):
            assert other.palette == one.palette
            np.testing.assert_array_equal(other.indices, one.indices)
            assert (other.mse, other.n_iter, other.png) == (one.mse, one.n_iter, one.png)


def test_more_starts_are_never_worse_and_begin_the_same(rng):
    picture = rng.integers(0, 256, (40, 50, 3)).astype(np.uint8)

    def starts(n_init):
        """The centroids that each begins with, and what each ends with."""
        first, last = [], []

        def listen(step):
            if step.n_iter == 1:
                first.append(step.centroids)
            if step.stop_reason:
                last.append(step.inertia)

        q = quantize(picture, 30, n_init=n_init, rng=7, callback=listen)
        return q, first, last

    q, first, last = starts(6)
    assert len(first) == len(last) == 6
    assert len({one.tobytes() for one in first}) == 6
    for n_init in (1, 2, 4):
        fewer, begun, ended = starts(n_init)
        np.testing.assert_array_equal(begun, first[:n_init])
        assert ended == last[:n_init]
        if min(last) == min(ended):
            assert fewer.png == q.png
    best = quantize(picture, 30, init=first[int(np.argmin(last))])
    assert best.png == q.png
    assert q.mse * 2000 == pytest.approx(min(last), rel=0.01)  # colours are rounded


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("channels", [3, 4])
def test_the_self_check_finds_nothing(channels, space, rng):
    picture = rng.integers(0, 256, (20, 30, channels)).astype(np.uint8)
    for options in ({}, {"dither": "floyd-steinberg"}, {"weights": rng.random((20, 30))}, {"lock": ["#f00"]}):
        checked = quantize(picture, 12, space=space, verify=True, **options)
        assert checked.png == quantize(picture, 12, space=space, **options).png


def test_the_self_check_finds_a_wrong_colour(rng, monkeypatch):
    from lloydq import codebook

    picture, assign = rng.integers(0, 256, (20, 30, 4)).astype(np.uint8), codebook.assign

    def wrong(*given):
        found = assign(*given)
        found[17] = (found[17] + 1) % 3
        return found

    monkeypatch.setattr(codebook, "assign", wrong)
    with pytest.raises(VerificationError, match="point 17"):
        quantize(picture, 3, verify=True)


@pytest.mark.parametrize("seed", [143, 269, 841, 857])
def test_entries_that_no_colour_needs_after_rounding_are_filled(seed):
    rng = np.random.default_rng(seed)
    n, spread, c = (int(rng.integers(low, high)) for low, high in ((6, 40), (2, 9), (3, 5)))
    picture = (rng.integers(0, spread, (n, 1, c)) + rng.integers(0, 250)).astype(np.uint8)
    k = int(rng.integers(2, n))
    q = quantize(picture, k, rng=seed)
    assert len(np.unique(q.palette.colors, axis=0)) == k
    assert len(np.unique(q.indices)) == k
