"""Data larger than memory: a fit reads a memory map in passes and never copies it."""

import subprocess
import sys
import textwrap
import tracemalloc
import warnings

import numpy as np
import pytest

from lloydq import ConvergenceWarning, KMeans, kernels, steps
from lloydq.colors import DistinctColors
from lloydq.lloyd import chunks
from lloydq.passes import BlockPass, GroupsPass, suited
from lloydq.seeding import Starts

MiB = 1 << 20


def stated(n, d, k, n_threads, converted_weights=False):
    """The most bytes that a fit takes besides its input, as the docstring of KMeans says."""
    return (32 if converted_weights else 24) * n + 16 * MiB + n_threads * (16 * MiB + 256 * k * d)


def peak(X, k, weight=None, **options):
    """The most bytes that NumPy and Python held during a fit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        kernels.compile_all()  # before it counts
        KMeans(k, max_iter=2, tol=0, **options).fit(
            X[:40_000], sample_weight=None if weight is None else weight[:40_000]
        )
        tracemalloc.start()
        KMeans(k, max_iter=2, tol=0, **options).fit(X, sample_weight=weight)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return most


@pytest.fixture
def mapped(tmp_path):
    """A function that puts points into a file and maps it."""

    def to_file(n, d, dtype, rng):
        X = np.lib.format.open_memmap(tmp_path / "points.npy", "w+", dtype, (n, d))
        for rows in chunks((n, d), 1):
            X[rows] = rng.integers(0, 100, (rows.stop - rows.start, d))
        X.flush()
        return np.load(tmp_path / "points.npy", mmap_mode="r")

    return to_file


@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", ">f4", "i2", "u1"])
def test_a_fit_takes_what_it_says(dtype, mapped, rng):
    n, d, k = 600_000, 12, 8
    X = mapped(n, d, dtype, rng)
    far = np.concatenate([X[:5], np.full((3, d), 9e3)]).astype(float)
    for options in (
        {"init": "k-means++", "n_threads": 1},
        {"init": "random", "n_init": 3, "n_threads": 2},
        {"init": far, "n_threads": 4},  # empty clusters
    ):
        limit = stated(n, d, k, options["n_threads"])
        assert peak(X, k, random_state=0, **options) <= limit
    assert limit < n * d * 8 * 2  # a copy in float64 and its temporaries would not fit


@pytest.mark.parametrize(
    "weights", ["f8", pytest.param("f4", marks=pytest.mark.slow), pytest.param("i4", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize(("n", "d", "k"), [(130_000, 16, 64), (600_000, 16, 64), (600_000, 2, 8), (1_000_000, 12, 8)])
def test_a_weighted_fit_takes_what_it_says(n, d, k, weights, rng):
    X, weight = rng.random((n, d), np.float32), rng.integers(0, 9, n).astype(weights)
    for init in ("k-means++", "random"):
        most = peak(X, k, weight, init=init, n_init=1, random_state=0, n_threads=2)
        assert most <= stated(n, d, k, 2, converted_weights=weights != "f8")


@pytest.mark.parametrize(("d", "k"), [(12, 256), (60, 64)])
def test_a_fit_with_groups_takes_what_it_says(d, k, rng):
    X = rng.random((300_000, d), np.float32)
    assert type(suited(X, None, k)) is GroupsPass
    assert peak(X, k, init=X[:k], n_threads=2) <= stated(len(X), d, k, 2) + (8 + k / 4) * len(X)


@pytest.mark.parametrize("weights", [None, "f8", "f4"])
@pytest.mark.parametrize(("d", "levels"), [(1, 256), (3, 256), (3, 20), (4, 256), (4, 12)])
def test_a_fit_of_bytes_takes_what_it_says(d, levels, weights, rng):
    n = 1_500_000
    pixels = rng.integers(0, levels, (n, d)).astype(np.uint8)
    weight = None if weights is None else rng.integers(1, 9, n).astype(weights)
    distinct = len(DistinctColors(pixels).colors)
    each, row = (24, 4) if weight is None else (48, 4 if weights == "f8" else 12)
    for init in ("k-means++", "random"):
        most = peak(pixels, 16, weight, init=init, n_init=1, random_state=0, n_threads=2)
        assert most <= each * distinct + row * n + 80 * MiB


@pytest.mark.parametrize("dtype", ["f4", "f8", "i8"])
def test_numbers_that_are_bytes_take_80_MiB_more(dtype, rng):
    X = rng.integers(0, 256, (1_500_000, 3)).astype(dtype)
    for init in ("k-means++", "random"):
        most = peak(X, 16, init=init, n_init=1, random_state=0, n_threads=2)
        assert most <= stated(len(X), 3, 16, 2) + 80 * MiB


def test_many_equal_points(rng):
    X = np.repeat(rng.normal(size=(30, 4)), 40_000, axis=0)
    start = np.concatenate([X[:1], np.full((39, 4), 9e3)])
    for init in ("k-means++", "random", start):
        assert peak(X, 40, init=init, n_init=1, n_threads=2) <= stated(len(X), 4, 40, 2)
    mostly_zero = X * (rng.random((len(X), 1)) < 0.1)
    for init in ("k-means++", "random"):
        assert peak(mostly_zero, 8, init=init, n_init=1, n_threads=2) <= stated(len(X), 4, 8, 2)


@pytest.mark.skipif(sys.platform != "linux", reason="a limit on a process's own data, which Linux has")
def test_a_map_larger_than_the_memory_of_the_process(mapped, tmp_path, rng):
    """256 MiB of points, as float64 twice that, where the process may take 96 MiB beyond what it has at the start."""
    n = 1 << 21
    mapped(n, 32, "f4", rng)
    code = f"""
        import re, resource, sys
        from pathlib import Path
        import numpy as np
        from lloydq import KMeans
        X = np.load({str(tmp_path / "points.npy")!r}, mmap_mode="r")
        KMeans(4, max_iter=2, tol=10, random_state=0, n_threads=2).fit(X[:100_000])
        status = Path("/proc/self/status").read_text()
        have = int(re.search(r"VmData:\\s+(\\d+) kB", status)[1]) * 1024
        resource.setrlimit(resource.RLIMIT_DATA, (have + {96 * MiB},) * 2)
        model = KMeans(4, max_iter=2, tol=0, random_state=0, n_threads=2)
        import warnings
        warnings.simplefilter("ignore")
        print(len(model.fit(X).labels_), model.n_iter_)
        try:
            X.astype(np.float64)
        except MemoryError:
            print("a copy would not fit")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=300)
    assert done.stdout.split("\n")[:2] == [f"{n} 2", "a copy would not fit"], done.stderr


def test_a_fit_of_colours_takes_24_bytes_for_each(rng):
    """3 for the colour and 8 for its count, which are given here, and 13 more."""
    codes = rng.choice(1 << 24, 600_000, replace=False)
    pixels = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=1).astype(np.uint8)
    distinct = DistinctColors(pixels, 2)
    colors, weight = distinct.colors, distinct.weight
    tracemalloc.start()
    start = Starts(colors, weight, 64, "k-means++", 2, given=colors).draw(rng)
    assert tracemalloc.get_traced_memory()[1] <= 13 * len(colors) + 4 * MiB
    tracemalloc.stop()
    for _ in steps(colors[:9_000], start, weight[:9_000], make_pass=BlockPass, max_iter=2):
        pass
    tracemalloc.start()
    for step in steps(colors, start, weight, make_pass=lambda X, w: BlockPass(X, w, 2), max_iter=5):
        assert step.sums.computed
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most <= 13 * len(colors) + 4 * MiB
