"""What files say beside their pixels: orientation is applied, frames are counted, the rest is kept or stripped."""

import io
import struct

import made
import numpy as np
import pytest
from PIL import ExifTags, Image, PngImagePlugin

from lloydq import apply_palette, quantize
from lloydq.image import load

# What each orientation asks for, of an array
UPRIGHT = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.swapaxes(0, 1),
    6: lambda p: np.rot90(p, -1),
    7: lambda p: p[::-1, ::-1].swapaxes(0, 1),
    8: lambda p: np.rot90(p),
}
KINDS = {"JPEG": {}, "PNG": {}, "TIFF": {}, "WEBP": {"lossless": True}}
XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="6" dc:creator="José"/></x:xmpmeta>'


@pytest.fixture
def pixels(rng):
    return rng.integers(0, 256, (7, 9, 3)).astype(np.uint8)


def reopened(data):
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


# Orientation


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("kind", KINDS)
def test_orientation(kind, orientation, pixels):
    plain = load(made.saved(pixels, kind, **KINDS[kind])).pixels
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = made.saved(pixels, kind, exif=exif, **KINDS[kind])
    expected = UPRIGHT[orientation](plain)
    for source in (data, reopened(data), Image.open(io.BytesIO(data))):
        np.testing.assert_array_equal(load(source).pixels, expected)
    assert load(data).notes == (() if orientation == 1 else ("turned upright",))
    q = quantize(data, 63)
    np.testing.assert_array_equal(q.pixels, expected)
    for strip in (False, True):
        again = q.encode(strip=strip)
        assert 0x0112 not in reopened(again).getexif()
        np.testing.assert_array_equal(load(again).pixels, expected)


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_orientation_of_16_bits(orientation, rng):
    array = rng.integers(0, 65536, (7, 9, 4)).astype(np.uint16)
    array[:, :, 3] = np.maximum(array[:, :, 3], 300)
    expected = UPRIGHT[orientation](made.reduced(array))
    exif = made.exif(made.short_tag(0x0112, orientation))[6:]
    for channels, color_type in ((slice(0, 3), 2), (slice(None), 6)):
        data = made.deep_png(array[:, :, channels], color_type, [(b"eXIf", exif)])
        np.testing.assert_array_equal(load(data).pixels, expected[:, :, channels])
    for deflated in (False, True):
        data = made.tiff(
            array.astype("<u2"), photometric=2, extra=2, deflated=deflated, more=[(0x0112, orientation)]
        )  # fmt: skip
        np.testing.assert_array_equal(load(data).pixels, expected)
    grey = made.tiff(array[:, :, :1].astype(">u2"), photometric=1, more=[(0x0112, orientation)])
    np.testing.assert_array_equal(load(grey).pixels, np.repeat(expected[:, :, :1], 3, axis=2))
    assert ("turned upright" in load(grey).notes) == (orientation != 1)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_orientations_that_mean_nothing(orientation, pixels):
    picture = load(made.saved(pixels, exif=made.exif(made.short_tag(0x0112, orientation))))
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert picture.notes == ()


def test_the_orientation_that_xmp_tells(pixels):
    """Pillow takes it where EXIF has none; and the copy, which is upright, does not say it again."""
    chunks = PngImagePlugin.PngInfo()
    chunks.add_itxt("XML:com.adobe.xmp", XMP)
    for exif in (None, made.exif(made.short_tag(0x0112, 6))):
        options = {} if exif is None else {"exif": exif}
        data = made.saved(pixels, pnginfo=chunks, **options)
        np.testing.assert_array_equal(load(data).pixels, np.rot90(pixels, -1))
        again = quantize(data, 63).encode()
        np.testing.assert_array_equal(load(again).pixels, np.rot90(pixels, -1))
        assert reopened(again).info["xmp"].decode() == XMP.replace('"6"', '"1"')


# What is kept


