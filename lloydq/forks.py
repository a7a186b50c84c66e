"""What a forked child inherits: no lock that a thread of its parent held, which would never be released there.

Who forks waits for the kernels if another thread is importing or compiling them.
"""

import _thread
import logging  # noqa: F401 - registers first, hence locks last: what is waited for may write to a log
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from importlib import import_module
from inspect import isclass
from typing import Any

NUMBA, KERNELS = "numba.core.compiler_lock", "lloydq.kernels"


class _State(threading.local):
    """Of the thread that forks: whether it took Numba's lock to do so, and whether Ctrl-C was pressed meanwhile."""

    taken = interrupted = False


_state = _State()


def in_child(forget: Callable[[], None]) -> None:
    """Register what a child is to forget."""
    if hasattr(os, "register_at_fork"):  # pragma: no branch - not on Windows
        os.register_at_fork(after_in_child=forget)


def _lock() -> Any:
    """Numba's lock of the compiler, if it is there."""
    return getattr(sys.modules.get(NUMBA), "global_compiler_lock", None)


def _before() -> None:
    """Ctrl-C does not end the waiting, since Python goes on to fork in any case."""
    while True:
        try:
            return _wait()
        except KeyboardInterrupt:
            _state.interrupted = True


def _wait() -> None:
    if KERNELS in sys.modules:
        with suppress(ImportError):  # in the other thread, which tells it
            import_module(KERNELS)
    if (lock := _lock()) is not None and (_state.taken or not lock.is_locked()):
        _state.taken = True
        while not lock.is_locked():  # it is, where Ctrl-C came right after
            lock.acquire()


def _release() -> None:
    if _state.taken:
        _lock().release()
        _state.taken = False


def _in_parent() -> None:
    _release()
    if _state.interrupted:  # raised here it would be told and forgotten, as all is that is raised around a fork
        threading.Timer(0.01, _thread.interrupt_main).start()
        _state.interrupted = False


def _in_child() -> None:
    _release()
    _state.interrupted = False
    if sys.version_info < (3, 12):  # pragma: no branch - until then cached_property has a lock, held while it is made
        for name, module in list(sys.modules.items()):
            if name.partition(".")[0] == "lloydq":
                for kind in filter(isclass, vars(module).values()):
                    for value in vars(kind).values():
                        if isinstance(value, cached_property):
                            value.lock = threading.RLock()  # type: ignore[attr-defined]


if hasattr(os, "register_at_fork"):  # pragma: no branch - not on Windows
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
