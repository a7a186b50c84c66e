"""scikit-learn's own tests and checks, on lloydq's KMeans."""

import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

pytest.importorskip("sklearn", reason="scikit-learn's own tests and checks (extra: test)")

from sklearn.utils import estimator_checks

from lloydq import KMeans

HERE = Path(__file__).parent


def own_tests(seeds, folder, *more):
    """What pytest says of scikit-learn's tests of k-means with lloydq in its place."""
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "-p", "in_place_of_sklearn"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", "--pyargs", "sklearn.cluster.tests.test_k_means", *more],
        capture_output=True, text=True, timeout=900, cwd=folder,
        env={
            **os.environ, "PYTHONPATH": f"{HERE}{os.pathsep}{HERE.parent}",
            "SKLEARN_TESTS_GLOBAL_RANDOM_SEED": seeds, "SKLEARN_RUN_FLOAT32_TESTS": "1",
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr
    return int(re.search(r"(\d+) passed", done.stdout)[1])


def test_their_own_tests_pass(tmp_path):
    assert own_tests("42", tmp_path) >= 80


@pytest.mark.slow
def test_their_own_tests_pass_with_every_seed(tmp_path):
    """But for a test that one start finds the best of several optima.

    With 1.2 % of all seeds it does not, theirs or ours (test_one_start_finds_the_best_optimum_as_often_as_theirs); only
    their first hundred are lucky.
    """
    assert own_tests("all", tmp_path, "-k", "not test_k_means_function") >= 3800


def test_every_check_of_an_estimator_passes():
    """In a process of its own, where scipy's array interface is on: without it one check is left out."""
    code = """
from sklearn.utils.estimator_checks import check_estimator
from lloydq import KMeans
results = check_estimator(KMeans(), on_skip="warn")
print(len(results), {result["status"] for result in results})
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=600,
        env={**os.environ, "SCIPY_ARRAY_API": "1", "PYTHONPATH": str(HERE.parent)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    number, statuses = done.stdout.split(maxsplit=1)
    assert int(number) > 45
    assert statuses.strip() == "{'passed'}"


MORE = [  # left out of `check_estimator` for classes that do not inherit from ClusterMixin, or always
    "check_clusterer_compute_labels_predict",
    "check_clustering",
    "check_estimators_partial_fit_n_features",
    "check_non_transformer_estimators_n_iter",
    "check_dataframe_column_names_consistency",
    "check_get_feature_names_out_error",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_global_output_transform_pandas",
    "check_global_set_output_transform_polars",
    "check_inplace_ensure_writeable",
]


@pytest.mark.parametrize("name", MORE)
def test_further_checks_pass(name):
    if "pandas" in name or "polars" in name or "dataframe" in name:
        pytest.importorskip("polars" if "polars" in name else "pandas", reason="data frames (extra: test)")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        getattr(estimator_checks, name)("KMeans", KMeans())


def test_clustering_check_on_memory_that_cannot_be_written():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator_checks.check_clustering("KMeans", KMeans(), readonly_memmap=True)
