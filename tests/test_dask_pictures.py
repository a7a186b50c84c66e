"""Many pictures in one palette: counted, and written, by the workers of a cluster, or without one."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

dask = pytest.importorskip("dask", reason="Dask (extra: dask)")
distributed = pytest.importorskip("distributed", reason="Dask (extra: dask)")

import fsspec

import lloydq
from lloydq import dask as lloydq_dask
from lloydq.dask import quantize_many

PHOTO = Path(lloydq.__file__).parent / "data" / "dandelion.jpg"


@pytest.fixture
def pictures(tmp_path, rng):
    for i in range(9):
        Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8) // (i + 1)).save(tmp_path / f"picture {i}.png")
    return tmp_path


def made_of_the_photograph(folder, rng, many=200):
    """Crops, flips and tints."""
    photo = Image.open(PHOTO).convert("RGB")
    for i in range(many):
        left, top = (int(rng.integers(0, most)) for most in (photo.width - 160, photo.height - 120))
        picture = photo.crop((left, top, left + 160, top + 120))
        picture = ImageOps.mirror(picture) if i % 2 else picture
        tint = rng.uniform(0.5, 1.0, 3)
        Image.fromarray((np.asarray(picture) * tint).astype(np.uint8)).save(folder / f"{i:03}.png")


@pytest.mark.slow
def test_two_hundred_pictures_have_the_palette_of_one_process(tmp_path, rng):
    made_of_the_photograph(tmp_path, rng)
    names = sorted(tmp_path.glob("*.png"))
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        distributed.Client(cluster),
    ):
        palette = quantize_many(f"{tmp_path}/*.png", 32, tmp_path / "out", progress=False)
    alone = lloydq.shared_palette(names, 32)
    assert (palette.colors == alone.colors).all()
    assert (palette.counts == alone.counts).all()
    assert len(list((tmp_path / "out").iterdir())) == 200
    for name in names[::20]:
        expected = lloydq.apply_palette(name, alone).pixels
        assert (np.asarray(Image.open(tmp_path / "out" / name.name).convert("RGB")) == expected).all()


def test_what_is_there_is_not_replaced(pictures, tmp_path, capfd):
    names = sorted(pictures.glob("*.png"))
    quantize_many(names, 16, tmp_path / "out", progress=False)
    before = (tmp_path / "out" / names[0].name).read_bytes()
    with pytest.raises(FileExistsError, match="picture 0"):
        quantize_many(names, 8, tmp_path / "out", progress=False)
    assert (tmp_path / "out" / names[0].name).read_bytes() == before
    quantize_many(names, 8, tmp_path / "out", overwrite=True, progress=True)
    assert "counting the colours of" in capfd.readouterr().out
    assert (tmp_path / "out" / names[0].name).read_bytes() != before
    with pytest.raises(FileExistsError, match="2 pictures"):
        quantize_many([names[0], names[0]], 8, tmp_path / "new", progress=False)


def test_a_broken_picture_is_named(pictures, tmp_path):
    (pictures / "picture 3.png").write_bytes(b"nothing")
    with pytest.raises(OSError, match=r"picture 3\.png"):
        quantize_many(f"{pictures}/*.png", 16, tmp_path / "out", progress=False)
    with pytest.raises(FileNotFoundError, match="there is no picture"):
        quantize_many(f"{pictures}/*.jpg", 16, tmp_path / "out", progress=False)


def ends(file, shared):
    if "picture 3" in file.name:
        os._exit(1)
    return shared.count(file.read())


def test_a_picture_of_which_workers_die_is_named(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(lloydq_dask, "_count", ends)
    options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": ":0"}
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(**options) as cluster,
        distributed.Client(cluster),
        pytest.raises(RuntimeError, match=r"picture \d\.png( to .*)?, or what waited .* every worker that had it died"),
    ):
        quantize_many(f"{pictures}/*.png", 16, tmp_path / "out", progress=False)


def test_progress_of_a_cluster(pictures, tmp_path, capfd):
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "dashboard_address": ":0"}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster):
        quantize_many(f"{pictures}/*.png", 8, tmp_path / "out", progress=True)
    printed = capfd.readouterr().out
    assert "counting the colours of" in printed
    assert "100%" in printed.replace(" ", "")


def test_in_a_task_that_has_the_only_thread(pictures, tmp_path):
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "dashboard_address": ":0"}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        done = client.submit(quantize_many, f"{pictures}/*.png", 8, tmp_path / "out", progress=False, verify=True)
        assert len(done.result(timeout=60)) == 8


def test_a_folder_among_the_pictures_is_passed_over(pictures, tmp_path):
    (pictures / "folder").mkdir()
    quantize_many(f"{pictures}/*", 8, tmp_path / "out", progress=False)
    assert len(list((tmp_path / "out").iterdir())) == 9
    with pytest.raises(ValueError, match="strength"):
        quantize_many(f"{pictures}/*", 8, tmp_path / "new", strength=2, progress=False)
    assert not (tmp_path / "new").exists()


def test_what_is_no_path_is_told(pictures, tmp_path):
    for images, error, message in (
        (pictures, IsADirectoryError, "is a folder"),
        (np.zeros((3, 3)), TypeError, "paths or globs"),
        ([b"x"], TypeError, "paths or globs"),
    ):
        with pytest.raises(error, match=message):
            quantize_many(images, 4, tmp_path / "out", progress=False)
    with pytest.raises(ValueError, match="dither must be"):
        quantize_many(f"{pictures}/*.png", 4, tmp_path / "new", dither="nope", progress=False)


def test_any_file_system_of_fsspec(rng):
    fs = fsspec.filesystem("memory")
    for i in range(3):
        Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8) // (i + 1)).save(file := io.BytesIO(), "png")
        fs.pipe_file(f"/pictures/{i}.png", file.getvalue())
    palette = quantize_many("memory://pictures/*.png", 8, "memory://out", suffix=".gif", progress=False)
    assert len(palette) == 8
    assert [Image.open(io.BytesIO(fs.cat_file(f"/out/{i}.gif"))).size for i in range(3)] == [(30, 20)] * 3


def test_a_bar_is_shown(pictures, tmp_path, capsys):
    quantize_many(f"{pictures}/*.png", 4, tmp_path / "out")
    assert capsys.readouterr().out.count("100% Completed") == 2
