"""The machine code of kernels on disk: several processes, other inputs, newer sources, disks that are full."""

import contextlib
import os
import pickle
import shutil
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest
from test_concurrency import LONG, fit

import lloydq
from lloydq import kernels
from lloydq.kernels import cache
from lloydq.kernels.cache import KernelCache, KernelFiles, kept


@pytest.mark.slow
def test_ten_processes_compile_into_one_cache(tmp_path):
    """First run ever, all at once: nobody crashes, nobody gets wrong code."""
    code = "from test_concurrency import fit; print(fit(3)[1])"
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code], cwd=Path(__file__).parent, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)},
        )
        for _ in range(10 if LONG else 3)
    ]  # fmt: skip
    assert {process.communicate(timeout=500)[0] for process in running} == {f"{fit(3, 1)[1]}\n"}


def test_processes_that_compile_one_kernel_for_different_inputs(tmp_path):
    """At the same time, into one cache: later ones find the code of each, and take none for another."""
    code = """
        import sys, numpy as np; from lloydq import kernels
        X = kernels.block_of(np.full((3, 2), 5, sys.argv[1]), slice(None))
        print(kernels.extent(X, kernels.block_of(np.ones(1), slice(None))), len(kernels.extent.stats.cache_misses))
    """

    def run(dtype):
        command = [sys.executable, "-c", textwrap.dedent(code), dtype]
        env = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
        return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)

    for misses in ({"0", "1"}, {"0"}):
        running = [run(dtype) for dtype in ("uint8", "float32", "float64") * 2]
        for process in running:
            result, _, missed = process.communicate(timeout=200)[0].strip().rpartition(" ")
            assert result == f"(5.0, {2.0**52})"
            assert missed in misses


def test_files_of_machine_code_say_what_they_are_of(tmp_path, monkeypatch):
    files = KernelFiles(str(tmp_path), "points.extent-212.py311")
    files.save("uint8", "for bytes")
    files.save("float64", "for numbers")
    assert (files.load("uint8"), files.load("float64"), files.load("float32")) == ("for bytes", "for numbers", None)
    assert kept(tmp_path) == {"extent"}
    others = [tmp_path / name for name in ("points.extent-9.py311.1.nbc", "points.extent-9.py311.nbi")]
    neighbours = [tmp_path / name for name in ("points.extent_2-9.py311.1.nbc", "points.extent-9.py312.1.nbc")]
    for path in others + neighbours:
        path.touch()
    half = tmp_path / f"{files.name('uint8')}.tmp.123"
    half.touch()
    for path in tmp_path.iterdir():
        os.utime(path, (0, 0))
    older = tmp_path / "points.extent.py311.older.nbc"
    older.touch()  # by a process that may still run
    monkeypatch.setattr(cache, "STAMP", "of new sources")
    assert files.load("uint8") is None
    assert kept(tmp_path) == set()
    files.save("uint8", "newer")
    assert files.load("uint8") == "newer"
    assert set(tmp_path.iterdir()) == {tmp_path / files.name("uint8"), older, *neighbours}
    whole = (tmp_path / files.name("uint8")).read_bytes()
    other = pickle.dumps(("float64", "of another kind"))
    damaged = whole[:40] + bytes([whole[40] ^ 1]) + whole[41:]  # of which LLVM might make a crash
    for broken in (b"", whole[:20], other, sha256(other).digest() + other, damaged):
        (tmp_path / files.name("uint8")).write_bytes(broken)
        assert files.load("uint8") is None
    files.flush()
    assert kept(tmp_path) == set()


def test_machine_code_is_kept_though_old_files_cannot_be_removed(tmp_path, monkeypatch):
    (tmp_path / "points.extent-9.py311.nbi").mkdir()
    os.utime(tmp_path / "points.extent-9.py311.nbi", (0, 0))
    files = KernelFiles(str(tmp_path), "points.extent-212.py311")
    files.save("uint8", "for bytes")
    assert files.load("uint8") == "for bytes"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError("no space left"), None),
        (RuntimeError("no compiled object yet for <Library 'tally'>"), KeyboardInterrupt),
        (RuntimeError("another"), RuntimeError),
    ],
)
def test_machine_code_that_cannot_be_kept(error, told, monkeypatch):
    """Ctrl-C while LLVM hands its code over is lost in Numba: what is missing then tells of it."""

    def save(*_):
        raise error

    monkeypatch.setattr(cache.FunctionCache, "save_overload", save)
    with pytest.raises(told) if told else contextlib.nullcontext():
        KernelCache(kernels.extent.py_func).save_overload((), None)


