"""What the measurements were made on: processor, threads, BLAS kernels, versions."""

import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from shutil import which

from threadpoolctl import threadpool_info

from .contenders import CONTENDERS, MAPPERS

LIBRARIES = "lloydq", "numpy", "numba", "llvmlite", "pillow", "imagequant", "torch"
PROGRAMS = {"pngquant": ["pngquant", "--version"], "magick": ["magick", "-version"], "convert": ["convert", "-version"]}
VECTORS = "sse4_2", "avx", "avx2", "fma", "avx512f", "avx512vl", "neon", "asimd", "sve"


def facts(threads):
    """What is added to pytest-benchmark's own facts."""
    packages = dict.fromkeys([*LIBRARIES, *(who.package for who in [*CONTENDERS.values(), *MAPPERS.values()])])
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "threads": threads,
        "vectors": [name for name in VECTORS if name in _flags()],
        "memory": _memory(),
        "versions": {name: number for name in packages if (number := _version(name))},
        "programs": {name: told for name, command in PROGRAMS.items() if (told := _told(name, command))},
    }


def pools():
    """The BLAS and OpenMP libraries that are loaded, with their kernels and threads."""
    keys = "internal_api", "version", "architecture", "threading_layer", "num_threads"
    return [{key: pool[key] for key in keys if pool.get(key)} for pool in threadpool_info()]


def _version(package):
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _told(name, command):
    """The version that a program tells."""
    if which(name) is None:
        return None
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = re.search(r"\d+(\.\d+)+(-\d+)?", said)
    return found and found[0]


def _flags():
    """Of the processor, where Linux tells them."""
    try:
        return set(re.search(r"^(?:flags|Features)\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.M)[1].split())
    except (OSError, TypeError):
        return set()


def _memory():
    """Bytes in all."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError):
        return None
