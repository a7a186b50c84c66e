"""Pictures in k colours."""

import io

import numpy as np
import pytest
from PIL import Image

import lloydq
from lloydq import Palette, apply_palette, codebook, lloyd, quantize
from lloydq.colors import DistinctColors


def exact(q, pixels):
    """Whether every pixel has the nearest palette colour, and the numbers are those of the picture."""
    flat, colors = pixels.reshape(-1, 3), q.palette.colors.astype(float)
    np.testing.assert_array_equal(q.indices.ravel(), lloyd.assign(flat, colors))
    squared = (flat.astype(float) - colors[q.indices.ravel()]) ** 2
    assert q.mse == pytest.approx(squared.sum(axis=1).mean(), rel=1e-12)
    if q.mse:
        assert q.psnr == pytest.approx(10 * np.log10(255**2 / squared.mean()), rel=1e-12)
    else:
        assert q.psnr == float("inf")


@pytest.fixture
def noise(rng):
    return rng.integers(0, 256, (40, 50, 3)).astype(np.uint8)


@pytest.mark.parametrize(
    "options", [{}, {"init": "random"}, {"sample": 500}, {"tol": 1e-3}, {"max_iter": 3}, {"rng": 9}]
)
@pytest.mark.filterwarnings("ignore:stopped at max_iter")
@pytest.mark.parametrize("k", [1, 2, 17, 256])
def test_every_pixel_has_its_nearest_colour(noise, k, options):
    q = quantize(noise, k, **options)
    exact(q, noise)
    assert len(q.palette) == q.palette.n_distinct == k
    assert q.indices.dtype == np.uint8
    assert q.indices.shape == (40, 50)
    assert q.converged == (q.stop_reason == "converged")
    assert q.n_distinct == len(np.unique(noise.reshape(-1, 3), axis=0))


def test_the_photograph(photo_path, photo):
    q = quantize(photo_path, 64)
    pixels = photo.reshape(1080, 1920, 3)
    some = (slice(None, None, 16), slice(None, None, 16))
    np.testing.assert_array_equal(
        q.indices[some].ravel(), lloyd.assign(pixels[some].reshape(-1, 3), q.palette.colors.astype(float))
    )
    assert q.stop_reason == "converged"
    assert q.n_distinct == 104_487
    assert q.mse < 53.5
    assert {"read", "count", "seed", "fit", "map"} == set(q.timings)
    again = quantize(photo_path, 64, n_threads=1)
    assert again.png == q.png
    sampled = quantize(photo_path, 64, sample=2000, rng=0)
    first, everywhere = (apply_palette(photo_path, lloydq.random_points(X, 64, rng=0)) for X in (photo[:1000], photo))
    assert q.mse < sampled.mse < everywhere.mse < first.mse


def test_the_palette_is_in_the_order_of_the_counts_of_the_fit(noise):
    flat = np.repeat(np.array([[0, 0, 0], [90, 90, 90], [200, 0, 0]], np.uint8), [10, 70, 20], axis=0)
    q = quantize(flat.reshape(10, 10, 3), 3)
    assert q.palette.hex == ["#5a5a5a", "#c80000", "#000000"]
    q = quantize(noise, 8)
    counts = np.bincount(q.indices.ravel(), minlength=8)
    assert (np.diff(counts) <= 60).all()  # rounding moves few pixels


@pytest.mark.parametrize("k", [3, 4, 100])
def test_few_colours_are_kept_exactly(k):
    colors = np.array([[1, 2, 3], [250, 0, 7], [9, 9, 9]], np.uint8)
    picture = colors[np.arange(120).reshape(10, 12) % 3]
    q = quantize(picture, k)
    assert (q.stop_reason, q.n_iter, q.converged, q.mse, len(q.palette)) == ("few colors", 0, True, 0.0, 3)
    np.testing.assert_array_equal(q.palette.colors[q.indices], picture)
    again = apply_palette(picture, q.palette)
    np.testing.assert_array_equal(again.indices, q.indices)


