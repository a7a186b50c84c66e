"""A file that appears whole or not at all."""

import _thread
import atexit
import contextlib
import errno
import os
import secrets
import stat
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ..forks import in_child

_parts = set[Path]()  # of files that are being written
in_child(_parts.clear)  # which are its parent's


def write(path: str | os.PathLike[str], data: bytes, *, overwrite: bool) -> None:
    """Write a file that appears whole or not at all; FileExistsError if it is there and may not be replaced."""
    target = Path(os.path.realpath(path))
    if not overwrite and target.exists():
        raise FileExistsError(f"{os.fspath(path)!r} exists")
    if target.exists() and not target.is_file() and not target.is_dir():  # a pipe, whose reader would wait for ever
        raise OSError(errno.EINVAL, "not a regular file", os.fspath(path))
    part = target.with_name(f".lloydq-{secrets.token_hex(8)}")
    _to_its_end(partial(_write, path, target, part, data, overwrite))


def _to_its_end(work: Callable[[], None]) -> None:
    """What a signal raises meanwhile, as Ctrl-C does, is raised when the work is done.

    It comes between any two steps of the main thread, and of no other: so another one takes the steps. (One of
    `threading` would wait for its start and its end by locks that a signal breaks.) Whoever does not wait, since more
    signals came, leaves it to end its work.
    """
    if threading.current_thread() is not threading.main_thread():
        work()
        return
    failures, over, heard, done = list[BaseException](), list[bool](), None, threading.Lock()

    def take() -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)
        finally:
            over.append(True)
            done.release()

    done.acquire()
    try:
        _thread.start_new_thread(take, ())
    except RuntimeError:  # there is none to be had
        work()
        return
    while not over:
        try:
            done.acquire()
        except BaseException as error:
            heard = heard or error
    for told in (heard, *failures):
        if told is not None:
            raise told


@atexit.register
def remove_parts() -> None:
    """Of files that are not whole yet, at the end of the process."""
    for part in list(_parts):
        with contextlib.suppress(OSError):
            part.unlink()


def _write(path: str | os.PathLike[str], target: Path, part: Path, data: bytes, overwrite: bool) -> None:
    _parts.add(part)
    try:
        with part.open("xb") as file:
            file.write(data)
            if target.exists():  # whose contents are lost when its name is the new one's
                part.chmod(stat.S_IMODE(target.stat().st_mode))
                file.flush()
                os.fsync(file.fileno())
        if overwrite:
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
        _parts.discard(part)


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
