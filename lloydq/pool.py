"""Threads: the same work in the same pieces on any number of them, results in the order of the pieces."""

import os
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from .forks import in_child

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

T = TypeVar("T")
R = TypeVar("R")

MOST = 256  # threads that the pool may hold; they are started as they are asked for

BROKEN = "cannot release un-acquired lock", "release unlocked lock"

_executor: "ThreadPoolExecutor | None" = None
_starting = threading.Lock()
_here = threading.local()


def available() -> int:
    """How many processors this process may use.

    OMP_NUM_THREADS lowers the number: joblib and Dask set it in their workers, so that these do not crowd each other.
    """
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return min(processors, max(1, int(limit))) if limit.isdecimal() else processors


def _shared() -> "ThreadPoolExecutor":
    """The pool of this process, created on first use; RuntimeError at the end of the process."""
    global _executor
    from concurrent.futures import ThreadPoolExecutor

    with _starting:
        if _executor is None:
            _executor = ThreadPoolExecutor(MOST, thread_name_prefix="lloydq", initializer=_be_busy)
        return _executor


def _be_busy() -> None:
    """From here on what this thread is asked to run it runs itself."""
    _here.busy = True


def _forget() -> None:
    """A forked child has none of its parent's threads."""
    global _executor, _starting
    _executor, _starting = None, threading.Lock()
    _here.__dict__.clear()


in_child(_forget)


def run(function: Callable[[T], R], pieces: Iterable[T], n_threads: int | None = None) -> list[R]:
    """[function(piece) for piece in pieces], on up to n_threads threads (None: the available processors).

    The caller is one of the threads. A call from inside a piece runs in its own thread. The first exception stops the
    others at their next piece and is raised here.

    >>> run(abs, [-3, 2, -1])
    [3, 2, 1]
    """
    try:
        return _run(function, list(pieces), n_threads)
    except (SystemError, RuntimeError) as error:
        if (stop := interruption(error)) is None or stop is error:
            raise
        raise stop from None


def _run(function: Callable[[T], R], work: list[T], n_threads: int | None) -> list[R]:
    workers = min(n_threads or available(), len(work), MOST) if len(work) > 1 else 1
    if workers <= 1 or getattr(_here, "busy", False):
        return [function(piece) for piece in work]
    results: list[Any] = [None] * len(work)
    ends = [None] * workers  # one for each thread
    waiting = [*ends, *reversed(range(len(work)))]  # `pop` gives each number to one thread, with or without the GIL

    def take_pieces() -> None:
        try:
            for i in iter(waiting.pop, None):
                results[i] = function(work[i])
        finally:
            waiting[:] = ends  # if this is an exception, nobody begins another piece

    def help_out() -> None:
        done = threading.Lock()
        done.acquire()
        helping.append(done)  # before the first piece: of one that begins later there is none left
        try:
            take_pieces()
        except BaseException as error:
            errors.append(error)
        finally:
            done.release()

    helping, errors = list[threading.Lock](), list[BaseException]()
    try:
        _be_busy()  # before the first `submit`: a signal's handler that fits, too, would wait for its locks for ever
        try:
            for _ in range(workers - 1):
                _shared().submit(help_out)
        except RuntimeError as error:  # no more threads are to be had, or the process ends: fewer do the same
            if interruption(error) is not error:
                raise
        take_pieces()
    finally:
        _here.busy = False
        for done in helping:
            done.acquire()
    for one in errors:
        raise one
    return results


def interruption(error: BaseException | None) -> BaseException | None:
    """What a signal raised, as Ctrl-C does, where another error stands for it; any other error itself.

    A SystemError does, since kernels return all the same, and a RuntimeError of a lock of `threading` that it broke.
    """
    while isinstance(error, SystemError):
        error = error.__cause__
    return error.__context__ if isinstance(error, RuntimeError) and str(error) in BROKEN else error


def split(n: int, n_threads: int | None = None, each: int = 1, least: int = 1 << 14) -> list[slice]:
    """n rows in `each` pieces for a thread, none of fewer than `least` rows: for what no splitting changes.

    A row's number in its piece is a number of 31 bits.

    >>> split(100_000, 2)
    [slice(0, 50000, None), slice(50000, 100000, None)]
    """
    return cut(n, max(1, min((n_threads or available()) * each, n // least), n >> 30))


def cut(n: int, parts: int) -> list[slice]:
    """n rows in so many pieces."""
    return [slice(n * i // parts, n * (i + 1) // parts) for i in range(parts)]
