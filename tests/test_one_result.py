"""For a fixed input and seed the same bytes, however and wherever it runs. README's table names these tests."""

import multiprocessing
import os
import platform
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from one_result import digest

pytestmark = pytest.mark.filterwarnings("ignore::lloydq.ConvergenceWarning")

LONG = bool(os.environ.get("LLOYDQ_LONG"))
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def here():
    """What this process finds."""
    return digest()


def elsewhere(script="one_result.py", **environment):
    """What a script prints in a fresh process."""
    return subprocess.run(
        [sys.executable, HERE / script],
        env=os.environ | environment, check=True, capture_output=True, text=True, timeout=600,
    ).stdout.strip()  # fmt: skip


@pytest.mark.parametrize("n_threads", range(1, 17) if LONG else (1, 2, 3, 7, 16))
def test_on_any_number_of_threads(here, n_threads):
    assert digest(n_threads) == here


def test_again_and_again(here):
    assert {digest() for _ in range(100 if LONG else 3)} == {here}


def test_in_threads_at_the_same_time(here):
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(digest, [None, 1, 2, 3] * 2)) == {here}


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_in_processes(here, method):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of any fork beside threads
        with multiprocessing.get_context(method).Pool(2) as pool:
            assert pool.map_async(digest, [None, 2]).get(timeout=300) == [here, here]


def test_without_the_compiler():
    """Where it is left out, Python notices an index that is out of bounds, too."""
    assert elsewhere("every_kernel.py", NUMBA_DISABLE_JIT="1") == elsewhere("every_kernel.py")


@pytest.mark.slow
def test_with_a_cold_cache_and_a_warm_one(here, tmp_path):
    cache = {"NUMBA_CACHE_DIR": str(tmp_path)}
    assert elsewhere(**cache) == here
    known = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nbc")}
    assert known
    assert elsewhere(**cache) == here
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nbc")} == known


OLD = {"NUMBA_CPU_NAME": "x86-64", "NUMBA_CPU_FEATURES": ""}


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="names a processor of that kind")
def test_one_fit_on_a_processor_with_fewer_vector_extensions(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import numpy as np, lloydq; from numba.core.registry import cpu_target\n"
        "X = np.random.default_rng(0).normal(size=(3000, 8))\n"
        "model = lloydq.KMeans(9, init=X[:9], tol=0, max_iter=None).fit(X)\n"
        "print(cpu_target.target_context.codegen().magic_tuple())\n"
        "print(model.cluster_centers_.tobytes().hex(), model.labels_.tobytes().hex(), model.inertia_)"
    )
    old, new = (elsewhere(script, NUMBA_CACHE_DIR=str(tmp_path), **more) for more in (OLD, {}))
    assert "'x86-64', ''" in old.splitlines()[0]
    assert old.splitlines()[1] == new.splitlines()[1]


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="names a processor of that kind")
def test_on_a_processor_with_fewer_vector_extensions(here, tmp_path):
    assert elsewhere(NUMBA_CACHE_DIR=str(tmp_path), **OLD) == here
