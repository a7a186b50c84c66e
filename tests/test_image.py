"""Pictures from anywhere, and files that are whole or not there."""

import io
import os
import re
import struct
import threading
import time
from pathlib import Path

import made
import numpy as np
import pytest
from PIL import Image

import lloydq
from lloydq.image import load, write, writing


@pytest.fixture(autouse=True)
def traced(monkeypatch):
    """Files are written in a thread that is seen where lines are counted; in `test_files` as they are."""
    monkeypatch.setattr(writing._thread, "start_new_thread", lambda do, _: threading.Thread(target=do).start())


@pytest.fixture
def pixels(rng):
    return rng.integers(0, 256, (7, 9, 3)).astype(np.uint8)


def encoded(pixels, kind="PNG", **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def test_every_kind_of_input_gives_the_same_pixels(pixels, tmp_path):
    path = tmp_path / "a picture.png"
    path.write_bytes(encoded(pixels))
    with path.open("rb") as file:
        inputs = [
            path,
            str(path),
            file,
            path.read_bytes(),
            bytearray(path.read_bytes()),
            Image.open(path),
            pixels,
            load(path),
        ]
        for image in inputs:
            np.testing.assert_array_equal(lloydq.pixels(image), pixels.reshape(-1, 3))
    assert load(path).n_bytes == path.stat().st_size


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_files_cut_short(pixels, kind, part):
    data = encoded(np.tile(pixels, (20, 20, 1)), kind)
    with pytest.raises(OSError, match="memory"):
        load(data[: int(len(data) * part)])


def refused_by_pillow(data):
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
    except Exception:
        return True
    return False


def refused_by_us(data, as_image=False):
    try:
        load(Image.open(io.BytesIO(data)) if as_image else data)
    except OSError as error:
        kind = "the Pillow image" if as_image else "the picture in memory"
        assert re.match(f"{kind} is (damaged or not supported: .|not a picture in a format)", str(error))  # noqa: PT017
        return True
    return False


@pytest.mark.filterwarnings("ignore")  # Pillow's, of odd tags
@pytest.mark.parametrize(
    ("kind", "options", "least"),
    [("PNG", {}, 30), ("JPEG", {}, 1), ("WEBP", {}, 1), ("WEBP", {"lossless": True}, 0), ("GIF", {}, 1),
     ("TIFF", {}, 0), ("TIFF", {"compression": "tiff_lzw"}, 1), ("TIFF", {"compression": "tiff_adobe_deflate"}, 20)],
)  # fmt: skip
def test_damaged_pixels_are_refused_where_pillow_refuses_them(kind, options, least, rng):
    ramp = np.add.outer(np.arange(60) * 2, np.arange(80))[:, :, None] + rng.integers(0, 40, (60, 80, 3))
    data = encoded(ramp.astype(np.uint8), kind, **options)
    first = data.index(b"IDAT") + 4 if kind == "PNG" else len(data) // 4
    refused = 0
    for at in rng.integers(first, len(data) - (18 if kind == "PNG" else 2), 40):
        damaged = bytearray(data)
        damaged[at : at + 2] = (byte ^ int(rng.integers(1, 256)) for byte in data[at : at + 2])
        expected = refused_by_pillow(bytes(damaged))
        assert refused_by_us(bytes(damaged)) == expected, at
        refused += expected
        if expected and at > first + 60 and kind == "PNG":
            assert refused_by_us(bytes(damaged), as_image=True)
    assert refused >= least


def test_bytes_that_are_one_too_many(pixels, rng):
    data = encoded(np.tile(pixels, (9, 9, 1)))
    for at in rng.integers(data.index(b"IDAT") + 4, len(data) - 18, 20):
        assert refused_by_us(data[:at] + b"x" + data[at:])


def test_a_picture_that_is_too_large_for_pillow(tmp_path):
    header = struct.pack(">IIBBBBB", 20_000, 10_000, 8, 2, 0, 0, 0)
    (tmp_path / "huge.png").write_bytes(b"\x89PNG\r\n\x1a\n" + made.chunk(b"IHDR", header) + made.chunk(b"IDAT", b""))
    message = (
        r"huge\.png' is too large: it has 200,000,000 pixels, and Pillow reads no more than 178,956,970, which is "
        r"twice PIL\.Image\.MAX_IMAGE_PIXELS \(in the program: --max-pixels\)$"
    )
    with pytest.raises(OSError, match=message):
        load(tmp_path / "huge.png")


def test_what_is_not_a_picture(tmp_path):
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(OSError, match=r"empty\.png' is empty"):
        load(tmp_path / "empty.png")
    with pytest.raises(OSError, match=r"text\.png' is not a picture"):
        load(tmp_path / "text.png")
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "missing.png")
    with pytest.raises(IsADirectoryError):
        load(tmp_path)
    with pytest.raises(TypeError, match="binary mode"), (tmp_path / "text.png").open() as file:
        load(file)
    with pytest.raises(TypeError, match="got int"):
        load(3)


@pytest.mark.parametrize(
    ("array", "error", "message"),
    [
        (np.zeros((0, 4, 3), np.uint8), ValueError, "none of them 0"),
        (np.zeros((4, 0), np.uint8), ValueError, "none of them 0"),
        (np.zeros((4, 4, 2), np.uint8), ValueError, "shape"),
        (np.zeros(4, np.uint8), ValueError, "shape"),
        (np.ma.masked_equal(np.eye(4, dtype=np.uint8), 1), ValueError, "masked"),
        (np.zeros((4, 4, 3), np.int64), TypeError, "uint8"),
    ],
)
def test_bad_arrays(array, error, message):
    with pytest.raises(error, match=message):
        load(array)


