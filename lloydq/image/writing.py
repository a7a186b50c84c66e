"""A file that appears whole or not at all."""

import contextlib
import os
import secrets
import stat
from pathlib import Path


def write(path: str | os.PathLike[str], data: bytes, *, overwrite: bool) -> None:
    """Write a file that appears whole or not at all; FileExistsError if it is there and may not be replaced."""
    target = Path(os.path.realpath(path))
    if not overwrite and target.exists():
        raise FileExistsError(f"{os.fspath(path)!r} exists")
    part = target.with_name(f".lloydq-{secrets.token_hex(8)}")
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