def test_signals_are_not_told_of_where_they_are_not_heard(monkeypatch):
    def save(*_):
        raise RuntimeError("no compiled object yet for <Library 'tally'>")

    monkeypatch.setattr(cache.FunctionCache, "save_overload", save)
    with ThreadPoolExecutor(1) as threads:
        told = threads.submit(KernelCache(kernels.extent.py_func).save_overload, (), None).exception()
    assert type(told) is RuntimeError


def test_where_there_is_no_folder_for_machine_code(monkeypatch, tmp_path):
    with monkeypatch.context() as within:
        within.setattr(cache.FunctionCache, "cache_path", "~/.cache")  # without a home
        with pytest.raises(RuntimeError, match="no folder"):
            KernelCache(kernels.extent.py_func)
    monkeypatch.setattr(cache, "LOADED", [])  # the sources were others then
    with pytest.raises(RuntimeError, match="sources have changed"):
        KernelCache(kernels.extent.py_func)
    monkeypatch.setattr(cache, "__file__", str(tmp_path / "archive.zip" / "cache.py"))
    assert cache._states() == []
    KernelCache(kernels.extent.py_func)


def test_the_stamp_is_of_all_sources_or_of_the_program(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "files", lambda _: tmp_path)
    program = tmp_path / "program"
    program.touch()
    monkeypatch.setattr(sys, "executable", str(program))
    frozen = cache._stamp()
    program.write_bytes(b"newer")
    newer = cache._stamp()
    (tmp_path / "a.py").write_text("A = 1")
    (tmp_path / ".#a.py").symlink_to("root@host.123")  # as editors leave them
    source = cache._stamp()
    (tmp_path / "a.py").write_text("A = 2")
    assert len({frozen, newer, source, cache._stamp()}) == 4
    monkeypatch.setattr(cache, "files", lambda _: tmp_path / "nowhere")
    assert cache._stamp() == newer


def small_disk():
    """Where an index finds room and machine code does not."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="limits of Unix")
def test_new_code_is_used_over_an_old_cache(tmp_path):
    """A kernel whose file has changed is compiled again, and one that takes something from a file that has changed;
    though the disk was full when it first was.
    """
    package, folder = tmp_path / "lloydq", tmp_path / "cache"
    shutil.copytree(Path(lloydq.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__", "data"))
    code = "import numpy as np; from lloydq import kernels; print(kernels.extent(np.ones((2, 2)), np.ones(1))[0])"

    def found(preexec_fn=None):
        env = os.environ | {"NUMBA_CACHE_DIR": str(folder), "PYTHONPATH": str(tmp_path)}
        return subprocess.run(
            [sys.executable, "-c", code], env=env, cwd=tmp_path, check=True, capture_output=True, text=True,
            timeout=100, preexec_fn=preexec_fn,
        ).stdout  # fmt: skip

    assert found() == found() == "1.0\n"
    points = package / "kernels" / "points.py"
    text = points.read_text(encoding="utf-8")
    assert text.count("return max(most, largest.max())") == 1
    points.write_text(text.replace("return max(most, largest.max())", "return 7.0 + max(most, largest.max())"))
    assert found(small_disk) == found() == "8.0\n"
    jit = package / "kernels" / "jit.py"
    jit.write_text(jit.read_text(encoding="utf-8") + "\nSEVEN = 9.0\n")
    points.write_text(
        text.replace("most, largest.max())", "most, largest.max()) + SEVEN").replace("BLOCK, A", "BLOCK, SEVEN, A")
    )
    assert found() == "10.0\n"
    jit.write_text(jit.read_text(encoding="utf-8").replace("9.0", "8.0"))
    assert found() == "9.0\n"
