"""The nearest centroid for every point: everybody with the same centroids, and every label looked at."""

from functools import lru_cache

from lloydq import assign, nearest
from lloydq.pool import available

from . import data
from .cases import Mapping
from .contenders import MAPPERS
from .fairness import PLAIN, Setting, judge_labels, threads

KIND = Mapping


@lru_cache(maxsize=1)
def ready(case):
    """The points as a setting, the centroids, and the squared distances to the nearest."""
    X = case.points()
    there, centroids = Setting(X[: data.most_rows], None, None, False, None, available()), case.centroids(X)
    find = assign if there.X.size * len(centroids) < PLAIN else nearest  # plain NumPy where it ends soon
    return there, centroids, there.distances(centroids, find(there.X, centroids))


@lru_cache(maxsize=1)
def ours(case, clock):
    """lloydq's way, and what it takes."""
    return best(*ready(case)[:2], MAPPERS["lloydq"], clock)[1:]


def best(there, centroids, who, clock):
    """The dtype in which it is faster, the function that maps, and its seconds."""
    found = []
    for dtype in who.forms(there.X.dtype):
        run = who.prepare(there.X.astype(dtype), centroids, there.threads)
        run()  # loads and compiles
        found.append((clock.typical(run), dtype, run))
    seconds, dtype, run = min(found, key=lambda one: one[0])
    return dtype, run, seconds


def test_nearest(benchmark, clock, case, name):
    who, (there, centroids, least) = MAPPERS[name], ready(case)
    benchmark.group = case.id
    who.load()
    with threads(there.threads):
        dtype, run, expected = best(there, centroids, who, clock)
        clock.refuse(case.facts, name, expected)
        beside = None if name == "lloydq" else ours(case, clock)
        labels = clock.measure(benchmark, run, expected, beside)
    benchmark.extra_info |= {
        "case": case.facts, "name": name, "package": who.package, "version": who.version, "dtype": dtype,
        "shape": there.X.shape, "k": len(centroids), "threads": there.threads,
        **judge_labels(there, who, dtype, centroids, least, labels),
    }  # fmt: skip