def described(pixels, kind):
    """A file that says all that a file can."""
    thumbnail = made.saved(pixels, "JPEG")
    entries = [
        made.text_tag(0x010E, "Löwenzahn 蒲公英"), made.text_tag(0x013B, "José"), made.text_tag(0x8298, "© José"),
        made.short_tag(0x0112, 1),
    ]  # fmt: skip
    taken = [made.text_tag(0x9003, "2026:05:01 12:00:00"), made.short_tag(0xA001, 65535)]
    exif = made.exif(*entries, details=taken, thumbnail=thumbnail)
    assert reopened(made.saved(pixels, "JPEG", exif=exif)).getexif().get_ifd(ExifTags.IFD.IFD1)
    options = {"exif": exif, "xmp": XMP.replace("6", "1").encode()}
    if kind == "PNG":
        chunks = PngImagePlugin.PngInfo()
        chunks.add_text("Title", "plain")
        chunks.add_itxt("Author", "José 蒲公英", zip=True)
        chunks.add_text("Comment", "naïve", zip=True)
        chunks.add_itxt("XML:com.adobe.xmp", options.pop("xmp").decode())
        options |= {"pnginfo": chunks, "dpi": (300, 150)}
    elif kind == "JPEG":
        options |= {"comment": "naïve", "dpi": (300, 150)}
    return made.saved(pixels, kind, **options, **KINDS[kind]), thumbnail


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_metadata_are_kept(kind, pixels, tmp_path):
    data, thumbnail = described(pixels, kind)
    q = quantize(data, 8)
    q.save(tmp_path / "kept.png")
    written = (tmp_path / "kept.png").read_bytes()
    image = reopened(written)
    exif = image.getexif()
    assert exif[0x010E].encode("latin-1").decode() == "Löwenzahn 蒲公英"
    assert exif[0x013B].encode("latin-1").decode() == "José"
    assert exif[0x8298].encode("latin-1").decode() == "© José"
    assert exif.get_ifd(0x8769)[0x9003] == "2026:05:01 12:00:00"
    assert exif.get_ifd(0x8769)[0xA001] == 65535
    assert not exif.get_ifd(ExifTags.IFD.IFD1)
    assert thumbnail[20:200] not in written
    assert image.info["xmp"].decode() == XMP.replace("6", "1")
    if kind != "WEBP":
        assert image.info["dpi"] == pytest.approx((300, 150), abs=0.1)
    if kind == "PNG":
        assert {"Title": "plain", "Author": "José 蒲公英", "Comment": "naïve"}.items() <= image.text.items()
    if kind == "JPEG":
        assert image.text["Comment"] == "naïve"
    np.testing.assert_array_equal(load(written).pixels, q.pixels)
    assert apply_palette(data, q.palette).encode() == written


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_metadata_are_stripped(kind, pixels, tmp_path):
    data, _ = described(pixels, kind)
    q = quantize(data, 8)
    q.save(tmp_path / "stripped.png", strip=True)
    written = (tmp_path / "stripped.png").read_bytes()
    assert written == q.png == q.encode(strip=True)
    assert set(made.parts_of(written)) == {"IHDR", "PLTE", "IDAT", "IEND"}
    assert q.n_bytes == len(written) < len(q.encode())


@pytest.mark.parametrize("per_meter", [0, 1, 40, 11_811, 2**31, 2**32 - 1])
def test_resolutions(per_meter, pixels):
    """Those that can be meant are kept."""
    rows = [row.tobytes() for row in pixels]
    data = made.png(rows, 2, 8, 9, [(b"pHYs", struct.pack(">IIB", per_meter, per_meter, 1))])
    kept = reopened(quantize(data, 8).encode()).info
    assert ("dpi" in kept) == (per_meter in (40, 11_811))
    if "dpi" in kept:
        assert kept["dpi"] == pytest.approx((per_meter * 0.0254,) * 2, rel=1e-4)
    exif = made.exif(*[(tag, 5, 1, struct.pack("<II", per_meter, 1)) for tag in (282, 283)], made.short_tag(296, 2))
    assert quantize(made.saved(pixels, "JPEG", exif=exif), 8).encode()


@pytest.mark.parametrize("keyword", ["a" * 79, "é", "Comment"])
def test_texts(keyword, pixels):
    chunks = PngImagePlugin.PngInfo()
    for text in ("", "plain", "é", "蒲公英", "x" * 5000):
        chunks.add_itxt(keyword, text)
        again = reopened(quantize(made.saved(pixels, pnginfo=chunks), 8).encode())
        assert again.text == {keyword: text}


def test_a_gif_keeps_its_comment(pixels):
    for comment in ("naïve".encode(), "naïve".encode("latin-1")):
        data = made.saved(Image.fromarray(pixels).quantize(8), "GIF", comment=comment)
        q = quantize(data, 4)
        assert reopened(q.encode("GIF")).info["comment"].decode() == "naïve"
        assert reopened(q.encode("PNG")).text == {"Comment": "naïve"}
        assert "comment" not in reopened(q.encode("GIF", strip=True)).info


