"""Files: full disks, folders that cannot be written, pipes that break, a process that is ended. Nothing is lost."""

import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lloydq
from lloydq.image import writing

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals, limits and pipes of Unix")
LLOYDQ = [sys.executable, "-m", "lloydq.cli"]
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="/proc and /dev/full")


@pytest.fixture
def folder(tmp_path, monkeypatch, rng):
    """With a.png to work on."""
    Image.fromarray(rng.integers(0, 256, (90, 120, 3)).astype(np.uint8)).save(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lloydq_(*words, **options):
    return subprocess.run(LLOYDQ + list(words), capture_output=True, timeout=120, **options)


def names():
    return sorted(path.name for path in Path().iterdir())


def small_disk():
    """No file may be larger; Python ignores the signal, and gets an error."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))


@pytest.mark.parametrize("there", [False, True])
def test_a_full_disk(folder, there):
    if there:
        Path("out.png").write_bytes(b"mine")
    done = lloydq_("a.png", "-k", "200", "-o", "out.png", "--force", preexec_fn=small_disk)
    assert done.returncode == 1
    assert b"'out.png': file too large" in done.stderr
    assert b"Traceback" not in done.stderr
    assert names() == (["a.png", "out.png"] if there else ["a.png"])
    assert not there or Path("out.png").read_bytes() == b"mine"


@pytest.fixture
def disk(tmp_path):
    """A real one, of 64 KiB; only the superuser may mount it."""
    where = tmp_path / "disk"
    where.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", where], capture_output=True, timeout=60
    )
    if mounted.returncode:
        pytest.skip("may not mount a disk; the tests beside it limit the size of files")
    yield where
    subprocess.run(["umount", where], check=True, timeout=60)


@LINUX
def test_a_batch_that_fills_a_disk(folder, disk):
    """What found room is whole, what did not leaves nothing, and each of those is named."""
    data = Path("a.png").read_bytes()
    for i in range(9):
        Path(f"{i}.png").write_bytes(data)
    done = lloydq_(*(f"{i}.png" for i in range(9)), "-k", "200", "--output-dir", str(disk))
    found = [path.read_bytes() for path in sorted(disk.iterdir())]
    assert done.returncode == 1
    assert 0 < len(found) < 9
    assert set(found) == {lloydq.quantize("a.png", 200).png}
    assert done.stderr.count(b"no space left on device") == 9 - len(found)
    assert b"Traceback" not in done.stderr


@pytest.mark.slow
def test_a_full_disk_for_the_cache(folder, tmp_path):
    """Machine code that cannot be kept is used nevertheless."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    Path("out.png").touch()
    done = lloydq_("a.png", "-k", "2", "-o", "out.png", "--force", env=environment, preexec_fn=small_disk)
    assert done.returncode == 0, done.stderr
    assert Path("out.png").read_bytes() == lloydq.quantize("a.png", 2).png


@LINUX
def test_stdout_that_is_full(folder):
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*LLOYDQ, "a.png", "-k", "9", "-o", "-"], stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 1
    assert b"no space left" in done.stderr.lower()
    assert b"Traceback" not in done.stderr


@LINUX
def test_a_folder_that_cannot_be_written(folder):
    done = lloydq_("a.png", "-k", "9", "-o", "/proc/out.png")
    assert done.returncode == 1
    assert b"/proc" in done.stderr
    assert b"Traceback" not in done.stderr


@LINUX
@pytest.mark.parametrize("environment", [{"NUMBA_CACHE_DIR": "/proc/nothing"}, {"HOME": ""}, {"HOME": "/proc/nothing"}])
def test_no_home(folder, environment):
    done = lloydq_("a.png", "-k", "9", "-o", "out.png", env=os.environ | environment)
    assert done.returncode == 0, done.stderr
    assert Path("out.png").read_bytes() == lloydq.quantize("a.png", 9).png