def test_k_distinct_colours_come_out_of_crowded_ones():
    levels = np.array([[x, y, z] for x in (10, 11, 12) for y in (10, 11, 12) for z in (10, 11, 12)], np.uint8)
    picture = np.repeat(levels, np.arange(1, 28), axis=0)[None]
    for k in range(1, 27):
        q = quantize(picture, k)
        exact(q, picture)
        assert q.palette.n_distinct == k
    for seed in range(5):
        assert quantize(picture, 20, init="random", rng=seed).palette.n_distinct == 20
    q = quantize(picture, 10, sample=10)
    assert q.palette.n_distinct == 10


def test_freed_entries_take_the_worst_fitting_colour():
    colors = np.array([[10, 10, 10], [11, 10, 10], [200, 0, 0], [0, 0, 210]], np.uint8)
    distinct, how = DistinctColors(np.repeat(colors, [50, 40, 3, 2], axis=0)), codebook.recipe()
    centroids = np.array([[10.2, 10, 10], [10.4, 10, 10], [200, 0, 0], [90, 90, 90]])
    none = np.empty((0, 3), np.uint8)

    def settled(members, rows, locked=none):
        book = codebook._settled(
            len(rows), codebook.Fit(centroids[rows], np.array(members), 1, "tol"), locked, distinct, distinct, how
        )
        return book.colors.tolist()

    # Rounded, the first two are one colour; the last stands for nothing.
    black, other, blue, red = (
        int(np.flatnonzero((distinct.colors == color).all(axis=1))[0]) for color in colors[[0, 1, 3, 2]]
    )
    members = np.empty(4, int)
    members[[black, other, blue, red]] = 0, 1, 1, 2
    assert settled(members, [0, 1, 2, 3]) == [[10, 10, 10], [11, 10, 10], [200, 0, 0], [0, 0, 210]]
    assert settled(members, [0, 1, 2]) == [[10, 10, 10], [200, 0, 0], [0, 0, 210]]
    members[[black, other, blue, red]] = 1, 2, 2, 2
    locked = np.array([[90, 90, 90]], np.uint8)  # one that is not needed, and stays
    assert settled(members, [3, 0, 1], locked) == [[10, 10, 10], [0, 0, 210], [90, 90, 90]]


def test_the_file_is_an_indexed_png_of_exactly_these_colours(noise, tmp_path):
    for k, bits in ((2, 1), (4, 2), (5, 4), (16, 4), (17, 8), (256, 8)):
        q = quantize(noise, k)
        q.save(tmp_path / "q.png")
        data = (tmp_path / "q.png").read_bytes()
        assert data == q.png
        assert data[24] == bits  # IHDR: bit depth
        assert data[25] == 3  # and colour type, indexed
        with Image.open(io.BytesIO(data)) as image:
            assert image.mode == "P"
            assert len(image.getpalette()) == 3 * k
            np.testing.assert_array_equal(np.asarray(image), q.indices)
            np.testing.assert_array_equal(np.asarray(image.convert("RGB")), q.palette.colors[q.indices])
    assert q.image.mode == "P"
    assert q.image.size == (50, 40)
    file = io.BytesIO()
    q.save(file)
    assert file.getvalue() == q.png


def test_save_refuses_other_formats_and_existing_files_if_told_to(noise, tmp_path):
    q = quantize(noise, 4)
    with pytest.raises(ValueError, match="png"):
        q.save(tmp_path / "q.jpg")
    q.save(tmp_path / "q.png")
    q.save(tmp_path / "q.png")
    with pytest.raises(FileExistsError):
        q.save(tmp_path / "q.png", overwrite=False)
    assert [path.name for path in tmp_path.iterdir()] == ["q.png"]


def test_formats_by_name(noise, tmp_path):
    q = quantize(noise, 9)
    for word, ending in (("PNG", ".PNG"), ("GIF", ".gif"), ("gif", ".gif")):
        file = io.BytesIO()
        q.save(file, format=word)
        q.save(tmp_path / f"q{ending}")
        q.save(tmp_path / "q.dat", format=word)
        expected = q.encode(word)
        assert (
            file.getvalue() == (tmp_path / f"q{ending}").read_bytes() == (tmp_path / "q.dat").read_bytes() == expected
        )
        with Image.open(io.BytesIO(expected)) as image:
            assert image.format == word.upper()
            np.testing.assert_array_equal(np.asarray(image.convert("RGB")), q.pixels)
    for word in ("JPEG", "", 3):
        with pytest.raises(TypeError, match="format must be one of 'PNG', 'GIF'"):
            q.encode(word)


