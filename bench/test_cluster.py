"""On a Dask cluster of processes with one thread each: beside one process with as many threads, and beside Dask-ML."""

import os
import re
from contextlib import contextmanager, nullcontext
from functools import lru_cache

import numpy as np
import pytest

import lloydq
from lloydq.pool import available

from . import data
from .alone import bytes_of, forget_peak
from .clock import timed
from .contenders import CONTENDERS
from .fairness import Setting, judge

da = pytest.importorskip("dask.array", reason="Dask (extra: dask)")
distributed = pytest.importorskip("distributed", reason="Dask (extra: dask)")

PARTS, D, K, ITERATIONS = 64, 8, 64, 5
GROUP = "Dask cluster: a process for each processor, 64 partitions of 8 columns, k = 64, 5 iterations"
GIB = 2**30
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def client(request):
    processes = request.config.clock.budget > 0
    options = {"n_workers": available(), "threads_per_worker": 1, "dashboard_address": ":0", "processes": processes}
    environment = dict(os.environ)
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        os.environ.clear()  # what it sets for its workers (OMP_NUM_THREADS) stays set in this process
        os.environ.update(environment)
        yield client


@lru_cache(maxsize=1)
def setting(n):
    """The same points in one process, and the reference."""
    n = min(n, PARTS * data.most_rows)
    X = np.concatenate([data.mixture(n // PARTS, D, part) for part in range(PARTS)])
    return Setting(X, None, np.arange(K), False, ITERATIONS, available())


def made_there(n):
    """A Dask array of them, made and kept by the workers."""
    rows = n // PARTS
    chunks = ((rows,) * PARTS, (D,))
    X = da.map_blocks(
        lambda block_info=None: data.mixture(rows, D, block_info[None]["chunk-location"][0]), chunks=chunks, dtype="f4"
    ).persist()
    distributed.wait(X)
    return X


def fit_there(there, X):
    from lloydq.dask import KMeans

    model = KMeans(K, init=there.start, tol=0, max_iter=ITERATIONS)
    return lambda: model.fit(X)


def fit_dask_ml(there, X):
    from dask_ml.cluster import KMeans

    model = KMeans(K, init=there.start.astype("f4"), tol=1e-30, max_iter=ITERATIONS)  # stops below tol
    return lambda: model.fit(X)


def fit_here(there, _):
    model = lloydq.KMeans(K, init=there.start, tol=0, max_iter=ITERATIONS)
    return lambda: model.fit(there.X)


@contextmanager
def watched(client, found):
    """Into found, of a fit: the peak of a worker's memory, tasks in an iteration, and the part of the time in tasks."""
    client.run(forget_peak)
    with distributed.get_task_stream(client) as stream:
        yield
    tasks = [task for task in stream.data if "lloydq-visit" in str(task["key"])]
    turns, busy, wall = {}, 0.0, 0.0
    for task in tasks:
        spans = [(span["start"], span["stop"]) for span in task["startstops"] if span["action"] == "compute"]
        turns.setdefault(re.search("lloydq-visit-([0-9a-f]+)", str(task["key"]))[1], []).extend(spans)
    for spans in turns.values():
        busy += sum(stop - start for start, stop in spans)
        wall += max(stop for _, stop in spans) - min(start for start, _ in spans)
    peaks = client.run(bytes_of, "VmHWM")
    found["told"] = (
        f"{max(peaks.values()) / GIB:.2f} GiB a worker, {len(tasks) / len(turns):.0f} tasks an iteration, "
        f"{busy / wall / len(peaks):.1%} of the workers' time in tasks"
    )


@pytest.mark.parametrize(
    ("n", "name"),
    [(1_000_000, name) for name in ("lloydq", "lloydq.dask", "Dask-ML")]
    + [(50_000_000, name) for name in ("lloydq", "lloydq.dask")],  # of which Dask-ML would take minutes a fit
)
def test_cluster(benchmark, clock, client, n, name):
    case = {"group": GROUP, "name": f"{n:,} points", "axis": None, "size": None}
    there, who = setting(n), CONTENDERS["Dask-ML" if name == "Dask-ML" else "lloydq"]
    if not who.here:
        pytest.skip("Dask-ML is not installed")
    X = made_there(len(there.X)) if name != "lloydq" else None
    fits = {"lloydq": fit_here, "lloydq.dask": fit_there, "Dask-ML": fit_dask_ml}
    run, ours = fits[name](there, X), fit_here(there, None)
    once, told = timed(run) if clock.budget else 0.0, {}  # loads, compiles
    beside = None if name == "lloydq" or not clock.budget else (ours, once)
    with watched(client, told) if name == "lloydq.dask" and clock.budget else nullcontext():
        model = clock.measure(benchmark, run, once, beside)
    benchmark.group = GROUP
    benchmark.extra_info |= {
        "case": case, "name": name, "package": who.package, "version": who.version, "dtype": "f4", **told,
        **judge(there, who, "f4", model.cluster_centers_, model.n_iter_),
    }  # fmt: skip
