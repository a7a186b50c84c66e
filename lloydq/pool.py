"""Threads: the same work in the same pieces on any number of them, results in the order of the pieces."""

import os
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from inspect import isclass
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")

MOST = 256  # threads that the pool may hold; they are started as they are asked for

_executor: ThreadPoolExecutor | None = None
_starting = threading.Lock()
_here = threading.local()


def available() -> int:
    """How many processors this process may use.

    OMP_NUM_THREADS lowers the number: joblib and Dask set it in their workers, so that these do not crowd each other.
    """
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return min(processors, max(1, int(limit))) if limit.isdecimal() else processors


def _shared() -> ThreadPoolExecutor:
    """The pool of this process, created on first use."""
    global _executor
    with _starting:
        if _executor is None:
            _executor = ThreadPoolExecutor(MOST, thread_name_prefix="lloydq")
        return _executor


def _forget() -> None:
    """A forked child has none of its parent's threads, and perhaps a lock that one of them held."""
    global _executor, _starting
    _executor, _starting = None, threading.Lock()
    _here.__dict__.clear()
    if sys.version_info < (
        3,
        12,
    ):  # pragma: no branch - until then cached_property has a lock, held while the value is made
        for name, module in list(sys.modules.items()):
            if name.partition(".")[0] == "lloydq":
                for kind in filter(isclass, vars(module).values()):
                    for value in vars(kind).values():
                        if isinstance(value, cached_property):
                            value.lock = threading.RLock()  # type: ignore[attr-defined]


if hasattr(os, "register_at_fork"):  # pragma: no branch - not on Windows
    os.register_at_fork(after_in_child=_forget)


def run(function: Callable[[T], R], pieces: Iterable[T], n_threads: int | None = None) -> list[R]:
    """[function(piece) for piece in pieces], on up to n_threads threads (None: the available processors).

    The caller is one of the threads. A call from inside a piece runs in its own thread. The first exception stops the
    others at their next piece and is raised here.

    >>> run(abs, [-3, 2, -1])
    [3, 2, 1]
    """
    try:
        return _run(function, list(pieces), n_threads)
    except SystemError as error:
        if stop := interruption(error):
            raise stop from None
        raise


def _run(function: Callable[[T], R], work: list[T], n_threads: int | None) -> list[R]:
    workers = min(n_threads or available(), len(work), MOST) if len(work) > 1 else 1
    if workers <= 1 or getattr(_here, "busy", False):
        return [function(piece) for piece in work]
    results: list[Any] = [None] * len(work)
    waiting = iter(range(len(work)))  # one C call hands out the next piece, so threads never share one

    def take_pieces() -> None:
        _here.busy = True
        try:
            for i in waiting:
                results[i] = function(work[i])
        finally:
            _here.busy = False
            for _ in waiting:  # empty but for an exception: then nobody begins another piece
                pass

    helpers = [_shared().submit(take_pieces) for _ in range(workers - 1)]
    try:
        take_pieces()
    finally:
        errors = [helper.exception() for helper in helpers]
    for error in errors:
        if error is not None:
            raise error
    return results


def interruption(error: BaseException | None) -> KeyboardInterrupt | None:
    """The Ctrl-C that a SystemError stands for: Numba lets a kernel return although it was pressed within."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__
    return error


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
