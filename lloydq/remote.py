"""Pictures on any file system that fsspec knows: which there are, and where results go."""

import os
from collections import Counter
from dataclasses import dataclass
from glob import has_magic
from pathlib import PurePosixPath
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from . import checks
from .image import FORMATS, write


@dataclass(frozen=True)
class File:
    """A file of a file system, local or not."""

    system: Any
    name: str

    @property
    def format(self) -> str:
        """That of its end."""
        return FORMATS[PurePosixPath(self.name).suffix]

    def read(self) -> bytes:
        """All of it."""
        data: bytes = self.system.cat_file(self.name)
        return data

    def write(self, data: bytes, *, overwrite: bool) -> None:
        """All of it at once: stores of objects show a file when it is whole."""
        if isinstance(self.system, LocalFileSystem):
            write(self.name, data, overwrite=overwrite)
        else:
            self.system.pipe_file(self.name, data)


def found(images: Any, options: dict[str, Any] | None) -> list[File]:
    """Each picture; those of a glob in the order of their names."""
    asked = [images] if isinstance(images, str | bytes | os.PathLike) or hasattr(images, "dtype") else list(images)
    files = [file for one in asked for file in _of(one, options)]
    if not files:
        raise ValueError("there are no pictures to find a palette for")
    return files


def _of(one: Any, options: dict[str, Any] | None) -> list[File]:
    """The picture of a name, or those of a glob."""
    if not isinstance(one, str | os.PathLike):
        raise TypeError(f"images are paths or globs, or several of them; got {type(one).__name__}")
    system, name = fsspec.core.url_to_fs(os.fspath(one), **(options or {}))
    try:
        kind = system.info(name)["type"]
    except FileNotFoundError:
        found = system.glob(name, detail=True) if has_magic(name) else {}
        names = sorted(name for name, facts in found.items() if facts["type"] != "directory")
        if not names:
            raise FileNotFoundError(f"there is no picture {os.fspath(one)!r}") from None
        return [File(system, name) for name in names]
    if kind == "directory":
        raise IsADirectoryError(f"{os.fspath(one)!r} is a folder; name its pictures, as by {os.fspath(one)}/*.png")
    return [File(system, name)]


def targets(
    pictures: list[File], folder: Any, suffix: str, overwrite: bool, options: dict[str, Any] | None
) -> list[File]:
    """Each result; none of those that are there, unless they may be replaced, and no two with one name."""
    checks.one_of(suffix, "suffix", FORMATS)
    system, root = fsspec.core.url_to_fs(os.fspath(folder), **(options or {}))
    system.makedirs(root, exist_ok=True)
    names = [PurePosixPath(picture.name).stem + suffix for picture in pictures]
    there = set() if overwrite else {PurePosixPath(name).name for name in system.ls(root, detail=False, refresh=True)}
    for name, times in Counter(names).items():
        if times > 1:
            raise FileExistsError(f"{times} pictures would be written to {root}/{name}")
        if name in there:
            raise FileExistsError(f"{root}/{name} exists; overwrite=True replaces it")
    return [File(system, f"{root.rstrip('/')}/{name}") for name in names]