def test_what_another_space_was_is_not_said_of_srgb(pixels):
    """EXIF's colour space of a picture whose colours were converted."""
    exif = made.exif(details=[made.short_tag(0xA001, 65535)])
    q = quantize(made.saved(pixels, exif=exif, icc_profile=made.profile("P3", 2.2, made.DISPLAY_P3)), 8)
    assert reopened(q.encode()).getexif().get_ifd(0x8769)[0xA001] == 1


def test_damaged_exif_is_left_out(pixels):
    float_for_text = made.exif((0x013B, 11, 1, struct.pack("<f", 1.5)), made.short_tag(0x0112, 6))
    picture = load(made.saved(pixels, "PNG", exif=float_for_text))
    np.testing.assert_array_equal(picture.pixels, np.rot90(pixels, -1))
    assert picture.notes == ("turned upright", "its EXIF data are damaged, and were left out")
    assert "exif" not in picture.metadata


@pytest.mark.filterwarnings("ignore:.*orrupt EXIF")
@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"Exif\0\0",
        b"Exif\0\0garbage, garbage",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0II*\0\x08\0\0\0\xff\xff",
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_garbage_for_exif(kind, exif, pixels):
    plain = load(made.saved(pixels, kind, **KINDS[kind])).pixels
    np.testing.assert_array_equal(load(made.saved(pixels, kind, exif=exif, **KINDS[kind])).pixels, plain)


# Frames


@pytest.fixture
def frames():
    """Four flat pictures, each with a pixel of its own that is white."""
    found = [np.full((6, 7, 3), (40 * i, 200 - 30 * i, 10), np.uint8) for i in range(4)]
    for i, frame in enumerate(found):
        frame[i, i] = 255
    return found


def animation(frames, kind, **options):
    first, *others = map(Image.fromarray, frames)
    return made.saved(first, kind, save_all=True, append_images=others, **options)


@pytest.mark.parametrize(("kind", "options"), [("GIF", {}), ("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})])
def test_frames(kind, options, frames):
    data = animation(frames, kind, **options)
    for frame in (None, 0, 1, 3):
        picture = load(data, frame=frame)
        np.testing.assert_array_equal(picture.pixels, frames[frame or 0])
        count = "several" if kind == "TIFF" else 4
        assert picture.notes == (f"frame {frame or 0} of {count}, counted from 0",)
        q = quantize(data, 2, frame=frame)
        np.testing.assert_array_equal(q.pixels, frames[frame or 0])
        assert apply_palette(data, q.palette, frame=frame).mse == 0
    for frame, error in ((4, ValueError), (-1, ValueError), (1.5, TypeError), (True, TypeError)):
        with pytest.raises(error, match="frame"):
            load(data, frame=frame)


def test_an_image_that_stands_at_a_frame_is_that_frame(frames):
    with Image.open(io.BytesIO(animation(frames, "GIF"))) as image:
        image.seek(2)
        picture = load(image)
        np.testing.assert_array_equal(picture.pixels, frames[2])
        assert picture.notes == ("frame 2 of 4, counted from 0",)
        np.testing.assert_array_equal(load(image, frame=1).pixels, frames[1])


def test_frames_with_alpha(rng):
    frames = [rng.integers(0, 256, (6, 7, 4)).astype(np.uint8) for _ in range(3)]
    for frame in frames:
        frame[:, :, 3] = np.where(frame[:, :, 3] < 100, 0, 255)
        frame[frame[:, :, 3] == 0] = 0
    data = animation(frames, "WEBP", lossless=True, exact=True)
    for i, frame in enumerate(frames):
        np.testing.assert_array_equal(load(data, frame=i).pixels, frame)
    data = animation(frames, "PNG", disposal=1, blend=0)
    for i, frame in enumerate(frames):
        np.testing.assert_array_equal(load(data, frame=i).pixels, frame)


def test_what_has_one_frame(pixels):
    for source in (made.saved(pixels), Image.fromarray(pixels), pixels):
        assert load(source, frame=0).notes == ()
        with pytest.raises(ValueError, match="has 1 frame, counted from 0; there is no 1"):
            load(source, frame=1)
