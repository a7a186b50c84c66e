"""Colours to sRGB, by profiles and by gamma, each as ImageCms or the formula has it; what does not fit is noted."""

import io
import struct
import zlib

import made
import numpy as np
import pytest
from PIL import Image, ImageCms

from lloydq import quantize
from lloydq.image import load, profiles

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
P3 = made.profile("Handmade P3", 2.2, made.DISPLAY_P3)
GREY = made.profile("Handmade grey", 1.8)


@pytest.fixture
def pixels(rng):
    return rng.integers(0, 256, (7, 9, 3)).astype(np.uint8)


def converted(image, profile):
    """By ImageCms itself: relative to the white, black to black."""
    flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
    source, target = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    return np.asarray(ImageCms.profileToProfile(image, source, target, intent, "RGB", flags=flags))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG", "WEBP"])
def test_the_profile_of_srgb_changes_nothing(kind, pixels):
    options = {"quality": 95} if kind == "JPEG" else {"lossless": True} if kind == "WEBP" else {}
    plain, marked = (load(made.saved(pixels, kind, icc_profile=one, **options)) for one in (None, SRGB))
    np.testing.assert_array_equal(marked.pixels, plain.pixels)
    assert marked.notes == ()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "LA", "1"])
def test_colours_of_another_space_are_converted(mode, pixels, rng):
    image = Image.fromarray(np.dstack([pixels, rng.integers(0, 256, (7, 9)).astype(np.uint8)])).convert(mode)
    picture = load(made.saved(image, "PNG", icc_profile=P3))
    is_seen = picture.pixels[:, :, 3] > 0 if picture.pixels.shape[2] == 4 else np.ones((7, 9), bool)
    expected = converted(image.convert("RGB"), P3)
    np.testing.assert_array_equal(picture.pixels[:, :, :3][is_seen], expected[is_seen])
    if mode in ("RGBA", "LA"):
        np.testing.assert_array_equal(picture.pixels[:, :, 3], np.asarray(image.getchannel("A")))
    assert picture.notes == ("colour profile 'Handmade P3' was converted to sRGB",)
    if mode == "RGB":
        assert abs(picture.pixels.astype(int) - pixels).max() > 30


@pytest.mark.parametrize("mode", ["L", "LA", "1"])
def test_greys_are_converted_by_the_profile_of_greys(mode, pixels):
    image = Image.fromarray(pixels).convert(mode)
    picture = load(made.saved(image, "PNG", icc_profile=GREY))
    np.testing.assert_array_equal(picture.pixels, converted(image.convert("L"), GREY))
    light = (np.asarray(image.convert("L")) / 255) ** 1.8
    level = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    assert abs(picture.pixels[:, :, 0] - level * 255).max() < 1.5  # LittleCMS counts in 15 bits
    assert picture.notes == ("colour profile 'Handmade grey' was converted to sRGB",)


def test_16_bits_and_a_profile(rng):
    array = rng.integers(0, 65536, (7, 9, 3)).astype(np.uint16)
    chunk = b"a name\0\0" + zlib.compress(P3)
    picture = load(made.deep_png(array, 2, [(b"iCCP", chunk)]))
    np.testing.assert_array_equal(picture.pixels, converted(Image.fromarray(made.reduced(array)), P3))
    assert picture.notes == (
        "16 bits a channel were rounded to 8", "colour profile 'Handmade P3' was converted to sRGB",
    )  # fmt: skip


def test_lab_by_its_profile(pixels):
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB", 6500)).tobytes()
    srgb = ImageCms.createProfile("sRGB")
    source = ImageCms.ImageCmsProfile(io.BytesIO(lab))
    image = ImageCms.profileToProfile(Image.fromarray(pixels), srgb, source, outputMode="LAB")
    picture = load(made.saved(image, "TIFF", icc_profile=lab))
    np.testing.assert_array_equal(picture.pixels, converted(image, lab))
    assert picture.notes == (
        f"colour profile {ImageCms.getProfileDescription(source).strip()!r} was converted to sRGB",
    )


def test_inks_by_the_profile_of_another_kind(rng):
    image = Image.fromarray(rng.integers(0, 256, (7, 9, 4)).astype(np.uint8)).convert("RGB").convert("CMYK")
    image.info["icc_profile"] = P3
    picture = load(image)
    np.testing.assert_array_equal(picture.pixels, np.asarray(image.convert("RGB")))
    assert picture.notes == (
        "its profile 'Handmade P3' is not for pictures of its kind (CMYK), and was ignored",
        "CMYK without a usable profile was converted by the plain formula",
    )


