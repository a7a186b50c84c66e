"""16 bits a channel, rounded exactly, whatever file holds them."""

import io

import made
import numpy as np
import pytest
from PIL import Image

from lloydq import quantize
from lloydq.image import load

NOTE = "16 bits a channel were rounded to 8"
GREY, GREY_ALPHA, RGB, RGBA = 0, 4, 2, 6


def deep(rng, channels, shape=(7, 9)):
    """Noise, and every level of which one more or less changes what it is rounded to."""
    array = rng.integers(0, 65536, (*shape, channels)).astype(np.uint16)
    edges = np.arange(shape[0] * shape[1]) * 257 + 128
    array[:, :, 0].flat = edges + np.arange(len(edges)) % 2
    return array


def as_pixels(array):
    """(H, W, 3) or (H, W, 4) uint8, with what is not seen (0, 0, 0, 0)."""
    found = made.reduced(array)
    if found.shape[2] < 3:
        found = np.concatenate([np.repeat(found[:, :, :1], 3, axis=2), found[:, :, 1:]], axis=2)
    if found.shape[2] == 4:
        found[found[:, :, 3] == 0] = 0
    return found


@pytest.mark.parametrize("color_type", [GREY, GREY_ALPHA, RGB, RGBA])
def test_png(color_type, rng):
    array = deep(rng, made.CHANNELS[color_type])
    if color_type in (GREY_ALPHA, RGBA):
        array[:, :3, -1] = rng.integers(0, 200, (7, 3))
    picture = load(made.deep_png(array, color_type))
    np.testing.assert_array_equal(picture.pixels, as_pixels(array))
    assert picture.notes == (NOTE,)


@pytest.mark.parametrize("color_type", [GREY_ALPHA, RGBA])
def test_alpha_that_is_nearly_opaque_is_opaque(color_type, rng):
    array = deep(rng, made.CHANNELS[color_type])
    array[:, :, -1] = 65535 - rng.integers(0, 128, (7, 9))
    np.testing.assert_array_equal(load(made.deep_png(array, color_type)).pixels, as_pixels(array)[:, :, :3])


@pytest.mark.parametrize("color_type", [GREY, RGB])
def test_png_with_a_colour_that_is_transparent(color_type, rng):
    """The key has 16 bits: a colour that is the same in 8 is seen."""
    array = deep(rng, made.CHANNELS[color_type])
    array[2, 3], array[4, 5] = 1000, 1001
    key = array[2, 3].astype(">u2").tobytes()
    found = load(made.deep_png(array, color_type, [(b"tRNS", key)])).pixels
    expected = np.concatenate([as_pixels(array), np.full((7, 9, 1), 255, np.uint8)], axis=2)
    expected[2, 3] = 0
    np.testing.assert_array_equal(found, expected)


def test_png_in_seven_parts(rng):
    """Adam7's parts of a picture: every pixel of it once."""
    array = deep(rng, 2, (8, 8))
    rows = []
    for y, x, down, right in ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
                              (1, 0, 2, 1)):  # fmt: skip
        rows += [row.astype(">u2").tobytes() for row in array[y::down, x::right]]
    data = bytearray(made.png(rows, GREY_ALPHA, 16, 8))
    header = made.chunk(b"IHDR", data[16:20] + (8).to_bytes(4, "big") + bytes([16, GREY_ALPHA, 0, 0, 1]))
    data[8 : 8 + len(header)] = header
    np.testing.assert_array_equal(load(bytes(data)).pixels, as_pixels(array))


@pytest.mark.parametrize("deflated", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("channels", "photometric", "extra"), [(1, 1, None), (3, 2, None), (4, 2, None), (4, 2, 0), (4, 2, 2)]
)
def test_tiff(channels, photometric, extra, order, deflated, rng):
    array = deep(rng, channels)
    data = made.tiff(array.astype(order + "u2"), photometric=photometric, extra=extra, deflated=deflated)
    picture = load(data)
    np.testing.assert_array_equal(picture.pixels, as_pixels(array[:, :, :3] if extra == 0 else array))
    assert picture.notes == (NOTE,)


@pytest.mark.parametrize("order", ["<", ">"])
def test_tiff_of_premultiplied_colours(order, rng):
    """Pillow makes them straight, the high bytes by themselves."""
    array = deep(rng, 4)
    array[:, :, :3] = np.minimum(array[:, :, :3], array[:, :, 3:])
    array[0, 0] = 0
    straight = array.astype(np.float64)
    straight[:, :, :3] = np.rint(array[:, :, :3] * 65535.0 / np.maximum(array[:, :, 3:], 1))
    data = made.tiff(array.astype(order + "u2"), photometric=2, extra=1)
    np.testing.assert_array_equal(load(data).pixels, as_pixels(straight))


def test_tiff_whose_zero_is_white(rng):
    array = deep(rng, 1)
    found = load(made.tiff(array.astype("<u2"), photometric=0))
    np.testing.assert_array_equal(found.pixels, 255 - as_pixels(array))
    assert found.notes == (NOTE,)
    light = rng.random((7, 9, 1)).astype("<f4")
    found = load(made.tiff(light, photometric=0, kind=3)).pixels
    np.testing.assert_array_equal(found[:, :, 0], 255 - np.rint(light[:, :, 0] * 255))


