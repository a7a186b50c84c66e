"""Every mode of Pillow, in every file that holds it, in and out again to the bit."""

import io
from importlib.metadata import version
from pathlib import Path

import made
import numpy as np
import pytest
from PIL import Image, ImageCms

from lloydq import quantize
from lloydq.image import load

HEIGHT, WIDTH = 10, 12
Image.init()

# In which files Pillow keeps which modes; JPEG, WebP and AVIF have others, of which they make their own
FILES = {
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "TIFF": ("1", "L", "LA", "P", "PA", "RGB", "RGBX", "RGBA", "CMYK", "YCbCr", "LAB", "I;16", "I;16B", "I", "F"),
    "GIF": ("1", "L", "LA", "P", "RGB", "RGBA"),
    "WEBP": ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBa", "CMYK"),
    "BMP": ("1", "L", "P", "RGB", "RGBA"),
    "PPM": ("1", "L", "RGB", "I;16", "I", "F"),
    "JPEG": ("1", "L", "RGB", "CMYK", "YCbCr"),
    "JPEG2000": ("L", "LA", "RGB", "RGBA", "I;16"),
    "TGA": ("1", "L", "LA", "P", "RGB", "RGBA"),
} | ({"AVIF": ("L", "LA", "RGB", "RGBA")} if "AVIF" in Image.SAVE else {})
EXACT = {"WEBP": {"lossless": True, "exact": True}, "AVIF": {"quality": 90}, "JPEG": {"quality": 90}}


def every_mode():
    """A picture of noise in each of Pillow's modes."""
    rng = np.random.default_rng(5)
    rgba = rng.integers(0, 256, (HEIGHT, WIDTH, 4)).astype(np.uint8)
    rgba[0, :5, 3] = 0
    rgb, both = Image.fromarray(rgba[:, :, :3]), Image.fromarray(rgba)
    found = {mode: rgb.convert(mode) for mode in ("1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr", "HSV")}
    found |= {"RGBA": both, "RGBa": both.convert("RGBa"), "LA": both.convert("LA")}
    found |= {"La": found["LA"].convert("La"), "PA": rgb.quantize(16).convert("PA")}
    found["PA"].putalpha(both.getchannel("A"))
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    found["LAB"] = ImageCms.profileToProfile(rgb, srgb, lab, outputMode="LAB")
    del found["LAB"].info["icc_profile"]
    deep = rng.integers(0, 65536, (HEIGHT, WIDTH))
    found |= {"I;16": Image.fromarray(deep.astype("<u2")), "I;16B": Image.fromarray(deep.astype(">u2"))}
    found |= {"I": Image.fromarray(deep.astype(np.int32)), "F": Image.fromarray(rng.random(deep.shape, np.float32))}
    assert all(image.mode == mode for mode, image in found.items())
    return found


MODES = every_mode()


def by_pillow(image):
    """The pixels in 8 bits by what Pillow and the definition of 16 bits say; what is not seen is (0, 0, 0, 0)."""
    if image.mode == "F":
        image = Image.fromarray(np.rint(np.asarray(image, np.float64) * 255).astype(np.uint8))
    elif image.mode.startswith("I"):
        image = Image.fromarray(made.reduced(np.asarray(image)[:, :, None])[:, :, 0])
    elif image.mode == "LAB":
        srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
        image = ImageCms.profileToProfile(image, lab, srgb, ImageCms.Intent.RELATIVE_COLORIMETRIC, "RGB", flags=flags)
    if image.mode == "La":
        image = image.convert("LA")
    pixels = np.array(image.convert("RGBA" if image.has_transparency_data else "RGB"))
    if pixels.shape[2] == 3 or (pixels[:, :, 3] == 255).all():
        return pixels[:, :, :3]
    pixels[pixels[:, :, 3] == 0] = 0
    return pixels


def goes_and_comes(image, expected):
    """Read, quantized to all its colours and to 5, written and read by Pillow: always the same pixels."""
    np.testing.assert_array_equal(load(image).pixels, expected)
    q = quantize(image, expected[:, :, 0].size)
    assert q.stop_reason == "few colors"
    np.testing.assert_array_equal(q.pixels, expected)
    comes_back(q)
    comes_back(quantize(image, 5))


def comes_back(q):
    is_indexed_png(q.encode("PNG"), q)
    if q.pixels.shape[2] == 3 or set(q.pixels[:, :, 3].ravel()) <= {0, 255}:
        with Image.open(io.BytesIO(q.encode("GIF"))) as image:
            np.testing.assert_array_equal(by_pillow(image), q.pixels)
    else:
        with pytest.warns(UserWarning, match="GIF has no translucent colours: alpha was cut at one half"):
            data = q.encode("GIF")
        with Image.open(io.BytesIO(data)) as image:
            found = np.asarray(image.convert("RGBA"))
        is_seen = q.pixels[:, :, 3] >= 128
        np.testing.assert_array_equal(found[:, :, 3], is_seen * 255)
        np.testing.assert_array_equal(found[is_seen][:, :3], q.pixels[is_seen][:, :3])


