"""What README says of large pictures: 48 million pixels of noise, all colours different or nearly so."""

import subprocess
import sys

import pytest

from .test_processes import ROOT

CODE = """
import sys, time
import numpy as np, lloydq
from bench.alone import bytes_of
height, width = map(int, sys.argv[1:])
pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
lloydq.quantize(pixels[:100, :100], 8, tol=1)
start = time.perf_counter()
lloydq.quantize(pixels, 64, tol=1)
print(time.perf_counter() - start, bytes_of("VmHWM"))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="peaks of memory are asked of Linux")
def test_large_noise(benchmark, clock):
    size, told = ("6000", "8000") if clock.budget else ("60", "80"), []

    def run():
        command = [sys.executable, "-c", CODE, *size]
        told.append(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)

    benchmark.pedantic(run, rounds=3 if clock.budget else 1)
    seconds, n_bytes = min(tuple(map(float, text.split())) for text in told)
    benchmark.extra_info |= {
        "case": {"group": "large pictures", "name": "8000 × 6000 pixels of noise, k = 64, tol = 1"},
        "name": "lloydq", "quantize": seconds, "bytes": n_bytes,
        "told": f"quantize {seconds:.1f} s, {n_bytes / 2**30:.2f} GiB with the pixels",
    }  # fmt: skip
