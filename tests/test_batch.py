"""The command line with many pictures, palettes, targets, pipes; and that one that fails does not stop the others."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from called import call
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import lloydq
from lloydq import cli


@pytest.fixture
def folder(tmp_path, monkeypatch, rng):
    """A folder with three pictures, a.png, b.png and c.png, to work in."""
    for i, name in enumerate("abc"):
        pixels = rng.integers(60 * i, 60 * i + 130, (20, 30, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names():
    return sorted(path.name for path in Path().iterdir())


def colors(name):
    """Those of an indexed file, in its order."""
    return lloydq.Palette.read(name).colors


PICTURES = ("a.png", "b.png", "c.png")


@pytest.mark.parametrize("jobs", ["1", "2", "7"])
def test_each_picture_as_if_it_were_alone(folder, capsys, jobs):
    assert call(*PICTURES, "-k", "9", "--jobs", jobs) == 0
    for name in "abc":
        assert Path(f"{name}-9.png").read_bytes() == lloydq.quantize(f"{name}.png", 9).png
    said = capsys.readouterr().err
    assert "3 pictures: 3 written; " in said


def test_one_that_fails_does_not_stop_the_others(folder, capsys):
    Path("broken.png").write_bytes(Path("a.png").read_bytes()[:300])
    Path("b-4.png").write_bytes(b"mine")
    assert call("a.png", "missing.png", "broken.png", "b.png", "c.png", "-k", "4") == 1
    said = capsys.readouterr().err
    for part in ("'missing.png': no such file", "'broken.png' is damaged", "'b-4.png' exists", "2 written, 3 failed"):
        assert part in said
    assert Path("b-4.png").read_bytes() == b"mine"
    assert names() == ["a-4.png", "a.png", "b-4.png", "b.png", "broken.png", "c-4.png", "c.png"]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_nor_does_one_that_has_no_name_or_is_too_long_for_its_kind(folder, capsys, jobs):
    Path("loop").symlink_to("pool")
    Path("pool").symlink_to("loop")
    Image.new("L", (65_536, 1)).save("long.png")
    words = "a.png", ".", "/", "", "..", "loop", "long.png", "b.png"
    assert call(*words, "-k", "4", "--format", "gif", "--jobs", jobs) == 1
    said = capsys.readouterr().err
    for part in ("error: '.' is a folder", "error: '/' is a folder", "error: '' is a folder", "'..': is a directory"):
        assert part in said
    for part in ("loop", "'long.png': a GIF is at most 65,535 pixels", "8 pictures: 2 written, 6 failed"):
        assert part in said
    assert names() == ["a-4.gif", "a.png", "b-4.gif", "b.png", "c.png", "long.png", "loop", "pool"]
    assert call(*words, "-k", "4", "--shared") == 1
    assert "..': is a directory" in capsys.readouterr().err
    assert call("compare", ".") == 1
    assert "error: '.': is a directory" in capsys.readouterr().err


def test_where_results_go(folder, capsys):
    assert call(*PICTURES, "-k", "4", "--output-dir", "out", "--ext", "-small.png", "-q") == 0
    assert sorted(path.name for path in Path("out").iterdir()) == ["a-small.png", "b-small.png", "c-small.png"]
    assert call("a.png", "-k", "4", "--format", "gif", "-q") == 0
    with Image.open("a-4.gif") as image:
        assert image.format == "GIF"
        np.testing.assert_array_equal(np.asarray(image.convert("RGB")), lloydq.quantize("a.png", 4).pixels)
    assert call("a.png", "-k", "4", "-o", "x.gif", "--format", "png") == 1
    assert "'x.gif' is to be a PNG" in capsys.readouterr().err


def test_two_pictures_never_go_to_one_file(folder, capsys):
    Image.open("a.png").save("a.bmp")
    for _ in range(5):  # whichever is done first
        assert call("a.png", "a.bmp", "-k", "4", "--force") == 1
        assert "'a.bmp' would be written to 'a-4.png', as 'a.png' is" in capsys.readouterr().err
    before = Path("a-4.png").read_bytes()
    assert call("a.png", "a-4.png", "-k", "4", "--force") == 1
    assert "another of the pictures" in capsys.readouterr().err
    assert Path("a-4.png").read_bytes() == before


def test_one_palette_for_all(folder, capsys):
    Path("text.png").write_text("words")
    assert call(*PICTURES, "text.png", "-k", "12", "--shared") == 1
    assert "3 written, 1 failed" in capsys.readouterr().err
    shared = lloydq.shared_palette(PICTURES, 12)
    for name in "abc":
        np.testing.assert_array_equal(colors(f"{name}-12.png"), shared)
        assert Path(f"{name}-12.png").read_bytes() == lloydq.apply_palette(f"{name}.png", shared).png


def test_a_given_palette(folder, capsys):
    for kind in ("gpl", "hex", "pal", "json", "css"):
        assert call("palette", "a.png", "-k", "5", "-o", f"brand.{kind}", "-q") == 0
        assert call("b.png", "--palette", f"brand.{kind}", "-q", "--force") == 0
        np.testing.assert_array_equal(colors("b-brand.png"), lloydq.Palette.read(f"brand.{kind}"))
    assert call("c.png", "--palette", "b-brand.png", "-o", "c-like-b.png", "-q") == 0
    np.testing.assert_array_equal(colors("c-like-b.png"), colors("b-brand.png"))
    assert call("a.png", "--palette", "a.png", "-o", "x.png") == 1
    assert "'a.png' is not indexed" in capsys.readouterr().err


def test_targets_print_their_curve(folder, capsys):
    assert call("a.png", "--psnr", "25") == 0
    said = capsys.readouterr().err
    assert "a.png: tried for psnr=25" in said
    assert "← taken" in said
    assert Path("a-auto.png").read_bytes() == lloydq.quantize("a.png", "auto", target={"psnr": 25}).png
    assert call("a.png", "--psnr", "99", "-o", "x.png") == 1
    assert "'a.png': no number of colours" in capsys.readouterr().err


def test_locked_colours_and_the_rest_of_the_options(folder):
    Image.new("L", (30, 20), 7).save("map.png")
    words = ("--lock", "#e30613", "--lock", "#fff", "--space", "oklab", "--restarts", "2", "--weights", "map.png")
    assert call("a.png", "-k", "6", *words, "--dither", "bayer", "--strength", "0.5", "-q", "--alpha", "#000") == 0
    how = {"lock": ["#e30613", "#fff"], "space": "oklab", "n_init": 2, "weights": "map.png"}
    q = lloydq.quantize("a.png", 6, **how, dither="bayer", strength=0.5, alpha="#000")
    assert Path("a-6.png").read_bytes() == q.png
    assert {"#e30613", "#ffffff"} <= set(q.palette.hex)


def test_larger_results_are_left_out_if_told_to(folder, capsys):
    Image.open("a.png").resize((300, 200)).save("a.jpg", quality=20)
    assert call("a.jpg", "b.png", "-k", "200", "--skip-if-larger") == 0
    assert "a-200.png" not in names()
    assert "b-200.png" in names()
    said = capsys.readouterr().err
    assert "not written: not smaller" in said
    assert "1 written, 1 not smaller" in said


def test_metadata_is_kept_or_stripped(folder):
    image, exif = Image.open("a.png"), Image.Exif()
    exif[315] = "Me"
    image.save("a.png", exif=exif, dpi=(300, 300))
    assert call("a.png", "-k", "4", "-q") == 0
    assert call("a.png", "-k", "4", "-q", "--strip", "-o", "bare.png") == 0
    with Image.open("a-4.png") as kept, Image.open("bare.png") as bare:
        assert kept.getexif()[315] == "Me"
        assert round(kept.info["dpi"][0]) == 300
        assert not bare.getexif()
        assert "dpi" not in bare.info


def test_json_of_many_is_a_list(folder, capsys):
    assert call("a.png", "missing.png", "b.png", "-k", "4", "--json", "-q") == 1
    facts = json.loads(capsys.readouterr().out)
    assert [one["input"] for one in facts] == ["a.png", "missing.png", "b.png"]
    assert "no such file" in facts[1]["error"]
    assert call("a.png", "missing.png", "b.png", "-k", "4", "--shared", "--json", "-q", "--force") == 1
    assert [one["input"] for one in json.loads(capsys.readouterr().out)] == ["a.png", "missing.png", "b.png"]
    assert facts[0]["output_bytes"] == Path("a-4.png").stat().st_size
    assert sum(facts[0]["counts"]) == 600
    assert "alpha" in facts[0]["mse_definition"]
    assert call("missing.png", "--json", "-q") == 1
    assert "no such file" in json.loads(capsys.readouterr().out)["error"]


def test_palette_prints_swatches_sorted(folder, capsys, monkeypatch):
    assert call("palette", "a.png", "-k", "3") == 0
    q = lloydq.quantize("a.png", 3)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == q.palette.sorted("frequency").hex
    assert sum(float(line.split()[1].rstrip("%")) for line in lines) == pytest.approx(100, abs=0.02)
    assert call("palette", "a.png", "-k", "3", "--sort", "luminance", "--json") == 0
    assert json.loads(capsys.readouterr().out)["palette"] == q.palette.sorted("luminance").hex
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert call("palette", "a.png", "-k", "3") == 0
    assert "\x1b[48;2;" in capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    assert call("palette", "a.png", "-k", "3") == 0
    assert "\x1b" not in capsys.readouterr().out


def piped(*words, data=b""):
    return subprocess.run([sys.executable, "-m", "lloydq.cli", *words], input=data, capture_output=True, timeout=120)


def test_pipes(folder):
    data = Path("a.png").read_bytes()
    done = piped("-", "-k", "4", data=data)
    assert done.returncode == 0, done.stderr
    assert done.stdout == lloydq.quantize("a.png", 4).png
    assert piped("a.png", "-k", "4", "-o", "-").stdout == done.stdout
    assert piped("-", "-k", "4", "--output-dir", "out", data=data).returncode == 0
    assert Path("out/stdin-4.png").read_bytes() == done.stdout
    empty = piped("-", "-k", "4")
    assert empty.returncode == 1
    assert b"is empty" in empty.stderr
    assert empty.stdout == b""


def test_a_terminal_gets_no_picture(folder, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert call("a.png", "-k", "4", "-o", "-") == 1
    assert "not written to a terminal" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("a.png", "b.png", "-o", "x.png"), "-o is for one picture"),
        (("a.png", "-o", "x.png", "--output-dir", "out"), "-o and --output-dir"),
        (("a.png", "-o", "x.png", "--ext", "-x.png"), "-o and --ext"),
        (("-", "a.png", "-k", "4"), "only one picture goes to stdout"),
        (("-", "-k", "4", "--json"), "both want stdout"),
        (("a.png", "--palette", "x.gpl", "-k", "4"), "--palette has its colours"),
        (("a.png", "--shared", "--psnr", "30"), "--shared needs a number"),
        (("a.png", "--shared", "-k", "4", "--sample", "9"), "no --sample"),
        (("a.png", "-k", "auto"), "needs a target"),
        (("a.png", "-k", "4", "--psnr", "30"), "give one of them"),
        (("a.png", "--palette", "x.gpl", "--restarts", "2"), "options of the fit"),
        (("a.png", "--strength", "0.5"), "--strength is for --dither"),
        (("a.png", "--lock", "red"), "'#rrggbb'"),
        (("a.png", "--alpha", "gone"), "alpha must be"),
        (("a.png", "--strength", "2"), "from 0 to 1"),
        (("a.png", "--mse", "x"), "a number from 0 on"),
    ],
)
def test_what_does_not_fit_together(folder, capsys, words, message):
    before = names()
    assert call(*words) == 2
    said = capsys.readouterr().err
    assert message in said
    assert len(said.splitlines()) <= 3
    assert names() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("a.png", "-k", "1", "--lock", "#000", "--lock", "#fff"), "lock has 2 colours"),
        (("a.png", "-k", "4", "--lock", "#000", "--lock", "#000000"), "lock names a colour twice"),
        (("a.png", "-k", "4", "--frame", "3"), "there is no 3"),
        (("a.png", "-k", "4", "--weights", "missing.png"), "'missing.png'"),
        (("a.png", "--palette", "bad.gpl"), "'bad.gpl' is not a palette of its kind (.gpl): line 2"),
        (("palette", "a.png", "-o", "x.txt"), "'x.txt': name the result with .gpl or"),
        (("palette", "bad.gpl"), "line 2"),
        (("a.png", "-k", "4", "--output-dir", "a.png"), "'a.png': file exists"),
    ],
)
def test_errors_name_what_is_wrong_and_nothing_is_written(folder, capsys, words, message):
    Path("bad.gpl").write_text("GIMP Palette\n1 2 300\n")
    before = names()
    assert call(*words) == 1
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said
    assert names() == before


def test_progress_names_the_pictures_and_what_is_left(folder, capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    batch = cli.progress.Batch(quiet=False, total=4)
    batch.next = 0
    with batch.at("a.png"):
        assert batch.text() == "0 of 4 done: a.png"
    with batch.at("b.png"):
        assert "1 of 4 done, about" in batch.text()
        deadline = time.monotonic() + 10
        while not (said := capsys.readouterr().err) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert re.search("1 of 4 done, about [0-9]+ s left: b.png", said)
    batch.clear()
    assert not capsys.readouterr().err.strip()


def test_what_is_not_smaller_goes_through_a_pipe_as_it_came(folder):
    Image.open("a.png").resize((300, 200)).save("a.jpg", quality=20)
    data = Path("a.jpg").read_bytes()
    done = piped("-", "-k", "200", "--skip-if-larger", data=data)
    assert (done.returncode, done.stdout) == (0, data)
    assert b"not smaller" in done.stderr
    assert piped("a.jpg", "-k", "200", "--skip-if-larger", "-o", "-").stdout == data


def test_max_bytes_holds_for_the_file_that_is_written(folder):
    image, text = Image.open("a.png"), PngInfo()
    text.add_text("Comment", "".join(map(str, np.random.default_rng(0).integers(0, 10, 900))))
    image.save("a.png", pnginfo=text)
    for words in ((), ("--strip",), ("--format", "gif")):
        name = "x.gif" if "gif" in words else "x.png"
        assert call("a.png", "--max-bytes", "1300", "-o", name, "--force", "-q", *words) == 0
        assert 900 < Path(name).stat().st_size <= 1300


def test_folders_are_made_and_stdin_is_read_by_every_command(folder):
    assert call("a.png", "-k", "4", "--output-dir", "x/y/z", "-q") == 0
    assert Path("x/y/z/a-4.png").exists()
    data = Path("a.png").read_bytes()
    assert piped("palette", "-", "-k", "3", data=data).stdout.count(b"#") == 3
    assert piped("compare", "-", "-k", "3", "-q", data=data).returncode == 0
    assert Path("stdin-compare-3.png").exists()


def test_notes_and_warnings_name_their_picture_and_can_be_silenced(folder, capsys):
    Image.open("a.png").save("a.gif", save_all=True, append_images=[Image.open("b.png")])
    Image.fromarray(np.full((4, 4, 4), 100, np.uint8)).save("ghost.png")
    for words in (("a.gif", "-k", "4"), ("palette", "a.gif", "-k", "4"), ("compare", "a.gif", "-k", "4")):
        assert call(*words, "--force") == 0
        assert "note: a.gif: frame 0 of 2" in capsys.readouterr().err
    assert call("palette", "a.png", "-k", "3", "-o", "three.gpl", "-q") == 0
    capsys.readouterr()
    assert call("ghost.png", "--palette", "three.gpl") == 0
    assert "note: ghost.png: the palette has no translucent colours" in capsys.readouterr().err
    assert call("ghost.png", "--palette", "three.gpl", "--force", "-q") == 0
    assert capsys.readouterr().err == ""


def test_a_long_curve_is_shown_around_its_answer(folder, capsys):
    assert call("a.png", "--psnr", "28") == 0
    said = capsys.readouterr().err
    assert len(said.splitlines()) < 32
    assert "← taken" in said
    assert re.search(r"and \d+ more", said)


def test_ctrl_c_ends_all_pictures(folder, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.quantizing.Work, "_write", interrupt)
    for jobs in ("1", "2"):
        assert call(*PICTURES, "-k", "4", "--jobs", jobs, "-q") == 130
    assert names() == ["a.png", "b.png", "c.png"]
