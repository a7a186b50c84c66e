"""What a process of its own takes: to start, load and make a small fit; and memory."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import pytest

from lloydq.pool import available

from . import data
from .cases import different_rows
from .clock import timed
from .contenders import CONTENDERS
from .fairness import Setting, judge

ROOT = Path(__file__).parents[1]
PEOPLE = [who for who in CONTENDERS.values() if who.here and not who.extra and who.only is None]
QUICK = "lloydq", "scikit-learn"
START = "a process of its own: start, load, fit 2,000 pixels for 20 iterations"
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="peaks of memory are asked of Linux")


def alone(fit, *what, cache=None):
    """What the process prints; the centroids are in the fit's second file."""
    command = [sys.executable, "-m", "bench.alone", *map(str, fit), *what]
    env = dict(os.environ, PYTHONWARNINGS="ignore") | ({"NUMBA_CACHE_DIR": str(cache)} if cache else {})
    return subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, text=True).stdout


def prepared(who, dtype, X, k, n_iter, folder):
    """A fit for `alone`: whose, the points, k, how many iterations, and where the centroids go."""
    np.save(folder / f"{dtype}.npy", X.astype(dtype))
    return who.name, folder / f"{dtype}.npy", k, n_iter, folder / f"centroids {who.name} {dtype}.npy"


def sample(k):
    """The pixels of the recipe; the first k, which fits start from, are all different."""
    X = data.sample()
    rows = different_rows(X, k, seed=1)
    return np.concatenate([X[rows], np.delete(X, rows, axis=0)])


def facts(who, dtype, X, fit):
    """Who it is, and what it came to."""
    _, _, k, n_iter, out = fit
    there = Setting(X, None, np.arange(k), False, n_iter, available())
    return {
        "name": who.name, "package": who.package, "version": who.version, "dtype": dtype,
        **judge(there, who, dtype, np.load(out), n_iter),
    }  # fmt: skip


@pytest.mark.parametrize(
    "who",
    [pytest.param(who, id=who.name, marks=() if who.name in QUICK else pytest.mark.slow) for who in PEOPLE],
)
def test_start(benchmark, clock, tmp_path, who):
    X, lloydq, dtype = sample(64), CONTENDERS["lloydq"], who.dtypes[0]
    fit, ours = prepared(who, dtype, X, 64, 20, tmp_path), prepared(lloydq, "f4", X, 64, 20, tmp_path)
    if who is lloydq and clock.budget:
        alone(ours)  # compiles
    beside = None if who is lloydq or not clock.budget else (partial(alone, ours), timed(partial(alone, ours)))
    clock.measure(benchmark, partial(alone, fit), timed(partial(alone, fit)) if clock.budget else 0.0, beside)
    benchmark.group = START
    benchmark.extra_info |= {"case": {"group": START, "name": "warm"}, **facts(who, dtype, X, fit)}


@pytest.mark.slow
def test_first_start(benchmark, clock, tmp_path):
    """Compiles what this fit needs."""
    who, caches, X = CONTENDERS["lloydq"], iter(range(100)), sample(64)
    fit = prepared(who, "f4", X, 64, 20, tmp_path)

    def run():
        alone(fit, cache=tmp_path / str(next(caches)) if clock.budget else None)

    benchmark.pedantic(run, rounds=3 if clock.budget else 1)
    benchmark.group = START
    case = {"group": START, "name": "the first ever: nothing is compiled"}
    benchmark.extra_info |= {"case": case, **facts(who, "f4", X, fit)}


@LINUX
@pytest.mark.slow
@pytest.mark.parametrize("who", PEOPLE, ids=[who.name for who in PEOPLE])
def test_memory(benchmark, clock, who, tmp_path):
    X, found, fits = data.mixture(1_000_000, 8), {}, {}
    k = min(64, len(X))

    def run():
        for dtype in who.dtypes if clock.budget else who.dtypes[:1]:
            fits[dtype] = prepared(who, dtype, X, k, 3, tmp_path)
            found.setdefault(dtype, []).append(int(alone(fits[dtype], "memory")))

    benchmark.pedantic(run, rounds=3 if clock.budget else 1)
    n_bytes, dtype = min((median(several), dtype) for dtype, several in found.items())
    benchmark.extra_info |= {
        "case": {"group": "memory at the peak, beside the points: 1,000,000 × 8, k = 64", "name": "3 iterations"},
        **facts(who, dtype, X, fits[dtype]), "bytes": n_bytes, "told": f"{n_bytes / 2**20:,.0f} MiB",
    }  # fmt: skip
