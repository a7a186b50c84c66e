"""Many fits at the same time, wherever they run; and Ctrl-C in the middle of one."""

import faulthandler
import multiprocessing
import os
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
    assert after[1] <= before[1]  # fewer where what other tests left was given back meanwhile
    assert after[2] <= before[2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_child_that_is_forked_beside_an_import():
    code = """
        import os, signal, sys, threading, time, warnings
        import lloydq.pool
        warnings.simplefilter("ignore")
        def load():
            import lloydq.kernels
        threading.Thread(target=load).start()
        while "numba" not in sys.modules:
            time.sleep(0.001)
        if child := os.fork():
            print(os.waitpid(child, 0)[1])
        else:
            signal.alarm(30)
            load()
            os._exit(0)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60)
    assert done.stdout == "0\n", done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_ctrl_c_while_a_fork_waits_for_the_compiler():
    """It is told after the fork, and the child can compile."""
    code = """
        import os, signal, threading, time, warnings
        import lloydq.kernels
        from numba.core.compiler_lock import global_compiler_lock
        warnings.simplefilter("ignore")
        signal.signal(signal.SIGINT, signal.default_int_handler)
        held = threading.Event()
        def compile():
            with global_compiler_lock:
                held.set()
                time.sleep(1)
        threading.Thread(target=compile).start()
        held.wait()
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            if child := os.fork():
                print(os.waitpid(child, 0)[1], flush=True)
                time.sleep(9)
            else:
                os._exit(not global_compiler_lock._lock.acquire(timeout=3))
        except KeyboardInterrupt:
            print("told")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60)
    assert done.stdout in ("0\ntold\n", "told\n"), done.stderr
    assert done.stderr == ""


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