def is_indexed_png(data, q):
    """Whether the bytes are those of a PNG of exactly these colours, of as few bits, with alpha as short as can be."""
    k, parts = len(q.palette), made.parts_of(data)
    assert parts["IHDR"][8:10] == bytes([next(bits for bits in (1, 2, 4, 8) if k <= 1 << bits), 3])
    assert parts["PLTE"] == q.palette.colors[:, :3].tobytes()
    assert not set(parts) & {"iCCP", "gAMA", "cHRM"}
    alpha = q.palette.colors[:, 3] if q.palette.colors.shape[1] == 4 else np.full(k, 255)
    assert parts.get("tRNS", b"") == bytes(alpha.tolist()).rstrip(b"\xff")
    assert ("tRNS" in parts) == bool((alpha < 255).any())
    with Image.open(io.BytesIO(data)) as image:
        assert image.mode == "P"
        np.testing.assert_array_equal(np.asarray(image), q.indices)
        np.testing.assert_array_equal(by_pillow(image), q.pixels)


@pytest.mark.parametrize("mode", MODES)
def test_images_of_every_mode(mode):
    image = MODES[mode]
    before = image.tobytes(), image.mode, dict(image.info)
    goes_and_comes(image, by_pillow(image))
    assert (image.tobytes(), image.mode, image.info) == before


@pytest.mark.parametrize(("kind", "mode"), [(kind, mode) for kind, modes in FILES.items() for mode in modes])
def test_files_of_every_mode(kind, mode, tmp_path):
    data = made.saved(MODES[mode], kind, **EXACT.get(kind, {}))
    if (kind, mode) == ("TIFF", "YCbCr") and int(version("pillow").split(".")[0]) < 13:
        with pytest.raises(OSError, match="damaged or not supported"):  # it cannot read what it writes
            load(data)
        return
    with Image.open(io.BytesIO(data)) as image:
        expected = by_pillow(image)
    goes_and_comes(data, expected)
    path = tmp_path / "picture"
    path.write_bytes(data)
    with path.open("rb") as file, Image.open(path) as image:
        for source in (path, str(path), file, bytearray(data), memoryview(data), image):
            np.testing.assert_array_equal(load(source).pixels, expected)


def test_palettes_with_alpha_and_a_colour_that_is_transparent():
    rgba = np.asarray(MODES["RGBA"])
    for key, kinds in ((bytes(range(0, 256, 17)), ["PNG"]), (3, ["PNG", "GIF"])):
        image = Image.fromarray(rgba[:, :, :3]).quantize(16)
        image.info["transparency"] = key
        files = [made.saved(image, kind) for kind in kinds]  # before Pillow puts the alpha into the palette too
        expected = by_pillow(image)
        assert len(np.unique(expected[:, :, 3])) == (2 if key == 3 else 16)
        for source in (image, *files):
            goes_and_comes(source, expected)
    image = Image.fromarray(rgba).quantize(16)  # whose palette has the alpha
    assert image.palette.mode == "RGBA"
    goes_and_comes(image, by_pillow(image))


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_a_colour_that_is_transparent(mode):
    image = MODES[mode].copy()
    image.info["transparency"] = image.getpixel((4, 4))
    expected = by_pillow(image)
    assert expected.shape[2] == 4
    goes_and_comes(image, expected)
    goes_and_comes(made.saved(image, "PNG", transparency=image.info["transparency"]), expected)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_transparent_grey_of_few_bits(bits):
    """Pillow spreads the levels of 2 and 4 bits to 8, and not the key."""
    levels = np.arange(16) % 2**bits
    row = np.packbits(np.unpackbits(levels.astype(np.uint8)[:, None], axis=1)[:, 8 - bits :]).tobytes()
    data = made.png([row], 0, bits, 16, [(b"tRNS", b"\0\1")])
    spread = levels * 255 // (2**bits - 1)
    expected = np.where(levels[:, None] == 1, 0, np.stack([spread] * 3 + [np.full(16, 255)], axis=1))
    goes = load(data).pixels[0]
    np.testing.assert_array_equal(goes, expected)


@pytest.mark.parametrize("mask", [(0xF800, 0x07E0, 0x001F), (0x7C00, 0x03E0, 0x001F)])
def test_bitmaps_of_16_bits_a_pixel(mask, rng):
    pixels = rng.integers(0, 1 << 16, (3, 4)).astype("<u2")
    header = np.array([40, 4, 3, 1 | 16 << 16, 3, pixels.nbytes, 0, 0, 0, 0, *mask], "<u4").tobytes()
    start = 14 + len(header)
    data = b"BM" + np.array([start + pixels.nbytes, 0, start], "<u4").tobytes() + header + pixels[::-1].tobytes()
    for channel, bits in enumerate(mask):
        level = (pixels & bits) // (bits & -bits)
        spread = level * 255 // (bits // (bits & -bits))
        np.testing.assert_array_equal(load(data).pixels[:, :, channel], spread)
    assert load(data).notes == ()


