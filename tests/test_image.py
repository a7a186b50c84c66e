"""Pictures from anywhere, and files that are whole or not there."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lloydq
from lloydq.image import load, write


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