def test_a_given_palette_keeps_its_order_and_ties_go_to_the_first(noise):
    palette = [[200, 200, 200], [0, 0, 0], [200, 200, 200], [255, 0, 0]]
    q = apply_palette(noise, palette)
    exact(q, noise)
    assert q.palette == Palette(palette)
    assert 2 not in q.indices
    assert (q.stop_reason, q.n_iter) == ("given", 0)


def test_exact_palette_colours_stay(rng):
    palette = rng.integers(0, 256, (200, 3)).astype(np.uint8)
    palette[0] = 255
    picture = palette[rng.integers(0, 200, (60, 60))]
    q = apply_palette(picture, palette)
    np.testing.assert_array_equal(q.palette.colors[q.indices], picture)
    assert q.mse == 0


def test_a_stop_at_max_iter_warns(noise):
    with pytest.warns(lloydq.ConvergenceWarning, match="max_iter=2"):
        assert quantize(noise, 9, max_iter=2).stop_reason == "max_iter"


def test_callback_sees_each_step_and_may_stop(noise):
    seen = []
    q = quantize(noise, 9, callback=lambda step: seen.append(step.n_iter) or step.n_iter == 3)
    assert seen == [1, 2, 3]
    assert (q.n_iter, q.stop_reason) == (3, "callback")


@pytest.mark.parametrize(
    ("k", "options", "error", "message"),
    [
        (0, {}, ValueError, "from 1 to 65536; got 0"),
        (-1, {}, ValueError, "got -1"),
        (65_537, {}, ValueError, "got 65537"),
        (1.5, {}, TypeError, "whole number; got 1.5"),
        ("8", {}, TypeError, "'auto'"),
        (None, {}, TypeError, "whole number; got None"),
        (True, {}, TypeError, "whole number; got True"),
        (13, {}, ValueError, "n_colors must be from 1 to 12, the number of pixels; got 13"),
        (4, {"sample": 3}, ValueError, "sample must be from 4 to 12"),
        (4, {"sample": 13}, ValueError, "sample must be from 4 to 12"),
        (4, {"init": "median"}, ValueError, "init"),
        (4, {"sample": 2.5}, TypeError, "sample must be a whole number"),
        (4, {"init": np.zeros((3, 3))}, ValueError, "does not match the number of clusters 4"),
        (4, {"init": None}, ValueError, "init must have shape"),
        (4, {"n_init": 0}, ValueError, "n_init"),
        (4, {"frame": 1}, ValueError, "has 1 frame"),
        (4, {"tol": -1}, ValueError, "tol"),
        (4, {"max_iter": 0}, ValueError, "max_iter"),
        (4, {"rng": "x"}, TypeError, "rng"),
        (4, {"n_threads": 0}, ValueError, "n_threads"),
    ],
)
def test_bad_arguments(k, options, error, message):
    with pytest.raises(error, match=message):
        quantize(np.arange(36, dtype=np.uint8).reshape(3, 4, 3), k, **options)


def test_repr(noise):
    assert "50×40" in repr(quantize(noise, 4))


def test_more_starts_never_make_it_worse(rng):
    for _ in range(6):
        picture = rng.integers(0, 256, (12, 12, 3)).astype(np.uint8)
        for k in (2, 5, 9):
            errors = [quantize(picture, k, n_init=n).mse for n in (1, 2, 5)]
            assert errors == sorted(errors, reverse=True)


def test_words_of_errors(noise):
    with pytest.raises(ValueError, match=r"for one colour write \[\(227, 6, 19\)\]"):
        quantize(noise, 4, lock=(227, 6, 19))
    with pytest.raises(TypeError, match="a whole number or 'auto'; got '8'"):
        quantize(noise, "8")
    with pytest.raises(TypeError, match=r"shared_palette takes lock, .* got dither"):
        lloydq.shared_palette([noise], 4, dither="bayer")
