"""Machine code that is kept on disk for later processes: a file for each kernel, kind of input and state of the source.

Numba's own files have numbers, and an index, written first, says which is of what. After a full disk or an end between
the two, and where processes write at the same time, a number is not what the index says: code of other inputs is run,
or of an older version. Here a file's name follows from what it is of; it appears whole or not at all.
"""

import os
import pickle
import sys
import threading
import time
from contextlib import suppress
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import FunctionCache, IndexDataCacheFile


def _stamp() -> str:
    """Of this Python and Numba and of all sources of this folder: kernels take constants and functions from each other.

    Of the program, where there are no sources but one frozen file.
    """
    found, sources = sha256(f"{sys.version} {numba.__version__}".encode()), []
    with suppress(OSError):
        listed = sorted(files(__package__).iterdir(), key=lambda file: file.name)
        sources = [file.read_bytes() for file in listed if file.name.endswith((".py", ".pyc")) and file.is_file()]
    if not sources:
        program = Path(sys.executable or ".").stat()
        sources = [f"{sys.executable} {program.st_size} {program.st_mtime_ns}".encode()]
    for source in sources:
        found.update(source)
    return found.hexdigest()[:16]


def _states() -> list[tuple[str, int, int]]:
    """Names, sizes and times of the sources; nothing where they lie in an archive."""
    with suppress(OSError), os.scandir(Path(__file__).parent) as listed:
        return sorted((one.name, (stat := one.stat()).st_size, stat.st_mtime_ns) for one in listed if one.is_file())
    return []


LOADED = _states()  # before the stamp is taken
STAMP = _stamp()
DIGEST = 32  # bytes
LONG = 7 * 24 * 3600.0  # seconds for which the files of another version may be in use


class KernelFiles(IndexDataCacheFile):
    """The files of one kernel; `base` is Numba's: module.function-line.pythonversion."""

    def __init__(self, folder: str, base: str) -> None:
        super().__init__(folder, base, STAMP)
        self.folder, (self.kernel, _, line_and_version) = Path(folder), base.rpartition("-")
        self.version = line_and_version.partition(".")[2]

    def name(self, key: Any) -> str:
        return f"{self.kernel}.{self.version}.{STAMP}.{sha256(repr(key).encode()).hexdigest()[:16]}.nbc"

    def load(self, key: Any) -> Any:
        """None where there is no file, or one that cannot be read or is damaged: LLVM would end the process."""
        try:
            content = (self.folder / self.name(key)).read_bytes()
            if sha256(content[DIGEST:]).digest() != content[:DIGEST]:
                return None
            found, data = pickle.loads(content[DIGEST:])
        except Exception:
            return None
        return data if found == key else None

    def save(self, key: Any, data: Any) -> None:
        """And remove what others left long ago: of an older version, or half written."""
        name, content = self.name(key), self._dump((key, data))
        with self._open_for_write(self.folder / name) as file:
            file.write(sha256(content).digest() + content)
        for other in self.all():
            with suppress(OSError):
                if other.stat().st_mtime < time.time() - LONG and not (STAMP in other.name and other.suffix == ".nbc"):
                    other.unlink()

    def flush(self) -> None:
        for file in self.all():
            with suppress(OSError):
                file.unlink()

    def all(self) -> list[Path]:
        """Numba's own among them, whose names have a line."""
        kinds = (f"{self.kernel}{end}.{self.version}.*" for end in ("", "-[0-9]*"))
        return [file for kind in kinds for file in self.folder.glob(kind)]


class KernelCache(FunctionCache):
    """What Numba asks for machine code; RuntimeError where there is no folder for it."""

    def __init__(self, function: Any) -> None:
        """Not where the sources are no longer those that the files are named by, as when they are loaded again."""
        super().__init__(function)
        # Without a home it would be below the folder where the process stands, for anybody to fill
        if not Path(self.cache_path).is_absolute():
            raise RuntimeError(f"{self.cache_path!r} is no folder for machine code")
        if _states() != LOADED:
            raise RuntimeError("the sources have changed since they were loaded")
        self._cache_file = KernelFiles(self.cache_path, self._impl.filename_base)

    def save_overload(self, *what: Any) -> None:
        """A disk that is full is no reason to lose a result: then the machine code is not kept.

        Where LLVM's code did not arrive, Ctrl-C was pressed while it was handed over, which Numba does not tell.
        """
        try:
            super().save_overload(*what)
        except OSError:
            pass
        except RuntimeError as error:
            if "no compiled object" in str(error) and threading.current_thread() is threading.main_thread():
                raise KeyboardInterrupt from error
            raise


def kept(folder: str) -> set[str]:
    """Names of the kernels that have machine code in a folder."""
    return {file.name.split(".")[1] for file in Path(folder).glob(f"*.{STAMP}.*.nbc")}
