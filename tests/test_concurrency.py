"""Many fits at the same time, wherever they run; and Ctrl-C in the middle of one."""

import contextlib
import faulthandler
import multiprocessing
import os
import pickle
import subprocess
import sys
import textwrap
import threading
import time
import tracemalloc
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numba.core.compiler_lock import global_compiler_lock

import lloydq
from lloydq import kernels
from lloydq.kernels import cache
from lloydq.kernels.cache import KernelCache, KernelFiles, kept

LONG = bool(os.environ.get("LLOYDQ_LONG"))
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")


@pytest.fixture(autouse=True)
def no_hang():
    """What hangs fails, and tells where."""
    faulthandler.dump_traceback_later(600, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


def fit(seed, n_threads=None):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(4_000 + 100 * seed, 2 + seed % 7)).astype(np.float32 if seed % 2 else np.float64)
    model = lloydq.KMeans(5 + seed, random_state=seed, n_threads=n_threads, max_iter=None, tol=0).fit(X)
    return model.cluster_centers_.tobytes(), model.inertia_


@pytest.fixture(scope="module")
def expected():
    return [fit(seed, 1) for seed in range(8)]


def test_eight_threads_with_different_data(expected):
    deadline = time.monotonic() + (60 if LONG else 3)
    wrong = []

    def again_and_again(seed):
        while time.monotonic() < deadline:
            if fit(seed) != expected[seed]:
                wrong.append(seed)

    threads = [threading.Thread(target=again_and_again, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_pools_of_processes(expected, method):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of any fork beside threads
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as pool:
            assert list(pool.map(fit, range(8))) == expected


def test_threads_outside_and_inside(expected):
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(partial(fit, n_threads=4), range(8))) == expected

    def nested(seed):
        with ThreadPoolExecutor(2) as inside:
            return list(inside.map(fit, (seed, seed)))

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(nested, range(8))) == [[one, one] for one in expected]


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_joblib(expected, backend):
    joblib = pytest.importorskip("joblib", reason="comes with scikit-learn (extra: test)")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        assert joblib.Parallel(2, backend)(joblib.delayed(fit)(seed) for seed in range(8)) == expected


def test_a_fit_inside_a_worker_of_dask(expected):
    distributed = pytest.importorskip("distributed", reason="Dask (extra: dask)")
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=4, processes=False, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
    ):
        assert client.gather(client.map(fit, range(8))) == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    "what",
    [
        (2_000_000, 3, "u1", 256, "random"),
        (1_000_000, 8, "f4", 300, "random"),
        (60_000, 200, "f4", 1_000, "random"),
        (130_000, 8, "f4", 3_000, "k-means++"),  # in the middle of drawing, which takes seconds
    ],
)
@pytest.mark.parametrize("n_threads", [1, 2])
def test_ctrl_c_ends_a_fit_soon(what, n_threads):
    """Within 0.2 s, with the kernels compiled; afterwards all is as before. As a process, since the signal is real."""
    code = """
        import signal, sys, threading, time, warnings
        import numpy as np, lloydq
        n, d, k, n_threads = (int(sys.argv[i]) for i in (1, 2, 4, 6))
        dtype, init, wait = sys.argv[3], sys.argv[5], float(sys.argv[7])
        warnings.simplefilter("ignore")
        signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background it is ignored
        rng = np.random.default_rng(0)
        X = rng.integers(0, 256, (n, d)).astype(dtype)
        model = lloydq.KMeans(k, init=init, n_init=1, random_state=0, tol=0, max_iter=None, n_threads=n_threads)
        small = lloydq.KMeans(k, random_state=0, max_iter=2).fit(X[:9 * k]).inertia_
        sent = []
        def interrupt():
            time.sleep(wait)
            sent.append(time.perf_counter())
            signal.raise_signal(signal.SIGINT)
        threading.Thread(target=interrupt).start()
        try:
            model.fit(X)
            print("it ended before")
        except KeyboardInterrupt:
            print(time.perf_counter() - sent[0])
        assert lloydq.KMeans(k, random_state=0, max_iter=2).fit(X[:9 * k]).inertia_ == small
    """
    words = [sys.executable, "-c", textwrap.dedent(code), *map(str, what), str(n_threads)]
    for wait in (0.7, 1.5):
        done = subprocess.run([*words, str(wait)], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        assert float(done.stdout) < (0.2 if LONG else 0.6), done.stdout  # three times, since the machine may be busy


@LINUX
def test_many_fits_in_one_process():
    """Memory, threads and open files stay as they are."""
    rng = np.random.default_rng(0)
    X, picture = rng.normal(size=(600, 5)), rng.integers(0, 256, (20, 30, 3)).astype(np.uint8)

    def some(count):
        for seed in range(count):
            lloydq.KMeans(7, random_state=seed, n_init=1).fit(X)
            if seed % 20 == 0:
                lloydq.quantize(picture, 9, rng=seed)

    def state():
        status = Path("/proc/self/status").read_text()
        resident = int(status.split("VmRSS:")[1].split()[0]) * 1024
        return resident, threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))

    some(300)
    before = state()
    tracemalloc.start()
    some(50)
    traced = tracemalloc.get_traced_memory()[0]
    some(200)
    assert tracemalloc.get_traced_memory()[0] < traced + (256 << 10)
    tracemalloc.stop()
    some(10_000 if LONG else 700)
    after = state()
    assert after[0] < before[0] + (24 << 20)
    assert after[1:] == before[1:]


@pytest.mark.slow
def test_ten_processes_compile_into_one_cache(tmp_path, expected):
    """First run ever, all at once: nobody crashes, nobody gets wrong code."""
    count, code = (
        (10 if LONG else 3),
        f"""
        import sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from test_concurrency import fit
        print(fit(3)[1])
    """,
    )
    command = [sys.executable, "-c", textwrap.dedent(code)]
    running = [
        subprocess.Popen(
            command, env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}, stdout=subprocess.PIPE, text=True
        )
        for _ in range(count)
    ]
    assert {process.communicate(timeout=500)[0] for process in running} == {f"{expected[3][1]}\n"}


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
    for broken in (b"", whole[:20], pickle.dumps(("float64", "of another kind"))):
        (tmp_path / files.name("uint8")).write_bytes(broken)
        assert files.load("uint8") is None
    files.flush()
    assert kept(tmp_path) == set()


def small_disk():
    """Where an index finds room and machine code does not."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))


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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_child_that_is_forked_beside_a_thread_at_work(expected):
    """It inherits no lock that is held: neither Numba's nor, before Python 3.12, those of cached properties."""
    held = threading.Event()

    def work():
        with global_compiler_lock, getattr(vars(lloydq.Sums)["total"], "lock", global_compiler_lock):
            held.set()
            time.sleep(0.5)

    thread = threading.Thread(target=work)
    thread.start()
    held.wait()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = multiprocessing.get_context("fork").Process(target=fit, args=(1,))
        child.start()
    child.join(60)
    thread.join()
    code = child.exitcode
    child.kill()
    assert code == 0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="limits of Unix")
def test_new_code_is_used_over_an_old_cache(tmp_path):
    """A kernel whose file has changed is compiled again, and one that takes something from a file that has changed;
    though the disk was full when it first was.
    """
    import shutil

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
