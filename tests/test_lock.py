"""Locked colours: in the palette to the byte, never moved, and the others fitted around them."""

import numpy as np
import pytest
from held import whole

from lloydq import Palette, apply_palette, quantize
from lloydq.codebook import recipe
from lloydq.spaces import SPACES, points_of

RED, GREEN = (227, 6, 19), (0, 255, 0)


@pytest.fixture
def noise(rng):
    return rng.integers(0, 200, (30, 40, 3)).astype(np.uint8)


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("k", [2, 3, 10, 64, 256, 300])
def test_they_are_in_the_palette_to_the_byte(k, space, noise):
    lock = [RED, (255, 255, 255)]
    q = quantize(noise, k, lock=lock, space=space)
    whole(q, k, space, lock)


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("with_alpha", [False, True])
def test_they_never_move(space, with_alpha, noise, rng):
    lock = np.array([[*RED, 255], [*GREEN, 100]] if with_alpha else [RED, GREEN], np.uint8)
    if with_alpha:
        noise = np.dstack([noise, rng.integers(1, 256, (30, 40)).astype(np.uint8)])
    fixed, seen = points_of(lock, space), []
    q = quantize(noise, 7, lock=lock, space=space, callback=lambda step: seen.append(step))
    assert len(seen) == q.n_iter > 2
    for step in seen:
        for centroids in (step.centroids, step.moved):
            np.testing.assert_array_equal(centroids[:2], fixed)
    assert any((step.moved[2:] != step.centroids[2:]).any() for step in seen)
    whole(q, 7, space, lock)


def test_the_others_are_fitted_around_them():
    """Ten greys, black locked: those nearer to black than to the mean of the rest are left to it."""
    levels = np.arange(10, 110, 10, dtype=np.uint8)
    q = quantize(levels[None], 2, lock=["#000000"])
    # 10 and 20 and 30 go to black; 40 … 100 have the mean 70, and 35 is the middle
    assert sorted(q.palette) == [(0, 0, 0), (70, 70, 70)]
    assert q.indices.tolist() == [[list(q.palette).index((0, 0, 0))] * 3 + [list(q.palette).index((70,) * 3)] * 7]


def test_locks_that_help_nobody_cost_as_much_as_one_colour_less(noise):
    far = [(255, 255, 255), (255, 254, 255)]
    q = quantize(noise, 10, lock=far)
    best = quantize(noise, 8, n_init=4)
    assert q.mse < best.mse * 1.1
    assert best.mse > quantize(noise, 10, n_init=4).mse


def test_as_many_as_there_are_colours(noise):
    lock = [[0, 0, 0], [255, 255, 255], RED]
    q = quantize(noise, 3, lock=lock)
    assert (q.stop_reason, q.n_iter) == ("given", 0)
    whole(q, 3, lock=lock)
    given = apply_palette(noise, q.palette)
    np.testing.assert_array_equal(given.indices, q.indices)
    counts = q.palette.counts
    assert (np.diff(counts) <= 0).all()


@pytest.mark.parametrize("space", SPACES)
def test_a_lock_of_a_colour_of_the_picture_is_no_second_one(space):
    colors = np.array([[10, 10, 10], [90, 0, 0], [200, 200, 0]], np.uint8)
    picture = colors[np.arange(60).reshape(6, 10) % 3]
    for k in (3, 4, 50):
        q = quantize(picture, k, lock=["#5a0000"], space=space)
        assert sorted(q.palette) == sorted(map(tuple, colors.tolist()))
        whole(q, k, space, [(90, 0, 0)])
    q = quantize(picture, 4, lock=[RED], space=space)
    assert sorted(q.palette) == sorted([*map(tuple, colors.tolist()), RED])
    assert q.palette.counts.tolist() == [20, 20, 20, 0]
    assert (q.stop_reason, q.mse) == ("few colors", 0)


def test_ways_to_write_them(noise):
    expected = quantize(noise, 5, lock=[[255, 0, 0], [17, 34, 51]])
    for lock in (
        ["#f00", "#112233"], ["#FF0000", "123"], np.array([[255, 0, 0], [17, 34, 51]]), Palette(["#f00", "#123"]),
        [(254.8, 0, 0.4), (17, 34, 51)], ["#f00", (17, 34, 51)],
    ):  # fmt: skip
        assert quantize(noise, 5, lock=lock).png == expected.png
    for nothing in (None, [], (), np.empty((0, 3))):
        assert quantize(noise, 5, lock=nothing).png == quantize(noise, 5).png


