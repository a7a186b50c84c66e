"""The thread pool: order, errors, nesting, fork."""

import multiprocessing
import os
import subprocess
import sys
import textwrap
import threading
import time
import warnings

import numpy as np
import pytest

import lloydq
from lloydq import forks, pool


@pytest.mark.parametrize("n_threads", [1, 2, 7, None])
def test_results_come_in_the_order_of_the_pieces(n_threads):
    def slow_first(i):
        time.sleep(0.01 if i == 0 else 0)
        return i * i

    assert pool.run(slow_first, range(20), n_threads) == [i * i for i in range(20)]


def test_it_uses_several_threads():
    barrier = threading.Barrier(3, timeout=10)
    assert len(set(pool.run(lambda _: (barrier.wait(), threading.get_ident())[1], range(3), 3))) == 3


def test_each_piece_is_done_once_with_the_gil_and_without():
    done = [0] * 20_000

    def count(i):
        done[i] += 1
        return i

    for _ in range(40):
        assert pool.run(count, range(len(done)), 8) == list(range(len(done)))
    assert set(done) == {40}


def test_the_first_error_is_raised_and_the_others_stop():
    begun = []

    def fail(i):
        begun.append(i)
        if i == 3:
            raise KeyError("piece 3")
        time.sleep(0.001)

    with pytest.raises(KeyError, match="piece 3"):
        pool.run(fail, range(1000), 2)
    assert len(begun) < 1000
    assert pool.run(abs, [-1, -2], 2) == [1, 2]


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="since then cached properties have no locks")
def test_what_a_child_forgets():
    held, before = vars(lloydq.Sums)["total"].lock, pool._shared()
    forks._in_child()
    pool._forget()
    assert vars(lloydq.Sums)["total"].lock is not held
    assert pool.run(abs, range(-9, 0), 3) == list(range(9, 0, -1))
    assert pool._shared() is not before


def test_an_error_of_a_helper_alone_is_raised():
    mine = threading.get_ident()

    def fail(_):
        if threading.get_ident() != mine:
            raise KeyError("of a helper")
        time.sleep(0.01)

    with pytest.raises(KeyError, match="of a helper"):
        pool.run(fail, range(200), 2)


def test_ctrl_c_within_a_kernel_is_ctrl_c():
    def interrupted(_):
        try:
            raise SystemError("returned a result with an exception set") from KeyboardInterrupt()
        except SystemError as error:
            raise SystemError("so did its caller") from error

    with pytest.raises(KeyboardInterrupt):
        pool.run(interrupted, range(3), 1)


def test_what_another_signal_raises_within_a_kernel():
    def timed_out(_):
        raise SystemError("returned a result with an exception set") from TimeoutError()

    with pytest.raises(TimeoutError):
        pool.run(timed_out, range(3), 1)

    def fails(_):
        raise SystemError("of itself")

    with pytest.raises(SystemError, match="of itself"):
        pool.run(fails, range(3), 2)
    try:
        raise KeyError("of the caller, who goes on")
    except KeyError:
        with pytest.raises(SystemError, match="of itself"):
            pool.run(fails, range(3), 1)


def broken_lock(*_):
    try:
        raise TimeoutError
    finally:
        raise RuntimeError("cannot release un-acquired lock")


def test_what_breaks_a_lock_is_raised_itself(monkeypatch):
    with pytest.raises(TimeoutError):
        pool.run(broken_lock, range(3), 1)
    with pytest.raises(RuntimeError, match="of the work"):
        pool.run(lambda _: (_ for _ in ()).throw(RuntimeError("of the work")), range(3), 2)
    begun = []
    monkeypatch.setattr(pool, "_shared", broken_lock)
    with pytest.raises(TimeoutError):
        pool.run(begun.append, range(3), 2)
    assert begun == []


