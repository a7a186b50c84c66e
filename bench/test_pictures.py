"""The photograph in k colours: nobody's algorithm is another's, so the error stands beside every time."""

from functools import partial
from importlib.metadata import version
from importlib.util import find_spec

import numpy as np
import pytest

from lloydq.metrics import delta_e, mse, pairs, psnr

from .clock import timed
from .pictures import IN_MEMORY, Files, commands, ours, photograph

CORNER = 40  # rows and columns of the smoke run


@pytest.fixture(scope="module")
def side(request):
    return CORNER if request.config.getoption("--set") == "smoke" else None


@pytest.fixture(scope="module")
def files(side):
    return Files(side)


def error(original, found):
    """By what the pictures differ."""
    counted = pairs(original.reshape(-1, 3), found.reshape(-1, 3))
    facts = {"mse": mse(*counted), "psnr": psnr(mse(*counted))}
    return facts | ({"delta_e": delta_e(*counted)[0]} if find_spec("skimage") else {})


def ready(prepare, pixels, k):
    """A way to quantize that has loaded what it needs, and the seconds that it takes."""
    prepare(np.ascontiguousarray(pixels[:CORNER, :CORNER]), k)()
    run = prepare(pixels, k)
    return run, timed(run)


@pytest.mark.parametrize("k", [pytest.param(16, marks=pytest.mark.slow), 64, pytest.param(256, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if name.endswith("k-means") else ())  # 7 s
        for name, (_, module, *_) in IN_MEMORY.items()
        if find_spec(module)
    ],
)
def test_in_memory(benchmark, clock, side, k, name):
    package, _, marks, prepare = IN_MEMORY[name]
    pixels = photograph(side)
    run, expected = ready(prepare, pixels, k)
    case = {"group": "quantizers in memory: the photograph, not dithered", "name": f"k = {k}"}
    clock.refuse(case, name, expected)
    found = clock.measure(benchmark, run, expected, None if name == "lloydq" else ready(ours, pixels, k))
    benchmark.extra_info |= {
        "case": case, "name": name, "package": package, "version": version(package), "k": k, "marks": list(marks),
        **error(pixels, found),
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("k", [64, 256])
@pytest.mark.parametrize("name", list(commands()))
def test_whole_process(benchmark, clock, files, k, name):
    run, other = partial(files.run, name, k), partial(files.run, "lloydq", k)
    beside = None
    if clock.budget:
        other()  # compiles
        beside = None if name == "lloydq" else (other, timed(other))
    clock.measure(benchmark, run, timed(run) if clock.budget else 0.0, beside)
    if beside:
        run()  # the file that is looked at is its own
    found, n_bytes = files.result()
    benchmark.extra_info |= {
        "case": {"group": "quantizers as whole processes: PNG in, PNG out, not dithered", "name": f"k = {k}"},
        "name": name, "k": k, "marks": [] if name == "lloydq" else ["other algorithm"], "bytes": n_bytes,
        **error(files.pixels, found),
    }  # fmt: skip
