"""Fits: everybody from the same centroids, with the same threads, to the same stop or for as many iterations."""

from functools import lru_cache

from lloydq.pool import available

from .cases import Case
from .contenders import CONTENDERS
from .fairness import judge, setting, threads

KIND = Case
WHOLE = 0.3  # s that a fit is expected to take, up to which the faster dtype is found by whole fits


@lru_cache(maxsize=1)
def ready(case):
    """The case's points; those of one case alone are in memory."""
    return setting(case, case.threads or available())


@lru_cache(maxsize=1)
def ours(case, clock):
    """lloydq's fit, and what it takes."""
    return best(ready(case), CONTENDERS["lloydq"], clock)[1:]


def best(there, who, clock):
    """The dtype in which it is faster, its fit, and the seconds to expect."""
    expected = {}
    for dtype in who.forms(there.X.dtype) if clock.budget else ():
        who.fit(there.task(dtype, n_iter=3))()  # loads and compiles what there is to load and to compile
        if "own stop" in who.marks:
            expected[dtype] = clock.typical(who.fit(there.task(dtype)))
        else:
            short = clock.typical(who.fit(there.task(dtype, n_iter=2)))
            expected[dtype] = short * max(there.reference[1], 2) / 2
    if max(expected.values(), default=0) < WHOLE:
        forms = who.forms(there.X.dtype)
        expected = {dtype: clock.typical(who.fit(there.task(dtype)), times=3) for dtype in forms}
    dtype = min(expected, key=expected.__getitem__)
    return dtype, who.fit(there.task(dtype)), expected[dtype]


def test_fit(benchmark, clock, case, name):
    who, there = CONTENDERS[name], ready(case)
    if case.weighted and not who.weights:
        clock.leave_out(case.facts, name, "takes no weights")
    if len(there.X) > who.most:
        clock.leave_out(case.facts, name, f"cannot be given the start of more than {who.most:,} rows")
    clock.too_large(case.facts, name)
    with threads(there.threads):
        dtype, run, expected = best(there, who, clock)
        clock.refuse(case.facts, name, expected)
        beside = {} if name == "lloydq" else dict(zip(("beside", "beside_seconds"), ours(case, clock), strict=True))
        centroids, n_iter = clock.measure(benchmark, run, expected, **beside)
    benchmark.extra_info |= {
        "case": case.facts, "name": name, "package": who.package, "version": who.version, "dtype": dtype,
        "shape": there.X.shape, "k": case.k, "until": there.until, "threads": there.threads,
        "reference": {"inertia": there.target, "n_iter": there.reference[1]},
        **judge(there, who, dtype, centroids, n_iter),
    }  # fmt: skip