def test_where_no_thread_is_to_be_had(monkeypatch):
    def refused(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(pool, "_executor", None)
    with monkeypatch.context() as within:
        within.setattr(threading.Thread, "start", refused)
        assert pool.run(abs, range(-9, 0), 3) == list(range(9, 0, -1))
    begun = []
    assert pool.run(begun.append, range(5), 2) == [None] * 5
    assert sorted(begun) == list(range(5))


def test_a_thread_that_outlives_the_main_one():
    code = """
        import threading, time
        from lloydq import pool
        def last():
            threading.main_thread().join()
            time.sleep(0.1)
            print(pool.run(abs, [-1, -2, -3], 2))
        threading.Thread(target=last).start()
    """
    code = textwrap.dedent(code)
    for first in ("", "pool.run(abs, [-1, -2, -3], 2)\n"):
        done = subprocess.run([sys.executable, "-c", code + first], capture_output=True, text=True, timeout=60)
        assert done.stdout == "[1, 2, 3]\n", done.stderr


def test_a_nested_call_runs_in_its_own_thread():
    def nest(_):
        here = threading.get_ident()
        return set(pool.run(lambda _: threading.get_ident(), range(4), 4)) == {here}

    assert all(pool.run(nest, range(4), 2))


def _child(queue):
    queue.put(sum(pool.run(lambda i: i, range(100), 2)))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_makes_its_own_pool():
    pool.run(lambda i: i, range(10), 2)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python ≥ 3.12 warns of any fork beside threads
        child = context.Process(target=_child, args=(queue,))
        child.start()
    assert queue.get(timeout=20) == 4950
    child.join(20)
    assert child.exitcode == 0


def test_split_covers_every_row():
    for n in (0, 1, 100_000, 1_000_003):
        pieces = pool.split(n, 3, each=2)
        assert sum(piece.stop - piece.start for piece in pieces) == n
        assert all(a.stop == b.start for a, b in zip(pieces, pieces[1:], strict=False))


@pytest.mark.parametrize(("limit", "expected"), [("1", 1), ("0", 1), ("999", None), ("", None), ("4,2", None)])
def test_openmp_s_variable_lowers_the_number_of_threads(monkeypatch, limit, expected):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    all_of_them = pool.available()
    monkeypatch.setenv("OMP_NUM_THREADS", limit)
    assert pool.available() == (expected or all_of_them)


def test_errors_of_the_interpreter_are_told_as_such():
    def fail(_):
        raise SystemError("nobody pressed Ctrl-C")

    with pytest.raises(SystemError, match="nobody"):
        pool.run(fail, range(3), 2)


@pytest.mark.parametrize("init", ["k-means++", "random"])
@pytest.mark.parametrize(("d", "algorithm"), [(5, "dense"), (5, "bounds"), (24, "groups"), (3, "auto")])
def test_a_fit_on_one_thread_asks_for_no_other(d, algorithm, init, rng, monkeypatch):
    monkeypatch.setattr(pool, "_shared", lambda: pytest.fail("another thread"))
    X = rng.integers(0, 256, (60_000, d)).astype(np.uint8 if d == 3 else np.float32)
    model = lloydq.KMeans(20, init=init, algorithm=algorithm, n_threads=1, max_iter=2, tol=9, random_state=0).fit(X)
    assert len(model.predict(X)) == len(model.transform(X)) == len(X)


class Lock:
    """One that Ctrl-C interrupts: before it is taken, or after."""

    def __init__(self, *interrupted):
        self.count, self.interrupted = 0, list(interrupted)

    def is_locked(self):
        return self.count > 0

    def acquire(self):
        when = self.interrupted.pop(0) if self.interrupted else ""
        if when != "before":
            self.count += 1
        if when:
            raise KeyboardInterrupt

    def release(self):
        self.count -= 1


@pytest.mark.parametrize("kernels", ["lloydq.pool", "not loaded"])
@pytest.mark.parametrize("interrupted", [(), ("before",), ("after",), ("before", "before", "after")])
def test_who_forks_waits_in_spite_of_ctrl_c(interrupted, kernels, monkeypatch):
    lock, told = Lock(*interrupted), []
    monkeypatch.setattr(forks, "KERNELS", kernels)
    monkeypatch.setattr(forks, "_lock", lambda: lock)
    monkeypatch.setattr(forks._thread, "interrupt_main", lambda: told.append("Ctrl-C"))
    for after in (forks._in_parent, forks._in_child):
        forks._before()
        assert lock.count == 1
        after()
        assert lock.count == 0
    time.sleep(0.2)
    assert told == ["Ctrl-C"] * bool(interrupted)
    monkeypatch.setattr(forks, "_lock", lambda: None)  # nothing was compiled yet
    forks._before()
    forks._in_parent()


def test_who_forks_while_it_compiles_keeps_the_lock(monkeypatch):
    lock = Lock()
    lock.acquire()
    monkeypatch.setattr(forks, "_lock", lambda: lock)
    forks._before()
    forks._in_parent()
    assert lock.count == 1


def test_work_for_threads_that_comes_while_one_is_asked_for(monkeypatch):
    """As of a signal's handler: the executor's locks are held then by the thread that would wait for them."""
    asked = []

    class Executor:
        def submit(self, work):
            assert not asked, "waits for ever"
            asked.append(work)
            assert pool.run(abs, range(-9, 0), 3) == list(range(9, 0, -1))
            asked.clear()

    with monkeypatch.context() as patch:
        patch.setattr(pool, "_shared", Executor)
        assert pool.run(abs, range(-9, 0), 3) == list(range(9, 0, -1))
    test_it_uses_several_threads()