def test_translucent_ones(noise):
    """The picture has alpha then, and keeps its own opaque."""
    q = quantize(noise, 6, lock=["#e3061380", "#00000000"])
    assert {(227, 6, 19, 128), (0, 0, 0, 0)} <= set(q.palette)
    whole(q, 6, lock=[(227, 6, 19, 128), (0, 0, 0, 0)])
    assert [color[3] for color in q.palette][2:] == [255] * 4


@pytest.mark.parametrize("color", ["#00000000", "#ff000000"])
def test_one_that_is_not_seen_is_that_of_all_that_is_not_seen(color, rng):
    pixels = rng.integers(0, 256, (20, 20, 4)).astype(np.uint8)
    pixels[:5, :, 3] = 0
    q = quantize(pixels, 6, lock=[color])
    assert [c for c in q.palette if c[3] == 0] == [(0, 0, 0, 0)]
    whole(q, 6, lock=[(0, 0, 0, 0)])


def test_no_room_for_what_is_not_seen(rng):
    """The locks come first."""
    pixels = rng.integers(0, 256, (20, 20, 4)).astype(np.uint8)
    pixels[:5, :, 3] = 0
    q = quantize(pixels, 2, lock=[RED, GREEN])
    whole(q, 2, lock=[RED, GREEN])


@pytest.mark.parametrize(
    ("lock", "error", "message"),
    [
        (["#e30613", "#e30613"], ValueError, "lock names a colour twice"),
        (["#f00", (255, 0, 0)], ValueError, "lock names a colour twice"),
        (["#ff000000", "#00ff0000"], ValueError, "lock names a colour twice"),
        (["#000", "#111", "#222", "#333", "#444"], ValueError, "lock has 5 colours, and n_colors is 4"),
        (["#12"], TypeError, "'#12'"),
        (["red"], TypeError, "'red'"),
        ([(0, 0, 256)], ValueError, "0 to 255"),
        ([(0, 0)], ValueError, "shape"),
    ],
)
def test_bad_locks(lock, error, message, noise):
    with pytest.raises(error, match=message):
        quantize(noise, 4, lock=lock)


def test_a_start_is_for_the_others_alone(noise):
    start = np.array([[10.0, 10, 10], [150, 150, 150]])
    q = quantize(noise, 3, lock=[RED], init=start)
    whole(q, 3, lock=[RED])
    called = []
    quantize(noise, 3, lock=[RED], init=lambda X, k, random_state: called.append(k) or start)
    assert called == [2]
    with pytest.raises(ValueError, match=r"initial centers \(2, 3\) does not match the number of clusters 3"):
        quantize(noise, 4, lock=[RED], init=start)


@pytest.mark.parametrize("space", SPACES)
def test_a_start_for_a_picture_with_alpha(space, rng):
    """One of as many as there are colours, though an entry is kept for what is not seen."""
    pixels = rng.integers(0, 256, (20, 20, 4)).astype(np.uint8)
    pixels[:5, :, 3] = 0
    start = np.array([[0, 0, 0, 255], [255, 255, 255, 255], [0, 0, 0, 0]], np.uint8)
    for init in (start, start[:, :3]):
        q = quantize(pixels, 3, init=init, space=space)
        whole(q, 3, space)
        assert (0, 0, 0, 0) in list(q.palette)


@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_starts_do_not_repeat_what_is_locked(init):
    """Two far colours, one of them locked: the start is the other."""
    picture = np.repeat(np.array([[0, 0, 0], [200, 0, 0], [0, 0, 201]], np.uint8), [5000, 3, 2], axis=0)[None]
    first = []
    for seed in range(5):
        listen = lambda step: first.append(step.centroids[1]) if step.n_iter == 1 else None  # noqa: E731
        q = quantize(picture, 2, lock=["#000000"], init=init, rng=seed, callback=listen)
        assert tuple(first[-1]) in ((200, 0, 0), (0, 0, 201))
        whole(q, 2, lock=[(0, 0, 0)])


def test_an_array_of_locks_is_not_changed():
    lock = np.array([[255, 0, 0, 0], [1, 2, 3, 4]], np.uint8)
    recipe(lock=lock)
    assert lock.tolist() == [[255, 0, 0, 0], [1, 2, 3, 4]]


def test_several_starts_where_nothing_is_free(noise):
    lock = [(0, 0, 0), (255, 255, 255)]
    one, several = (quantize(noise, 2, lock=lock, n_init=n_init) for n_init in (1, 3))
    assert one.png == several.png