ARRAYS = {
    "bool": lambda level: level > 127,
    "uint8": lambda level: level.astype(np.uint8),
    "uint16": lambda level: (level * 257).astype(np.uint16),
    "big-endian uint16": lambda level: (level * 257).astype(">u2"),
    "float16": lambda level: (level / 255).astype(np.float16),
    "float32": lambda level: (level / 255).astype(np.float32),
    "big-endian float32": lambda level: (level / 255).astype(">f4"),
    "float64": lambda level: level / 255,
}


@pytest.mark.parametrize("kind", ARRAYS)
@pytest.mark.parametrize("channels", [(), (1,), (3,), (4,)])
def test_arrays_of_every_kind(kind, channels, rng):
    levels = rng.integers(0, 256, (HEIGHT, WIDTH, *channels))
    array = ARRAYS[kind](levels)
    if kind == "bool":
        levels = array * 255
    expected = levels.astype(np.uint8)
    if expected.ndim == 2 or channels == (1,):
        expected = np.stack([expected.reshape(HEIGHT, WIDTH)] * 3, axis=2)
    elif channels == (4,):
        expected[expected[:, :, 3] == 0] = 0
    for source in (array, np.asfortranarray(array), array[::-1][::-1], read_only(array)):
        goes_and_comes(source, expected)
    assert ("16 bits a channel were rounded to 8" in load(array).notes) == ("uint16" in kind)


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


def test_16_bits_of_an_array_are_rounded_to_the_nearest_level():
    every = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    np.testing.assert_array_equal(load(every).pixels[:, :, 0], np.rint(every / 257))


def test_what_is_like_an_array(rng):
    pixels = rng.integers(0, 256, (5, 6, 3)).astype(np.uint8)

    class Interface:
        __array_interface__ = pixels.__array_interface__

    class Method:
        def __array__(self, dtype=None, copy=None):
            return pixels

    for source in (Interface(), Method()):
        goes_and_comes(source, pixels)


@pytest.mark.parametrize(
    ("array", "error", "message"),
    [
        (np.full((2, 2), -0.1), ValueError, "floats must be from 0 to 1; got -0.1"),
        (np.full((2, 2), 1.5), ValueError, "floats must be from 0 to 1; got 1.5"),
        (np.full((2, 2), np.nan), ValueError, "floats must be from 0 to 1; got nan"),
        (np.zeros((2, 2, 2), np.uint8), ValueError, "shape"),
        (np.zeros((2, 2, 5), np.uint8), ValueError, "shape"),
        (np.zeros((0, 2, 1), np.uint8), ValueError, "none of them 0"),
        (np.zeros((2, 2), np.int16), TypeError, "got int16"),
        (np.zeros((2, 2), complex), TypeError, "got complex128"),
        (np.array([["a"]]), TypeError, "got <U1"),
    ],
)
def test_arrays_that_are_no_pictures(array, error, message):
    with pytest.raises(error, match=message):
        load(array)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (Image.fromarray(np.array([[-1, 5]], np.int32)), "whole numbers from -1 to 5"),
        (Image.fromarray(np.array([[0, 65536]], np.int32)), "whole numbers from 0 to 65536"),
        (Image.fromarray(np.array([[0, 255.5]], np.float32)), "numbers from 0.0 to 255.5"),
        (Image.fromarray(np.array([[0, np.nan]], np.float32)), "numbers from nan to nan"),
    ],
)
def test_numbers_that_do_not_say_what_they_mean(image, message, tmp_path):
    image.save(tmp_path / "picture.tif")
    for source in (image, tmp_path / "picture.tif"):
        with pytest.raises(ValueError, match=message):
            load(source)


@pytest.mark.parametrize("mode", ["RGB", "P", "I;16", "L"])
@pytest.mark.parametrize("size", [(0, 5), (5, 0), (0, 0)])
def test_images_without_pixels(mode, size):
    with pytest.raises(ValueError, match=f"the Pillow image has no pixels: it is {size[0]}×{size[1]}"):
        load(Image.new(mode, size))


def test_whole_numbers_and_floats_in_8_bits():
    """In mode I as Pillow makes it of L; a file that says 16 bits means 16 bits, however dark it is."""
    levels = np.arange(256).reshape(16, 16)
    for dtype in (np.int32, np.float32):
        np.testing.assert_array_equal(load(Image.fromarray(levels.astype(dtype))).pixels[:, :, 0], levels)
    dark = b"P5 16 16 65535\n" + levels.astype(">u2").tobytes()
    np.testing.assert_array_equal(load(dark).pixels[:, :, 0], levels > 128)
    np.testing.assert_array_equal(load(Image.fromarray(levels.astype(np.uint16))).pixels[:, :, 0], levels > 128)


def test_files_read_whole_and_named(tmp_path):
    path = tmp_path / "deep.tif"
    MODES["RGB"].save(path)
    picture = load(path)
    assert (picture.n_bytes, picture.name, picture.notes) == (path.stat().st_size, repr(str(path)), ())
    assert load(Path(path)).n_bytes == picture.n_bytes
    assert load(MODES["RGB"]).n_bytes is None
