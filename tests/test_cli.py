"""The command line: what it writes, says and returns; nothing is lost."""

import errno
import gc
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from called import call
from PIL import Image

import lloydq
from lloydq import cli
from lloydq.image import writing


@pytest.fixture
def folder(tmp_path, monkeypatch, rng):
    """A folder with one picture, photo.png, to work in."""
    Image.fromarray(rng.integers(0, 256, (30, 40, 3)).astype(np.uint8)).save(tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_picture_in_fewer_colours(folder, capsys):
    assert call("photo.png", "-k", "16") == 0
    with Image.open("photo-16.png") as image:
        assert image.mode == "P"
        assert len(image.getpalette()) == 48
    printed = capsys.readouterr()
    assert printed.out == ""
    *_, line = printed.err.splitlines()  # after the notice of a first compilation
    for part in (
        "photo-16.png: 40×30",
        "→ 16 colours",
        "MSE",
        "PSNR",
        "iterations (no label changed)",
        " s, ",
        "bytes",
    ):
        assert part in line


def test_256_colours_or_as_many_as_pixels_if_left_out(folder, capsys):
    assert call("photo.png") == 0
    assert len(Image.open("photo-256.png").getpalette()) == 768
    Image.new("RGB", (3, 2), "red").save("tiny.png")
    assert call("tiny.png") == 0
    assert call("compare", "tiny.png") == 0
    assert Path("tiny-compare-6.png").exists()
    assert call("steps", "tiny.png") == 0
    Path("two.csv").write_text("0, 0\n1, 1\n")
    assert call("steps", "two.csv") == 0
    assert "all colours kept exactly" in capsys.readouterr().err
    assert Image.open("tiny-6.png").convert("RGB").getpixel((0, 0)) == (255, 0, 0)


def test_options_reach_the_library(folder, capsys):
    words = ("photo.png", "-k", "5", "--sample", "400", "--init", "random", "--seed", "3", "--tol", "1e-3")
    assert call(*words, "--max-iter", "7", "--threads", "2", "-o", "out.png", "-q") == 0
    assert capsys.readouterr().err == ""
    with pytest.warns(lloydq.ConvergenceWarning):
        q = lloydq.quantize("photo.png", 5, sample=400, init="random", rng=3, tol=1e-3, max_iter=7)
    assert Path("out.png").read_bytes() == q.png


def test_json(folder, capsys):
    assert call("photo.png", "-k", "4", "--json", "-q") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["output"] == "photo-4.png"
    assert facts["output_bytes"] == Path("photo-4.png").stat().st_size
    assert facts["input_bytes"] == Path("photo.png").stat().st_size
    assert len(facts["palette"]) == facts["n_colors"] == 4
    assert facts["converged"] is True
    Image.new("RGB", (9, 9)).save("black.png")
    assert call("black.png", "--json", "-q") == 0
    assert json.loads(capsys.readouterr().out)["psnr"] is None
    assert call("black.png", "--psnr", "30", "--json", "-q", "--force") == 0
    assert "Infinity" not in (printed := capsys.readouterr().out)
    assert [tried["psnr"] for tried in json.loads(printed)["curve"]] == [None]


def test_verbose_tells_each_iteration_and_stage(folder, capsys):
    assert call("photo.png", "-k", "4", "-v") == 0
    said = capsys.readouterr().err
    assert "iteration 1:" in said
    assert "seconds: read" in said


def closed(_):
    raise OSError(errno.EIO, "Input/output error")


def test_progress_on_a_terminal_only(folder, capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    progress = cli.progress.Progress(quiet=False)
    step = next(lloydq.steps(np.array([[1.0], [2.0]]), np.array([[1.0]])))
    progress(step)
    assert capsys.readouterr().err == ""
    progress.next = 0
    progress(step)
    assert "iteration 1" in capsys.readouterr().err
    progress.clear()
    assert capsys.readouterr().err.strip() == ""
    progress.next = 0
    monkeypatch.setattr("sys.stderr.write", closed)  # of a terminal that is gone
    progress(step)
    progress.clear()


def test_a_hint_where_the_result_is_larger(folder, capsys):
    Image.open("photo.png").save("photo.jpg", quality=5)
    assert call("photo.jpg", "-k", "256") == 0
    assert "hint: larger than the input" in capsys.readouterr().err


def test_never_overwrites_without_force(folder, capsys):
    assert call("photo.png", "-k", "4", "-q") == 0
    before = Path("photo-4.png").read_bytes()
    assert call("photo.png", "-k", "4", "--seed", "5") == 1
    assert "photo-4.png' exists; add --force" in capsys.readouterr().err
    assert Path("photo-4.png").read_bytes() == before
    original = Path("photo.png").read_bytes()
    assert call("photo.png", "-o", "photo.png") == 1
    assert Path("photo.png").read_bytes() == original
    assert call("photo.png", "-k", "4", "--init", "random", "--force") == 0
    assert Path("photo-4.png").read_bytes() != before
    assert names(folder) == ["photo-4.png", "photo.png"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ((), 2, "PICTURE"),
        (("photo.png", "-k", "0"), 2, "from 1 to 256; got 0"),
        (("photo.png", "-k", "-1"), 2, "got -1"),
        (("photo.png", "-k", "1.5"), 2, "got 1.5"),
        (("photo.png", "-k", "257"), 2, "got 257"),
        (("photo.png", "-k", "many"), 2, "got many"),
        (("photo.png", "--tol", "-1"), 2, "tol"),
        (("photo.png", "--tol", "nan"), 2, "tol"),
        (("photo.png", "--init", "best"), 2, "init"),
        (("photo.png", "--threads", "0"), 2, "threads"),
        (("photo.png", "--max-pixels", "9" * 400, "-o", "out.jpg"), 1, ".png"),
        (("photo.png", "--sample", "9999"), 1, "'photo.png': sample must be from 256 to 1200"),
        (("missing.png",), 1, "'missing.png': no such file or directory"),
        (("empty.png",), 1, "'empty.png' is empty"),
        (("text.png",), 1, "'text.png' is not a picture"),
        (("a folder",), 1, "'a folder': is a directory"),
        (("cut.jpg",), 1, "'cut.jpg' is damaged"),
        (("cut.png",), 1, "'cut.png' is damaged"),
        (("tiny.png", "-k", "7"), 1, "'tiny.png': n_colors must be from 1 to 6, the number of pixels; got 7"),
        (("photo.png", "-o", "out.jpg"), 1, ".png"),
        (("photo.png", "-o", "nowhere/out.png"), 1, "'nowhere' is not a folder"),
        (("photo.png", "-o", "text.png/out.png"), 1, "'text.png' is not a folder"),
        (("photo.png", "-o", "folder.png"), 1, "is a folder"),
        (("compare", "missing.png"), 1, "missing.png"),
        (("compare", "photo.png", "-k", "300"), 2, "got 300"),
        (("compare", "tiny.png", "-k", "7"), 1, "'tiny.png'"),
    ],
)
def test_what_cannot_be_done(folder, capsys, words, code, message):
    Path("empty.png").touch()
    Path("text.png").write_text("words")
    Path("a folder").mkdir()
    Path("folder.png").mkdir()
    Image.new("RGB", (3, 2)).save("tiny.png")
    for name in ("cut.jpg", "cut.png"):
        Image.open("photo.png").save(name)
        Path(name).write_bytes(Path(name).read_bytes()[:-600])
    before = {name: Path(name).read_bytes() for name in names(folder) if Path(name).is_file()}
    assert call(*words) == code
    printed = capsys.readouterr()
    assert message in printed.err
    assert "Traceback" not in printed.err
    assert printed.out == ""
    assert {name: Path(name).read_bytes() for name in names(folder) if Path(name).is_file()} == before


def test_a_folder_that_cannot_be_written(folder, capsys, monkeypatch):
    opened = Path.open

    def refuse(self, mode="r", *arguments, **options):
        if "x" in mode:
            raise PermissionError(13, "Permission denied", str(self.parent))
        return opened(self, mode, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    assert call("photo.png", "-k", "4") == 1
    assert "permission denied" in capsys.readouterr().err
    assert names(folder) == ["photo.png"]


def test_a_folder_that_may_not_be_written_is_told_before_the_work(folder, capsys, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert call("photo.png", "-k", "4", "-v") == 1
    said = capsys.readouterr().err
    assert "cannot be written to" in said
    assert "iteration" not in said


def test_a_file_where_the_demo_wants_its_folder(folder, capsys):
    Path("lloydq-demo").write_text("mine")
    assert call("demo") == 1
    assert "'lloydq-demo': file exists" in capsys.readouterr().err
    assert Path("lloydq-demo").read_text() == "mine"


def test_a_terminal_of_few_characters(folder):
    done = run("compare", "photo.png", "-k", "4", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert Path("photo-compare-4.png").exists()


def test_debug_shows_the_traceback(folder, capsys):
    assert call("missing.png", "--debug") == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_picture_called_like_a_command(folder):
    Path("photo.png").rename("demo")
    assert call("./demo", "-k", "4", "-q") == 0
    assert names(folder) == ["demo", "demo-4.png"]


def test_compare(folder, capsys):
    assert call("compare", "photo.png", "-k", "8", "-o", "compare.png") == 0
    printed = capsys.readouterr()
    for part in ("MSE", "PSNR", "8 of the first 1,000 pixels", "8 of all pixels", "random start", "k-means++ start"):
        assert part in printed.out
    assert "wrote compare.png" in printed.err
    with Image.open("compare.png") as image:
        assert image.mode == "RGB"
        assert image.width > 1200
    assert call("compare", "photo.png", "-k", "8", "-o", "compare.png") == 1


def test_demo(folder, capsys):
    for _ in range(2):  # its own files may be replaced
        assert call("demo", "--threads", "2") == 0
    out = capsys.readouterr().out
    for part in ("(1080, 1920, 3)", "2,073,600", "6,220,800 bytes (6.22 MB)", "104,487", "337,904", "lloydq-demo"):
        assert part in out
    made = names(folder / "lloydq-demo")
    assert len(made) == 7
    for name in made:
        with Image.open(folder / "lloydq-demo" / name) as image:
            image.load()


def test_info_and_warmup(capsys):
    assert call("warmup") == 0
    assert call("info") == 0
    out = capsys.readouterr().out
    for word in ("lloydq", "Python", "NumPy", "Numba", "Pillow", "threads", "cache", "compiled"):
        assert word in out


def test_version_and_help(capsys):
    assert call("--version") == 0
    assert call("--help") == 0
    assert call("compare", "--help") == 0
    out = capsys.readouterr().out
    assert lloydq.__version__ in out
    assert "./demo" in out


def run(*words, **environment):
    return subprocess.run(
        [sys.executable, "-m", "lloydq.cli", *words], capture_output=True, text=True, encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment}, timeout=120,
    )  # fmt: skip


def test_a_first_process_says_that_it_compiles_and_the_next_does_not(folder):
    cache = {"NUMBA_CACHE_DIR": str(folder / "cache")}
    first = run("photo.png", "-k", "60", **cache)
    assert "compiling for this machine" in first.stderr
    second = run("photo.png", "-k", "61", **cache)
    assert second.returncode == 0
    assert "compiling" not in second.stderr


def test_a_closed_pipe_is_no_traceback(folder):
    command = f"{sys.executable} -m lloydq.cli info | true"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, encoding="utf-8")
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_palette_that_is_written_to_a_closed_pipe(folder, unbuffered):
    """Its lines wait in the buffer until the process ends, or do not."""
    command = [sys.executable, "-m", "lloydq.cli", "palette", "photo.png", "-k", "3"]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        command, env=os.environ | {"PYTHONUNBUFFERED": unbuffered}, stdout=write, stderr=subprocess.PIPE, text=True,
        timeout=60, encoding="utf-8",
    )  # fmt: skip
    os.close(write)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_where_there_is_no_stderr(folder):
    """As in a program without a console."""
    code = "import sys; from lloydq.cli import run; sys.stdout = sys.stderr = None; run()"
    assert subprocess.run([sys.executable, "-c", code, "photo.png", "-k", "4"], timeout=100).returncode == 0
    assert "photo-4.png" in names(folder)


def test_errors_of_the_machine(folder, capsys, monkeypatch):
    def fail(error):
        def command(_):
            raise error

        monkeypatch.setitem(cli.RUN, "", command)

    fail(MemoryError())
    assert call("photo.png") == 1
    assert capsys.readouterr().err == "lloydq: error: not enough memory\n"
    fail(SystemError("nobody pressed Ctrl-C"))
    with pytest.raises(SystemError, match="nobody pressed"):
        call("photo.png")


def test_compare_with_others(folder, capsys):
    assert call("compare", "photo.png", "-k", "4", "--with", "pillow, ,") == 0
    printed = capsys.readouterr()
    assert "comparing with pillow: this may take some seconds" in printed.err
    assert "Pillow, median cut" in printed.out


def test_steps_quietly(folder, capsys):
    assert call("steps", "photo.png", "-k", "3", "-q") == 0
    assert capsys.readouterr().err == ""
    assert "photo-steps.html" in names(folder)


def test_a_palette_says_what_it_wrote_and_tried(folder, capsys):
    assert call("palette", "photo.png", "--mse", "2000", "-o", "few.gpl") == 0
    err = capsys.readouterr().err
    assert "lloydq: wrote few.gpl" in err
    assert "photo.png: tried for mse=2,000" in err
    Image.new("RGB", (3, 2)).save("small.png")
    assert call("palette", "small.png", "-k", "9") == 1
    assert "'small.png': n_colors must be from 1 to 6" in capsys.readouterr().err


def test_json_without_what_measures_delta_e(folder, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage", None)
    monkeypatch.setitem(sys.modules, "skimage.color", None)
    assert call("photo.png", "-k", "4", "--json", "-q") == 0
    assert json.loads(capsys.readouterr().out)["delta_e"] is None


def test_scipy_is_not_kept_from_anybody(monkeypatch):
    from lloydq.cli.quantizing import _no_scipy

    monkeypatch.delitem(sys.modules, "scipy", raising=False)
    with _no_scipy():
        assert sys.modules["scipy"] is None
    assert "scipy" not in sys.modules


def test_the_line_of_a_batch_waits_for_names(monkeypatch):
    from lloydq.cli import progress

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    batch = progress.Batch(quiet=False, total=2)
    batch.next = 0
    time.sleep(0.5)
    assert sys.stderr.getvalue() == ""
    with batch.at("a.png"):
        time.sleep(0.5)
    batch.clear()
    assert "0 of 2 done: a.png" in sys.stderr.getvalue()


@pytest.mark.parametrize(
    ("error", "code"), [(KeyboardInterrupt(), 130), (cli.Terminated(15), 143), (cli.Terminated(1), 129)]
)
def test_a_signal_before_the_work(error, code, folder, capsys, monkeypatch):
    def parse(*_):
        raise error

    monkeypatch.setattr(cli, "parse", parse)
    assert call("photo.png") == code
    assert capsys.readouterr().err == "lloydq: stopped\n"


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="signals of Unix")
@pytest.mark.parametrize("ignored", [False, True])
def test_the_end_of_the_program(ignored, folder, monkeypatch):
    """Ctrl-C after the work; nohup goes on to ignore SIGHUP; parts of files that nobody waited for are gone."""
    part = folder / ".lloydq-0"
    part.touch()
    monkeypatch.setattr(writing, "_parts", {part, folder / "gone"})

    def interrupted():
        raise KeyboardInterrupt

    def ends(number):
        raise SystemExit(number)

    monkeypatch.setattr(cli, "main", interrupted)
    monkeypatch.setattr(os, "_exit", ends)
    settings = gc.get_threshold(), sys.getswitchinterval()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
    try:
        with pytest.raises(SystemExit) as end:
            cli.run()
        assert signal.getsignal(signal.SIGHUP) is (signal.SIG_IGN if ignored else cli.terminate)
    finally:
        gc.set_threshold(*settings[0])
        sys.setswitchinterval(settings[1])
        for number, handler in before.items():
            signal.signal(number, handler)
    assert end.value.code == 130
    assert not part.exists()


def breaks_a_lock(*_):
    try:
        raise cli.Terminated(15)
    finally:
        raise RuntimeError("cannot release un-acquired lock")  # as `threading` does


@pytest.mark.parametrize("pictures", [1, 3])
def test_a_signal_that_breaks_a_lock_is_no_picture_that_failed(pictures, folder, capsys, monkeypatch):
    monkeypatch.setattr(cli.quantizing.Work, "load", breaks_a_lock)
    assert call(*["photo.png"] * pictures, "-k", "4", "--output-dir", "out", "--jobs", "1") == 143
    assert capsys.readouterr().err.splitlines()[-1] == "lloydq: stopped"


def test_a_signal_that_breaks_a_lock_ends_any_command(folder, capsys, monkeypatch):
    monkeypatch.setitem(cli.RUN, "info", breaks_a_lock)
    assert call("info") == 143
    assert capsys.readouterr().err == "lloydq: stopped\n"


def test_where_no_thread_is_to_be_had(folder, capsys, monkeypatch):
    def refused(*_):
        raise RuntimeError("can't start new thread")

    expected = lloydq.quantize("photo.png", 3).png
    monkeypatch.setattr(threading.Thread, "start", refused)
    Path("b.png").write_bytes(Path("photo.png").read_bytes())
    assert call("photo.png", "b.png", "-k", "3") == 0
    assert Path("photo-3.png").read_bytes() == Path("b-3.png").read_bytes() == expected


@pytest.mark.skipif(os.name != "posix", reason="folders in use stay")
def test_where_the_working_folder_is_gone(folder, capsys, tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert call("photo.png", "-k", "3") == 1
    assert capsys.readouterr().err.endswith("error: the folder where this runs is gone\n")
    assert call(str(tmp_path / "photo.png"), "-k", "3", "-o", str(tmp_path / "out.png")) == 0
    assert (tmp_path / "out.png").exists()


def test_ctrl_c_that_breaks_a_lock_while_a_thread_is_asked_for(folder, capsys, monkeypatch):
    def broken(*_):
        try:
            raise KeyboardInterrupt
        finally:
            raise RuntimeError("cannot release un-acquired lock")

    monkeypatch.setattr(threading.Thread, "start", broken)
    assert call("photo.png", "-k", "3") == 130
    assert capsys.readouterr().err == "lloydq: stopped\n"
    assert names(folder) == ["photo.png"]