def test_a_file_is_whole_or_not_there(tmp_path, monkeypatch):
    target = tmp_path / "out.png"
    write(target, b"first", overwrite=False)
    with pytest.raises(FileExistsError, match="exists"):
        write(target, b"second", overwrite=False)
    assert target.read_bytes() == b"first"
    write(target, b"second", overwrite=True)
    assert target.read_bytes() == b"second"

    def fail(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr(Path, "replace", fail)
    monkeypatch.setattr(os, "link", fail)
    for overwrite in (True, False):
        with pytest.raises(OSError, match="full"):
            write(target if overwrite else tmp_path / "new.png", b"third", overwrite=overwrite)
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]
    assert target.read_bytes() == b"second"


def test_a_file_that_appears_meanwhile_is_not_overwritten(tmp_path, monkeypatch):
    target = tmp_path / "out.png"
    exists = Path.exists
    monkeypatch.setattr(Path, "exists", lambda self: False if self.name == "out.png" else exists(self))
    target.write_bytes(b"theirs")
    with pytest.raises(FileExistsError):
        write(target, b"ours", overwrite=False)
    assert target.read_bytes() == b"theirs"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_system_without_links_and_the_mode_of_a_replaced_file(tmp_path, monkeypatch):
    def no_links(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    target = tmp_path / "out.png"
    write(target, b"first", overwrite=False)
    assert target.read_bytes() == b"first"
    with pytest.raises(FileExistsError):
        write(target, b"second", overwrite=False)
    target.chmod(0o600)
    write(target, b"second", overwrite=True)
    assert target.stat().st_mode & 0o777 == 0o600
    assert len(list(tmp_path.iterdir())) == 1


def test_errors_name_the_file_that_was_asked_for(tmp_path):
    (tmp_path / "folder.png").mkdir()
    for path in (tmp_path / "folder.png", tmp_path / "nowhere" / "out.png"):
        with pytest.raises(OSError, match=path.name) as caught:
            write(path, b"data", overwrite=True)
        assert caught.value.filename == str(path)


def test_a_link_keeps_pointing_where_it_did(tmp_path):
    (tmp_path / "real.png").write_bytes(b"old")
    (tmp_path / "link.png").symlink_to(tmp_path / "real.png")
    write(tmp_path / "link.png", b"new", overwrite=True)
    assert (tmp_path / "link.png").is_symlink()
    assert (tmp_path / "real.png").read_bytes() == b"new"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I", "F"])
def test_a_pillow_image_stays_as_it_is(mode, rng):
    image = Image.fromarray(rng.integers(0, 256, (5, 6, 3)).astype(np.uint8)).convert(mode)
    image.info["transparency"] = 0 if mode in ("1", "L", "P") else (1, 2, 3)
    before, info = image.tobytes(), dict(image.info)
    lloydq.pixels(image)
    assert (image.mode, image.tobytes(), image.info) == (mode, before, info)


def test_a_pillow_image_shows_the_frame_that_it_showed(tmp_path, rng):
    frames = [Image.fromarray(rng.integers(0, 256, (5, 6, 3)).astype(np.uint8)) for _ in range(3)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    with Image.open(tmp_path / "a.gif") as image:
        image.seek(1)
        third = lloydq.pixels(image, frame=2)
        assert image.tell() == 1
        assert not np.array_equal(lloydq.pixels(image), third)
        with pytest.raises(ValueError, match="3 frames, counted from 0; there is no 3"):
            lloydq.pixels(image, frame=3)
        assert image.tell() == 1


@pytest.mark.parametrize("channels", [3, 4])
def test_an_array_may_be_filled_with_the_next_picture(channels, rng):
    array = rng.integers(0, 256, (20, 30, channels)).astype(np.uint8)
    q = lloydq.quantize(array, 8)
    before = q.mse, q.picture.pixels.copy()
    array[:] = 0
    assert np.array_equal(q.picture.pixels, before[1])
    assert lloydq.quantize(before[1], 8).mse == q.mse == before[0]


def test_a_frame_that_a_tiff_does_not_have(tmp_path):
    frames = [Image.new("L", (2, 2), i) for i in range(3)]
    frames[0].save(tmp_path / "a.tiff", save_all=True, append_images=frames[1:])
    assert load(tmp_path / "a.tiff", frame=2).pixels[0, 0].tolist() == [2, 2, 2]
    with pytest.raises(ValueError, match=r"a\.tiff' has no frame 7, counted from 0$"):
        load(tmp_path / "a.tiff", frame=7)


def test_a_tiff_of_many_frames_is_read_at_once():
    """Each of them costs 66 bytes; Pillow counts them in the square of their number."""
    tags = [(256, 3, 1, 1), (257, 3, 1, 1), (258, 3, 1, 8), (262, 3, 1, 1), (273, 4, 1, 8)]
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    data, count = bytearray(b"II*\0" + struct.pack("<I", 12) + b"\x80\0\0\0"), 40_000
    for i in range(count):
        following = len(data) + 6 + len(entries) if i < count - 1 else 0
        data += struct.pack("<H", len(tags)) + entries + struct.pack("<I", following)
    begun = time.process_time()
    picture = load(bytes(data))
    assert picture.notes == ("frame 0 of several, counted from 0",)
    assert time.process_time() - begun < 2  # 27 s by counting