def test_a_pipe_that_breaks(folder):
    words = [*LLOYDQ, "a.png", "-k", "200", "-o", "-"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as writer:
        writer.stdout.close()
        told = writer.stderr.read()
        assert writer.wait(60) in (1, -signal.SIGPIPE)
    assert b"Traceback" not in told


def test_the_input_as_output(folder):
    before = Path("a.png").read_bytes()
    assert lloydq_("a.png", "-k", "9", "-o", "a.png").returncode == 1
    assert Path("a.png").read_bytes() == before
    assert lloydq_("a.png", "-k", "9", "-o", "a.png", "--force").returncode == 0
    assert len(lloydq.Palette.read("a.png")) == 9
    assert names() == ["a.png"]


@pytest.mark.parametrize("name", ["with spaces.png", "new\nline.png", "картина 图.png", "-dash.png", "'\"$(x)`;.png"])
def test_names_of_any_kind(folder, name):
    Path("a.png").rename(name)
    done = lloydq_("-k", "4", "-o", f"out {name}", "--", f"./{name}")
    assert done.returncode == 0, done.stderr
    assert names() == sorted([name, f"out {name}"])


def test_a_file_that_is_replaced_while_it_is_read(folder, rng):
    """What comes out is one or the other, whole."""
    pictures = [rng.integers(0, 256, (40, 40, 3)).astype(np.uint8) for _ in range(2)]
    expected = {lloydq.quantize(picture, 8).png for picture in pictures}
    done = threading.Event()

    def replace():
        while not done.is_set():
            for picture in pictures:
                Image.fromarray(picture).save("new", "png")
                Path("new").replace("a.png")

    thread = threading.Thread(target=replace)
    Image.fromarray(pictures[0]).save("a.png")
    thread.start()
    try:
        assert {lloydq.quantize("a.png", 8).encode(strip=True) for _ in range(50)} <= expected
    finally:
        done.set()
        thread.join()


def listening():
    """What runs in the background ignores Ctrl-C, and so do its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_a_batch_that_is_ended(folder, number, code, jobs):
    """What is finished is whole, what is not leaves nothing."""
    data = Path("a.png").read_bytes()
    for i in range(200):
        Path(f"{i}.png").write_bytes(data)
    words = [*LLOYDQ, *(f"{i}.png" for i in range(200)), "-k", "200", "--output-dir", "out", "--jobs", jobs]
    with subprocess.Popen(words, stderr=subprocess.PIPE, preexec_fn=listening) as batch:
        deadline = time.monotonic() + 60
        while not list(Path().glob("out/*.png")) and time.monotonic() < deadline:
            time.sleep(0.01)
        batch.send_signal(number)
        told = batch.stderr.read()
        assert batch.wait(30) == code, told
    assert b"stopped" in told
    assert b"Traceback" not in told
    found = list(Path("out").iterdir())
    assert 0 < len(found) < 200
    assert all(path.suffix == ".png" and not path.name.startswith(".") for path in found)
    assert len({path.read_bytes() for path in found}) == 1
    assert all(Path(f"{i}.png").read_bytes() == data for i in range(200))


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_signal_in_the_middle_of_writing(folder, overwrite, monkeypatch):
    """It is heard when the file is whole."""
    heard = []

    def interrupt(*_, **__):
        for number in (signal.SIGTERM, signal.SIGINT):
            time.sleep(0.1)  # without the GIL, what comes before the main thread waits is heard with the next one
            os.kill(os.getpid(), number)
        time.sleep(0.1)
        heard.append("the file is written on")

    def terminate(number, _):
        raise KeyboardInterrupt(number)

    before = [signal.signal(number, terminate) for number in (signal.SIGINT, signal.SIGTERM)]
    monkeypatch.setattr(writing.stat, "S_IMODE", lambda mode: (interrupt(), mode)[1])
    monkeypatch.setattr(writing.os, "link", lambda *names: (interrupt(), Path(names[0]).rename(names[1])))
    try:
        with pytest.raises(KeyboardInterrupt) as told:
            writing.write("a.png" if overwrite else "new.png", b"whole", overwrite=overwrite)
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == [terminate] * 2
    finally:
        for number, handler in zip((signal.SIGINT, signal.SIGTERM), before, strict=True):
            signal.signal(number, handler)
    assert told.value.args == (signal.SIGTERM,)
    assert heard == ["the file is written on"]
    assert Path("a.png" if overwrite else "new.png").read_bytes() == b"whole"
    assert names() == (["a.png"] if overwrite else ["a.png", "new.png"])


def test_where_no_thread_is_to_be_had_a_file_is_written_all_the_same(folder, monkeypatch):
    def refused(*_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(writing._thread, "start_new_thread", refused)
    writing.write("new.png", b"whole", overwrite=False)
    assert Path("new.png").read_bytes() == b"whole"


@LINUX
def test_a_child_leaves_the_files_that_its_parent_writes(folder, monkeypatch):
    part = Path(".lloydq-0")
    part.touch()
    writing._parts.add(part)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of any fork beside threads
        child = multiprocessing.get_context("fork").Process(target=writing.remove_parts)
        child.start()
    child.join(30)
    assert child.exitcode == 0
    assert part.exists()
    writing.remove_parts()
    writing._parts.clear()
    assert not part.exists()


@LINUX
def test_a_pipe_is_not_replaced_by_a_file(folder):
    os.mkfifo("out.png")
    done = lloydq_("a.png", "-k", "4", "-o", "out.png", "--force")
    assert done.returncode == 1
    assert b"'out.png': not a regular file" in done.stderr
    assert Path("out.png").is_fifo()


@LINUX
def test_a_picture_from_a_pipe_that_goes_on_as_it_is(folder):
    """It is read once."""
    Image.new("RGB", (4, 4), "red").save("tiny.png")
    shell = f"cat tiny.png | {' '.join(LLOYDQ)} /dev/stdin -k 16 -o - --skip-if-larger"
    done = subprocess.run(["sh", "-c", shell], capture_output=True, timeout=120)
    assert done.stdout == Path("tiny.png").read_bytes()
    os.mkfifo("pipe.png")
    done = lloydq_("pipe.png", "a.png", "--shared", "-k", "4", "--output-dir", "out")
    assert done.returncode == 1
    assert b"'pipe.png' cannot be read twice" in done.stderr
    assert len(list(Path("out").iterdir())) == 1


@LINUX
@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ("a.png -k 9 -o - >&-", 1, b"there is no stdout to write a picture to"),
        ("palette a.png -k 4 >&-", 0, b""),
        ("- -k 9 -o o.png <&-", 1, b"there is no stdin to read a picture from"),
        ("palette - <&-", 1, b"there is no stdin to read a picture from"),
        ("a.png -k 9 -o o.png 2>&-", 0, b""),
        ("info >/dev/full", 1, b""),
        ("a.png b.png c.png -k 9 --output-dir out 2>/dev/full", 0, b""),
    ],
)
def test_streams_that_are_closed_or_full(folder, words, code, told):
    for name in "bc":
        Path(f"{name}.png").write_bytes(Path("a.png").read_bytes())
    done = subprocess.run(["sh", "-c", f"{' '.join(LLOYDQ)} {words}"], capture_output=True, timeout=120)
    assert done.returncode == code
    assert told in done.stderr
    assert b"Traceback" not in done.stderr
    if "out " in words:
        assert len(list(Path("out").iterdir())) == 3