def test_tiff_of_inks(rng):
    """By the plain formula: what the ink and the black let through."""
    array = deep(rng, 4)
    inks = made.reduced(array).astype(int)
    picture = load(made.tiff(array.astype("<u2"), photometric=5))
    plain = (255 - inks[:, :, :3]) * (255 - inks[:, :, 3:]) / 255
    assert abs(picture.pixels - plain).max() <= 1
    assert picture.notes == (NOTE, "CMYK without a usable profile was converted by the plain formula")


def test_pages_of_a_tiff(rng):
    pages = [deep(rng, 3).astype("<u2"), deep(rng, 3)[::-1].astype("<u2"), deep(rng, 3)[::2].astype("<u2")]
    data = made.tiff(*pages, photometric=2)
    for frame, array in enumerate(pages):
        picture = load(data, frame=frame)
        np.testing.assert_array_equal(picture.pixels, as_pixels(array))
        assert picture.notes == (f"frame {frame} of several, counted from 0", NOTE)


def test_12_bits(rng):
    """Two levels in three bytes."""
    levels = rng.integers(0, 4096, (4, 6))
    bits = np.unpackbits(levels.astype(">u2").view(np.uint8).reshape(4, 6, 2), axis=2)[:, :, 4:]
    packed = np.packbits(bits.reshape(4, -1), axis=1)
    data = made.tiff(packed[:, :, None], photometric=1)
    at = data.index(b"\x02\x01\x03\0\x01\0\0\0\x08\0")
    width = data.index(b"\0\x01\x03\0\x01\0\0\0\x09\0")
    data = bytearray(data)
    data[at + 8], data[width + 8] = 12, 6
    picture = load(bytes(data))
    np.testing.assert_array_equal(picture.pixels[:, :, 0], np.rint(levels * 255 / 4095))
    assert picture.notes == ("12 bits a channel were rounded to 8",)


def test_channels_one_after_the_other_are_refused(rng):
    """A TIFF of separate planes, of which Pillow makes noise where they are not compressed."""
    array = deep(rng, 3)
    data = bytearray(made.tiff(array.astype("<u2"), photometric=2, more=[(284, 2)]))
    at = data.index(b"\x11\x01\x04\0\x01\0\0\0")  # where the strip is: three of them, all the same here
    data[at : at + 12] = made.folder([(273, 4, 3, bytes(12))], 0)[2:10] + len(data).to_bytes(4, "little")
    data += (8).to_bytes(4, "little") * 3
    with pytest.raises(ValueError, match="has its channels of 16 bits one after the other, which is not supported"):
        load(bytes(data))


def test_an_image_of_pillow_has_lost_the_low_bytes_and_that_is_noted(rng):
    array = deep(rng, 3)
    with Image.open(io.BytesIO(made.deep_png(array, RGB))) as image:
        picture = load(image)
    np.testing.assert_array_equal(picture.pixels, array >> 8)
    assert picture.notes == (
        "16 bits a channel were cut to 8 by Pillow; from the file itself they would be rounded",
    )  # fmt: skip


@pytest.mark.parametrize("most", [256, 1000, 65535])
@pytest.mark.parametrize("kind", ["P2", "P3", "P5", "P6"])
def test_ppm(kind, most, rng):
    """Of which Pillow makes 8 bits, or of greys 16, by itself: right, and silently."""
    channels = 3 if kind in ("P3", "P6") else 1
    array = rng.integers(0, most + 1, (7, 9, channels)).astype(np.uint16)
    body = array.astype(">u2").tobytes() if kind in ("P5", "P6") else " ".join(map(str, array.ravel())).encode()
    picture = load(f"{kind}\n9 7\n{most}\n".encode() + body)
    assert abs(picture.pixels - array * (255 / most)).max() <= 0.505  # greys are rounded twice
    assert picture.notes == (NOTE,)


@pytest.mark.parametrize("kind", ["P2", "P3", "P5", "P6"])
def test_dark_and_shallow_ppm(kind):
    array = np.zeros((2, 2, 3 if kind in ("P3", "P6") else 1), np.uint16)
    array[0, 0] = 2
    for most, level, notes in ((65535, 0, (NOTE,)), (1000, 1, (NOTE,)), (255, 2, ()), (100, 5, ())):
        body = array.astype(">u2" if most > 255 else np.uint8).tobytes()
        body = " ".join(map(str, array.ravel())).encode() if kind in ("P2", "P3") else body
        picture = load(f"{kind}\n2 2\n{most}\n".encode() + body)
        assert picture.pixels[:, :, 0].tolist() == [[level, 0], [0, 0]]
        assert picture.notes == notes


def test_deep_pictures_are_quantized_as_their_8_bits(rng):
    array = deep(rng, 3, (40, 50))
    q = quantize(made.deep_png(array, RGB), 20)
    same = quantize(made.reduced(array), 20)
    assert q.png == same.png
    assert q.picture.notes == (NOTE,)
