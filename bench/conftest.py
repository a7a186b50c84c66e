"""pytest's side: which set is run, one `clock` for all, and what the JSON says about the machine."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from lloydq.pool import available

from . import data, machine
from .cases import Case, cases
from .clock import Clock
from .contenders import CONTENDERS, MAPPERS

# The set: seconds that one fit may take, seconds for which a contender is measured, rounds at most
SETS = {"quick": (3.0, 0.5, 15), "full": (8.0, 0.5, 15), "smoke": (float("inf"), 0.0, 1)}
TOOK = Counter()
FEW = 60, 3  # rows and clusters of the smoke run
KEPT = 31 << 20  # bytes: the largest buffer that glibc can be brought to keep for the next fit


def pytest_addoption(parser):
    parser.addoption("--set", choices=SETS, default="quick", help="which benchmarks, and how long (default: quick)")
    parser.addoption("--limit", type=float, metavar="SECONDS", help="how long one fit may take (quick: 3, full: 8)")


def pytest_configure(config):
    limit, *rest = SETS[config.getoption("--set")]
    config.clock = Clock(config.getoption("--limit") or limit, *rest)
    # Once one of that size was freed, glibc keeps buffers. Else the first fits of the run would get theirs page by page
    # from the system each time, and later ones not: superkmeans' 1,000 × 8 in 10 ms, or in 0.7.
    np.empty(KEPT, np.uint8)
    if config.getoption("--set") == "smoke":
        data.most_rows = FEW[0]


def pytest_generate_tests(metafunc):
    """`test_fit` and `test_nearest` take every case with every contender that is installed."""
    if "case" not in metafunc.fixturenames:
        return
    kind, size = metafunc.module.KIND, metafunc.config.getoption("--set")
    people = CONTENDERS if kind is Case else MAPPERS
    pairs = [
        (few(case) if size == "smoke" else case, name)
        for case in cases(available())
        if isinstance(case, kind) and (size != "quick" or case.quick)
        for name in case.names
        if people[name].here and people[name].takes_part(case)
    ]
    metafunc.parametrize(("case", "name"), pairs, ids=[f"{case.id}, {name}" for case, name in pairs])


def few(case):
    """The same at a size that takes no time."""
    return replace(case, k=min(case.k, FEW[1])) if isinstance(case, Case) else case


def pytest_collection_modifyitems(config, items):
    if config.getoption("--set") == "quick":
        items[:] = [item for item in items if not item.get_closest_marker("slow")]
    for item in items:
        item.add_marker(pytest.mark.filterwarnings("ignore"))  # each library has its own


@pytest.fixture(scope="session")
def clock(request):
    return request.config.clock


def pytest_runtest_logreport(report):
    """What each benchmark takes in all, which tells the next run's bar what is left."""
    TOOK[report.nodeid] += report.duration


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session):
    """Of a run that is broken off, what was measured is kept: pytest-benchmark stumbles over the one without a time."""
    benchmarks = session.config._benchmarksession.benchmarks
    benchmarks[:] = [one for one in benchmarks if one.stats.data]
    return (yield)


def pytest_benchmark_update_machine_info(machine_info):
    machine_info |= machine.facts(available())


def pytest_benchmark_update_json(config, output_json):
    output_json |= {
        "set": config.getoption("--set"), "left_out": config.clock.left_out, "pools": machine.pools(),
        "took": {nodeid: round(seconds, 3) for nodeid, seconds in TOOK.items()},
    }  # fmt: skip
