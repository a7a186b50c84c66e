"""A file that appears whole or not at all."""

import contextlib
import errno
import os
import secrets
import signal
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def write(path: str | os.PathLike[str], data: bytes, *, overwrite: bool) -> None:
    """Write a file that appears whole or not at all; FileExistsError if it is there and may not be replaced."""
    target = Path(os.path.realpath(path))
    if not overwrite and target.exists():
        raise FileExistsError(f"{os.fspath(path)!r} exists")
    if target.exists() and not target.is_file() and not target.is_dir():  # a pipe, whose reader would wait for ever
        raise OSError(errno.EINVAL, "not a regular file", os.fspath(path))
    part = target.with_name(f".lloydq-{secrets.token_hex(8)}")
    with _undisturbed():
        _write(path, target, part, data, overwrite)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Ctrl-C, and other signals that may raise an exception, are heard when the file is whole: or a part would stay.

    Only the main thread hears signals, and only handlers that are written in Python can raise.
    """
    handlers: dict[int, Any] = {}
    waiting, writing = list[int](), True

    def wait(number: int, frame: Any) -> None:
        if writing:
            waiting.append(number)
        else:
            handlers[number](number, frame)

    with contextlib.suppress(ValueError):  # in an interpreter within another one
        for number in signal.valid_signals() if threading.current_thread() is threading.main_thread() else ():
            if callable(handler := signal.getsignal(number)):
                signal.signal(number, wait)
                handlers[number] = handler
    try:
        yield
    finally:
        writing = False
        for heard, handler in handlers.items():
            signal.signal(heard, handler)
        for heard in dict.fromkeys(waiting):
            handlers[heard](heard, None)


def _write(path: str | os.PathLike[str], target: Path, part: Path, data: bytes, overwrite: bool) -> None:
    try:
        with part.open("xb") as file:
            file.write(data)
        if overwrite:
            if target.exists():
                part.chmod(stat.S_IMODE(target.stat().st_mode))
            part.replace(target)
        else:
            _move_to_free_name(part, target)
    except FileExistsError:
        raise FileExistsError(f"{os.fspath(path)!r} exists") from None
    except OSError as error:  # in the user's words, not with the name of the part
        raise OSError(error.errno, error.strerror or str(error), os.fspath(path)) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _move_to_free_name(part: Path, target: Path) -> None:
    """Unlike a rename, never over a file that has appeared meanwhile."""
    try:
        os.link(part, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        target.touch(exist_ok=False)
        try:
            part.replace(target)
        except BaseException:
            target.unlink()
            raise