def test_profiles_that_do_not_fit_or_are_damaged_are_noted(pixels):
    picture = load(made.saved(pixels, icc_profile=GREY))
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert picture.notes == ("its profile 'Handmade grey' is not for pictures of its kind (RGB), and was ignored",)
    garbled = bytearray(P3)
    garbled[250:400] = bytes(150)
    for damaged in (b"garbage", P3[:200], P3[:-1][: len(P3) // 2], bytes(garbled)):
        picture = load(made.saved(pixels, icc_profile=damaged))
        np.testing.assert_array_equal(picture.pixels, pixels)
        (note,) = picture.notes
        assert note.startswith("its colour profile is damaged, and was ignored (")


@pytest.mark.parametrize("profile", [SRGB, P3, b"garbage"])
def test_the_profile_is_never_written(profile, pixels):
    q = quantize(made.saved(pixels, icc_profile=profile), 8)
    for kind in ("PNG", "GIF"):
        for strip in (False, True):
            data = q.encode(kind, strip=strip)
            assert b"iCCP" not in data
            assert b"ICCRGBG1" not in data  # GIF's word for it
            with Image.open(io.BytesIO(data)) as image:
                assert "icc_profile" not in image.info
    assert "icc_profile" not in q.image.info
    assert load(q.png).notes == ()


# PNG's gamma


def with_gamma(pixels, gamma, *chunks):
    chunk = b"gAMA", struct.pack(">I", round(gamma * 100_000))
    rows = [row.tobytes() for row in pixels]
    return made.png(rows, {3: 2, 4: 6}[pixels.shape[2]], 8, pixels.shape[1], [chunk, *chunks])


@pytest.mark.parametrize("gamma", [1.0, 0.55, 0.3])
def test_gamma_is_converted(gamma, rng):
    """A level is light ** gamma."""
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(4, axis=2)
    pixels[:, :, 3] = np.maximum(pixels[:, :, 3], 1)
    light = (pixels[:, :, :3] / 255) ** (1 / gamma)
    level = np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055)
    picture = load(with_gamma(pixels, gamma))
    np.testing.assert_array_equal(picture.pixels[:, :, :3], np.rint(level * 255))
    np.testing.assert_array_equal(picture.pixels[:, :, 3], pixels[:, :, 3])
    assert picture.notes == (f"gamma {gamma:g} was converted to sRGB",)


def test_gamma_that_says_nothing_new(pixels):
    srgb = (b"sRGB", b"\0")
    profile = (b"iCCP", b"sRGB\0\0" + zlib.compress(SRGB))
    for data in (
        with_gamma(pixels, 0.45455), with_gamma(pixels, 1.0, srgb), with_gamma(pixels, 1.0, profile),
        with_gamma(pixels, 0.0),
    ):  # fmt: skip
        picture = load(data)
        np.testing.assert_array_equal(picture.pixels, pixels)
        assert picture.notes == ()


@pytest.mark.parametrize("color_type", [0, 2, 4, 6])
@pytest.mark.parametrize("is_keyed", [False, True])
@pytest.mark.parametrize("gamma", [1.0, 0.3])
def test_gamma_of_16_bits_is_converted_before_they_are_rounded(gamma, is_keyed, color_type, rng):
    """Of light itself 8 bits hold 13 as the darkest grey but black."""
    channels = made.CHANNELS[color_type]
    array = np.arange(0, 65536, 16, dtype=np.uint16).reshape(64, 64, 1).repeat(channels, axis=2)
    if channels in (2, 4):
        array[:, :, -1] = 65535 - rng.integers(0, 9, (64, 64)) * 4000
    is_keyed = is_keyed and channels in (1, 3)
    chunks = [(b"gAMA", struct.pack(">I", round(gamma * 100_000)))]
    chunks += [(b"tRNS", array[1, 1].astype(">u2").tobytes())] * is_keyed
    picture = load(made.deep_png(array, color_type, chunks))
    light = (array[:, :, 0] / 65535) ** (1 / gamma)
    level = np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055)
    expected = np.rint(level * 255)
    expected[1, 1] *= not is_keyed
    for channel in range(3):
        np.testing.assert_array_equal(picture.pixels[:, :, channel], expected)
    if channels in (2, 4):
        np.testing.assert_array_equal(picture.pixels[:, :, 3], made.reduced(array[:, :, -1:])[:, :, 0])
    if gamma == 1:
        assert len(np.unique(expected)) > 240
    assert picture.notes == ("16 bits a channel were rounded to 8", f"gamma {gamma:g} was converted to sRGB")


@pytest.mark.parametrize("color_type", [0, 2])
def test_gamma_of_16_bits_that_pillow_has_opened(color_type):
    """Of colours it has cut them to 8; of greys it has not."""
    array = np.full((3, 3, made.CHANNELS[color_type]), 1000, np.uint16)
    data = made.deep_png(array, color_type, [(b"gAMA", struct.pack(">I", 100_000))])
    with Image.open(io.BytesIO(data)) as image:
        picture = load(image)
    light = 1000 / 65535 if color_type == 0 else (1000 >> 8) / 255
    assert abs(picture.pixels - 255 * (1.055 * light ** (1 / 2.4) - 0.055)).max() <= 0.5
    assert picture.notes[-1] == "gamma 1 was converted to sRGB"
    assert len(picture.notes) == 2


def test_gamma_of_16_bits_with_a_profile(rng):
    """Which says it better."""
    array = rng.integers(0, 65536, (7, 9, 3)).astype(np.uint16)
    chunks = [(b"gAMA", struct.pack(">I", 100_000)), (b"iCCP", b"a name\0\0" + zlib.compress(P3))]
    picture = load(made.deep_png(array, 2, chunks))
    np.testing.assert_array_equal(picture.pixels, converted(Image.fromarray(made.reduced(array)), P3))


def test_gamma_of_an_indexed_picture(pixels):
    image = Image.fromarray(pixels).quantize(20)
    data = made.saved(image)
    gamma = made.chunk(b"gAMA", struct.pack(">I", 100_000))
    found = load(data[:33] + gamma + data[33:])
    plain = load(data).pixels
    pairs = {(int(a), int(b)) for a, b in zip(plain.ravel(), found.pixels.ravel(), strict=True)}
    assert len(pairs) == len({a for a, _ in pairs})
    assert all(b > a or a in (0, 255) for a, b in pairs)
    assert found.notes == ("gamma 1 was converted to sRGB",)


def test_large_profiles_of_strangers_are_not_kept(pixels):
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = (len(data) + (100_000)).to_bytes(4, "big") + data[4:] + bytes(100_000)
    before = profiles._is_srgb.cache_info().currsize
    Image.fromarray(pixels).save(file := io.BytesIO(), "png", icc_profile=profile)
    assert (load(file.getvalue()).pixels == pixels).all()
    assert profiles._is_srgb.cache_info().currsize == before
