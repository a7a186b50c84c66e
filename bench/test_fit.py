"""Fits: everybody from the same centroids, with the same threads, to the same stop or for as many iterations."""

from functools import lru_cache

from lloydq.pool import available

from .cases import Case
from .contenders import CONTENDERS
from .fairness import judge, setting, threads

KIND = Case
FEW, MANY = 2, 12  # iterations by which the time of a whole fit is foreseen
HUGE = 1 << 28  # numbers that are not brought into float64 as well
WHOLE = 0.3  # s that a fit is expected to take, up to which the faster dtype is found by whole fits


def expect(case, there, who, dtype, clock):
    """Seconds of a whole fit, from fits of a few iterations: those that keep bounds take less for the later ones."""
    n_iter = there.reference[1]
    if not clock.budget:
        return 0.0
    few = min(FEW, n_iter)
    run = who.fit(there.task(dtype, n_iter=few))
    run()  # loads and compiles what there is to load and to compile
    seconds = clock.typical(run)
    if few == n_iter or clock.hopeless(case.facts, seconds / few * (min(MANY, n_iter) if who.bounds else n_iter)):
        return seconds / few * n_iter
    if "own stop" in who.marks or n_iter <= MANY:
        return clock.typical(who.fit(there.task(dtype)))
    many = clock.typical(who.fit(there.task(dtype, n_iter=MANY)))
    return many + max(many - seconds, 0.0) / (MANY - few) * (n_iter - MANY)


@lru_cache(maxsize=1)
def ready(case):
    """The case's points; those of one case alone are in memory."""
    return setting(case, case.threads or available())


@lru_cache(maxsize=1)
def ours(case, clock):
    """lloydq's fit, and what it takes."""
    return best(case, ready(case), CONTENDERS["lloydq"], clock)[1:]


def best(case, there, who, clock):
    """The dtype in which it is faster, its fit, and the seconds to expect."""
    forms = who.forms(there.X.dtype) if there.X.size < HUGE else ("f4",)
    expected = {}
    for dtype in forms:
        expected[dtype] = expect(case, there, who, dtype, clock)
        if clock.hopeless(case.facts, expected[dtype]):
            break
    if max(expected.values()) < WHOLE:
        expected = {dtype: clock.typical(who.fit(there.task(dtype)), times=3) for dtype in forms}
    dtype = min(expected, key=expected.__getitem__)
    return dtype, who.fit(there.task(dtype)), expected[dtype]


def test_fit(benchmark, clock, case, name):
    who, there = CONTENDERS[name], ready(case)
    if case.weighted and not who.weights:
        clock.leave_out(case.facts, name, "takes no weights")
    if len(there.X) > who.most:
        clock.leave_out(case.facts, name, f"cannot be given the start of more than {who.most:,} rows")
    if case.n_iter and case.n_iter < who.iterations[0]:
        clock.leave_out(case.facts, name, f"makes at least {who.iterations[0]} iterations")
    if (case.n_iter or there.reference[1]) > who.iterations[1]:
        clock.leave_out(case.facts, name, f"makes at most {who.iterations[1]} iterations")
    clock.too_large(case.facts, name)
    who.load()
    benchmark.group = case.id
    with threads(there.threads):
        dtype, run, expected = best(case, there, who, clock)
        clock.refuse(case.facts, name, expected)
        beside = None if name == "lloydq" else ours(case, clock)
        centroids, n_iter = clock.measure(benchmark, run, expected, beside)
    benchmark.extra_info |= {
        "case": case.facts, "name": name, "package": who.package, "version": who.version, "dtype": dtype,
        "shape": there.X.shape, "k": case.k, "until": there.until, "threads": there.threads,
        "reference": {"inertia": there.target, "n_iter": there.reference[1], "gain": there.reference[2]},
        **judge(there, who, dtype, centroids, n_iter),
    }  # fmt: skip
