"""Indexed files: PNG as small as Pillow makes it at a fair time, GIF with what alpha it has."""

import io
import zlib

import made
import numpy as np
import pytest
from PIL import Image, ImageDraw

from lloydq import quantize
from lloydq.image import encoding, indexed, load, png

CUT = "^GIF has no translucent colours: alpha was cut at one half$"


@pytest.fixture
def efforts(monkeypatch):
    """The efforts that were tried, each with its strategy."""
    found, once = [], encoding.png

    def listed(image, effort=6, **options):
        found.append((effort, options.get("compress_type")))
        return once(image, effort, **options)

    monkeypatch.setattr(encoding, "png", listed)
    return found


def window(colors):
    """Flat, with text, of so many colours."""
    image = Image.new("P", (640, 400))
    image.putpalette(np.random.default_rng(3).integers(0, 256, 3 * colors).astype(np.uint8).tobytes())
    draw = ImageDraw.Draw(image)
    for i in range(colors):
        x, y = i % 8 * 80, i // 8 * 400 * 8 // max(colors, 8)
        draw.rectangle((x, y, x + 70, y + 40), fill=i)
        draw.text((x + 4, y + 4), f"Button {i}", fill=(i + 1) % colors)
    return image


RUNS, BEST = (6, zlib.Z_RLE), (9, zlib.Z_DEFAULT_STRATEGY)
USUAL = 6, None  # Pillow's own strategy


def sizes(q):
    """By effort and strategy, without metadata."""
    alpha = {} if q.palette.colors.shape[1] == 3 else {"transparency": made.parts_of(q.png)["tRNS"]}
    image = indexed(q.indices, q.palette.colors[:, :3])
    named = {USUAL: {}, RUNS: {"compress_type": RUNS[1]}, BEST: {"compress_type": BEST[1]}}
    return {how: len(png(image, how[0], **options, **alpha)) for how, options in named.items()}


@pytest.mark.parametrize("colors", [2, 9, 16, 17, 64])
def test_small_pngs_are_as_small_as_they_get(colors, efforts):
    q = quantize(window(colors), 256)
    size, found = q.n_bytes, sizes(q)
    assert efforts == ([USUAL, RUNS, BEST] if colors <= 16 else [USUAL, BEST])
    assert size == min(found[how] for how in efforts) < found[USUAL]
    np.testing.assert_array_equal(load(q.png).pixels, q.pixels)


def test_a_logo_with_alpha(efforts):
    image = Image.new("RGBA", (800, 800))
    draw = ImageDraw.Draw(image)
    draw.ellipse((80, 80, 720, 720), fill="#dc3232")
    draw.polygon([(400, 200), (600, 600), (200, 600)], fill="#1e3ca0")
    q = quantize(image.resize((200, 200), Image.Resampling.LANCZOS), 64)
    assert efforts == []
    assert q.n_bytes < sizes(q)[USUAL]
    np.testing.assert_array_equal(load(q.png).pixels, q.pixels)


def test_a_photograph_of_few_colours_is_packed_by_runs(photo_path):
    q = quantize(photo_path, 8)
    found = sizes(q)
    assert q.n_bytes == found[RUNS] < 0.9 * found[USUAL]
    assert found[RUNS] < found[BEST]


def test_where_runs_are_better_level_9_is_not_tried_but_on_small_files(photo_path, efforts):
    for size, expected in ((160, [USUAL, RUNS, BEST]), (640, [USUAL, RUNS])):
        with Image.open(photo_path) as image:
            q = quantize(image.resize((size, size * 9 // 16)), 8)
        efforts.clear()
        data, found = q.png, sizes(q)
        assert efforts == expected
        assert len(data) == min(found.values())
        assert found[RUNS] < found[USUAL]


def test_a_photograph_of_many_colours_is_packed_once(photo_path, efforts):
    """Level 9 would take five times as long, for a twenty-fifth."""
    q = quantize(photo_path, 64)
    assert q.png == png(q.image)
    assert efforts == [USUAL]


def test_what_a_file_says_is_there_once(rng):
    source = made.saved(rng.integers(0, 9, (30, 40, 3)).astype(np.uint8) * 20, dpi=(300, 300))
    q = quantize(source, 8)
    parts = made.parts_of(q.encode())
    assert len(parts["pHYs"]) == 9
    assert parts["IDAT"] == made.parts_of(q.png)["IDAT"]


# GIF


def half_seen(rng):
    """Palette entries of every alpha, in a picture of 16 pixels for each."""
    palette = rng.integers(0, 256, (64, 4)).astype(np.uint8)
    palette[:, 3] = np.arange(64) * 4 + 3
    palette[30:34, 3] = 0, 127, 128, 255
    return rng.permutation(np.repeat(np.arange(64, dtype=np.uint8), 16)).reshape(32, 32), palette


def test_gif_cuts_alpha_at_one_half(rng):
    indices, palette = half_seen(rng)
    with pytest.warns(UserWarning, match=CUT):
        data = encoding.encode(indices, palette, "GIF", {})
    with Image.open(io.BytesIO(data)) as image:
        found = np.asarray(image.convert("RGBA"))
        positions = np.asarray(image)
    is_seen = palette[indices][:, :, 3] >= 128
    np.testing.assert_array_equal(found[:, :, 3], is_seen * 255)
    np.testing.assert_array_equal(found[is_seen][:, :3], palette[indices][is_seen][:, :3])
    assert len(set(positions[~is_seen])) == 1
    np.testing.assert_array_equal(positions[is_seen], indices[is_seen])


def test_gif_of_colours_that_are_all_more_or_all_less_than_half(rng):
    indices, palette = half_seen(rng)
    for alpha, shown in ((200, 255), (20, 0)):
        palette[:, 3] = alpha
        with pytest.warns(UserWarning, match=CUT):
            data = encoding.encode(indices, palette, "GIF", {})
        with Image.open(io.BytesIO(data)) as image:
            assert set(np.asarray(image.convert("RGBA"))[:, :, 3].ravel()) == {shown}


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_too_many_colours(kind, rng):
    palette = rng.integers(0, 256, (300, 4)).astype(np.uint8)
    with pytest.raises(ValueError, match="an indexed picture has at most 256 colours; these are 300"):
        encoding.encode(rng.integers(0, 300, (9, 9)).astype(np.uint16), palette, kind, {})


def test_what_is_too_long_for_a_gif(tmp_path):
    q = quantize(np.zeros((1, 65_536, 3), np.uint8), 1)
    with pytest.raises(ValueError, match="a GIF is at most 65,535 pixels wide and high; this one would be 65,536 × 1"):
        q.save(tmp_path / "a.gif")
    assert not list(tmp_path.iterdir())
    q = quantize(np.zeros((65_535, 1, 3), np.uint8), 1)
    assert load(q.encode("GIF")).pixels.shape == (65_535, 1, 3)
