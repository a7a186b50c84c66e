"""What a process of its own takes: to start, load and make a small fit; and memory."""

import os
import subprocess
import sys
from pathlib import Path
from statistics import median

import numpy as np
import pytest

from . import data
from .clock import timed
from .contenders import CONTENDERS

ROOT = Path(__file__).parents[1]
PEOPLE = [who for who in CONTENDERS.values() if who.here and not who.extra and who.only is None]
QUICK = "lloydq", "scikit-learn"
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="peaks of memory are asked of Linux")


def alone(who, file, k, n_iter, *what, cache=None):
    """What the process prints."""
    command = [sys.executable, "-m", "bench.alone", who.name, str(file), str(k), str(n_iter), *what]
    env = dict(os.environ, PYTHONWARNINGS="ignore") | ({"NUMBA_CACHE_DIR": str(cache)} if cache else {})
    return subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """2,000 pixels, in either dtype."""
    folder = tmp_path_factory.mktemp("sample")
    for dtype in ("f4", "f8"):
        np.save(folder / f"{dtype}.npy", data.sample().astype(dtype))
    return folder


def facts(who):
    return {
        "name": who.name, "package": who.package, "version": who.version, "dtype": who.dtypes[0],
        "marks": list(who.marks),
    }  # fmt: skip


@pytest.mark.parametrize(
    "who",
    [pytest.param(who, id=who.name, marks=() if who.name in QUICK else pytest.mark.slow) for who in PEOPLE],
)
def test_start(benchmark, clock, sample, who):
    def run():
        alone(who, sample / f"{who.dtypes[0]}.npy", 64, 20)

    def other():
        alone(CONTENDERS["lloydq"], sample / "f4.npy", 64, 20)

    if who.name == "lloydq" and clock.budget:
        other()  # compiles
    beside = None if who.name == "lloydq" or not clock.budget else (other, timed(other))
    clock.measure(benchmark, run, timed(run) if clock.budget else 0.0, beside)
    group = benchmark.group = "a process of its own: start, load, fit 2,000 pixels for 20 iterations"
    benchmark.extra_info |= {"case": {"group": group, "name": "warm"}, **facts(who)}


@pytest.mark.slow
def test_first_start(benchmark, clock, sample, tmp_path):
    """Compiles what this fit needs."""
    who, caches = CONTENDERS["lloydq"], iter(range(100))

    def run():
        cache = tmp_path / str(next(caches)) if clock.budget else None
        alone(who, sample / "f4.npy", 64, 20, cache=cache)

    benchmark.pedantic(run, rounds=3 if clock.budget else 1)
    group = benchmark.group = "a process of its own: start, load, fit 2,000 pixels for 20 iterations"
    benchmark.extra_info |= {"case": {"group": group, "name": "the first ever: nothing is compiled"}, **facts(who)}


@LINUX
@pytest.mark.slow
@pytest.mark.parametrize("who", PEOPLE, ids=[who.name for who in PEOPLE])
def test_memory(benchmark, clock, who, tmp_path):
    file, n, found = tmp_path / "points.npy", min(1_000_000, data.most_rows), {}

    def run():
        for dtype in who.dtypes if clock.budget else who.dtypes[:1]:
            np.save(file, data.mixture(n, 8).astype(dtype))
            found.setdefault(dtype, []).append(int(alone(who, file, min(64, n), 3, "memory")))

    benchmark.pedantic(run, rounds=3 if clock.budget else 1)
    n_bytes, dtype = min((median(several), dtype) for dtype, several in found.items())
    benchmark.extra_info |= {
        "case": {"group": "memory at the peak, beside the points: 1,000,000 × 8, k = 64", "name": "3 iterations"},
        **facts(who), "dtype": dtype, "bytes": n_bytes, "told": f"{n_bytes / 2**20:,.0f} MiB",
    }  # fmt: skip
