"""Where results go; refused before the work begins if that could not succeed."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .words import Failure


def checked(target: Path, kinds: Sequence[str], force: bool) -> Path:
    """A file that could be written."""
    if target.suffix.lower() not in kinds:
        raise Failure(f"'{target}': name the result with {' or '.join(kinds)} at its end")
    if not target.parent.is_dir():
        raise Failure(f"'{target.parent}' is not a folder; make it first, or name another with -o")
    if not os.access(target.parent, os.W_OK):
        raise Failure(f"'{target.parent}' is a folder that cannot be written to; name another with -o")
    if target.is_dir():
        raise Failure(f"'{target}' is a folder; name a file with -o")
    if target.exists() and not force:
        raise FileExistsError(f"'{target}' exists")
    return target


def beside(picture: str, output: str | None, name: str, kinds: Sequence[str], force: bool) -> Path:
    """The file that was named, or one beside the picture."""
    return checked(Path(output) if output is not None else renamed(picture, f"-{name}{kinds[0]}"), kinds, force)


def renamed(picture: str, ending: str) -> Path:
    """A name beside the picture's, which has another ending."""
    source = Path("stdin" if picture == "-" else picture)
    if not source.name:
        raise Failure(f"'{picture}' is a folder")
    return source.with_name(f"{source.stem}{ending}")


@contextmanager
def limited(max_pixels: int | None) -> Iterator[None]:
    """Pictures of more pixels are refused: Pillow refuses those of more than twice its limit."""
    if max_pixels is None:
        yield
        return
    from PIL import Image

    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, min(max_pixels, sys.maxsize) / 2  # type: ignore[assignment]
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def sourced(name: str) -> str | bytes:
    """The file of this name, or what comes from stdin for "-"."""
    return from_stdin() if name == "-" else name


def from_stdin() -> bytes:
    """All that comes."""
    if sys.stdin is None:
        raise Failure("there is no stdin to read a picture from")
    return sys.stdin.buffer.read()


def to_stdout(data: bytes) -> None:
    """Bytes to a pipe or a file; not to a terminal."""
    if sys.stdout is None:
        raise Failure("there is no stdout to write a picture to")
    if sys.stdout.isatty():
        raise Failure("a picture is not written to a terminal: send it to a file with >, or name one with -o")
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
