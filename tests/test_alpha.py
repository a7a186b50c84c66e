"""Pictures that are seen through: compared as they look on black and on white."""

import io

import made
import numpy as np
import pytest
from PIL import Image

import lloydq
from lloydq import Palette, apply_palette, quantize
from lloydq.spaces import SPACES, colors_of, points_of


def noise(rng, shape=(20, 30)):
    """Noise of every alpha, a part of it not seen at all."""
    pixels = rng.integers(0, 256, (*shape, 4)).astype(np.uint8)
    pixels[: shape[0] // 4, :, 3] = 0
    return pixels


def clean(pixels):
    return np.where(pixels[:, :, 3:] == 0, 0, pixels)


def put_on(colors, paper):
    """(n, 4) on a grey paper, (n, 3)."""
    alpha = colors[:, 3:] / 255.0
    return colors[:, :3] * alpha + paper * (1 - alpha)


def errors(a, b):
    """For each of a (n, 4) and of b (k, 4) the mean of the squared distance on black and on white: (n, k)."""
    both = [((put_on(a, paper)[:, None] - put_on(b, paper)) ** 2).sum(axis=2) for paper in (0, 255)]
    return (both[0] + both[1]) / 2


def opaque(colors):
    colors = np.asarray(colors)
    return np.pad(colors, ((0, 0), (0, 4 - colors.shape[1])), constant_values=255)


def as_they_look(q):
    """Whether the error is what is seen, and no other colour of the palette would look nearer."""
    pixels, palette = opaque(q.picture.pixels.reshape(-1, q.picture.pixels.shape[2])), opaque(q.palette.colors)
    table = errors(pixels, palette)
    found = table[np.arange(len(pixels)), q.indices.ravel()]
    np.testing.assert_allclose(found, table.min(axis=1), rtol=1e-9, atol=1e-7)
    assert q.mse == pytest.approx(found.mean(), rel=1e-10, abs=1e-10)
    assert q.psnr == pytest.approx(10 * np.log10(255**2 / (found.mean() / 3)), rel=1e-10)


@pytest.mark.parametrize("k", [1, 2, 3, 17, 64, 256])
def test_the_error_is_the_mean_of_that_on_black_and_on_white(k, rng):
    q = quantize(noise(rng), k)
    as_they_look(q)
    assert len(q.palette) == q.palette.n_distinct == k


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("k", [2, 3, 16, 100, 300])
def test_what_is_not_seen_shares_one_entry(k, space, rng):
    pixels = noise(rng)
    q = quantize(pixels, k, space=space)
    unseen = [i for i, color in enumerate(q.palette) if color[3] == 0]
    assert [q.palette[i] for i in unseen] == [(0, 0, 0, 0)]
    assert set(q.indices[pixels[:, :, 3] == 0]) == set(unseen)
    assert (q.pixels[pixels[:, :, 3] == 0] == 0).all()


def test_invisible_colours_cost_nothing(rng):
    pixels = rng.integers(0, 256, (30, 40, 4)).astype(np.uint8)
    pixels[:, :, 3] = 0
    pixels[:3] = [200, 10, 20, 255]
    pixels[3:5] = [10, 20, 200, 128]
    q = quantize(pixels, 3)
    assert (q.stop_reason, q.mse, q.n_distinct) == ("few colors", 0.0, 3)
    assert sorted(q.palette) == [(0, 0, 0, 0), (10, 20, 200, 128), (200, 10, 20, 255)]
    np.testing.assert_array_equal(q.pixels, clean(pixels))


def test_a_picture_that_is_not_seen_at_all(rng):
    pixels = rng.integers(0, 256, (5, 6, 4)).astype(np.uint8)
    pixels[:, :, 3] = 0
    for k in (1, 2, 30):
        assert list(quantize(pixels, k).palette) == [(0, 0, 0, 0)]


@pytest.mark.parametrize("space", SPACES)
def test_what_is_opaque_stays_opaque(space, rng):
    pixels = noise(rng)
    pixels[5:, :, 3] = 255
    for k in (2, 5, 40):
        q = quantize(pixels, k, space=space)
        assert {color[3] for color in q.palette} == {0, 255}
        assert (q.pixels[5:, :, 3] == 255).all()


@pytest.mark.parametrize("space", SPACES)
def test_a_few_edges_spoil_no_area(space):
    """The mean of a red area and its faint edge is nearly opaque: it is made so. What is all of it nearly so is not."""
    pixels = np.zeros((20, 50, 4), np.uint8)
    pixels[:10], pixels[10:] = [200, 0, 0, 255], [0, 0, 200, 255]
    pixels[0, :10, 0], pixels[0, :20, 3] = 190, 190
    q = quantize(pixels, 2, space=space)
    assert q.palette.colors.shape == (2, 3)
    pixels[10:, :, 3] = 250
    q = quantize(pixels, 2, space=space)
    assert sorted(color[3] for color in q.palette) == [250, 255]
    if space == "srgb":
        as_they_look(q)


def test_alpha_is_weighed_as_it_looks():
    """A faint colour may go wrong, a plain one may not: one of two entries goes to the pair that looks alike."""
    pixels = np.array([[[0, 0, 0, 8], [255, 0, 0, 8], [255, 0, 0, 255], [0, 0, 0, 8], [255, 0, 0, 255]]], np.uint8)
    q = quantize(pixels, 2)
    assert q.indices.tolist() in ([[0, 0, 1, 0, 1]], [[1, 1, 0, 1, 0]])
    assert (255, 0, 0, 255) in list(q.palette)
    faint = next(color for color in q.palette if color[3] < 255)
    assert faint == (85, 0, 0, 8)  # premultiplied: a third of the red


def test_opaque_pictures_have_no_alpha(rng):
    pixels = rng.integers(0, 256, (9, 9, 4)).astype(np.uint8)
    pixels[:, :, 3] = 255
    q = quantize(pixels, 12)
    assert q.png == quantize(pixels[:, :, :3], 12).png
    assert q.palette.colors.shape == (12, 3)


# Without alpha


def test_dropped_alpha_leaves_the_colours_as_they_are(rng):
    pixels = noise(rng)
    for source in (pixels, made.saved(pixels, "PNG"), Image.fromarray(pixels)):
        np.testing.assert_array_equal(quantize(source, 600, alpha="drop").pixels, pixels[:, :, :3])
    np.testing.assert_array_equal(lloydq.pixels(pixels, alpha="drop"), pixels[:, :, :3].reshape(-1, 3))
    assert quantize(pixels, 9, alpha="drop").png == quantize(pixels[:, :, :3], 9).png


@pytest.mark.parametrize("paper", ["#ffffff", "#000000", "#e30613", "abc"])
def test_on_a_colour_with_exact_rounding(paper, rng):
    """All levels and all alphas, over each channel of the colour."""
    level, alpha = np.meshgrid(np.arange(256), np.arange(256))
    pixels = np.stack([level, level[:, ::-1], level // 2, alpha], axis=2).astype(np.uint8)
    digits = paper.removeprefix("#")
    digits = "".join(d + d for d in digits) if len(digits) == 3 else digits
    under = np.array(list(bytes.fromhex(digits)))
    expected = np.rint((pixels[:, :, :3] * alpha[:, :, None] + under * (255.0 - alpha[:, :, None])) / 255)
    np.testing.assert_array_equal(lloydq.pixels(pixels, alpha=paper).reshape(256, 256, 3), expected)
    assert quantize(pixels, 2, alpha=paper).palette.colors.shape == (2, 3)
    assert (lloydq.pixels(pixels, alpha=paper).reshape(256, 256, 3)[0] == under).all()


@pytest.mark.parametrize("alpha", ["white", "#ffffff80", "", None, 3])
def test_bad_alpha(alpha):
    with pytest.raises(TypeError, match="alpha must be 'keep', 'drop' or a colour"):
        quantize(np.zeros((2, 2, 4), np.uint8), 1, alpha=alpha)


# Given palettes


def test_a_palette_with_alpha(rng):
    palette = rng.integers(0, 256, (20, 4)).astype(np.uint8)
    palette[3] = 0
    for pixels in (noise(rng), rng.integers(0, 256, (9, 9, 3)).astype(np.uint8)):
        q = apply_palette(pixels, palette)
        as_they_look(q)
        assert q.palette == Palette(palette)
    as_they_look(apply_palette(noise(rng), ["#ff0000", "#00ff0080", "#00000000"]))


def test_an_opaque_palette_for_a_picture_with_alpha(rng):
    pixels, palette = noise(rng), np.array([[0, 0, 0], [255, 255, 255], [255, 0, 0]])
    with pytest.warns(UserWarning, match="half there"):
        q = apply_palette(pixels, palette)
    distances = ((pixels[:, :, None, :3].astype(int) - palette) ** 2).sum(axis=3)
    expected = np.where(pixels[:, :, 3] < 128, 3, distances.argmin(axis=2))
    np.testing.assert_array_equal(q.indices, expected)
    assert q.palette.hex == ["#000000", "#ffffff", "#ff0000", "#00000000"]
    with pytest.warns(UserWarning, match="half there"):
        assert apply_palette(pixels | 128, palette).pixels.shape == (20, 30, 3)


def test_what_is_not_seen_stays_so_under_an_opaque_palette(rng):
    pixels = rng.integers(0, 256, (9, 9, 4)).astype(np.uint8)
    pixels[:, :, 3] = np.where(np.arange(9) < 4, 0, 255)
    palette = [[200, 0, 0], [0, 200, 0]]
    q = apply_palette(pixels, palette)
    np.testing.assert_array_equal(q.palette.colors, [*([*color, 255] for color in palette), [0, 0, 0, 0]])
    np.testing.assert_array_equal(q.indices == 2, pixels[:, :, 3] == 0)
    full = rng.permutation(256)[:, None].repeat(3, axis=1)
    with pytest.warns(UserWarning, match="no room"):
        assert len(apply_palette(pixels, full).palette) == 256
    pixels[:, :, 3] = np.arange(9) * 30
    with pytest.warns(UserWarning, match="half there"):
        q = apply_palette(pixels, palette, dither="floyd-steinberg")
    np.testing.assert_array_equal(q.indices == 2, pixels[:, :, 3] < 128)
    assert q.palette.counts.sum() == 81


def test_opaque_pixels_do_not_become_transparent(rng):
    pixels = rng.integers(0, 256, (9, 9, 3)).astype(np.uint8)
    q = apply_palette(pixels, ["#00000000", "#808080"])
    assert (q.indices == 1).all()
    np.testing.assert_array_equal(q.pixels[:, :, 3], 255)


def test_entries_that_are_not_seen_are_equal(rng):
    """Whatever colour they name; the first is used."""
    pixels = noise(rng)
    q = apply_palette(pixels, ["#808080", "#ff000000", "#00ff0000"])
    assert set(q.indices[pixels[:, :, 3] == 0]) == {1}
    assert 2 not in q.indices


# Files


def test_translucent_entries_come_first_and_the_file_says_no_more_alpha_than_that(rng):
    pixels = noise(rng, (30, 30))
    pixels[15:, :, 3] = 255
    q = quantize(pixels, 40)
    alpha = q.palette.colors[:, 3]
    translucent = int((alpha < 255).sum())
    assert 1 < translucent < 40
    assert (alpha[:translucent] < 255).all()
    assert (alpha[translucent:] == 255).all()
    assert made.parts_of(q.png)["tRNS"] == alpha[:translucent].tobytes()
    image = Image.open(io.BytesIO(q.png))
    np.testing.assert_array_equal(np.asarray(image.convert("RGBA")), q.pixels)
    np.testing.assert_array_equal(np.asarray(q.image.convert("RGBA")), q.pixels)


@pytest.mark.parametrize("k", [2, 3, 5, 33, 255, 256])
def test_gif_of_what_is_seen_or_not(k, rng):
    pixels = noise(rng)
    pixels[5:, :, 3] = 255
    q = quantize(pixels, k)
    image = Image.open(io.BytesIO(q.encode("GIF")))
    np.testing.assert_array_equal(np.asarray(image.convert("RGBA")), q.pixels)
    np.testing.assert_array_equal(np.asarray(image), q.indices)
    np.testing.assert_array_equal(quantize(q.encode("GIF"), k).pixels, q.pixels)


def test_gif_cuts_what_is_seen_by_half(rng, tmp_path):
    """And says so where it was called."""
    q = quantize(noise(rng), 9)
    with pytest.warns(UserWarning, match="GIF has no translucent colours: alpha was cut at one half") as caught:
        q.save(tmp_path / "q.gif")
    assert caught[0].filename == __file__
    found = quantize(tmp_path / "q.gif", 9).pixels
    np.testing.assert_array_equal(found[:, :, 3], (q.pixels[:, :, 3] >= 128) * 255)
    quantize(noise(rng), 9, alpha="#ffffff").save(tmp_path / "q.gif")


# Points


@pytest.mark.parametrize("space", SPACES)
def test_points_of_translucent_colours(space, rng):
    """Distances of points are errors, and the nearest colour of a point is the one that it came from."""
    colors = clean(noise(rng)).reshape(-1, 4)
    points = points_of(colors, space)
    if space == "srgb":
        expected = errors(colors, colors)
    else:  # mixed in that space, where black is 0
        alpha, white = colors[:, 3:] / 255, points_of(np.full((1, 3), 255, np.uint8), space)
        black = points_of(colors[:, :3], space) * alpha
        both = (black, black + (1 - alpha) * white)
        expected = sum(((p[:, None] - p) ** 2).sum(axis=2) for p in both) / 2
    np.testing.assert_allclose(((points[:, None] - points) ** 2).sum(axis=2), expected, rtol=1e-6, atol=1e-9)
    plain = colors[colors[:, 3] > 0]
    np.testing.assert_array_equal(colors_of(points_of(plain, space), space), plain)
    np.testing.assert_array_equal(colors_of(points, space), colors)
